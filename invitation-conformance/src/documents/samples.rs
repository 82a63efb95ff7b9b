//! Documents of the tests, and calls that must succeed.

use std::num::NonZeroU32;

use invitation_core::{
    Event, EventFilter, PageRequest, Scope,
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState, Documents,
    },
};

use super::DocumentsFixture;
use crate::support::{
    reads::all_events,
    samples::{later, start},
};

pub(super) fn kind(name: &str) -> DocumentKind {
    DocumentKind::from_stored(name)
}

pub(super) fn state(name: &str) -> DocumentState {
    DocumentState::from_stored(name)
}

pub(super) fn key(name: &str) -> DocumentKey {
    DocumentKey { kind: kind("mail"), name: DocumentName::from_stored(name) }
}

/// Returns the first version of a mail in the state `queued`, which is not due.
pub(super) fn mail(name: &str) -> Document {
    Document::new(key(name), state("queued"), start())
}

/// Returns mails with a number as their name and one microsecond between their times.
pub(super) fn mails(count: u32) -> Vec<Document> {
    let mail = |n: u32| Document { at: later(start(), n.into()), ..mail(&format!("{n:05}")) };
    (0..count).map(mail).collect()
}

pub(super) fn limit(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("not zero")
}

pub(super) async fn add(store: &dyn Documents, documents: &[Document]) {
    store.add_documents(documents).await.expect("the store adds documents");
}

pub(super) async fn replace(
    store: &dyn Documents,
    documents: &[Document],
    events: &[Event],
) -> bool {
    store.replace_documents(documents, events).await.expect("the store answers")
}

pub(super) async fn stored(store: &dyn Documents, key: &DocumentKey) -> Option<Document> {
    store.document(key).await.expect("the store answers")
}

/// Returns all pages of a list, concatenated; checks that each page keeps to its limit.
pub(super) async fn all(
    store: &dyn Documents,
    scope: &Scope,
    filter: &DocumentFilter,
    limit: u32,
) -> Vec<Document> {
    let (mut found, mut page) = (Vec::new(), PageRequest { after: None, limit });
    loop {
        let listing = store.list_documents(scope, filter, &page).await.expect("the store lists");
        let len = u32::try_from(listing.items.len()).expect("a page");
        assert!(len <= limit, "a page has at most as many documents as asked for");
        found.extend(listing.items);
        match &listing.next {
            None => return found,
            next => assert_ne!(&page.after, next, "each page leads further"),
        }
        page.after = listing.next;
    }
}

/// Returns all events, the newest first.
pub(super) async fn events(fixture: &DocumentsFixture) -> Vec<Event> {
    all_events(&*fixture.store(), &Scope::All, &EventFilter::default(), 50).await
}

/// Returns all mails, the newest first.
pub(super) async fn all_mails(store: &dyn Documents) -> Vec<Document> {
    all(store, &Scope::All, &DocumentFilter::all(kind("mail")), 100).await
}
