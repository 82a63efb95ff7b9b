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
//! use invitation::{Clock, MemoryStore, SystemClock};
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
//! let done = document.next(sent).never_due();
//! assert!(store.replace_documents(std::slice::from_ref(&done), &[]).await?);
//! assert!(!store.replace_documents(&[done], &[]).await?);
//! assert!(store.due_documents(&mail, now, NonZeroU32::MIN).await?.is_empty());
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
//! # What a document must not contain
//!
//! A document must contain no code. It should contain no personal data either, but name the
//! invitation: then erasing a person does not have to look into documents.

mod port;

pub use self::port::Documents;
pub use crate::text::{DocumentKind, DocumentName, DocumentState};
use crate::{
    field_error::FieldError, id::InvitationId, scope::Scope, text::Division, time::Timestamp,
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
    /// The number of times that the document was written, from 1 on.
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

    /// The maximum number of documents in one call of a store.
    pub const MAX_BATCH: usize = 1_000;

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
    /// document. This is the specification of [`Documents::replace_documents`].
    #[must_use]
    pub fn replaces(&self, stored: Option<&Self>) -> bool {
        stored.map_or(0, |stored| stored.version).checked_add(1) == Some(self.version)
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
    fn next_version_replaces_exactly_the_version_before() {
        let first = document();
        let second = first.next(DocumentState::new("sent").unwrap());
        assert!(first.replaces(None) && !first.replaces(Some(&first)));
        assert!(second.replaces(Some(&first)) && !second.replaces(None));
        assert!(!second.replaces(Some(&second)));
    }

    #[test]
    fn body_beyond_the_maximum_is_refused_by_name() {
        assert!(document().with_body(vec![0; Document::MAX_BODY]).is_ok());
        let refused = document().with_body(vec![0; Document::MAX_BODY + 1]).unwrap_err();
        assert_eq!(refused.field(), "body");
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
