//! The documents of a store behind an interceptor.

use std::num::NonZeroU32;

use async_trait::async_trait;

use super::{Intercept, Interceptor, Operation};
use crate::{
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState,
        Documents, RemovalEvidence,
    },
    event::Event,
    page::{PageRequest, StorePage},
    scope::Scope,
    store_error::StoreError,
    time::Timestamp,
};

#[async_trait]
impl<S: Documents, I: Interceptor> Documents for Intercept<S, I> {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        self.one(Operation::Document, self.store.document(key)).await
    }

    async fn add_documents(&self, documents: &[Document]) -> Result<(), StoreError> {
        self.one(Operation::AddDocuments, self.store.add_documents(documents)).await
    }

    async fn replace_documents(
        &self,
        documents: &[Document],
        events: &[Event],
    ) -> Result<bool, StoreError> {
        let call = self.store.replace_documents(documents, events);
        self.one(Operation::ReplaceDocuments, call).await
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Document>, StoreError> {
        let call = self.store.due_documents(kind, now, limit);
        self.one(Operation::DueDocuments, call).await
    }

    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>, StoreError> {
        let call = self.store.list_documents(scope, filter, page);
        self.one(Operation::ListDocuments, call).await
    }

    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: NonZeroU32,
        evidence: Option<&RemovalEvidence>,
    ) -> Result<u32, StoreError> {
        let call = self.store.remove_documents(kind, state, before, limit, evidence);
        self.one(Operation::RemoveDocuments, call).await
    }
}
