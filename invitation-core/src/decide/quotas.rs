//! The quotas that a step must keep.

use super::call::Call;
use crate::{
    inviter::Inviter,
    limits::Limits,
    quota::{Quota, QuotaOf},
    record::Record,
    status::Status,
    text::Division,
};

/// Returns the quotas that a step must keep if it adds `pending` invitations to those of
/// an inviter and of a division. Their order is the one in which stores lock them.
pub(crate) fn quotas<'a>(
    inviter: &Inviter,
    divisions: impl Iterator<Item = (&'a Division, u32)>,
    pending: u32,
    call: &Call,
    limits: &Limits,
) -> Vec<Quota> {
    let mut quotas = Vec::new();
    if let (Some(max), Inviter::User { user, .. }) = (limits.pending_per_inviter().max(), inviter) {
        let of = QuotaOf::Inviter(user.clone());
        quotas.push(Quota { of, max, adds: pending, now: call.now });
    }
    if let Some(max) = limits.pending_per_division().max() {
        quotas.extend(divisions.map(|(division, adds)| {
            let of = QuotaOf::Division(division.clone());
            Quota { of, max, adds, now: call.now }
        }));
    }
    quotas.sort_by(|a, b| a.of.cmp(&b.of));
    quotas
}

/// Returns the quotas that a change must keep if it makes an invitation pending again.
pub(super) fn quotas_of_revival(
    current: &Record,
    after: &Record,
    call: &Call,
    limits: &Limits,
) -> Vec<Quota> {
    let is_pending = |invitation: &Record| invitation.status(call.now) == Status::Active;
    if is_pending(current) || !is_pending(after) {
        return Vec::new();
    }
    let division = std::iter::once((&current.division, 1));
    quotas(&current.inviter, division, 1, call, limits)
}
