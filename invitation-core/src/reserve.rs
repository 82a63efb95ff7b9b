//! Reservations: redeeming for hosts whose accounts are created outside of the store's
//! transaction.
//!
//! A reservation holds one use of a code for one redeemer. The host creates the account,
//! keyed by the id of the reservation, and then commits. A crash in between loses nothing:
//! the reservation expires by itself, or the host resumes with the id it stored.
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Role, UserId, Username};
//! use invitation::reserve::Reserved;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let invitations = Invitations::new(MemoryStore::new());
//! let sales = Division::new("sales")?;
//! let manager = Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, sales);
//! let code = invitations.create(&manager, Draft::new()).await?.code().reveal();
//!
//! let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
//! let Reserved::Open(reservation) = invitations.reserve(&code, &anna).await? else {
//!     panic!("no user has redeemed it");
//! };
//! // While the use is held, no other user gets it.
//! let ben = Redeemer::new(UserId::new("u-3")?, Username::new("ben")?);
//! assert!(invitations.redeem(&code, &ben).await.is_err());
//!
//! // Here the host creates the account, keyed by `reservation.id()`.
//! let redeemed = invitations.commit(reservation.id(), &anna).await?;
//! assert_eq!(redeemed.reservation(), Some(reservation.id()));
//! # Ok(())
//! # }
//! ```
//!
//! - **Step by step**: [`Invitations::reserve`](crate::Invitations::reserve) returns
//!   [`Reserved`], usually with a [`Reservation`];
//!   [`commit`](crate::Invitations::commit) and [`release`](crate::Invitations::release) take
//!   its [`ReservationId`].
//! - **In one call**: [`Invitations::redeem_with`](crate::Invitations::redeem_with) returns
//!   [`RedeemedWith`]; its error [`RedeemWithError`] states what the host must
//!   undo, and [`Released`] whether the use is free again.
//! - **For administrators**:
//!   [`Invitations::reservations`](crate::Invitations::reservations) lists each
//!   [`OpenReservation`].

pub use crate::{
    lease::ReservationId,
    service::{OpenReservation, RedeemWithError, RedeemedWith, Released, Reservation, Reserved},
};
