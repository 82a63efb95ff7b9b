//! The documents of the in-memory store.

use std::{cmp::Reverse, num::NonZeroU32};

use async_trait::async_trait;

use super::{MemoryStore, one_more};
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

/// Returns the number of documents that a call with this limit may concern.
fn bounded(limit: NonZeroU32) -> usize {
    usize::try_from(Document::bounded(limit)).unwrap_or(usize::MAX)
}

#[async_trait]
impl Documents for MemoryStore {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        Ok(self.state().documents.get(key).cloned())
    }

    async fn add_documents(&self, documents: &[Document]) -> Result<(), StoreError> {
        Document::check_call("add_documents", documents, &[])?;
        let mut state = self.state();
        for document in documents {
            let key = document.key.clone();
            state.documents.entry(key).or_insert_with(|| document.clone());
        }
        Ok(())
    }

    async fn replace_documents(
        &self,
        documents: &[Document],
        events: &[Event],
    ) -> Result<bool, StoreError> {
        Document::check_call("replace_documents", documents, events)?;
        let mut state = self.state();
        if !Document::all_replace(documents, |key| state.documents.get(key)) {
            return Ok(false);
        }
        for document in documents {
            state.documents.insert(document.key.clone(), document.clone());
        }
        for event in events {
            state.write(event.clone());
        }
        Ok(true)
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Document>, StoreError> {
        let state = self.state();
        let is_due = |document: &&Document| {
            document.key.kind == *kind && document.due.is_some_and(|due| due <= now)
        };
        let mut due: Vec<_> = state.documents.values().filter(is_due).cloned().collect();
        due.sort_by(|a, b| (a.due, &a.key.name).cmp(&(b.due, &b.key.name)));
        due.truncate(bounded(limit));
        Ok(due)
    }

    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>, StoreError> {
        let state = self.state();
        let is_shown = |document: &&Document| {
            document.is_within(scope)
                && filter.matches(document)
                && page.after.as_ref().is_none_or(|after| document.position() < *after)
        };
        let mut found: Vec<_> = state.documents.values().filter(is_shown).cloned().collect();
        found.sort_by_key(|document| Reverse(document.position()));
        found.truncate(one_more(page.limit));
        Ok(StorePage::from_one_more(found, page.limit, Document::position))
    }

    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: NonZeroU32,
        evidence: Option<&RemovalEvidence>,
    ) -> Result<u32, StoreError> {
        let mut stored = self.state();
        if evidence.is_some_and(|evidence| stored.has_event(&evidence.event.id)) {
            return Ok(0);
        }
        let is_old = |document: &&Document| {
            let Document { key, state: own, at, due, .. } = document;
            key.kind == *kind && own == state && *at < before && due.is_none()
        };
        let old = stored.documents.values().filter(is_old).take(bounded(limit));
        let old: Vec<_> = old.map(|document| document.key.clone()).collect();
        for key in &old {
            stored.documents.remove(key);
        }
        let removed = u32::try_from(old.len()).unwrap_or(u32::MAX);
        if let Some(evidence) = evidence.filter(|_| removed > 0) {
            stored.write(evidence.of(removed));
        }
        Ok(removed)
    }
}
