//! Clocks: the source of the current time, which the host injects.
//!
//! Nothing in the library reads the time by itself. The service asks its [`Clock`] once for
//! each call, so all parts of a call agree on one instant. The default is [`SystemClock`];
//! a test moves a [`ManualClock`].
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::clock::{Clock as _, ManualClock};
//! use invitation::{Actor, Division, Draft, Expiry, Invitations, MemoryStore, Redeemer, Refusal, Role, Timestamp, UserId, Username};
//! use time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::new(Timestamp::from_micros(0).expect("the epoch"));
//! let invitations = Invitations::new(MemoryStore::new()).with_clock(clock.clone());
//! let sales = Division::new("sales")?;
//! let manager = Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, sales);
//! let created = invitations.create(&manager, Draft::new().expiring(Expiry::InDays(7))).await?;
//!
//! clock.advance(Duration::days(7));
//! let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
//! let refused = invitations.redeem(&created.code().reveal(), &anna).await.unwrap_err();
//! assert!(matches!(refused.refusal(), Some(Refusal::Expired { at }) if *at == clock.now()));
//! # Ok(())
//! # }
//! ```

pub use crate::time::{Clock, ManualClock, SystemClock};
