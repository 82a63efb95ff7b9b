//! Where a sequence is tried.

use std::sync::Arc;

use async_trait::async_trait;

use crate::store::Store;

/// One place that is empty at first, and can be opened more than once.
///
/// Each sequence gets a harness of its own. Several sequences never run at the
/// same time.
#[async_trait]
pub trait Harness: Send {
    /// Opens the store.
    ///
    /// The first call MUST give an empty one. Every later call MUST give back
    /// what was stored through the former ones, and SHOULD close and reopen
    /// whatever can be: the sequence uses only the newest. It still holds the former
    /// one during the call; a store that has to be closed first is closed by the
    /// harness, which keeps a handle of its own.
    async fn open(&mut self) -> Arc<dyn Store>;
}
