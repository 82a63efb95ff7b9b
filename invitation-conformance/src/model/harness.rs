//! The environment in which a sequence runs.

use std::sync::Arc;

use async_trait::async_trait;
use invitation_core::Store;

/// A place for one store, empty at first, that can be opened more than once.
///
/// Each sequence gets a harness of its own. Sequences never run concurrently.
#[async_trait]
pub trait Harness: Send {
    /// Opens the store.
    ///
    /// The first call MUST return an empty store. Every later call MUST return the data
    /// stored before, and SHOULD close and reopen every resource that can be reopened.
    ///
    /// The sequence uses only the newest store, but still holds the former one during the
    /// call. If the former one has to be closed first, the harness closes it through a
    /// handle of its own.
    async fn open(&mut self) -> Arc<dyn Store>;
}
