//! Redemptions, and the content of the column *Used By*.

use std::fmt;

use crate::{
    email::EmailKey,
    id::EventId,
    text::{Role, UserId, Username},
    time::Timestamp,
};

/// The record of one redemption of an invitation.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Paging, Redeemer, Redemption, Username};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// use std::num::NonZeroU32;
///
/// let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?)
///     .based_in(Division::new("sales")?);
/// let twice = Draft::new().with_role(Role::new("staff")?).for_uses(NonZeroU32::new(2).unwrap());
/// let created = invitations.create(&admin, twice).await?;
/// for name in ["anna", "ben"] {
///     let newcomer = Redeemer::new(UserId::new(name)?, Username::new(name)?);
///     invitations.redeem(&created.code().reveal(), &newcomer).await?;
/// }
///
/// let page = invitations.redemptions(&admin, created.invitation().id(), Paging::default()).await?;
/// let latest: &Redemption = &page.items()[0];
/// assert_eq!((latest.username.as_str(), latest.role.as_str()), ("ben", "staff"));
/// assert_eq!(page.items().len(), 2);
/// # Ok(())
/// # }
/// ```
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
