//! The user or system that acted, as the audit trail names it.

use crate::text::{Role, SystemName, UserId, Username};

/// The user or system that acted, as the audit trail names it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while losing a kind")]
pub enum Performer {
    /// The system: the host's own code, such as a job.
    System {
        /// The name of the job; none for bootstrap code.
        name: Option<SystemName>,
    },
    /// A user who manages invitations.
    Actor {
        /// The user who acted.
        user: UserId,
        /// The role in which the user acted.
        role: Role,
        /// The name by which people knew the user then, if the host gave one.
        name: Option<Username>,
    },
    /// A newcomer who presented a code.
    Redeemer {
        /// The user id of the redeemer's account.
        user: UserId,
        /// The username of the redeemer's account.
        username: Username,
    },
}

impl Performer {
    /// Returns the user id; none for the system.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::System { .. } => None,
            Self::Actor { user, .. } | Self::Redeemer { user, .. } => Some(user),
        }
    }

    /// Returns the name for people: of the job, the user or the account.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::System { name } => name.as_ref().map(SystemName::as_str),
            Self::Actor { name, .. } => name.as_ref().map(Username::as_str),
            Self::Redeemer { username, .. } => Some(username.as_str()),
        }
    }
}
