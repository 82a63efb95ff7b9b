//! Promises of a store's documents: the trait [`Documents`].
//!
//! Call [`documents_conformance!`](crate::documents_conformance) in a module of its own, beside
//! [`conformance!`](crate::conformance). Each function tests one promise. It takes a
//! [`DocumentsFixture`] with an empty store, and panics if the store breaks the promise.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test fails")]

mod add;
mod due;
mod list;
mod names;
mod races;
mod remove;
mod replace;
mod samples;

use std::{any::Any, fmt, sync::Arc};

use invitation_core::{Store, documents::Documents};

use crate::Fixture;

/// An empty store with documents for one test, and the guards that must live as long as the
/// store.
pub struct DocumentsFixture {
    fixture: Fixture,
    documents: Arc<dyn Documents>,
}

impl DocumentsFixture {
    /// Creates a fixture from `store`, which must be empty and must not be used elsewhere.
    #[must_use]
    pub fn new(store: impl Store + Documents + 'static) -> Self {
        let store = Arc::new(store);
        let documents = Arc::clone(&store);
        Self { fixture: Fixture::new(store), documents }
    }

    /// Keeps `guard` (a temporary directory, a server's process) alive until the test has
    /// ended.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send) -> Self {
        Self { fixture: self.fixture.keeping(guard), ..self }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.fixture.store()
    }
}

impl fmt::Debug for DocumentsFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentsFixture")
            .field("documents", &self.documents)
            .finish_non_exhaustive()
    }
}

crate::__documents_promises!(crate::macros::export_documents_promises, ());
