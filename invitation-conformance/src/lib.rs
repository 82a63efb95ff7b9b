//! The conformance suite for authors of stores.
//!
//! One macro call, [`conformance!`](crate::conformance!), generates one named test for
//! every promise of [`port`], [`service`] and [`races`]. A store that passes them all fulfils the contract of
//! [`Store`](invitation_core::Store).
//!
//! Not covered by semantic versioning: a later version may add promises. A store that
//! passed before may then fail the new tests.

mod entropy;
mod fixture;
mod macros;
pub mod model;
pub mod port;
pub mod races;
pub mod service;
mod support;

pub use self::{entropy::SeededEntropy, fixture::Fixture};
