//! Redemptions of many callers that are sent together. Each caller gets the same result as if
//! the callers had run one after the other.

mod entries;

use invitation_core::{Facts, Record, Transition};

pub(crate) use self::entries::{BatchEntry, ENTRY, by_digest, same_code};

/// Returns the facts directly after one redemption, from the invitation after the whole batch.
/// `more` is the number of later redemptions of the batch. The invitation has no leases.
pub(crate) fn facts_at_turn(invitation: Record, transition: &Transition, more: u32) -> Facts {
    let mut facts = Facts::of(invitation);
    facts.invitation.uses -= more + 1;
    transition.change().apply_to(&mut facts);
    facts
}
