//! The port of a store that keeps documents.

use std::{fmt, num::NonZeroU32, sync::Arc};

use async_trait::async_trait;

use super::{
    Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState,
    RemovalEvidence,
};
use crate::{
    event::Event,
    page::{PageRequest, StorePage},
    scope::Scope,
    store_error::StoreError,
    time::Timestamp,
};

/// The documents of a store.
///
/// # For implementors
///
/// The requirements on every call of [`Store`](crate::Store) apply here too. A store keeps each
/// document unchanged, and compares names byte for byte. [`Document::all_replace`],
/// [`Document::is_within`] and [`DocumentFilter::matches`] are the specification.
///
/// A store MUST refuse a call that [`Document::check_call`] refuses.
#[async_trait]
pub trait Documents: fmt::Debug + Send + Sync {
    /// Returns the document of this key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError>;

    /// Stores those of the documents whose key is not stored yet, as they are. The others stay
    /// unchanged. If a key occurs twice in the call, the first document counts.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails; then either all new documents are stored or none.
    async fn add_documents(&self, documents: &[Document]) -> Result<(), StoreError>;

    /// Stores documents in place of the versions before, together with events, and returns
    /// whether it did: all or nothing, in one step that is atomic with regard to all other calls.
    ///
    /// If one of the documents does not [replace](Document::replaces) what is stored under its
    /// key, or if a key occurs twice, the store MUST change nothing and return `false`. An event
    /// whose id is already stored stays unchanged.
    ///
    /// Replacing a document by itself succeeds and changes nothing. So a caller can repeat a call
    /// whose outcome is unknown, with the same documents and events. Two callers that compete for
    /// a document must therefore not write equal ones (see [the module](super)).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails; then nothing is changed, unless its kind is
    /// [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown).
    async fn replace_documents(
        &self,
        documents: &[Document],
        events: &[Event],
    ) -> Result<bool, StoreError>;

    /// Returns documents of a kind that are due at `now` or earlier, in the order of their due
    /// time, then their name: at most `limit`, and at most [`Document::MAX_BATCH`].
    ///
    /// The work MUST be bounded by the result, however many documents are not due.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Document>, StoreError>;

    /// Returns the documents within the scope that match, newest first: by `at`, then by name,
    /// both descending.
    ///
    /// MUST bound its result by the page, and SHOULD bound its work: a page may be short or empty,
    /// with [`next`](crate::Page::next) set.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>, StoreError>;

    /// Removes documents of a kind in a state whose `at` lies before `before` and that are not
    /// due at any time: at most `limit`, and at most [`Document::MAX_BATCH`]. Returns how many it
    /// removed; 0 when none is left. A call may remove fewer than are left.
    ///
    /// A call with `evidence` that removes a document writes the [event](RemovalEvidence::of) in
    /// the same atomic step. If that event is on record, the call was made before: then it MUST
    /// change nothing, and returns 0.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: NonZeroU32,
        evidence: Option<&RemovalEvidence>,
    ) -> Result<u32, StoreError>;
}

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        impl<D: Documents + ?Sized> Documents for $type {
            async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
                (**self).document(key).await
            }

            async fn add_documents(&self, documents: &[Document]) -> Result<(), StoreError> {
                (**self).add_documents(documents).await
            }

            async fn replace_documents(
                &self,
                documents: &[Document],
                events: &[Event],
            ) -> Result<bool, StoreError> {
                (**self).replace_documents(documents, events).await
            }

            async fn due_documents(
                &self,
                kind: &DocumentKind,
                now: Timestamp,
                limit: NonZeroU32,
            ) -> Result<Vec<Document>, StoreError> {
                (**self).due_documents(kind, now, limit).await
            }

            async fn list_documents(
                &self,
                scope: &Scope,
                filter: &DocumentFilter,
                page: &PageRequest<DocumentName>,
            ) -> Result<StorePage<Document, DocumentName>, StoreError> {
                (**self).list_documents(scope, filter, page).await
            }

            async fn remove_documents(
                &self,
                kind: &DocumentKind,
                state: &DocumentState,
                before: Timestamp,
                limit: NonZeroU32,
                evidence: Option<&RemovalEvidence>,
            ) -> Result<u32, StoreError> {
                (**self).remove_documents(kind, state, before, limit, evidence).await
            }
        }
    };
}

forward!(&D);
forward!(Box<D>);
forward!(Arc<D>);
