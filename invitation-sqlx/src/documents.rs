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

use crate::{SqlStore, dialect::Dialect, ops, store::retried};

#[async_trait]
impl<DB: Dialect> Documents for SqlStore<DB> {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        let mut conn = self.connections.acquire_to_read("document").await?;
        let answer = ops::document::<DB>(&mut conn, &self.names, key).await;
        conn.finish(answer).await
    }

    async fn add_documents(&self, documents: &[Document]) -> Result<(), StoreError> {
        Document::check_call("add_documents", documents, &[])?;
        let mut conn = self.connections.acquire("add_documents").await?;
        retried!(self, conn, None, ops::add_documents::<DB>(&mut conn, &self.names, documents))
    }

    async fn replace_documents(
        &self,
        documents: &[Document],
        events: &[Event],
    ) -> Result<bool, StoreError> {
        Document::check_call("replace_documents", documents, events)?;
        let mut conn = self.connections.acquire("replace_documents").await?;
        retried!(self, conn, None, {
            ops::replace_documents::<DB>(&mut conn, &self.names, documents, events)
        })
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Document>, StoreError> {
        let mut conn = self.connections.acquire_to_read("due_documents").await?;
        let answer = ops::due_documents::<DB>(&mut conn, &self.names, kind, now, limit).await;
        conn.finish(answer).await
    }

    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>, StoreError> {
        let mut conn = self.connections.acquire_to_read("list_documents").await?;
        let answer = ops::list_documents::<DB>(&mut conn, &self.names, scope, filter, page).await;
        conn.finish(answer).await
    }

    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: NonZeroU32,
        evidence: Option<&RemovalEvidence>,
    ) -> Result<u32, StoreError> {
        let mut conn = self.connections.acquire("remove_documents").await?;
        retried!(self, conn, None, {
            ops::remove_documents::<DB>(
                &mut conn,
                &self.names,
                (kind, state),
                before,
                limit,
                evidence,
            )
        })
    }
}
