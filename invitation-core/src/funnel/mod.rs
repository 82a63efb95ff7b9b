//! The funnel: what became of invitations, for each division, inviter and batch.
//!
//! A consumer of the [feed](crate::feed) keeps the numbers in [documents](crate::documents), so
//! reading them costs the same however many invitations there are.
//!
//! ```
//! # use invitation_core as invitation;
//! use std::sync::Arc;
//!
//! use invitation::store::funnel::{FunnelCounter, FunnelQuery, Funnels};
//! use invitation::{
//!     Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Role, UserId, Username,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Arc::new(MemoryStore::new());
//! let invitations = Invitations::new(store.clone());
//! let mia =
//!     Actor::in_division(UserId::new("mia")?, Role::new("manager")?, Division::new("sales")?);
//! let code = invitations.create(&mia, Draft::new()).await?.code().reveal();
//! invitations.create(&mia, Draft::new()).await?;
//! let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
//! invitations.redeem(&code, &anna).await?;
//!
//! // A task of the host, for example every few seconds:
//! let counter = FunnelCounter::new(store.clone());
//! while counter.run().await?.more {}
//!
//! let funnels = Funnels::new(invitations, store.clone(), store);
//! let funnel = funnels.of(&mia, &FunnelQuery::new()).await?;
//! let figures = funnel.figures();
//! assert_eq!((figures.created(), figures.redeemed(), funnel.active()), (2, 1, 1));
//! assert!(funnel.is_up_to_date());
//! # Ok(())
//! # }
//! ```
//!
//! - **Reading**: [`Funnels::of`] returns the [`Funnel`] of a [`FunnelQuery`], within the actor's
//!   reach.
//! - **The numbers**: [`FunnelFigures`], and the [`TimesToRedeem`] among them.
//! - **Counting**: [`FunnelCounter`], which the host runs in a task.
//!
//! # Each event counts once
//!
//! The feed delivers each event at least once. One atomic step writes the numbers together with
//! the position up to which they count. So a page that comes again counts nothing, and a counter
//! that is killed leaves both or neither. Of several counters at the same time one succeeds with
//! each step, and the others go on behind it.
//!
//! # What is counted
//!
//! The counter keeps one small document for each invitation, its *journey*: created, sent, uses,
//! revoked, deleted. The numbers are the sum over all journeys. A journey names its inviter by a
//! digest only, and contains neither a code nor an address.
//!
//! Expiry is no event. The funnel computes it when it is read: the invitations that are open by
//! the numbers, without those that the store counts as active at that moment.
//!
//! # Lost and repeated events
//!
//! - **Removed events**: the counter's [cursor](FunnelCounter::CURSOR) keeps events from being
//!   removed before they are counted. If events were removed before the counter ran for the first
//!   time, invitations whose creation was among them are not counted. [`Funnel::counted_since`]
//!   says so.
//! - **A new epoch of the feed**, such as after the promotion of a Redis replica: events that
//!   appear again count nothing, because the journey of their invitation has them already. Of an
//!   invitation with several uses, a journey recognises the latest 16 redemptions.
//!   [`Funnel::discontinuities`] is the number of such epochs.
//! - **Counting anew**: [`FunnelCounter::recount`] begins at the first event of the feed again.

mod batch;
mod counter;
mod figures;
mod journey;
mod keys;
mod progress;
mod stored;
mod times;

pub use self::{
    counter::{CountedEvents, FunnelCounter},
    figures::FunnelFigures,
    times::{TimeRangeToRedeem, TimesToRedeem},
};
pub(crate) use self::{
    keys::{FigureKey, Whose},
    progress::Progress,
    stored::{corrupt, read_figures},
};
pub use crate::service::{Funnel, FunnelQuery, Funnels};
