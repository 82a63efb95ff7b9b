//! Promises of the port, the trait [`Store`](invitation_core::Store). The tests call its methods
//! directly, with transitions from [`decide`](invitation_core::decide::decide()).
//!
//! Each function tests one promise. It takes a [`Fixture`](crate::Fixture) with an empty store,
//! and panics if the store breaks the promise.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test fails")]

mod apply;
mod apply_leases;
mod events;
mod get;
mod guard;
mod guard_leases;
mod idempotency;
mod insert;
mod invited;
mod list;
mod list_by_expiry;
mod list_uses;
mod mailbox;
mod names;
mod purge;
mod quota;
mod record;
mod reseal;
mod round_trip;
mod search;

// Exports every listed function of the modules above.
crate::__conformance_promises!(crate::macros::export_promises, port);
