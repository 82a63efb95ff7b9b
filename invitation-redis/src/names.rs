//! Invitations that a search finds by the name of one of their redeemers.
//!
//! An index entry for each term of a redeemer's name leads to the redemption. A code may have
//! 100,000 redeemers, so a script reads a bounded number of those with the longest searched term.

use std::collections::HashSet;

use invitation_core::{InvitationId, Search, SearchTerm, StoreError};
use redis::Value;

use crate::{
    calls::{Calls, array},
    plan::Range,
    record,
    script::NAMES,
};

type Result<T> = std::result::Result<T, StoreError>;

/// The maximum number of invitations that one script looks at, and of redemptions of each.
const MAX_INVITATIONS: usize = 50;
const MAX_NAMES: usize = 40;

/// Returns the given invitations that have at least one redeemer whose name meets all terms of the
/// search.
pub(crate) async fn found(
    calls: &Calls,
    search: &Search,
    invitations: impl Iterator<Item = InvitationId>,
) -> Result<HashSet<InvitationId>> {
    let mut found = HashSet::new();
    // The longest term comes first, and is likely the rarest.
    let Some(term) = search.terms().first() else { return Ok(found) };
    let mut open: Vec<_> = invitations.map(|id| (id, range(id, term))).collect();
    while !open.is_empty() {
        let rest = open.split_off(open.len().min(MAX_INVITATIONS));
        let mut arguments = vec![MAX_NAMES.to_string().into_bytes()];
        for (id, range) in &open {
            arguments.extend([id.as_bytes().to_vec(), range.min.clone(), range.max.clone()]);
        }
        let answers = array("list", calls.read("list", &NAMES, &arguments).await?)?;
        let mut unfinished = Vec::new();
        for ((id, range), answer) in open.into_iter().zip(answers) {
            match judge(search, array("list", answer)?)? {
                Judged::Found => {
                    found.insert(id);
                }
                Judged::NotFound => {}
                Judged::NotUpTo(entry) => {
                    unfinished.push((id, Range { min: [b"(", &*entry].concat(), ..range }));
                }
            }
        }
        unfinished.extend(rest);
        open = unfinished;
    }
    Ok(found)
}

/// Returns the range of the entries of an invitation with a term.
fn range(id: InvitationId, term: &SearchTerm) -> Range {
    // A NUL ends the term in an entry.
    let end: &[u8] = if term.is_whole() { b"\0" } else { b"" };
    Range::of(&[b"v", id.as_bytes().as_slice(), term.as_str().as_bytes(), end].concat())
}

/// The result for some of the redeemers of an invitation.
enum Judged {
    Found,
    NotFound,
    /// No name up to this entry, and more follow.
    NotUpTo(Vec<u8>),
}

fn judge(search: &Search, answer: Vec<Value>) -> Result<Judged> {
    let (mut number, mut last) = (0, None);
    let mut values = answer.into_iter();
    while let (Some(entry), Some(redemption)) = (values.next(), values.next()) {
        let (Value::BulkString(entry), Value::BulkString(redemption)) = (entry, redemption) else {
            return Err(record::corrupt_entry("redemption"));
        };
        if search.matches_name(&record::redemption(&redemption)?.username) {
            return Ok(Judged::Found);
        }
        (number, last) = (number + 1, Some(entry));
    }
    Ok(last.filter(|_| number >= MAX_NAMES).map_or(Judged::NotFound, Judged::NotUpTo))
}
