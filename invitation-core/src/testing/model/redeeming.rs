//! What redeeming should do.

use super::{
    answer::{Answer, Grant},
    cast::{Newcomer, Place},
    state::{Evidence, Expected, Model, No, Row, newcomer},
    step::Pick,
};
use crate::{
    event::{Action, EventOutcome, Reason},
    invitation::Redemption,
    refusal::Refusal,
};

impl Model {
    /// `seen` gives the id of the redemption, which nobody can foretell.
    pub(super) fn redeem(&mut self, code: Pick, person: Newcomer, seen: &Answer) -> Expected {
        let unknown = |reason| (Refusal::CodeUnknown, reason);
        let no = |model: &Self, no: No, about: Option<&Row>, place: Option<Place>| {
            model.refused(newcomer(person), Action::Redeem, no, about, place)
        };
        let Some(n) = self.by_code(code) else {
            return no(self, unknown(Reason::Unknown), None, person.place);
        };
        let row = &self.rows[n];
        if person.place.is_some_and(|place| place.division() != row.facts.division) {
            return no(self, unknown(Reason::OutOfScope), Some(row), None);
        }
        // Whoever is in, stays in, in whatever state the invitation is by now.
        if let Some(mine) = row.redemptions.iter().find(|mine| mine.user == person.user()) {
            return Expected::quiet(grant(row, mine.clone(), true));
        }
        if let Some(reason) = self.not_redeemable(row, person) {
            return no(self, reason, Some(row), None);
        }
        let id = match seen {
            Answer::Redeemed(grant) => grant.redemption.id,
            _ => crate::id::EventId::from_bytes([0; 16]),
        };
        let redemption = Redemption {
            id,
            user: person.user(),
            username: person.username(),
            at: self.now,
            role: row.facts.role.clone(),
        };
        let row = &mut self.rows[n];
        row.facts.uses += 1;
        row.facts.last_use = Some(redemption.clone());
        row.redemptions.push(redemption.clone());
        let row = &self.rows[n];
        let event = Evidence {
            id: Some(id),
            outcome: EventOutcome::Succeeded,
            invitation: Some(row.facts.id),
            division: Some(row.facts.division.clone()),
            ..self.event(newcomer(person), Action::Redeem)
        };
        Expected { answer: grant(row, redemption, false), events: vec![event] }
    }

    /// The row whose code this is now: rotated-away codes are dead.
    fn by_code(&self, pick: Pick) -> Option<usize> {
        let (code, n) = &self.codes[pick.of(self.codes.len())?];
        (self.rows[*n].code == *code).then_some(*n)
    }

    /// Why somebody who has not redeemed it cannot, in the order of the words.
    fn not_redeemable(&self, row: &Row, person: Newcomer) -> Option<No> {
        if row.is_deleted() {
            return Some((Refusal::CodeUnknown, Reason::Deleted));
        }
        if row.facts.uses >= row.facts.max_uses.get() {
            return Some((Refusal::Used, Reason::Used));
        }
        if row.facts.revocation.is_some() {
            return Some((Refusal::Revoked, Reason::Revoked));
        }
        let at = row.facts.expires_at;
        if self.now >= at {
            return Some((Refusal::Expired { at }, Reason::Expired));
        }
        if !row.opens_to(person.proof) {
            let missing = person.proof.is_none();
            let reason = if missing { Reason::AddressMissing } else { Reason::AddressDiffers };
            return Some((Refusal::AddressProofRequired, reason));
        }
        // The system's invitations need no ceiling; others that of now.
        if let Some((_, part)) = row.inviter
            && !self.rules.grants(part).contains(&row.part)
        {
            return Some((Refusal::GrantWithdrawn, Reason::GrantWithdrawn));
        }
        None
    }
}

fn grant(row: &Row, redemption: Redemption, replayed: bool) -> Answer {
    Answer::Redeemed(Box::new(Grant {
        redemption,
        invitation: row.facts.id,
        division: row.facts.division.clone(),
        metadata: row.facts.metadata.clone(),
        replayed,
    }))
}
