//! Redemptions, and the content of the column *Used By*.

use std::fmt;

use crate::{
    email::EmailKey,
    id::EventId,
    text::{Role, UserId, Username},
    time::Timestamp,
};

/// The record of one redemption of an invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Redemption {
    /// The id of the redemption, equal to the id of its audit event.
    pub id: EventId,
    /// The user whose account was created.
    pub user: UserId,
    /// The username of that account.
    pub username: Username,
    /// The time of the redemption.
    pub at: Timestamp,
    /// The role that the redemption granted.
    pub role: Role,
    /// The lease that held the use for this redemption, if there was one.
    pub lease: Option<EventId>,
    /// The proved address with which the invitation was redeemed, if it was bound to a
    /// domain. No other redemption of the invitation has it.
    pub mailbox: Option<EmailKey>,
}

/// The users who redeemed an invitation: the name of the latest, and the number of
/// earlier ones.
///
/// Its `Display` form is `anna`, or `anna and 2 more`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsedBy<'a> {
    last: &'a Username,
    others: u32,
}

impl<'a> UsedBy<'a> {
    pub(crate) fn new(last: &'a Username, others: u32) -> Self {
        Self { last, others }
    }

    /// Returns the username of the latest redeemer.
    #[must_use]
    pub fn last(&self) -> &Username {
        self.last
    }

    /// Returns the number of users who redeemed the invitation earlier.
    #[must_use]
    pub fn others(&self) -> u32 {
        self.others
    }
}

impl fmt::Display for UsedBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.others {
            0 => f.pad(self.last.as_str()),
            others => f.pad(&format!("{} and {others} more", self.last)),
        }
    }
}
