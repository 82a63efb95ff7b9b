//! Leases: uses that are held while the host creates an account.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    email::EmailKey,
    field_error::FieldError,
    id::{EventId, InvitationId},
    record::Record,
    text::{Division, UserId, Username},
    time::Timestamp,
};

/// A use of an invitation that is held for one redeemer while the host creates the
/// account.
///
/// A user has at most one lease on an invitation. An expired lease remains until another
/// redeemer takes over its use; then it ends for good.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Lease {
    /// The id of the event that began the lease. It is the fence: a lease of another
    /// redeemer has another id, so a late commit cannot use it. A renewal for the same
    /// user keeps the id.
    pub id: EventId,
    /// The user whose account is being created.
    pub user: UserId,
    /// The username of that account.
    pub username: Username,
    /// The time at which the lease began.
    pub since: Timestamp,
    /// The end of the lease. It holds its use while `now < until` and the invitation has
    /// not expired.
    pub until: Timestamp,
    /// The proved address of the redeemer when the lease began, if the invitation is bound
    /// to a domain. A renewal keeps it, and the redemption that takes the use gets it.
    pub mailbox: Option<EmailKey>,
}

impl Lease {
    /// Returns whether `now` is at or after the end of the lease. No other function
    /// defines this rule.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    /// Returns the time until which the lease holds its use of `invitation`: its own end,
    /// or the expiry of the invitation if that is earlier.
    ///
    /// The expiry may have been brought forward since the lease began. No other function
    /// defines this rule.
    #[must_use]
    pub fn holds_until(&self, invitation: &Record) -> Timestamp {
        self.until.min(invitation.expires_at)
    }

    /// Returns the lease as it begins on `invitation`. Its end is brought forward to the
    /// expiry of the invitation if it lies after it. Its mailbox is removed if the invitation
    /// is not bound to a domain.
    pub(crate) fn begun_on(&self, invitation: &Record) -> Self {
        Self {
            until: self.holds_until(invitation),
            mailbox: invitation.binding.mailbox(self.mailbox.as_ref()).cloned(),
            ..self.clone()
        }
    }

    /// Returns the sort key among the leases of an invitation. The first lease is the one
    /// that expires first.
    #[must_use]
    pub fn order(&self) -> (Timestamp, EventId) {
        (self.until, self.id)
    }
}

/// A lease that a change ends, because the change takes its use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a lease")]
pub enum ConsumedLease {
    /// The lease of the redeemer whom the change is about.
    Own {
        /// The id of the lease.
        lease: EventId,
    },
    /// The lease of any user that expires first, by [`Lease::order`]. It has expired at
    /// `now`.
    Expired {
        /// The time of the call.
        now: Timestamp,
    },
    /// The lease of any user with the mailbox that the change names
    /// ([`Facts::mailbox_lease`](crate::Facts)). It has expired at `now`.
    Mailbox {
        /// The time of the call.
        now: Timestamp,
    },
}

/// A lease, with its invitation and division.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct OpenLease {
    /// The id of the invitation.
    pub invitation: InvitationId,
    /// The division of that invitation.
    pub division: Division,
    /// The lease itself.
    pub lease: Lease,
}

/// The id of a reservation, which a host stores with the account that it creates. It is
/// no secret, but only the redeemer for whom it was made can use it.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::reserve::ReservationId;
///
/// let text = "0197a3c0-0000-7000-8000-000000000001.0197a3c0-0000-7000-8000-000000000002";
/// let id: ReservationId = text.parse()?;
/// assert_eq!(id.to_string(), text);
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReservationId {
    invitation: InvitationId,
    lease: EventId,
}

impl ReservationId {
    /// Returns the id of the reservation that the lease `lease` on `invitation` holds.
    #[must_use]
    pub fn new(invitation: InvitationId, lease: EventId) -> Self {
        Self { invitation, lease }
    }

    /// Returns the id of the invitation.
    #[must_use]
    pub fn invitation(&self) -> InvitationId {
        self.invitation
    }

    /// Returns the id of the lease.
    #[must_use]
    pub fn lease(&self) -> EventId {
        self.lease
    }
}

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.invitation, self.lease)
    }
}

impl FromStr for ReservationId {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let wrong = || FieldError::new("reservation", "must be two UUIDs with a full stop between");
        let (invitation, lease) = text.split_once('.').ok_or_else(wrong)?;
        match (invitation.parse(), lease.parse()) {
            (Ok(invitation), Ok(lease)) => Ok(Self { invitation, lease }),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for ReservationId {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        text.parse()
    }
}

impl From<ReservationId> for String {
    fn from(id: ReservationId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_id_is_read_back() {
        let id =
            ReservationId::new(InvitationId::from_bytes([7; 16]), EventId::from_bytes([9; 16]));
        assert_eq!(id.to_string().parse::<ReservationId>().unwrap(), id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ReservationId>(&json).unwrap(), id);
        for wrong in ["", ".", "a.b", &id.invitation().to_string()] {
            assert_eq!(wrong.parse::<ReservationId>().unwrap_err().field(), "reservation");
        }
    }

    #[test]
    fn a_lease_runs_out_at_its_end() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let lease = Lease {
            id: EventId::from_bytes([1; 16]),
            user: UserId::new("u-1").unwrap(),
            username: Username::new("anna").unwrap(),
            since: at(1),
            until: at(5),
            mailbox: None,
        };
        assert!(!lease.has_expired(at(4)));
        assert!(lease.has_expired(at(5)));
    }
}
