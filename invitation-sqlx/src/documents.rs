//! The documents of a store.

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_core::{
    Event, PageRequest, Scope, StoreError, StorePage, Timestamp,
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState,
        Documents, RemovalEvidence,
    },
};

use crate::{
    SqlStore,
    calls::{change, query},
    dialect::Dialect,
    ops,
};

#[async_trait]
impl<DB: Dialect> Documents for SqlStore<DB> {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        query!(self, "document", on => ops::document(on, key))
    }

    async fn add_documents(&self, documents: &[Document]) -> Result<(), StoreError> {
        Document::check_call("add_documents", documents, &[])?;
        change!(self, "add_documents", None, on => ops::add_documents(on, documents))
    }

    async fn replace_documents(
        &self,
        documents: &[Document],
        events: &[Event],
    ) -> Result<bool, StoreError> {
        Document::check_call("replace_documents", documents, events)?;
        change!(self, "replace_documents", None, on => ops::replace_documents(on, documents, events))
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Document>, StoreError> {
        query!(self, "due_documents", on => ops::due_documents(on, kind, now, limit))
    }

    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>, StoreError> {
        query!(self, "list_documents", on => ops::list_documents(on, scope, filter, page))
    }

    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: NonZeroU32,
        evidence: Option<&RemovalEvidence>,
    ) -> Result<u32, StoreError> {
        let of = (kind, state);
        change!(self, "remove_documents", None, on => {
            ops::remove_documents(on, of, before, limit, evidence)
        })
    }
}
