//! Promises of [imports of files](invitation_core::import::jobs) on a store.
//!
//! Call [`imports_conformance!`](crate::imports_conformance) in a module of its own, beside
//! [`documents_conformance!`](crate::documents_conformance). Each function tests one promise. It
//! takes an [`ImportsFixture`] with an empty store, and panics if the store breaks the promise.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test fails")]

mod atomic;
mod best_effort;
mod cancel;
mod evidence;
mod interrupted;
mod scene;
mod spool;
mod workers;

use std::{any::Any, fmt, sync::Arc};

use async_trait::async_trait;
use invitation_core::{
    Invitations, Store,
    admit::Transactional,
    documents::Documents,
    import::jobs::{ImportError, ImportRun, Imports},
};

use crate::Fixture;

type AnyInvitations = Invitations<Arc<dyn Store>>;

/// An empty store with documents for one test, the way in which its worker creates the
/// invitations of an atomic import, and the guards that must live as long as the store.
pub struct ImportsFixture {
    fixture: Fixture,
    documents: Arc<dyn Documents>,
    worker: Arc<dyn Worker>,
    has_transactions: bool,
}

impl ImportsFixture {
    /// Creates a fixture from `store`, which must be empty and must not be used elsewhere. An atomic
    /// import of more than one part is refused.
    #[must_use]
    pub fn new(store: impl Store + Documents + 'static) -> Self {
        Self::of(store, Arc::new(InCalls), false)
    }

    /// Creates a fixture from a `store` with transactions, in which atomic imports of any size are
    /// one step.
    #[must_use]
    pub fn with_transactions(store: impl Documents + Transactional + Clone + 'static) -> Self {
        Self::of(store.clone(), Arc::new(InTransactions(store)), true)
    }

    fn of(
        store: impl Store + Documents + 'static,
        worker: Arc<dyn Worker>,
        has_transactions: bool,
    ) -> Self {
        let store = Arc::new(store);
        let documents = Arc::clone(&store);
        Self { fixture: Fixture::new(store), documents, worker, has_transactions }
    }

    /// Keeps `guard` (a temporary directory, a server's process) alive until the test has
    /// ended.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send) -> Self {
        Self { fixture: self.fixture.keeping(guard), ..self }
    }
}

impl fmt::Debug for ImportsFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportsFixture").field("documents", &self.documents).finish_non_exhaustive()
    }
}

/// The worker of imports on a store.
#[async_trait]
trait Worker: Send + Sync {
    async fn run(
        &self,
        imports: &Imports,
        invitations: &AnyInvitations,
    ) -> Result<ImportRun, ImportError>;
}

/// A worker that creates the invitations of an atomic import in one call of the store.
struct InCalls;

#[async_trait]
impl Worker for InCalls {
    async fn run(
        &self,
        imports: &Imports,
        invitations: &AnyInvitations,
    ) -> Result<ImportRun, ImportError> {
        imports.run(invitations).await
    }
}

/// A worker that creates the invitations of an atomic import in one transaction of the store.
struct InTransactions<S>(S);

#[async_trait]
impl<S: Transactional + Clone + 'static> Worker for InTransactions<S> {
    async fn run(
        &self,
        imports: &Imports,
        invitations: &AnyInvitations,
    ) -> Result<ImportRun, ImportError> {
        imports.run_in_transactions(&invitations.on(self.0.clone())).await
    }
}

crate::__imports_promises!(crate::macros::export_imports_promises, ());
