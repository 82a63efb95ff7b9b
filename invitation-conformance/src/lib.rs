//! Tests for authors of a [`Store`](invitation_core::Store): a conformance suite, and a model
//! that random calls are compared with.
//!
//! The documentation of `Store` states what a store must do. This crate tests it. The stores
//! of the invitation library pass the same tests.
//!
//! A promise is one requirement on a store, and the function that tests it.
//!
//! # Running the suite
//!
//! Add `invitation` with the feature `testing` to your dev-dependencies, write a function that
//! returns an empty store, and call [`conformance!`] in a test target:
//!
//! ```
//! # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
//! use invitation::{MemoryStore, testing::Fixture};
//!
//! /// Returns an empty store. Each test calls the function once.
//! async fn fixture() -> Fixture {
//!     Fixture::new(MemoryStore::new())
//! }
//!
//! mod promises {
//! #     use invitation_conformance as invitation;
//!     invitation::conformance!(super::fixture);
//! }
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! #     use invitation_conformance::{port, service};
//! #     port::insert_with_a_taken_code_stores_nothing(fixture().await).await;
//! #     service::single_use_code_is_redeemed_once(fixture().await).await;
//! # });
//! ```
//!
//! A store that needs a directory or a server gives it to [`Fixture::keeping`], which keeps
//! it until the test has ended.
//!
//! The macro generates one test for each promise, in three groups:
//!
//! - [`port`]: each method of the store on its own. The results equal the functions that the
//!   documentation of `Store` calls its specification, such as
//!   [`Change::apply_to`](invitation_core::Change::apply_to).
//! - [`service`]: what a host sees that calls [`Invitations`](invitation_core::Invitations) on
//!   the store.
//! - [`races`]: up to 64 concurrent callers of one code, one quota or one key. Authors can
//!   race longer with [`run_redemption_races`](races::run_redemption_races) and
//!   [`run_reservation_races`](races::run_reservation_races).
//!
//! A test filter selects an area: `cargo test port::purge`.
//!
//! [`feed_conformance!`] tests the [`feed`] of a store, and its cursors, in the same way.
//! [`documents_conformance!`] tests its [`documents`], [`imports_conformance!`] the [`imports`] of
//! files as jobs on it, [`funnel_conformance!`] the counter of the [`funnel`] on both, and
//! [`erasure_conformance!`] the [`erasure`] of persons.
//! [`budgets::run_budget_promises`] tests the budgets of failed guesses.
//!
//! # Running the model
//!
//! [`model::check`] draws random sequences of calls and compares the store with a model after
//! each of them. It finds what no single test expects, for example a lease that survives an
//! amendment. See [`model`] for an example.
//!
//! # How long it takes
//!
//! On two cores the suite takes about six seconds on the memory store and ten on Redis, and
//! minutes on a database that waits for the disk. The tests run in parallel, so a fixture
//! must not share data between tests. The caller decides how long the model runs: 10,000
//! short sequences on the memory store take about 20 seconds.
//!
//! # What it does not test
//!
//! - Durability: no test kills the process or the server.
//! - Lost answers, broken connections and cancelled calls.
//! - A store that joins a transaction of the host.
//! - The files, logs and messages of a store. [`secrets`] uses codes for a test that searches
//!   them.
//!
//! These depend on the database. A store needs tests of its own for them.
//!
//! # Versions
//!
//! Semantic versioning does not cover the promises: a later minor version may add tests, and
//! a store that passed before may then fail them. It covers the macro, [`Fixture`],
//! [`SeededEntropy`] and the module [`model`].

pub mod budgets;
pub mod documents;
mod entropy;
pub mod erasure;
pub mod feed;
mod fixture;
pub mod funnel;
pub mod imports;
mod macros;
pub mod model;
pub mod people;
pub mod port;
pub mod races;
pub mod secrets;
pub mod service;
mod support;

#[doc(hidden)]
pub use self::macros::__run_test;
pub use self::{entropy::SeededEntropy, fixture::Fixture};
