//! Refusals: the answers with which the domain rejects a call, and their audit reasons.

use std::{fmt, num::NonZeroU32};

use time::Duration;

use crate::{
    detail::Detail,
    event::{Event, EventOutcome, Reason},
    facts::Facts,
    guard::Condition,
    hooks::VetoReason,
    policy::{Policy, Right},
    quota::{Quota, QuotaOf},
    target::Target,
    text::{Division, Role},
    time::{Timestamp, in_whole_seconds},
};

/// The reason why the domain refused a call, as plain data that is safe to show to the
/// caller.
///
/// It reveals neither a code, nor the address that a code is bound to, nor that something
/// exists in another division.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Refusal, Right};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let denied = invitations
///     .create(&manager, Draft::new().with_role(Role::new("admin")?))
///     .await
///     .unwrap_err();
/// let refusal = denied.refusal().expect("the policy refuses it");
/// assert_eq!(*refusal, Refusal::RoleNotGrantable { role: Role::new("admin")? });
/// // Its text is for people, for example on the host's page.
/// assert_eq!(refusal.to_string(), "this role may not invite anybody as admin");
/// assert_eq!(
///     Refusal::Forbidden { right: Right::Revoke }.to_string(),
///     "this role may not revoke invitations",
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The policy does not give the actor's role this right.
    Forbidden {
        /// The right that is missing.
        right: Right,
    },
    /// The policy does not know the role: the actor's own role, or the requested one. Often it
    /// is misspelt, or the host forgot to add it to the [`Policy`].
    UnknownRole {
        /// The unknown role.
        role: Role,
    },
    /// The actor's role may not grant the requested role, which the policy knows.
    RoleNotGrantable {
        /// The requested role.
        role: Role,
    },
    /// The call named a division that the actor does not reach.
    DivisionNotAllowed {
        /// The division that the call named.
        division: Division,
    },
    /// No invitation that the actor can see has this id.
    NotFound,
    /// No code that the redeemer can use matches.
    CodeUnknown,
    /// Every use has been redeemed, or the proved address has used its one use of a code
    /// that is bound to a domain.
    Used,
    /// The invitation was revoked.
    Revoked,
    /// The invitation is not revoked, so there is nothing to reinstate.
    NotRevoked,
    /// The invitation has expired.
    Expired {
        /// The expiry: the first instant at which the invitation was no longer valid.
        at: Timestamp,
    },
    /// The code is bound to an address that the redeemer has not proved.
    AddressProofRequired,
    /// The policy no longer lets the grantor's role grant the invitation's role, or the host
    /// does not vouch for the grantor's [standing](crate::standing).
    GrantWithdrawn,
    /// The invitation is not at the version that the caller expected.
    VersionMismatch {
        /// The current version of the invitation.
        current: u64,
    },
    /// Leases of other redeemers, whose accounts are being created, hold every use that
    /// is left.
    Reserved {
        /// The time at which the first of these uses is free again, unless it is redeemed
        /// before.
        until: Timestamp,
    },
    /// The reservation has ended: another redeemer took over its use, or the terms of the
    /// invitation have changed.
    ReservationLost,
    /// The quota of pending invitations of the inviter, or of the division, is exhausted.
    QuotaExceeded {
        /// The inviter or division that the quota counts for.
        of: QuotaOf,
        /// The maximum number of pending invitations.
        max: NonZeroU32,
    },
    /// The idempotency key was used before, for a different creation.
    IdempotencyKeyReused,
    /// Concurrent calls changed the invitation at every attempt.
    Conflict,
    /// The code was shown when it was created, and only its digest is stored. A
    /// [rotation](crate::Invitations::rotate) gives a new code.
    CodeNotKept,
    /// An earlier request under this idempotency key registered the endpoint of webhooks, and its
    /// secret has been replaced since.
    SecretReplaced,
    /// There were too many failed guesses of codes, and the [throttle](crate::throttle) did not
    /// let this one through. The code was not evaluated.
    TooManyRequests {
        /// The time after which to try again, in whole seconds: at most 60.
        retry_after: Duration,
    },
    /// The invitation is bound to no address, so no mail can be sent.
    NoAddress,
    /// The actor, or others for the same address, asked for too many mails.
    MailLimit {
        /// The time until the next mail is possible, in whole seconds.
        retry_after: Duration,
    },
    /// A [hook](crate::hooks::Hooks) of the host does not allow the command, or did not say.
    Vetoed {
        /// The text of the host.
        reason: VetoReason,
    },
}

#[cfg(feature = "files")]
impl Refusal {
    /// Returns whether a hook of the host did not say if the command is allowed. Later it may.
    pub(crate) fn is_lapse(&self) -> bool {
        matches!(self, Self::Vetoed { reason } if *reason == VetoReason::unknown())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden { right } => write!(f, "this role may not {}", right.activity()),
            Self::UnknownRole { role } => write!(f, "the role {role} is unknown to the policy"),
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
                f.write_str("the role of the invitation may no longer be granted by its grantor")
            }
            Self::VersionMismatch { current } => {
                write!(f, "the invitation has changed: it is at version {current}")
            }
            Self::Reserved { until } => {
                write!(f, "another user is just using the invitation, until {until}")
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
            Self::CodeNotKept => {
                f.write_str("the code was shown once and is not kept, rotate it to get a new one")
            }
            Self::SecretReplaced => {
                f.write_str("the secret of this registration has been replaced since")
            }
            Self::TooManyRequests { retry_after } => {
                let seconds = in_whole_seconds(*retry_after).whole_seconds();
                write!(f, "there were too many wrong codes, try again in {seconds} s")
            }
            Self::NoAddress => f.write_str("the invitation is not for an address"),
            Self::MailLimit { .. } => f.write_str("too many mails were sent again, try later"),
            Self::Vetoed { reason } => reason.fmt(f),
        }
    }
}

/// A refusal for the caller, with the exact reason for the audit trail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    refusal: Refusal,
    reason: Reason,
    detail: Detail,
}

impl Verdict {
    pub(crate) fn new(refusal: Refusal, reason: Reason) -> Self {
        Self { refusal, reason, detail: Detail::none() }
    }

    /// Returns the verdict that the actor's role lacks `right`.
    pub(crate) fn forbidden(right: Right, reason: Reason) -> Self {
        Self::new(Refusal::Forbidden { right }, reason)
    }

    /// Returns the verdict about an actor in `role`, if the role lacks `right`.
    pub(crate) fn lacking(policy: &Policy, role: &Role, right: Right) -> Option<Self> {
        if policy.allows(role, right) {
            return None;
        }
        Some(if policy.knows(role) {
            Self::forbidden(right, Reason::RightMissing)
        } else {
            Self::new(Refusal::UnknownRole { role: role.clone() }, Reason::UnknownRole)
        })
    }

    /// Returns the verdict that the actor does not reach the division.
    pub(crate) fn division_not_allowed(division: Division) -> Self {
        Self::new(Refusal::DivisionNotAllowed { division }, Reason::DivisionNotAllowed)
    }

    /// Returns the verdict that the requested role cannot be granted.
    pub(crate) fn not_grantable(policy: &Policy, role: Role) -> Self {
        let refusal = if policy.knows(&role) {
            Refusal::RoleNotGrantable { role }
        } else {
            Refusal::UnknownRole { role }
        };
        Self::new(refusal, Reason::RoleNotGrantable)
    }

    /// Returns the verdict that the target does not exist for the caller. `reason` tells
    /// the audit trail whether it exists outside the caller's scope or was deleted.
    pub(crate) fn missing(target: &Target, reason: Reason) -> Self {
        let refusal = match target {
            Target::Id(_) => Refusal::NotFound,
            Target::Code(_) => Refusal::CodeUnknown,
        };
        Self::new(refusal, reason)
    }

    /// Returns the verdict for `failed`, the first condition that the facts do not
    /// satisfy.
    ///
    /// Returns none for [`Condition::FirstUseBy`] and [`Condition::FirstHoldBy`]. If the
    /// redeemer has redeemed already, or has a lease, the call is a replay and no
    /// refusal.
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
            Condition::MailboxUnused(_) | Condition::MailboxLeaseExpired { .. } => {
                (Refusal::Used, Reason::MailboxUsed)
            }
            Condition::UseFree | Condition::LeaseExpired { .. } => {
                let invitation = &facts.invitation;
                let first = facts.first_lease.as_ref();
                let until =
                    first.map_or(invitation.expires_at, |first| first.holds_until(invitation));
                (Refusal::Reserved { until }, Reason::Reserved)
            }
            Condition::HoldsLease { .. } | Condition::OwnLeaseExpired { .. } => {
                (Refusal::ReservationLost, Reason::ReservationLost)
            }
        };
        Some(Self::new(refusal, reason))
    }

    /// Returns the verdict that the code cannot be shown again.
    pub(crate) fn code_not_kept() -> Self {
        Self::new(Refusal::CodeNotKept, Reason::CodeNotKept)
    }

    /// Returns the verdict that the throttle did not let a code through.
    pub(crate) fn throttled(retry_after: Duration) -> Self {
        Self::new(Refusal::TooManyRequests { retry_after }, Reason::TooManyRequests)
    }

    /// Returns whether the refusal is that of a failed guess, which a throttle counts.
    pub(crate) fn is_failed_guess(&self) -> bool {
        matches!(self.refusal, Refusal::CodeUnknown | Refusal::AddressProofRequired)
    }

    /// Returns the verdict that the invitation cannot be sent, because it is not for an address.
    pub(crate) fn no_address() -> Self {
        Self::new(Refusal::NoAddress, Reason::NoAddress)
    }

    /// Returns the verdict that no mail may be sent again for this time. It is rounded up: a caller
    /// who waits for it must not be refused again.
    pub(crate) fn mail_limit(wait: Duration) -> Self {
        let retry_after = in_whole_seconds(wait).max(Duration::SECOND);
        Self::new(Refusal::MailLimit { retry_after }, Reason::MailLimit)
    }

    /// Returns the verdict that a hook of the host does not allow the command.
    pub(crate) fn vetoed(text: VetoReason, reason: Reason) -> Self {
        let detail = match reason {
            Reason::Vetoed => Detail::none().with("veto", text.as_str()),
            _ => Detail::none(),
        };
        Self { detail, ..Self::new(Refusal::Vetoed { reason: text }, reason) }
    }

    /// Returns the verdict that the quota of `full` has no room.
    pub(crate) fn quota_full(full: QuotaOf, quotas: &[Quota]) -> Self {
        let max = quotas.iter().find(|quota| quota.of == full).map(|quota| quota.max);
        let refusal = Refusal::QuotaExceeded { of: full, max: max.unwrap_or(NonZeroU32::MIN) };
        Self::new(refusal, Reason::QuotaExceeded)
    }

    /// Returns the refusal that the caller sees.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// Returns the exact reason that the audit trail records.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the details for the audit trail.
    pub(crate) fn detail(&self) -> &Detail {
        &self.detail
    }

    /// Returns a verdict with the same reason and with `refusal` for the caller.
    pub(crate) fn told_as(self, refusal: Refusal) -> Self {
        Self { refusal, ..self }
    }

    /// Returns the outcome for the audit trail: *denied* if the reason lies in the
    /// actor's rights, *refused* if it lies in the invitation.
    pub(crate) fn outcome(&self) -> EventOutcome {
        match self.reason {
            Reason::RightMissing
            | Reason::RoleNotGrantable
            | Reason::MultiUseNotAllowed
            | Reason::DomainNotAllowed
            | Reason::DivisionNotAllowed
            | Reason::UnknownRole
            | Reason::OutOfScope => EventOutcome::Denied,
            _ => EventOutcome::Refused,
        }
    }
}

/// A refusal, with the events that document it.
///
/// The store normally holds the events before the call returns. Inside a host's
/// transaction it does not, because the host may roll back. Then
/// [`unrecorded`](Self::unrecorded) holds the events. Write them with
/// [`Invitations::record`](crate::Invitations::record), on a service outside of the
/// transaction.
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

    /// Returns the reason of the refusal.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// Returns the events that the host still has to record. The list is empty outside of
    /// a host's transaction.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_right_is_named_and_unknown_role_is_called_unknown() {
        let policy = Policy::default();
        let role = |name: &str| Role::new(name).unwrap();
        let lacking = |name: &str, right| Verdict::lacking(&policy, &role(name), right);
        let (missing, unknown) = (Reason::RightMissing, Reason::UnknownRole);
        for (name, right, text, reason) in [
            ("manager", Right::Delete, "this role may not delete invitations", missing),
            ("manager", Right::Audit, "this role may not read the audit trail", missing),
            ("Manager", Right::View, "the role Manager is unknown to the policy", unknown),
        ] {
            let verdict = lacking(name, right).unwrap();
            assert_eq!((verdict.refusal.to_string().as_str(), verdict.reason), (text, reason));
            assert_eq!(verdict.outcome(), EventOutcome::Denied, "{name}");
        }
        assert!(lacking("manager", Right::View).is_none());
        for (name, text) in [
            ("admin", "this role may not invite anybody as admin"),
            ("root", "the role root is unknown to the policy"),
        ] {
            let verdict = Verdict::not_grantable(&policy, role(name));
            assert_eq!(verdict.refusal.to_string(), text);
            assert_eq!(verdict.outcome(), EventOutcome::Denied, "{name}");
        }
    }

    #[test]
    fn time_to_the_next_mail_is_rounded_up_to_whole_seconds() {
        for (wait, seconds) in
            [(0, 1), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (59_200_000, 60)]
        {
            let verdict = Verdict::mail_limit(Duration::microseconds(wait));
            let retry_after = Duration::seconds(seconds);
            assert_eq!(verdict.refusal, Refusal::MailLimit { retry_after }, "{wait} µs");
        }
    }

    #[test]
    fn each_right_has_a_text_of_its_own() {
        let texts: std::collections::BTreeSet<_> =
            Right::ALL.iter().map(|right| right.activity()).collect();
        assert_eq!(texts.len(), Right::ALL.len());
    }
}
