//! The user or system that acted, as the audit trail names it.

use crate::text::{Role, UserId, Username};

/// The user or system that acted, as the audit trail names it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while losing a kind")]
pub enum Performer {
    /// The system: the host's bootstrap code.
    System,
    /// A user who manages invitations.
    Actor {
        /// The user who acted.
        user: UserId,
        /// The role in which the user acted.
        role: Role,
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
            Self::System => None,
            Self::Actor { user, .. } | Self::Redeemer { user, .. } => Some(user),
        }
    }
}
