//! Consumers of the event [feed](invitation_core::feed) of the invitation library.
//!
//! A [`Consumer`] reads the feed behind a durable cursor and gives its pages to a [`Process`].
//! Several machines may run the same consumer: one of them holds the cursor, and another one
//! continues after a crash. The example of [`Consumer`] shows its use.
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
