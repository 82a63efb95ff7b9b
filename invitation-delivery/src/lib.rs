//! Consumers of the event [feed](invitation_core::feed) of the invitation library.
//!
//! A [`Consumer`] reads the feed behind a durable cursor and gives its pages to a [`Process`].
//! Several machines may run the same consumer: one of them holds the cursor, and another one
//! continues after a crash. The example of [`Consumer`] shows its use.
//!
//! [`Backoff`] says when a failed attempt is repeated.

mod backoff;
mod consumer;

pub use self::{
    backoff::Backoff,
    consumer::{Consumer, ConsumerError, Process, Progress},
};
