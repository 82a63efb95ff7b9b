//! Deliveries: mails with the codes of invitations, and what became of them.
//!
//! Each mail is a [`Delivery`]: a [document](crate::documents) that names its invitation and
//! contains neither a code nor an address. A worker reads both from the store when it sends the
//! mail. The crate `invitation-delivery` has that worker; this module has its rules.
//!
//! ```
//! # use invitation_core as invitation;
//! use std::{num::NonZeroU32, sync::Arc};
//!
//! use invitation::{
//!     Actor, Division, Draft, Email, Invitations, MemoryStore, Paging, Role, SystemActor, UserId,
//! };
//! use invitation::delivery::{Deliveries, DeliveryState, Resend};
//! use invitation::store::feed::Feed;
//! use time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Arc::new(MemoryStore::new());
//! let invitations = Invitations::new(store.clone());
//! let deliveries = Deliveries::new(invitations.clone(), store.clone());
//! let admin = Actor::across_divisions(UserId::new("u-1")?, Role::new("admin")?);
//! let draft = Draft::new()
//!     .with_role(Role::new("staff")?)
//!     .in_division(Division::new("sales")?)
//!     .for_email(Email::parse("anna@example.com")?);
//! let id = invitations.create(&admin, draft).await?.invitation().id();
//!
//! // The worker queues a mail for each new invitation with an address, and sends it.
//! let (ten, worker) = (NonZeroU32::new(10).expect("not zero"), SystemActor::new("mail")?);
//! let page = store.feed(None, ten).await?;
//! let events: Vec<_> = page.events.into_iter().map(|one| one.event).collect();
//! deliveries.queue(&events).await?;
//! for delivery in deliveries.due(ten).await? {
//!     let claimed = deliveries.claim(&worker, &delivery, Duration::MINUTE, 12).await?;
//!     let claimed = claimed.expect("no other worker has it");
//!     assert_eq!(claimed.address().as_str(), "anna@example.com");
//!     assert_eq!(claimed.code().reveal().len(), 29);
//!     let message = claimed.message_id(&"example.com".parse()?);
//!     assert!(deliveries.sent(&worker, &claimed, &message).await?);
//! }
//!
//! // The administrator sees what became of it, and sends it again.
//! let page = deliveries.of_invitation(&admin, id, Paging::default()).await?;
//! assert_eq!(page.items()[0].state(), DeliveryState::Sent);
//! let again = deliveries.resend(&admin, id, Resend::new()).await?;
//! assert_eq!(again.state(), DeliveryState::Queued);
//! # Ok(())
//! # }
//! ```
//!
//! - **What there is**: a [`Delivery`] has an id, a [`DeliveryPurpose`] and a
//!   [`DeliveryState`]; a failed one has a [`DeliveryFailure`] of a [`FailureKind`].
//! - **Users**: [`Deliveries`] lists, retries and resends ([`Resend`]), one invitation or those of
//!   a batch or another filter ([`Deliveries::resend_all`], which returns a [`ResentPage`] of
//!   [`ResentInvitation`]s, each with a [`ResendOutcome`]). The right is
//!   [`Right::Resend`](crate::Right::Resend); [`Limits`](crate::Limits) bounds the number.
//! - **Workers**: [`Deliveries::queue`], [`due`](Deliveries::due), [`claim`](Deliveries::claim)
//!   and the calls that take a [`ClaimedDelivery`]; [`Deliveries::remind`].
//!
//! # At least once
//!
//! A mail is sent first, and marked as sent afterwards. If the worker dies in between, the mail is
//! sent again, with the same [`MessageId`]: mail programs show one mail. In all other cases it is
//! sent once.
//!
//! Where the store [keeps no codes](crate::code::Sealing::hash_only), only a resend with a new code sends
//! mail, and each attempt draws a code. A mail that is sent again has another code and another
//! Message-ID, and only the code of the last one works.
//!
//! # Evidence
//!
//! | Event | When |
//! |---|---|
//! | `create` | the mail of a new invitation is queued after its event |
//! | `resend` | in one atomic step with the queued mail; also for a retry |
//! | `rotate` | the worker has drawn the code of the mail, because the store keeps none |
//! | `reminder_due` | in one atomic step with the queued reminder |
//! | `deliver`, succeeded | the mail server accepted the mail |
//! | `deliver`, refused | the invitation is no longer active, its expiry or code is not the one that the mail was for, or its recipient wants no reminders |
//! | `deliver`, failed | no further attempt is made |

mod budget;
mod failure;
mod message_id;
mod record;

pub(crate) use self::budget::{Budget, BudgetOf};
pub use self::{
    failure::{DeliveryFailure, FailureKind},
    message_id::MessageId,
    record::{Delivery, DeliveryPurpose, DeliveryState},
};
pub use crate::{
    id::DeliveryId,
    link::{BaseUrl, RegistrationLink, RegistrationPage},
    service::{
        ClaimedDelivery, Deliveries, ReminderPage, Resend, ResendOutcome, ResentInvitation,
        ResentPage,
    },
};
