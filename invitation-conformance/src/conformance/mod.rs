//! The promises of a store, one function each.
//!
//! Each function takes a [`Fixture`](super::Fixture) with an empty store, and panics when
//! the store breaks the promise. [`conformance!`](crate::conformance!) generates a test
//! for each function. The functions are public for stores that need to run one alone.
//!
//! The functions drive stores in two ways: on the port, with transitions from
//! [`decide`](invitation_core::decide::decide()), and through [`Invitations`](invitation_core::Invitations).

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test says no")]

mod administering;
mod batches;
mod ceiling;
mod changes;
mod changes_of_leases;
mod checking;
mod criteria;
mod evidence;
mod expired_leases;
mod exports;
mod fidelity;
mod finding;
mod guard_words;
mod guard_words_of_leases;
mod idempotency;
mod imports;
mod inserting;
mod invitees;
mod lease_book;
mod listing;
mod listing_uses;
mod mint;
mod people;
mod population;
mod purging;
mod purging_of_stores;
mod quotas;
mod quotas_of_stores;
mod races;
mod races_of_changes;
mod races_of_commits;
mod races_of_leases;
mod races_of_quotas;
mod recording;
mod redeeming;
mod redeeming_with;
mod refusing;
mod replaying;
mod requests_of_stores;
mod reservations_and_terms;
mod reserving;
mod rights;
mod rights_of_a_form;
mod rights_table;
mod searching;
mod sweeping;
mod trail;
mod versions;
mod world;

pub use self::{
    races::{race_rounds, race_rounds_for_uses},
    races_of_leases::race_rounds_with_leases,
};

/// Exports each promise, so that the compiler reports a promise missing from the list as
/// dead code.
macro_rules! export {
    (() $($file:ident { $($promise:ident)+ })+) => {
        $(pub use self::$file::{$($promise),+};)+
    };
}

crate::__conformance_promises!(export);
