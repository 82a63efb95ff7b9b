//! The status of an invitation at one instant.

use crate::{state::State, string_enum::string_enum};

string_enum! {
    /// The status of an invitation at one instant, derived from its facts and the clock.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{Criteria, IfVersion, Status};
    /// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let invitations = Invitations::new(MemoryStore::new());
    /// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
    /// # let manager = Actor::in_division(user, role, Division::new("sales")?);
    /// let created = invitations.create(&manager, Draft::new()).await?;
    /// let counts = async |status| -> Result<u32, invitation::Error> {
    ///     Ok(invitations.counts(&manager, &Criteria::new()).await?.of(status))
    /// };
    /// assert_eq!((counts(Status::Active).await?, counts(Status::Revoked).await?), (1, 0));
    ///
    /// let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?);
    /// invitations.revoke(&admin, created.invitation().id(), None, IfVersion::Any).await?;
    /// assert_eq!((counts(Status::Active).await?, counts(Status::Revoked).await?), (0, 1));
    /// assert_eq!("revoked".parse::<Status>()?.as_str(), "revoked");
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a status")]
    Status, "status" {
        /// Valid, with uses left.
        Active = "active",
        /// Redeemed `max_uses` times.
        Used = "used",
        /// Past its expiry.
        Expired = "expired",
        /// Revoked by an administrator.
        Revoked = "revoked",
    }
}

impl Status {
    /// Returns the state of every invitation with this status.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Self::Active | Self::Expired => State::Open,
            Self::Revoked => State::Revoked,
            Self::Used => State::UsedUp,
        }
    }
}
