//! Consumers of the event [feed](invitation_core::feed) of the invitation library.
//!
//! A [`Consumer`] reads the feed behind a durable cursor and gives its pages to a [`Process`].
//! Several machines may run the same consumer: one of them holds the cursor, and another one
//! continues after a crash.
//!
//! ```
//! # mod invitation { pub use invitation_core::*; pub use invitation_delivery as delivery; }
//! use std::io;
//!
//! use async_trait::async_trait;
//! use invitation::{
//!     Division, Draft, Invitations, MemoryStore, Role, SystemActor,
//!     delivery::{Consumer, ConsumerError, Process, Progress},
//!     store::feed::{CursorHolder, CursorName, FeedPage},
//! };
//!
//! /// Forwards events to another system, which may be down.
//! #[derive(Debug)]
//! struct Forward {
//!     is_up: bool,
//! }
//!
//! #[async_trait]
//! impl Process for Forward {
//!     type Error = io::Error;
//!
//!     async fn process(&self, page: &FeedPage) -> Result<(), Self::Error> {
//!         assert_eq!(page.events.len(), 1);
//!         if self.is_up { Ok(()) } else { Err(io::Error::other("it is down")) }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
//! Invitations::new(&store).create(&SystemActor::for_bootstrap(), draft).await?;
//!
//! let (name, holder) = (CursorName::new("forward")?, CursorHolder::new("host-1:71")?);
//! let consumer = Consumer::new(&store, name, holder);
//! let failed = consumer.run(&Forward { is_up: false }).await;
//! assert!(matches!(failed, Err(ConsumerError::Process(_))));
//! // Nothing is lost: the same event comes again.
//! assert_eq!(consumer.run(&Forward { is_up: true }).await?, Progress::UpToDate);
//! # Ok(())
//! # }
//! ```
//!
//! [`Backoff`] says when a failed attempt is repeated.
//!
//! [`mail`] sends the codes of invitations to their addresses.
//!
//! # Features
//!
//! - `smtp`: `mail::SmtpMailer`, which sends to a mail server.
//! - `webhooks`: the module `webhook`, which sends the events of invitations to other systems.
//! - `keyring`: the secrets of webhooks, encrypted under a keyring.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod backoff;
mod consumer;
pub mod mail;
#[cfg(feature = "webhooks")]
pub mod webhook;

#[doc(inline)]
pub use invitation_core::delivery::{
    BaseUrl, ClaimedDelivery, Deliveries, Delivery, DeliveryFailure, DeliveryId, DeliveryPurpose,
    DeliveryState, FailureKind, MessageId, RegistrationLink, RegistrationPage, ReminderPage,
    Resend, ResendOutcome, ResentInvitation, ResentPage,
};

pub use self::{
    backoff::Backoff,
    consumer::{Consumer, ConsumerError, Process, Progress},
};
