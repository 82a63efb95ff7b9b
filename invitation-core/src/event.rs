//! Evidence: what the audit trail is made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    actor::Scope,
    id::{EventId, InvitationId},
    invitation::Invitation,
    text::{CorrelationId, Division, Role, Source, UserId, Username},
    time::Timestamp,
};

/// One entry of the audit trail: who did, or was refused, what, when, and why.
///
/// Never contains a code or anything that a code derives from. Plain data, so
/// that every store can keep and give back all of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a field")]
pub struct Event {
    /// The event's key, and that of the operation it is the evidence of.
    pub id: EventId,
    /// When it happened, by the clock of the service.
    pub at: Timestamp,
    /// Who acted.
    pub performer: Performer,
    /// What was done or attempted.
    pub action: Action,
    /// Whether it was done.
    pub outcome: EventOutcome,
    /// Why not, exactly; none when it was done.
    pub reason: Option<Reason>,
    /// The invitation it was about. The event of a change is built before the
    /// invitation is known and gets it from the store
    /// ([`Event::about`]).
    pub invitation: Option<InvitationId>,
    /// The division of that invitation, or the one that was named.
    pub division: Option<Division>,
    /// What the host tied the call to.
    pub origin: Origin,
    /// What else is worth knowing.
    pub detail: Detail,
}

impl Event {
    /// This event, about `invitation`.
    #[must_use]
    pub fn about(self, invitation: &Invitation) -> Self {
        self.located(invitation.id, invitation.division.clone())
    }

    /// This event, naming as the last of its detail the lease of somebody else whose use
    /// was taken. For stores that learn which it is only within their atomic step; others
    /// have it from [`Transition::evidence`](crate::Transition::evidence).
    #[must_use]
    pub fn in_place_of(self, ended: &EventId) -> Self {
        let detail = self.detail.with("in_place_of", &ended.to_string());
        Self { detail, ..self }
    }

    /// This event, about something in that scope.
    pub(crate) fn within(self, scope: &Scope) -> Self {
        match scope {
            Scope::All => self,
            Scope::Division(division) => Self { division: Some(division.clone()), ..self },
        }
    }

    pub(crate) fn located(self, id: InvitationId, division: Division) -> Self {
        Self { invitation: Some(id), division: Some(division), ..self }
    }
}

/// Who acted, as the audit trail names them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while losing a kind")]
pub enum Performer {
    /// The host's bootstrap code.
    System,
    /// A user who manages invitations.
    Actor {
        /// Who.
        user: UserId,
        /// In which role.
        role: Role,
    },
    /// A newcomer who presented a code.
    Redeemer {
        /// Whose account.
        user: UserId,
        /// Under which name.
        username: Username,
    },
}

impl Performer {
    /// The user, if there is one.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::System => None,
            Self::Actor { user, .. } | Self::Redeemer { user, .. } => Some(user),
        }
    }
}

/// What the host ties the events of a call to. Both parts are optional.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a field")]
pub struct Origin {
    /// A request of the host.
    pub correlation: Option<CorrelationId>,
    /// Where it came from.
    pub source: Option<Source>,
}

/// Declares an enum that is stored and shown as one word.
macro_rules! words {
    (
        $(#[$doc:meta])* $name:ident, $field:literal
        { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word under which it is stored and shown; it never changes.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::invalid::Invalid;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(crate::invalid::Invalid::new($field, "is not a known word")),
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What was done or attempted.
    #[non_exhaustive]
    Action, "action" {
        /// An invitation was created.
        Create = "create",
        /// A code was presented.
        Redeem = "redeem",
        /// A use was held for somebody whose account is being created.
        Reserve = "reserve",
        /// A held use was given back.
        Release = "release",
        /// A code was taken to be shared.
        Copy = "copy",
        /// Address, expiry or role changed.
        Amend = "amend",
        /// The code was replaced.
        Rotate = "rotate",
        /// The invitation was withdrawn.
        Revoke = "revoke",
        /// A revocation was undone.
        Reinstate = "reinstate",
        /// The invitation was removed.
        Delete = "delete",
        /// Invitations that had long been over were removed for good.
        Purge = "purge",
        /// Invitations were listed, counted or looked at.
        View = "view",
        /// The audit trail was read.
        Audit = "audit",
    }
}

words! {
    /// Whether it was done.
    #[non_exhaustive]
    EventOutcome, "outcome" {
        /// It was done.
        Succeeded = "succeeded",
        /// The state of the invitation did not allow it.
        Refused = "refused",
        /// The actor was not entitled to it.
        Denied = "denied",
    }
}

words! {
    /// Exactly why something was refused or denied. For the audit trail: what
    /// the person is told may be less.
    #[non_exhaustive]
    Reason, "reason" {
        /// The role may not do this at all.
        RightMissing = "right_missing",
        /// The role may not hand out that role, or the policy does not know it.
        RoleNotGrantable = "role_not_grantable",
        /// The role may not create codes for several uses.
        MultiUseNotAllowed = "multi_use_not_allowed",
        /// The role may not bind codes to a domain.
        DomainNotAllowed = "domain_not_allowed",
        /// The named division is not the actor's.
        DivisionNotAllowed = "division_not_allowed",
        /// There is no such invitation or code.
        Unknown = "unknown",
        /// There is, but in a division out of reach.
        OutOfScope = "out_of_scope",
        /// It was deleted.
        Deleted = "deleted",
        /// Every use was taken.
        Used = "used",
        /// It is revoked.
        Revoked = "revoked",
        /// It is not revoked, so there is nothing to reinstate.
        NotRevoked = "not_revoked",
        /// It expired.
        Expired = "expired",
        /// The code is bound, and no proved address was presented.
        AddressMissing = "address_missing",
        /// The code is bound, and the proved address is another.
        AddressDiffers = "address_differs",
        /// The inviter's role may no longer hand out the role.
        GrantWithdrawn = "grant_withdrawn",
        /// The invitation changed since the caller looked.
        VersionMismatch = "version_mismatch",
        /// Every use that is left was held for somebody else.
        Reserved = "reserved",
        /// The lease had ended.
        ReservationLost = "reservation_lost",
        /// Too many invitations are pending.
        QuotaExceeded = "quota_exceeded",
        /// Something else was created under the idempotency key.
        IdempotencyKeyReused = "idempotency_key_reused",
        /// Others changed the invitation each time that it was tried.
        Conflict = "conflict",
        /// So many refusals of one performer in one minute that these were only
        /// counted: the number is `suppressed` in the detail. Where the detail has
        /// `of` = `several`, the number is that of several performers, and the
        /// performer is one of them.
        Suppressed = "suppressed",
    }
}

/// What else is worth knowing about an event: a few names with short values.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Detail(Vec<(String, String)>);

impl Detail {
    /// The longest value, in bytes; longer ones are cut.
    pub const MAX_VALUE: usize = 500;

    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a value under a name.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let mut end = value.len().min(Self::MAX_VALUE);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        self.0.push((name.to_owned(), value[..end].to_owned()));
        self
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names and values, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(own, value)| (own == name).then_some(value))
    }

    /// As JSON text, as a store keeps it: a list of pairs.
    #[must_use]
    pub fn to_json(&self) -> String {
        let pairs = self.0.iter().map(|(name, value)| vec![name.clone(), value.clone()]);
        pairs.collect::<serde_json::Value>().to_string()
    }

    /// From JSON text, as a store kept it; none when it is something else.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse::<Action>().unwrap(), *action);
            let json = serde_json::to_string(action).unwrap();
            assert_eq!(json, format!("\"{action}\""), "serde and store say the same word");
        }
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse::<Reason>().unwrap(), *reason);
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{reason}\""));
        }
        assert!("Create".parse::<Action>().is_err());
    }

    #[test]
    fn detail_keeps_order_and_is_bounded() {
        let long = "é".repeat(Detail::MAX_VALUE);
        let detail = Detail::none().with("b", "1").with("a", &long);
        assert_eq!(detail.get("a").unwrap().len(), Detail::MAX_VALUE);
        assert_eq!(detail.iter().next(), Some(("b", "1")));
        assert_eq!(Detail::from_json(&detail.to_json()), Some(detail));
        assert_eq!(Detail::from_json("{}"), None);
    }
}
