//! Expected results of repeated requests under an idempotency key.

use invitation_core::{Action, Reason, Refusal, Right, Timestamp};

use super::{
    answer::Answer,
    create::{CompleteTerms, home, performer},
    identities::{Creator, DivisionName, RoleName},
    state::{Expected, Model},
    step::{BindingSpec, ExpirySpec},
};

/// A key and the invitations created under it.
#[derive(Clone, Debug)]
pub(super) struct Key {
    owner: Creator,
    name: u8,
    asked: KeyRequest,
    /// The indexes of the created rows.
    rows: Vec<usize>,
}

/// The complete content of a request.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct KeyRequest {
    many: bool,
    drafts: Vec<Body>,
}

/// One draft with every field filled in, except the expiry, which stays as the request
/// gave it.
#[derive(Clone, PartialEq, Debug)]
struct Body {
    binding: BindingSpec,
    role: RoleName,
    division: DivisionName,
    expiry: (ExpirySpec, Option<Timestamp>),
    uses: u32,
    note: Option<u8>,
}

impl KeyRequest {
    pub(super) fn of(many: bool, wholes: &[CompleteTerms]) -> Self {
        let drafts = wholes.iter().map(|whole| {
            let spec = whole.spec;
            let expiry = match spec.until {
                // The request gave an instant.
                ExpirySpec::After(_) => (ExpirySpec::Default, Some(whole.expires_at)),
                until => (until, None),
            };
            let CompleteTerms { role, division, .. } = *whole;
            Body { binding: spec.binding, role, division, expiry, uses: spec.uses, note: spec.note }
        });
        Self { many, drafts: drafts.collect() }
    }
}

impl Model {
    /// Returns the answer to a request whose key is known. `only` is the division of all
    /// its drafts, if they share one.
    pub(super) fn again(
        &self,
        by: Creator,
        name: u8,
        asked: &KeyRequest,
        only: Option<DivisionName>,
    ) -> Option<Expected> {
        let key = self.keys.iter().find(|key| key.owner == by && key.name == name)?;
        let division = only.or(home(by));
        let refusal =
            |refusal| self.refused(performer(by), Action::Create, refusal, None, division);
        if key.asked != *asked {
            return Some(refusal((Refusal::IdempotencyKeyReused, Reason::IdempotencyKeyReused)));
        }
        let rows = || key.rows.iter().map(|&n| &self.rows[n]);
        // After a change, the code is returned only to a creator with the right to see
        // codes.
        let sees_codes = match by {
            Creator::System => true,
            Creator::User(who) => self.rules.allows(who.role(), Right::Copy),
        };
        if !sees_codes && rows().any(|row| row.facts.version != 1) {
            return Some(refusal((
                Refusal::Forbidden { right: Right::Copy },
                Reason::RightMissing,
            )));
        }
        let issues = rows().map(|row| row.issue(true));
        Some(Expected::without_events(Answer::Issued(issues.collect())))
    }

    /// Remembers that the last `count` rows were created under a key.
    pub(super) fn remember(&mut self, owner: Creator, name: u8, asked: KeyRequest, count: usize) {
        let rows = (self.rows.len() - count..self.rows.len()).collect();
        self.keys.push(Key { owner, name, asked, rows });
    }

    /// Forgets each key with at least one purged invitation.
    pub(super) fn forget_keys(&mut self) {
        let rows = &self.rows;
        self.keys.retain(|key| !key.rows.iter().any(|&n| rows[n].purged));
    }
}
