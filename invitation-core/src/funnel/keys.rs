//! The names of the funnel's documents.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::{
    documents::{DocumentKey, DocumentKind, DocumentName, DocumentState},
    id::{BatchId, InvitationId},
    scope::Scope,
    text::{Division, UserId},
};

/// The invitations of a funnel within its divisions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Whose {
    All,
    /// Those of one inviter, by the digest of the user id.
    Inviter(String),
    Batch(BatchId),
}

/// The key of one funnel: its divisions and its invitations.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FigureKey {
    /// None for all divisions.
    division: Option<Division>,
    whose: Whose,
}

impl FigureKey {
    pub(crate) fn new(scope: &Scope, whose: Whose) -> Self {
        let division = match scope {
            Scope::All => None,
            Scope::Division(division) => Some(division.clone()),
        };
        Self { division, whose }
    }

    /// Returns the keys of all funnels that an invitation is part of.
    pub(super) fn all(
        division: &Division,
        inviter: Option<&str>,
        batch: Option<BatchId>,
    ) -> impl Iterator<Item = Self> {
        let inviter = inviter.map(|inviter| Whose::Inviter(inviter.to_owned()));
        let whose = [Some(Whose::All), inviter, batch.map(Whose::Batch)];
        let division = division.clone();
        whose.into_iter().flatten().flat_map(move |whose| {
            let divisions = [None, Some(division.clone())];
            divisions.map(|division| Self { division, whose: whose.clone() })
        })
    }

    pub(super) fn division(&self) -> Option<&Division> {
        self.division.as_ref()
    }

    /// Returns the key of the document. Its name is a digest, so that it fits whatever the names
    /// are, and shows none of them.
    pub(crate) fn document(&self, generation: u64) -> DocumentKey {
        let (kind, id): (&[u8], &[u8]) = match &self.whose {
            Whose::All => (b"all", &[]),
            Whose::Inviter(inviter) => (b"inviter", inviter.as_bytes()),
            Whose::Batch(batch) => (b"batch", batch.as_bytes()),
        };
        let division = self.division.as_ref().map(Division::as_str);
        let is_one: &[u8] = if division.is_some() { b"1" } else { b"0" };
        let name = digest(&[b"figures", is_one, division.unwrap_or_default().as_bytes(), kind, id]);
        DocumentKey {
            kind: figures(),
            name: DocumentName::from_stored(format!("{generation}:{name}")),
        }
    }
}

impl Whose {
    pub(crate) fn inviter(user: &UserId) -> Self {
        Self::Inviter(inviter(user))
    }
}

/// Returns the digest of an inviter. A document should not contain the user id.
pub(super) fn inviter(user: &UserId) -> String {
    digest(&[b"inviter", user.as_str().as_bytes()])
}

/// Returns the hexadecimal SHA-256 of these parts: different lists have different digests.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new_with_prefix(b"invitation funnel");
    for part in parts {
        // With its length before each part, no two lists of parts run together.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Returns the kind of the documents with numbers, and of the progress.
pub(super) fn figures() -> DocumentKind {
    DocumentKind::from_stored("funnel")
}

/// Returns the kind of the documents with journeys.
pub(super) fn journeys() -> DocumentKind {
    DocumentKind::from_stored("funnel-journey")
}

/// Returns the key of the progress, which is the same in every generation.
pub(super) fn progress() -> DocumentKey {
    DocumentKey { kind: figures(), name: DocumentName::from_stored("progress") }
}

/// Returns the key of an invitation's journey.
pub(super) fn journey(generation: u64, invitation: InvitationId) -> DocumentKey {
    let name = DocumentName::from_stored(format!("{generation}:{invitation}"));
    DocumentKey { kind: journeys(), name }
}

/// Returns the state of all documents of a generation, by which the old ones are removed.
pub(super) fn state(generation: u64) -> DocumentState {
    DocumentState::from_stored(format!("g{generation}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_funnel_has_a_document_of_its_own_whose_name_shows_no_user() {
        let (sales, all) = (Division::new("sales").unwrap(), Division::new("all").unwrap());
        let mia = inviter(&UserId::new("mia").unwrap());
        let batch = BatchId::from_bytes([7; 16]);
        let keys: Vec<_> = FigureKey::all(&sales, Some(&mia), Some(batch))
            .chain(FigureKey::all(&all, Some(&inviter(&UserId::new("sales").unwrap())), None))
            .collect();
        let different: BTreeSet<_> = keys.iter().cloned().collect();
        let names: BTreeSet<_> = keys.iter().map(|key| key.document(1).name).collect();
        assert_eq!((keys.len(), different.len()), (10, 9), "two share the funnel of everything");
        assert_eq!(names.len(), 9);
        for name in names {
            assert!(!name.as_str().contains("mia") && !name.as_str().contains("sales"));
            assert!(name.as_str().len() <= DocumentName::MAX_BYTES);
        }
        let asked = FigureKey::new(&Scope::Division(sales), Whose::Inviter(mia));
        assert!(different.contains(&asked));
        assert_ne!(asked.document(1), asked.document(2));
    }
}
