//! Mail: the codes of invitations, sent to their addresses.
//!
//! ```
//! # mod invitation { pub use invitation_core::*; pub use invitation_delivery as delivery; }
//! use std::sync::{Arc, Mutex};
//!
//! use async_trait::async_trait;
//! use invitation::{
//!     Division, Draft, Email, Invitations, MemoryStore, Role, SystemActor,
//!     delivery::{
//!         BaseUrl, Consumer, Deliveries, DeliveryFailure, RegistrationPage,
//!         mail::{Mail, MailQueue, MailWorker, Mailer, Phrases, StandardTemplate},
//!     },
//!     store::feed::{CursorHolder, CursorName},
//! };
//!
//! /// A host's own mailer. `SmtpMailer` (feature `smtp`) sends to a mail server.
//! #[derive(Debug, Default)]
//! struct Sink(Mutex<Vec<String>>);
//!
//! #[async_trait]
//! impl Mailer for Sink {
//!     async fn send(&self, mail: &Mail) -> Result<(), DeliveryFailure> {
//!         self.0.lock().expect("not poisoned").push(mail.text().to_owned());
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Arc::new(MemoryStore::new());
//! let invitations = Invitations::new(store.clone());
//! let deliveries = Deliveries::new(invitations.clone(), store.clone());
//!
//! // The part that every machine of the host runs, for example every few seconds:
//! let holder = CursorHolder::new("host-1:71")?;
//! let consumer = Consumer::new(store, CursorName::new("mail")?, holder);
//! let queue = MailQueue::new(deliveries.clone());
//! let sink = Arc::new(Sink::default());
//! let page = RegistrationPage::new(BaseUrl::parse("https://example.com")?);
//! let worker = MailWorker::new(
//!     deliveries,
//!     sink.clone(),
//!     StandardTemplate::new(Phrases::english("Perfect10")),
//!     "example.com".parse()?, // for the Message-ID
//! )
//! .with_page(page);
//!
//! let draft = Draft::new()
//!     .with_role(Role::new("staff")?)
//!     .in_division(Division::new("sales")?)
//!     .for_email(Email::parse("anna@example.com")?);
//! let created = invitations.create(&SystemActor::for_bootstrap(), draft).await?;
//!
//! let _ = consumer.run(&queue).await?;
//! assert_eq!(worker.run().await?.sent, 1);
//! let mails = sink.0.lock().expect("not poisoned");
//! assert!(mails[0].contains(created.code().reveal().as_str()));
//! assert!(mails[0].contains("https://example.com/register#"));
//! # Ok(())
//! # }
//! ```
//!
//! - [`MailQueue`] queues a [`Delivery`](invitation_core::delivery::Delivery) for each new
//!   invitation with an address.
//! - [`MailWorker`] sends what is due. Its failures are repeated with a [`Backoff`](crate::Backoff).
//! - A [`Mailer`] sends one [`Mail`]: `SmtpMailer` (feature `smtp`), or the host's own.
//! - A [`MailTemplate`] makes its text: [`StandardTemplate`] with the [`Phrases`] of a language, or
//!   the host's own.
//! - [`Unsubscribe`] lets recipients refuse reminders.
//!
//! # What a mail does not do
//!
//! Opening the link consumes nothing: mail scanners open it too. The code is the fragment of the
//! link, so that it does not reach the server's log.
//!
//! # Amended addresses
//!
//! A change of the address sends nothing by itself. The user who changed it sends the invitation
//! again, with [`Deliveries::resend`](invitation_core::delivery::Deliveries::resend).
//!
//! # Turning it on for an existing store
//!
//! The feed begins with the first event of the store. [`MailQueue::created_since`] leaves out the
//! invitations that the host has sent in another way.

mod content;
mod mailer;
mod phrases;
mod queue;
#[cfg(feature = "smtp")]
mod smtp;
mod standard;
mod template;
mod unsubscribe;
mod worker;

#[cfg(feature = "smtp")]
pub use self::smtp::SmtpMailer;
pub use self::{
    content::{Content, ContentError},
    mailer::{Mail, Mailer},
    phrases::Phrases,
    queue::MailQueue,
    standard::StandardTemplate,
    template::{MailContext, MailTemplate},
    unsubscribe::{Unsubscribe, UnsubscribeError, UnsubscribeUrl},
    worker::{MailWorker, Worked},
};
