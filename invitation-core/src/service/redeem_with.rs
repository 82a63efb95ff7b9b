//! Reserve, create the account, commit: the three as one call.

use std::{error::Error as StdError, fmt};

use super::{Invitations, Redeemed, Reservation, Reserved};
use crate::{actor::Redeemer, error::Error, lease::ReservationId, store::Store};

/// What came of [`Invitations::redeem_with`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the caller takes it apart")]
pub struct RedeemedWith<T> {
    /// The redemption.
    pub redeemed: Redeemed,
    /// What the host's own step gave back; none when the redeemer had redeemed the
    /// code before, and nothing was created.
    pub created: Option<T>,
}

/// Why [`Invitations::redeem_with`] did not succeed, and what there is now.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum RedeemWithError<T, E> {
    /// The code was not reserved, and the host's step not begun.
    NotReserved(Error),
    /// The host's own step failed.
    NotCreated {
        /// With what.
        error: E,
        /// What became of the use.
        given_back: GivenBack,
    },
    /// The host's own step succeeded, but the redemption was refused or is not
    /// certain.
    NotCommitted {
        /// What the host's own step gave back: to be taken back, unless the
        /// commit succeeds when it is tried again.
        created: T,
        /// What to try it again with.
        reservation: ReservationId,
        /// Why.
        error: Error,
    },
}

/// What became of a use for which no account could be created.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum GivenBack {
    /// It is free.
    Now,
    /// It is still held: an earlier call began the reservation, and may be creating
    /// the account. Otherwise it runs out.
    WithEarlierCall,
    /// It could not be given back, for this reason, and runs out.
    NotYet(Error),
}

impl<T, E: fmt::Display> fmt::Display for RedeemWithError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReserved(error) => write!(f, "the code was not reserved: {error}"),
            Self::NotCreated { error, .. } => write!(f, "the account was not created: {error}"),
            Self::NotCommitted { error, .. } => {
                write!(f, "the account was created, but the code not redeemed: {error}")
            }
        }
    }
}

impl<T: fmt::Debug, E: StdError + 'static> StdError for RedeemWithError<T, E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NotReserved(error) | Self::NotCommitted { error, .. } => Some(error),
            Self::NotCreated { error, .. } => Some(error),
        }
    }
}

impl<S: Store> Invitations<S> {
    /// Reserves a code, lets the host create the account, and commits; or releases,
    /// when the host could not.
    ///
    /// `create` must make one account for one [`Reservation::id`], however often it is
    /// called: of two calls of the same person at once both call it, with the same
    /// reservation. It gets the role and the division of the new account. When the
    /// redeemer had the reservation already ([`Reservation::is_replayed`]), the account
    /// may be there. It is not called when the code cannot be reserved, nor when the
    /// redeemer has redeemed it before.
    ///
    /// Dropped at any moment, this leaves either a redemption with its evidence, or
    /// a reservation that runs out by itself.
    ///
    /// Two calls to the store besides the host's own work.
    ///
    /// # Errors
    ///
    /// [`RedeemWithError`], which tells what there is then.
    ///
    /// ```
    /// use invitation_core::{Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Role, UserId, Username};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let invitations = Invitations::new(MemoryStore::new());
    /// # let manager =
    /// #     Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, Division::new("sales")?);
    /// # let code = invitations.create(&manager, Draft::new()).await?.code().reveal();
    /// let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
    /// let done = invitations
    ///     .redeem_with(&code, &anna, async |reservation| {
    ///         // Ask the identity provider for an account, under `reservation.id()`.
    ///         Ok::<_, std::io::Error>(format!("anna, {}", reservation.role()))
    ///     })
    ///     .await?;
    /// assert_eq!(done.created.as_deref(), Some("anna, staff"));
    /// assert_eq!(done.redeemed.username().as_str(), "anna");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn redeem_with<T, E>(
        &self,
        code: &str,
        redeemer: &Redeemer,
        create: impl AsyncFnOnce(Reservation) -> Result<T, E>,
    ) -> Result<RedeemedWith<T>, RedeemWithError<T, E>> {
        let reservation = match self.reserve(code, redeemer).await {
            Ok(Reserved::Open(reservation)) => reservation,
            Ok(Reserved::AlreadyRedeemed(before)) => {
                return Ok(RedeemedWith { redeemed: before, created: None });
            }
            Err(error) => return Err(RedeemWithError::NotReserved(error)),
        };
        let (id, is_replayed) = (reservation.id(), reservation.is_replayed());
        match create(reservation).await {
            Ok(created) => match self.commit(id, redeemer).await {
                Ok(now) => Ok(RedeemedWith { redeemed: now, created: Some(created) }),
                Err(error) => {
                    Err(RedeemWithError::NotCommitted { created, reservation: id, error })
                }
            },
            Err(error) => {
                let given_back = if is_replayed {
                    GivenBack::WithEarlierCall
                } else {
                    self.release(id, redeemer)
                        .await
                        .map_or_else(GivenBack::NotYet, |()| GivenBack::Now)
                };
                Err(RedeemWithError::NotCreated { error, given_back })
            }
        }
    }
}
