//! The creator of an invitation.

use crate::text::{Role, UserId, Username};

/// The creator or the grantor of an invitation, and the role in which that user acted.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while losing a kind")]
pub enum Inviter {
    /// The system: the host's bootstrap code.
    System,
    /// A user of the host.
    User {
        /// The user who acted.
        user: UserId,
        /// The role of the user at that time. A redemption is refused unless the policy
        /// *now* lets the grantor's role grant the invitation's role. Whether the user still
        /// has this role is a matter of the grantor's [standing](crate::standing).
        role: Role,
        /// The name by which people knew the user at that time, if the host
        /// [gave one](crate::Actor::with_name). It is shown, and no decision depends on it.
        name: Option<Username>,
    },
}
