//! Opening the store under test.

use std::sync::Arc;

use async_trait::async_trait;
use invitation_core::Store;

/// Provides the store of one sequence of calls, and opens it again within the sequence.
///
/// Each sequence gets a provider of its own. Sequences never run concurrently.
#[async_trait]
pub trait StoreProvider: Send {
    /// Opens the store.
    ///
    /// The first call MUST return an empty store. Every later call MUST return the data
    /// stored before, and SHOULD close and reopen every resource that can be reopened.
    ///
    /// The sequence uses only the newest store, but still holds the previous one during the
    /// call. A provider that has to close the previous one first keeps a handle of its own
    /// for that.
    async fn open(&mut self) -> Arc<dyn Store>;
}
