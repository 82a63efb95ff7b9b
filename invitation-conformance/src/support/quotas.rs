//! Limits on pending invitations, and the refusals of a full quota.

use std::num::NonZeroU32;

use invitation_core::{Cap, Draft, Limits, QuotaOf, Refusal};

use super::{
    harness::{Harness, Service},
    samples::{role, user},
};

pub(crate) fn cap(n: u32) -> Cap {
    Cap::AtMost(NonZeroU32::new(n).expect("at least one"))
}

/// Returns the refusal for a full quota.
pub(crate) fn quota_exceeded(of: QuotaOf, max: u32) -> Refusal {
    Refusal::QuotaExceeded { of, max: NonZeroU32::new(max).expect("at least one") }
}

pub(crate) fn admin_quota() -> QuotaOf {
    QuotaOf::Inviter(user("u-admin"))
}

pub(crate) fn with_quotas(harness: &Harness, inviter: Cap, division: Cap) -> Service {
    let limits = Limits::default().with_denials_per_minute(NonZeroU32::MAX);
    let limits = limits.with_pending_per_inviter(inviter).with_pending_per_division(division);
    harness.service.clone().with_limits(limits)
}

pub(crate) fn staff_draft() -> Draft {
    Draft::new().with_role(role("staff"))
}
