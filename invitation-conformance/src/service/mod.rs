//! Promises that a store keeps through the service: the tests call
//! [`Invitations`](invitation_core::Invitations) on the store, as a host does.
//!
//! Each function tests one promise. It takes a [`Fixture`](crate::Fixture) with an empty store,
//! and panics if the store breaks the promise.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test fails")]

mod administer;
mod audit;
mod batch;
mod ceiling;
mod check;
mod events;
mod expired_reservation;
mod export;
mod form_rights;
mod idempotency;
mod import;
mod list;
mod list_uses;
mod mailbox;
mod moved_actor;
mod performers;
mod purge;
mod quota;
mod redeem;
mod redeem_with;
mod refusal;
mod replay;
mod reseal;
mod reservation_terms;
mod reserve;
mod revoke_all;
mod rights;
mod rights_table;
mod search;
mod skewed_clocks;
mod standing;
mod unknown_codes;
mod version;

// Exports every listed function of the modules above.
crate::__conformance_promises!(crate::macros::export_promises, service);
