//! What proves a store: a conformance suite, for authors of stores.
//!
//! One macro call, [`conformance!`](crate::conformance!), makes one named test
//! of every promise of [`conformance`]. A store that passes them all does what
//! [`Store`](crate::Store) asks for.
//!
//! Not covered by semantic versioning: a later version may add promises, and
//! with them tests that fail on a store which passed before.

pub mod conformance;
mod drop_after;
mod fixture;
mod macros;
pub mod model;

pub use self::{drop_after::DropAfter, fixture::Fixture};
