//! Promises under concurrency: many callers act on one invitation or one quota at the same
//! moment.
//!
//! Each function tests one promise. It takes a [`Fixture`](crate::Fixture) with an empty store,
//! and panics if the store breaks the promise.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test fails")]

mod changes;
mod commits;
mod idempotency;
mod key_rotation;
mod mailboxes;
mod quotas;
mod redemptions;
mod reseals;
mod reservations;

pub use self::{redemptions::run_redemption_races, reservations::run_reservation_races};

// Exports every listed function of the modules above.
crate::__conformance_promises!(crate::macros::export_promises, races);
