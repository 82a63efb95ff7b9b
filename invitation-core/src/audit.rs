//! The audit trail: events, and how to read and label them.
//!
//! Every change writes one [`Event`] in the same atomic step. Every refusal and denial
//! writes one too, with its exact [`Reason`]; mistyped input writes none. An event never
//! contains a code.
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Paging, Role, UserId};
//! use invitation::audit::{Action, CorrelationId, EventCriteria, EventOutcome, Reason, RequestContext};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let invitations = Invitations::new(MemoryStore::new());
//! let sales = Division::new("sales")?;
//! let manager = Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, sales);
//!
//! // The host labels the events of a request, so that they can be found again.
//! let request = CorrelationId::new("req-7")?;
//! let context = RequestContext { correlation: Some(request.clone()), source: None };
//! let manager = manager.with_context(context);
//! let created = invitations.create(&manager, Draft::new()).await?;
//! assert!(invitations.create(&manager, Draft::new().with_role(Role::new("admin")?)).await.is_err());
//!
//! // Only an administrator may read the trail. Newest events come first.
//! let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?);
//! let of_manager = EventCriteria::new().by_user(UserId::new("u-1")?);
//! let page = invitations.events(&admin, &of_manager, Paging::first(50)?).await?;
//! let [denied, done] = page.items() else { panic!("two events") };
//!
//! assert_eq!((done.action, done.outcome), (Action::Create, EventOutcome::Succeeded));
//! assert_eq!(done.invitation, Some(created.invitation().id()));
//! assert_eq!((denied.action, denied.outcome), (Action::Create, EventOutcome::Denied));
//! assert_eq!(denied.reason, Some(Reason::RoleNotGrantable));
//!
//! // The label finds them again.
//! let of_request = EventCriteria::new().with_correlation(request);
//! let found = invitations.events(&admin, &of_request, Paging::first(50)?).await?;
//! assert_eq!(found.items(), page.items());
//! # Ok(())
//! # }
//! ```
//!
//! - **What an event says**: [`Event`] has an [`EventId`], a [`Performer`], an [`Action`], an
//!   [`EventOutcome`], a [`Reason`] and bounded [`Detail`]. A performer has a name where the
//!   host gave one: [`Actor::with_name`](crate::Actor::with_name), or the [`SystemName`] of a
//!   job.
//! - **What the host adds**: a [`RequestContext`] of a [`CorrelationId`] and a [`Source`].
//! - **For stores**: [`PerformerParts`], the columns of a performer, and a
//!   [`DetailTemplate`], to which a statement adds a number.
//! - **Who redeemed**: [`UsedBy`], the content of the column *Used By*.
//! - **Reading**: [`Invitations::events`](crate::Invitations::events) takes
//!   [`EventCriteria`]. An [`OutcomeFilter`] selects one outcome, or all attempts that did not
//!   succeed. [`EventCriteria::with_correlation`] finds the events of one request.
//! - **A tamper-evident log**: a [`LogMonitor`] tells a page the [`LogState`] of one, with its
//!   [`LogVerdict`] and its newest [`LogCheckpoint`].
//! - **Inside a host's transaction** a refusal is not written, because the host may roll
//!   back. The error carries it as [`Refused`], and
//!   [`Invitations::record`](crate::Invitations::record) writes it.

pub use crate::{
    detail::{Detail, DetailTemplate},
    event::{Action, Event, EventOutcome, Reason},
    id::EventId,
    log_state::{LogCheckpoint, LogMonitor, LogState, LogVerdict},
    parts::PerformerParts,
    performer::Performer,
    query::OutcomeFilter,
    redemption::UsedBy,
    refusal::Refused,
    request_context::RequestContext,
    service::EventCriteria,
    text::{CorrelationId, Source, SystemName},
};
