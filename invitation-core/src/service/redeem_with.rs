//! Reserving, creating the account and committing as one call.

use std::{error::Error as StdError, fmt};

use super::{Invitations, Redeemed, Reservation, Reserved};
use crate::{actor::Redeemer, error::Error, lease::ReservationId, store::Store};

/// The result of [`Invitations::redeem_with`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the caller takes it apart")]
pub struct RedeemedWith<T> {
    /// The redemption of the code.
    pub redeemed: Redeemed,
    /// The value that the host's closure returned; `None` when the redeemer had already
    /// redeemed the code, so that no account was created.
    pub created: Option<T>,
}

/// The error of [`Invitations::redeem_with`], with the state that it leaves.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum RedeemWithError<T, E> {
    /// The code was not reserved, and the host's closure was not called.
    NotReserved(Error),
    /// The host's closure failed.
    NotCreated {
        /// The error of the host's closure.
        error: E,
        /// Whether the use is free again.
        released: Released,
    },
    /// The host's closure succeeded, but the redemption was refused or its outcome is
    /// unknown.
    NotCommitted {
        /// The value that the host's closure returned. The host undoes it, unless a
        /// repeated commit succeeds.
        created: T,
        /// The id of the reservation, to repeat the commit with.
        reservation: ReservationId,
        /// The error of the commit.
        error: Error,
    },
}

/// What happened to the use when the host could not create the account.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Released {
    /// The use is free again.
    Now,
    /// The use is still held: an earlier call made the reservation, and may still be
    /// creating the account. If not, it expires.
    WithEarlierCall,
    /// Releasing the use failed with this error; the use is held until the reservation
    /// expires.
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
    /// Reserves a code, lets the host create the account, and commits; or releases, when
    /// the host's closure fails.
    ///
    /// `create` must create one account for one [`Reservation::id`], however often it is
    /// called: two concurrent calls of the same person both call it, with the same
    /// reservation. The reservation has the role and the division of the new account. If
    /// an earlier call had made the reservation ([`Reservation::is_replayed`]), the
    /// account may already exist. `create` is not called when the code cannot be
    /// reserved, nor when the redeemer has already redeemed it.
    ///
    /// Cancel-safe: a dropped call leaves either a redemption with its evidence, or a
    /// reservation that expires.
    ///
    /// Two calls to the store, plus the host's own work.
    ///
    /// # Errors
    ///
    /// [`RedeemWithError`], which says what state the call left.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{
    ///     Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Role, UserId, Username,
    /// };
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
                let released = if is_replayed {
                    Released::WithEarlierCall
                } else {
                    self.release(id, redeemer)
                        .await
                        .map_or_else(Released::NotYet, |()| Released::Now)
                };
                Err(RedeemWithError::NotCreated { error, released })
            }
        }
    }
}
