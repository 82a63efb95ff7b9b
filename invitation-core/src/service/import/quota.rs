//! Choosing the rows that an import leaves out, so that the rest fits under the quotas
//! and can still be stored in one step.

use std::collections::{BTreeMap, HashSet};

use super::judged::Candidate;
use crate::{
    decide::{Call, Terms},
    quota::QuotaOf,
    refusal::Verdict,
};

/// The quotas that have no room for all rows.
#[derive(Default)]
pub(super) struct Rooms(BTreeMap<QuotaOf, (u32, Verdict)>);

fn is_about(of: &QuotaOf, terms: &Terms) -> bool {
    match of {
        QuotaOf::Inviter(_) => true,
        QuotaOf::Division(division) => division == terms.division(),
    }
}

/// Returns the maximum number of quotas that the rows count for: one of the inviter, and one of each
/// division.
pub(super) fn number(candidates: &[Candidate]) -> usize {
    let divisions: HashSet<_> = candidates.iter().map(|one| one.terms.division()).collect();
    divisions.len() + 1
}

impl Rooms {
    /// Records the room of a quota that had none for the `tried` rows. The recorded room
    /// is less than they need, even if there is more by now. Each round therefore leaves
    /// out at least one more row, and the rounds come to an end.
    pub(super) fn learn(
        &mut self,
        of: QuotaOf,
        room: u32,
        verdict: Verdict,
        tried: &[(Terms, Call)],
    ) {
        let needed = tried.iter().filter(|(terms, _)| is_about(&of, terms)).count();
        let needed = u32::try_from(needed).unwrap_or(u32::MAX);
        self.0.insert(of, (room.min(needed.saturating_sub(1)), verdict));
    }

    /// Returns the rows that are left out, by ascending row, and why. Earlier rows get
    /// the remaining places first.
    pub(super) fn refuse(&self, candidates: &[Candidate]) -> Vec<(usize, Verdict)> {
        let mut rooms: Vec<_> =
            self.0.iter().map(|(of, (room, verdict))| (of, *room, verdict)).collect();
        let mut refused = Vec::new();
        for Candidate { row, terms, .. } in candidates {
            let full = rooms.iter().find(|(of, room, _)| *room == 0 && is_about(of, terms));
            match full {
                Some((_, _, verdict)) => refused.push((*row, (*verdict).clone())),
                None => {
                    for (_, room, _) in rooms.iter_mut().filter(|(of, ..)| is_about(of, terms)) {
                        *room -= 1;
                    }
                }
            }
        }
        refused
    }
}
