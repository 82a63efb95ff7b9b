//! The promises of a store, one function each.
//!
//! Each takes a [`Fixture`](super::Fixture) with an empty store, and panics when
//! the store breaks the promise. [`conformance!`](crate::conformance!) makes a test
//! of each; the functions are public for stores that need to run one by itself.
//!
//! Stores are driven in two ways: on the port, with transitions from
//! [`decide`](crate::decide::decide()), and through [`Invitations`](crate::Invitations).

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test says no")]

mod administering;
mod ceiling;
mod changes;
mod criteria;
mod evidence;
mod fidelity;
mod finding;
mod guard_words;
mod inserting;
mod listing;
mod mint;
mod people;
mod population;
mod races;
mod races_of_changes;
mod recording;
mod redeeming;
mod refusing;
mod replaying;
mod rights;
mod rights_table;
mod searching;
mod trail;
mod versions;
mod world;

pub use self::races::{race_rounds, race_rounds_for_uses};

/// Exports each promise, so that one that the list leaves out is dead code.
macro_rules! export {
    (() $($file:ident { $($promise:ident)+ })+) => {
        $(pub use self::$file::{$($promise),+};)+
    };
}

crate::__conformance_promises!(export);
