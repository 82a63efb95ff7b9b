//! Documents: small versioned records that consumers of the [feed](crate::feed) keep in the
//! host's own database.
//!
//! A delivery of a mail, an import, a webhook and a counter are each a [`Document`]. The core
//! and the crates above it decide what a document says. A store only keeps it: it compares a
//! version, and finds documents by their due time, their state or their invitation.
//!
//! ```
//! # use invitation_core as invitation;
//! use std::num::NonZeroU32;
//!
//! use invitation::store::documents::{Document, DocumentKey, DocumentKind, DocumentState, Documents};
//! use invitation::{
//!     MemoryStore,
//!     clock::{Clock, SystemClock},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let (mail, now) = (DocumentKind::new("mail")?, SystemClock.now());
//! let (queued, sent) = (DocumentState::new("queued")?, DocumentState::new("sent")?);
//! let key = DocumentKey::new(mail.clone(), "0197a3c0")?;
//! let document = Document::new(key.clone(), queued, now).due_at(now).with_body(b"{}".to_vec())?;
//!
//! // Adding the same document again, for instance after a crash, has no effect.
//! store.add_documents(std::slice::from_ref(&document)).await?;
//! store.add_documents(std::slice::from_ref(&document)).await?;
//!
//! let due = store.due_documents(&mail, now, NonZeroU32::MIN).await?;
//! assert_eq!(due, [document.clone()]);
//!
//! // Of two workers that replace one version, one succeeds.
//! let by_a = document.next(sent.clone()).never_due().with_body(b"worker a".to_vec())?;
//! let by_b = document.next(sent).never_due().with_body(b"worker b".to_vec())?;
//! assert!(store.replace_documents(std::slice::from_ref(&by_a), &[]).await?);
//! assert!(!store.replace_documents(&[by_b], &[]).await?);
//! assert!(store.due_documents(&mail, now, NonZeroU32::MIN).await?.is_empty());
//!
//! // The first worker may repeat its call, for instance after a lost reply.
//! assert!(store.replace_documents(&[by_a], &[]).await?);
//! # Ok(())
//! # }
//! ```
//!
//! # Working on documents from several machines
//!
//! A worker claims a due document by replacing it with one whose due time is the end of a lease.
//! Only one worker succeeds. It then works, and replaces the document again. If it dies, the
//! document is due again at the end of the lease.
//!
//! Replacing a document by one that is already stored succeeds, so that a worker can repeat a
//! call whose outcome it does not know. Therefore two claims MUST NOT be equal: the body of a
//! claim contains something that only this claim has, such as a random number. The store could
//! not tell equal claims of two workers from a repeated call, and both workers would succeed.
//!
//! # What a document must not contain
//!
//! A document must contain no code. It should contain no personal data either, but name the
//! invitation: then erasing a person does not have to look into documents.

mod port;
mod removal;

use std::{collections::HashSet, fmt, num::NonZeroU32};

pub use self::{port::Documents, removal::RemovalEvidence};
pub use crate::text::{DocumentKind, DocumentName, DocumentState};
use crate::{
    event::Event,
    field_error::FieldError,
    id::InvitationId,
    page::{Page, StorePage},
    query::Position,
    scope::Scope,
    store_error::{StoreError, StoreErrorKind},
    text::Division,
    time::Timestamp,
};

/// The key of a document: its kind, and a name within the kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct DocumentKey {
    /// The kind of the document, such as `mail`.
    pub kind: DocumentKind,
    /// The name of the document. It is unique within the kind.
    pub name: DocumentName,
}

impl DocumentKey {
    /// Creates a key from a kind and a name.
    ///
    /// # Errors
    ///
    /// [`FieldError`] when the text cannot be a [`DocumentName`].
    pub fn new(kind: DocumentKind, name: impl AsRef<str>) -> Result<Self, FieldError> {
        Ok(Self { kind, name: DocumentName::new(name)? })
    }
}

/// A small versioned record. The [module](self) shows its use.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a field")]
pub struct Document {
    /// The key of the document.
    pub key: DocumentKey,
    /// The number of times that the document was written, from 1 on. At most
    /// [`MAX_VERSION`](Self::MAX_VERSION).
    pub version: u64,
    /// The division that the document belongs to; none if it concerns all divisions.
    pub division: Option<Division>,
    /// The invitation that the document is about, if it is about one.
    pub invitation: Option<InvitationId>,
    /// The state of the document, by which lists filter.
    pub state: DocumentState,
    /// The time by which lists are sorted. It never changes.
    pub at: Timestamp,
    /// The time from which a worker may work on the document; none if there is nothing to do.
    pub due: Option<Timestamp>,
    /// The content, at most [`MAX_BODY`](Self::MAX_BODY) bytes.
    pub body: Vec<u8>,
}

impl Document {
    /// The maximum length of a body, in bytes.
    pub const MAX_BODY: usize = 64 * 1024;

    /// The maximum number of documents in one call of a store, and of events beside them.
    pub const MAX_BATCH: usize = 1_000;

    /// The maximum version, 2⁶³ − 1, so that a signed column holds it.
    pub const MAX_VERSION: u64 = i64::MAX.unsigned_abs();

    /// Creates the first version of a document, which is never due and has an empty body.
    #[must_use]
    pub fn new(key: DocumentKey, state: DocumentState, at: Timestamp) -> Self {
        let (division, invitation, due, body) = (None, None, None, Vec::new());
        Self { key, version: 1, division, invitation, state, at, due, body }
    }

    /// Sets the division.
    #[must_use]
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }

    /// Sets the invitation.
    #[must_use]
    pub fn about(self, invitation: InvitationId) -> Self {
        Self { invitation: Some(invitation), ..self }
    }

    /// Sets the time from which a worker may work on the document.
    #[must_use]
    pub fn due_at(self, due: Timestamp) -> Self {
        Self { due: Some(due), ..self }
    }

    /// Removes the due time: there is nothing to do.
    #[must_use]
    pub fn never_due(self) -> Self {
        Self { due: None, ..self }
    }

    /// Sets the body.
    ///
    /// # Errors
    ///
    /// [`FieldError`] when the body is longer than [`MAX_BODY`](Self::MAX_BODY).
    pub fn with_body(self, body: Vec<u8>) -> Result<Self, FieldError> {
        if body.len() > Self::MAX_BODY {
            let message = format!("must have at most {} bytes", Self::MAX_BODY);
            return Err(FieldError::new("body", message));
        }
        Ok(Self { body, ..self })
    }

    /// Returns the next version of this document, in another state.
    #[must_use]
    pub fn next(&self, state: DocumentState) -> Self {
        Self { version: self.version.saturating_add(1), state, ..self.clone() }
    }

    /// Returns whether a store that has `stored` under this key may replace it by this
    /// document: by the version after the stored one, or by the stored document itself.
    #[must_use]
    pub fn replaces(&self, stored: Option<&Self>) -> bool {
        let before = stored.map_or(0, |stored| stored.version);
        before.checked_add(1) == Some(self.version) || stored == Some(self)
    }

    /// Returns whether a store may replace what it has by all of these documents. `stored` returns
    /// what the store has under a key. This is the specification of
    /// [`Documents::replace_documents`].
    #[must_use]
    pub fn all_replace<'d>(
        documents: &'d [Self],
        stored: impl Fn(&DocumentKey) -> Option<&'d Self>,
    ) -> bool {
        Self::have_distinct_keys(documents)
            && documents.iter().all(|document| document.replaces(stored(&document.key)))
    }

    /// Returns whether no key occurs twice.
    #[must_use]
    pub fn have_distinct_keys(documents: &[Self]) -> bool {
        let keys: HashSet<_> = documents.iter().map(|document| &document.key).collect();
        keys.len() == documents.len()
    }

    /// Checks the bounds of a call of a store, before the store does anything.
    ///
    /// # Errors
    ///
    /// [`StoreError`], if the call has more than [`MAX_BATCH`](Self::MAX_BATCH) documents or
    /// events, or a document whose body or version is beyond its maximum.
    pub fn check_call(
        operation: &'static str,
        documents: &[Self],
        events: &[Event],
    ) -> Result<(), StoreError> {
        let wrong = |field, max: &dyn fmt::Display| {
            let cause = FieldError::new(field, format!("must be at most {max}"));
            Err(StoreError::new(StoreErrorKind::Other, operation).because(cause))
        };
        if documents.len() > Self::MAX_BATCH {
            return wrong("documents", &Self::MAX_BATCH);
        }
        if events.len() > Self::MAX_BATCH {
            return wrong("events", &Self::MAX_BATCH);
        }
        if documents.iter().any(|document| document.body.len() > Self::MAX_BODY) {
            return wrong("body", &Self::MAX_BODY);
        }
        if documents.iter().any(|document| document.version > Self::MAX_VERSION) {
            return wrong("version", &Self::MAX_VERSION);
        }
        Ok(())
    }

    /// Returns the number of documents that a call with this limit may concern.
    #[must_use]
    pub fn bounded(limit: NonZeroU32) -> u32 {
        limit.get().min(u32::try_from(Self::MAX_BATCH).unwrap_or(u32::MAX))
    }

    /// Returns the position of the document in a list.
    #[must_use]
    pub fn position(&self) -> Position<DocumentName> {
        Position { at: self.at, id: self.key.name.clone() }
    }

    /// Returns whether a list of this scope shows the document. A document without a division
    /// is shown in the scope of everything only.
    #[must_use]
    pub fn is_within(&self, scope: &Scope) -> bool {
        match (scope, &self.division) {
            (Scope::All, _) => true,
            (Scope::Division(_), None) => false,
            (Scope::Division(_), Some(own)) => scope.contains(own),
        }
    }
}

/// A filter of documents. A field that is `None` does not restrict the result.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a filter")]
pub struct DocumentFilter {
    /// The kind that a document must have.
    pub kind: DocumentKind,
    /// The state that a document must be in.
    pub state: Option<DocumentState>,
    /// The invitation that a document must be about.
    pub invitation: Option<InvitationId>,
}

impl DocumentFilter {
    /// Returns a filter that matches all documents of a kind.
    #[must_use]
    pub fn all(kind: DocumentKind) -> Self {
        Self { kind, state: None, invitation: None }
    }

    /// Returns whether a document matches. This is the specification.
    #[must_use]
    pub fn matches(&self, document: &Document) -> bool {
        self.kind == document.key.kind
            && self.state.as_ref().is_none_or(|state| *state == document.state)
            && (self.invitation.is_none() || self.invitation == document.invitation)
    }

    /// The maximum number of candidates that a store examines for one page of a list.
    pub const MAX_CANDIDATES: u32 = 1_000;

    /// Returns the number of candidates that a store examines for a page of this limit. A store
    /// whose index finds exactly the documents that match needs no others.
    #[must_use]
    pub fn candidates(limit: u32, is_exact: bool) -> u32 {
        let least = if is_exact { 1 } else { 200 };
        limit.clamp(least, Self::MAX_CANDIDATES)
    }

    /// Returns the page with those of the first `max` candidates that match. A store passes the
    /// candidates in the order of the list, with one more to show that more follow.
    #[must_use]
    pub fn page(
        &self,
        scope: &Scope,
        mut candidates: Vec<Document>,
        max: u32,
        limit: u32,
    ) -> StorePage<Document, DocumentName> {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let is_more = candidates.len() > max;
        candidates.truncate(max);
        let end = candidates.last().filter(|_| is_more).map(Document::position);
        candidates.retain(|document| document.is_within(scope) && self.matches(document));
        let page = StorePage::from_one_more(candidates, limit, Document::position);
        Page { next: page.next.or(end), ..page }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let key = DocumentKey::new(DocumentKind::new("mail").unwrap(), "a").unwrap();
        let at = Timestamp::from_micros(7).unwrap();
        Document::new(key, DocumentState::new("queued").unwrap(), at)
    }

    #[test]
    fn document_replaces_the_version_before_and_itself() {
        let (first, sent) = (document(), DocumentState::new("sent").unwrap());
        let (second, third) = (first.next(sent.clone()), first.next(sent.clone()).next(sent));
        assert!(first.replaces(None) && second.replaces(Some(&first)));
        assert!(!second.replaces(None) && !third.replaces(Some(&first)));
        assert!(!first.replaces(Some(&second)));
        assert!(first.replaces(Some(&first)) && second.replaces(Some(&second)));
        let other = second.clone().with_body(vec![1]).unwrap();
        assert!(!other.replaces(Some(&second)), "the same version with another content");
        let last = Document { version: u64::MAX, ..document() };
        assert!(!Document { version: 0, ..document() }.replaces(Some(&last)));
    }

    #[test]
    fn documents_with_one_key_do_not_replace_together() {
        let second = document().next(DocumentState::new("sent").unwrap());
        let first = document();
        assert!(Document::all_replace(std::slice::from_ref(&second), |_| Some(&first)));
        assert!(!Document::all_replace(&[second.clone(), second], |_| Some(&first)));
        assert!(Document::all_replace(&[], |_| None));
    }

    #[test]
    fn call_beyond_a_maximum_is_refused_by_the_name_of_the_field() {
        let refused = |documents: &[Document]| {
            let error = Document::check_call("add_documents", documents, &[]).unwrap_err();
            std::error::Error::source(&error).unwrap().to_string()
        };
        assert!(Document::check_call("add_documents", &vec![document(); 1_000], &[]).is_ok());
        assert!(refused(&vec![document(); 1_001]).contains("documents"));
        let too_long = Document { body: vec![0; Document::MAX_BODY + 1], ..document() };
        assert!(refused(&[document(), too_long]).contains("body"));
        let last = Document { version: Document::MAX_VERSION, ..document() };
        assert!(Document::check_call("add_documents", std::slice::from_ref(&last), &[]).is_ok());
        assert!(refused(&[Document { version: last.version + 1, ..last }]).contains("version"));
    }

    #[test]
    fn body_beyond_the_maximum_is_refused_by_name() {
        assert!(document().with_body(vec![0; Document::MAX_BODY]).is_ok());
        let refused = document().with_body(vec![0; Document::MAX_BODY + 1]).unwrap_err();
        assert_eq!(refused.field(), "body");
    }

    #[test]
    fn page_of_a_list_continues_behind_its_last_document_or_its_last_candidate() {
        let named = |n: i64, state: &str| Document {
            state: DocumentState::new(state).unwrap(),
            at: Timestamp::from_micros(-n).unwrap(),
            ..document()
        };
        let all = ["a", "b", "b", "a", "b"].iter().zip(0..).map(|(state, n)| named(n, state));
        let all: Vec<_> = all.collect();
        let filter = DocumentFilter {
            state: Some(DocumentState::new("b").unwrap()),
            ..DocumentFilter::all(document().key.kind)
        };
        for (max, limit, found, next) in [
            (5, 3, vec![1, 2, 4], None),
            (5, 2, vec![1, 2], Some(2)),
            (4, 3, vec![1, 2], Some(3)),
            (4, 2, vec![1, 2], Some(3)),
            (4, 1, vec![1], Some(1)),
            (1, 1, vec![], Some(0)),
        ] {
            let page = filter.page(&Scope::All, all.clone(), max, limit);
            let times = page.items.iter().map(|one| -one.at.as_micros());
            assert_eq!(times.collect::<Vec<_>>(), found, "{max}, {limit}");
            let next_at = page.next.map(|position| -position.at.as_micros());
            assert_eq!(next_at, next, "{max}, {limit}");
        }
    }

    #[test]
    fn document_without_division_is_outside_of_every_division() {
        let sales = Division::new("sales").unwrap();
        let scope = Scope::Division(sales.clone());
        assert!(document().is_within(&Scope::All) && !document().is_within(&scope));
        assert!(document().in_division(sales).is_within(&scope));
        let other = Division::new("Sales").unwrap();
        assert!(!document().in_division(other).is_within(&scope));
    }
}
