//! The domain says no: why, to whom, and on what evidence.

use std::{fmt, num::NonZeroU32};

use crate::{
    event::{Event, EventOutcome, Reason},
    guard::Condition,
    invitation::Facts,
    policy::Right,
    quota::{Quota, QuotaOf},
    text::{Division, Role},
    time::Timestamp,
    transition::Target,
};

/// Why the domain said no. Plain data that is safe to show to whoever asked:
/// neither a code, nor whom it is for, nor that something exists elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The policy does not give the actor's role this right.
    Forbidden {
        /// The right that is missing.
        right: Right,
    },
    /// The actor's role may not hand out that role.
    RoleNotGrantable {
        /// The role that was asked for.
        role: Role,
    },
    /// The named division is not the actor's.
    DivisionNotAllowed {
        /// The division that was named.
        division: Division,
    },
    /// There is no such invitation, as far as the actor is concerned.
    NotFound,
    /// No such code, as far as the redeemer is concerned.
    CodeUnknown,
    /// Every use was taken.
    Used,
    /// It was withdrawn.
    Revoked,
    /// It is not withdrawn: there is nothing to reinstate.
    NotRevoked,
    /// It expired.
    Expired {
        /// The instant from which on it was not valid any more.
        at: Timestamp,
    },
    /// The code is bound to an address that the redeemer has not proved.
    AddressProofRequired,
    /// Who created the invitation may not hand out its role any more.
    GrantWithdrawn,
    /// The invitation is not at the version that the caller expected.
    VersionMismatch {
        /// Its version now.
        current: u64,
    },
    /// Every use that is left is held for somebody whose account is just being
    /// created.
    Reserved {
        /// When the first of them is free again, if it is not used until then.
        until: Timestamp,
    },
    /// The reservation has ended: its use passed to somebody else, or the terms of
    /// the invitation have changed.
    ReservationLost,
    /// So many invitations of the inviter, or of the division, are pending that
    /// there is no room.
    QuotaExceeded {
        /// Whose.
        of: QuotaOf,
        /// How many may be pending.
        max: NonZeroU32,
    },
    /// Something else was created under this idempotency key.
    IdempotencyKeyReused,
    /// Others changed the invitation each time that this was tried.
    Conflict,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden { .. } => f.write_str("this role may not do that"),
            Self::RoleNotGrantable { role } => {
                write!(f, "this role may not invite anybody as {role}")
            }
            Self::DivisionNotAllowed { division } => {
                write!(f, "the division {division} is out of reach")
            }
            Self::NotFound => f.write_str("there is no such invitation"),
            Self::CodeUnknown => f.write_str("there is no such code"),
            Self::Used => f.write_str("the invitation has been used"),
            Self::Revoked => f.write_str("the invitation has been revoked"),
            Self::NotRevoked => f.write_str("the invitation is not revoked"),
            Self::Expired { at } => write!(f, "the invitation expired at {at}"),
            Self::AddressProofRequired => {
                f.write_str("the invitation is for a certain address, which must be proved first")
            }
            Self::GrantWithdrawn => {
                f.write_str("who created the invitation may not grant its role any more")
            }
            Self::VersionMismatch { current } => {
                write!(f, "the invitation has changed: it is at version {current}")
            }
            Self::Reserved { until } => {
                write!(f, "the invitation is just being used by somebody else, until {until}")
            }
            Self::ReservationLost => f.write_str("the reservation has ended"),
            Self::QuotaExceeded { of: QuotaOf::Inviter(_), max } => {
                write!(f, "not more than {max} invitations of one inviter may be pending")
            }
            Self::QuotaExceeded { of: QuotaOf::Division(_), max } => {
                write!(f, "not more than {max} invitations of one division may be pending")
            }
            Self::IdempotencyKeyReused => {
                f.write_str("something else was created under this idempotency key")
            }
            Self::Conflict => f.write_str("the invitation was changed by others, try again"),
        }
    }
}

/// What is said, and what is written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    refusal: Refusal,
    reason: Reason,
}

impl Verdict {
    pub(crate) fn new(refusal: Refusal, reason: Reason) -> Self {
        Self { refusal, reason }
    }

    /// The role has no such right.
    pub(crate) fn forbidden(right: Right, reason: Reason) -> Self {
        Self::new(Refusal::Forbidden { right }, reason)
    }

    /// That the target does not exist for the caller; `reason` says whether it
    /// does for others.
    pub(crate) fn missing(target: &Target, reason: Reason) -> Self {
        let refusal = match target {
            Target::Id(_) => Refusal::NotFound,
            Target::Code(_) => Refusal::CodeUnknown,
        };
        Self { refusal, reason }
    }

    /// Why `failed`, the first condition that the facts do not satisfy, refuses.
    ///
    /// None for [`Condition::FirstUseBy`] and [`Condition::FirstHoldBy`]: that the
    /// redeemer has redeemed, or has a lease, is not a refusal but a replay.
    pub(crate) fn explain(failed: &Condition, target: &Target, facts: &Facts) -> Option<Self> {
        let (refusal, reason) = match failed {
            Condition::FirstUseBy(_) | Condition::FirstHoldBy(_) => return None,
            Condition::NotDeleted => return Some(Self::missing(target, Reason::Deleted)),
            Condition::UsesLeft => (Refusal::Used, Reason::Used),
            Condition::NotRevoked => (Refusal::Revoked, Reason::Revoked),
            Condition::NotExpired { .. } => {
                (Refusal::Expired { at: facts.invitation.expires_at }, Reason::Expired)
            }
            Condition::AddressProved(None) => {
                (Refusal::AddressProofRequired, Reason::AddressMissing)
            }
            Condition::AddressProved(Some(_)) => {
                (Refusal::AddressProofRequired, Reason::AddressDiffers)
            }
            Condition::Grantable(_) => (Refusal::GrantWithdrawn, Reason::GrantWithdrawn),
            Condition::Version(_) => (
                Refusal::VersionMismatch { current: facts.invitation.version },
                Reason::VersionMismatch,
            ),
            Condition::UseFree | Condition::LeaseRunOut { .. } => {
                let invitation = &facts.invitation;
                let first = facts.first_lease.as_ref();
                let until =
                    first.map_or(invitation.expires_at, |first| first.holds_until(invitation));
                (Refusal::Reserved { until }, Reason::Reserved)
            }
            Condition::HoldsLease { .. } | Condition::OwnLeaseRunOut { .. } => {
                (Refusal::ReservationLost, Reason::ReservationLost)
            }
        };
        Some(Self { refusal, reason })
    }

    /// That one of the quotas has no room.
    pub(crate) fn quota_full(full: QuotaOf, quotas: &[Quota]) -> Self {
        let max = quotas.iter().find(|quota| quota.of == full).map(|quota| quota.max);
        let refusal = Refusal::QuotaExceeded { of: full, max: max.unwrap_or(NonZeroU32::MIN) };
        Self::new(refusal, Reason::QuotaExceeded)
    }

    /// What the caller is told.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// What the audit trail says.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The same reason, told as `refusal`.
    pub(crate) fn told_as(self, refusal: Refusal) -> Self {
        Self { refusal, ..self }
    }

    /// A denial is about the actor, a refusal about the invitation.
    pub(crate) fn outcome(&self) -> EventOutcome {
        match self.reason {
            Reason::RightMissing
            | Reason::RoleNotGrantable
            | Reason::MultiUseNotAllowed
            | Reason::DomainNotAllowed
            | Reason::DivisionNotAllowed
            | Reason::OutOfScope => EventOutcome::Denied,
            _ => EventOutcome::Refused,
        }
    }
}

/// A refusal, with its evidence.
///
/// The evidence is normally in the store before the call returns. Inside a
/// host's transaction it is not, because the host may roll back: then
/// [`unrecorded`](Self::unrecorded) holds it, and
/// [`Invitations::record`](crate::Invitations::record), called on a service
/// outside of the transaction, writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "inside a host's transaction the evidence is still to be recorded"]
pub struct Refused {
    refusal: Refusal,
    unrecorded: Vec<Event>,
}

impl Refused {
    pub(crate) fn new(refusal: Refusal, unrecorded: Vec<Event>) -> Self {
        Self { refusal, unrecorded }
    }

    /// Why.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// The events that still have to be recorded; none outside of a host's
    /// transaction.
    #[must_use]
    pub fn unrecorded(&self) -> &[Event] {
        &self.unrecorded
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}
