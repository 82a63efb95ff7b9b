//! The store under test.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use invitation_core::Store;

/// An empty store for one test, and the guards that must live as long as the store.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use invitation::{MemoryStore, testing::Fixture};
///
/// async fn fixture() -> Fixture {
///     Fixture::new(MemoryStore::new())
/// }
/// ```
pub struct Fixture {
    // Fields drop in this order: the store closes before its directory is removed.
    store: Arc<dyn Store>,
    // Never contended: the mutex only makes the field `Sync`.
    guards: Mutex<Vec<Box<dyn Any + Send>>>,
}

impl Fixture {
    /// Creates a fixture from `store`, which must be empty and must not be used
    /// elsewhere.
    #[must_use]
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), guards: Mutex::default() }
    }

    /// Keeps `guard` (a temporary directory, a server's process) alive until the test has
    /// ended.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send) -> Self {
        let guards = self.guards.get_mut().unwrap_or_else(PoisonError::into_inner);
        guards.push(Box::new(guard));
        self
    }

    /// Returns the store under test.
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
