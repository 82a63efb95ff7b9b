//! Promises of a store from which persons can be erased: the trait [`Erasures`].
//!
//! Call [`erasure_conformance!`](crate::erasure_conformance) in a module of its own, beside
//! [`conformance!`](crate::conformance). Each function tests one promise. It takes an
//! [`ErasureFixture`] with an empty store, and panics if the store breaks the promise.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test fails")]

mod addresses;
mod concurrent;
mod pages;
mod scenario;
mod values;

use std::{any::Any, fmt, sync::Arc};

use invitation_core::{IfVersion, Store, erasure::Erasures};

use self::scenario::{MASK, Scenario};

use crate::{Fixture, support::samples::admin};

/// An empty store for one test, and the guards that must live as long as the store.
pub struct ErasureFixture {
    fixture: Fixture,
    whole: Arc<dyn ErasureStore>,
}

/// A store from which persons can be erased.
trait ErasureStore: Store + Erasures {}

impl<S: Store + Erasures> ErasureStore for S {}

impl ErasureFixture {
    /// Creates a fixture from `store`, which must be empty and must not be used elsewhere.
    #[must_use]
    pub fn new(store: impl Store + Erasures + 'static) -> Self {
        let store = Arc::new(store);
        let whole = Arc::clone(&store);
        Self { fixture: Fixture::new(store), whole }
    }

    /// Keeps `guard` (a temporary directory, a server's process) alive until the test has
    /// ended.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send) -> Self {
        Self { fixture: self.fixture.keeping(guard), ..self }
    }
}

impl fmt::Debug for ErasureFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErasureFixture").field("whole", &self.whole).finish_non_exhaustive()
    }
}

/// The texts of the person of [`erase_canary`]: in the name, the source and the address, and the
/// masked address.
pub const CANARIES: [&str; 5] = ["Canary", "canary", "Quill", "quill", MASK];

/// Puts a person into every place of a store, calls `populated`, and erases the person. For a test
/// that searches what a store keeps for the [`CANARIES`], before and afterwards.
pub async fn erase_canary(fixture: ErasureFixture, populated: impl AsyncFnOnce()) {
    let scenario = Scenario::new(fixture);
    let all = scenario.populate().await;
    populated().await;
    for id in all {
        // The address of an open invitation stays.
        let _ = scenario.service.revoke(&admin(), id, None, IfVersion::Any).await;
    }
    scenario.erase(7).await;
}

crate::__erasure_promises!(crate::macros::export_erasure_promises, ());
