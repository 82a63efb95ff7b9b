//! The store under test.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::store::Store;

/// An empty store of its own for one test, and what must live as long as it.
///
/// ```
/// use invitation_core::{MemoryStore, testing::Fixture};
///
/// async fn fixture() -> Fixture {
///     Fixture::new(MemoryStore::new())
/// }
/// ```
pub struct Fixture {
    // Dropped in this order: a store closes before its directory goes.
    store: Arc<dyn Store>,
    // Never contended: the mutex only makes it `Sync`.
    guards: Mutex<Vec<Box<dyn Any + Send>>>,
}

impl Fixture {
    /// On `store`, which must be empty and used by nobody else.
    #[must_use]
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), guards: Mutex::default() }
    }

    /// Keeps `guard` (a temporary directory, a server's process) until the test
    /// has ended.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send) -> Self {
        let guards = self.guards.get_mut().unwrap_or_else(PoisonError::into_inner);
        guards.push(Box::new(guard));
        self
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("store", &self.store).finish_non_exhaustive()
    }
}
