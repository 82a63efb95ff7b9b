//! Redemptions of many callers that are sent together. Each caller gets the same result as if
//! the callers had run one after the other.

use std::sync::Arc;

use invitation_core::{Facts, Record, Transition};

/// Whether one statement can serve both transitions, with different values only.
pub(crate) fn is_compatible(a: &Transition, b: &Transition) -> bool {
    let grantable = |one: &Transition| Some(Arc::clone(one.as_plain_redemption()?.grantable));
    let pairs = grantable(a);
    a.scope() == b.scope() && pairs.is_some() && pairs == grantable(b)
}

/// Returns the facts directly after one redemption, from the invitation after the whole batch.
/// `more` is the number of later redemptions of the batch. The invitation has no leases.
pub(crate) fn facts_at_turn(invitation: Record, transition: &Transition, more: u32) -> Facts {
    let mut facts = Facts::of(invitation);
    facts.invitation.uses -= more + 1;
    transition.change().apply_to(&mut facts);
    facts
}
