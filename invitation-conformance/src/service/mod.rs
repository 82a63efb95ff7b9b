//! Promises of the service on a store: the tests call
//! [`Invitations`](invitation_core::Invitations), as a host does.
//!
//! Each function takes a [`Fixture`](crate::Fixture) with an empty store, and panics when the
//! store breaks the promise.

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
mod purge;
mod quota;
mod redeem;
mod redeem_with;
mod refusal;
mod replay;
mod reservation_terms;
mod reserve;
mod revoke_all;
mod rights;
mod rights_table;
mod search;
mod version;

crate::__conformance_promises!(crate::macros::export_promises, service);
