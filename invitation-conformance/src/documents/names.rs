//! Comparison of names: byte for byte.

use invitation_core::{
    Scope, Timestamp,
    documents::{Document, DocumentFilter, DocumentKey, DocumentName},
};

use super::{
    DocumentsFixture,
    samples::{add, all, key, kind, limit, mail, replace, state, stored},
};
use crate::support::samples::{confusable_names, division, start};

/// Returns names that differ by their case, their Unicode form, their ending or a pattern
/// character, besides those that are easily confused.
fn confusable() -> Vec<&'static str> {
    let mut names = confusable_names().to_vec();
    names.extend(["a", "A", "a ", "a\u{a0}", "ß", "ss", "I", "i", "ı"]);
    names
}

/// Names of documents, kinds, states and divisions are compared byte for byte.
pub async fn names_of_documents_are_compared_byte_for_byte(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let names = confusable();
    let by_name: Vec<_> = names.iter().map(|name| mail(name)).collect();
    add(documents, &by_name).await;
    for one in &by_name {
        assert_eq!(stored(documents, &one.key).await.as_ref(), Some(one), "{:?}", one.key);
    }
    let missing = key("a\u{2003}");
    assert_eq!(stored(documents, &missing).await, None);
    let next = mail("A").next(state("sent"));
    assert!(replace(documents, &[next], &[]).await);
    assert_eq!(stored(documents, &key("a")).await, Some(mail("a")), "another document");

    let whole: Vec<_> = names
        .iter()
        .map(|name| Document {
            key: DocumentKey { kind: kind(name), name: DocumentName::from_stored("x") },
            division: Some(division(name)),
            state: state(name),
            due: Some(start()),
            ..mail("x")
        })
        .collect();
    let shared: Vec<_> = whole
        .iter()
        .map(|one| Document {
            key: DocumentKey {
                kind: kind("shared"),
                name: DocumentName::from_stored(one.key.kind.as_str()),
            },
            ..one.clone()
        })
        .collect();
    add(documents, &whole).await;
    add(documents, &shared).await;
    for (own, shared) in whole.iter().zip(&shared) {
        let (of_kind, name) = (own.key.kind.clone(), own.key.kind.as_str());
        let filter = DocumentFilter::all(of_kind.clone());
        let only = [own.clone()];
        assert_eq!(all(documents, &Scope::All, &filter, 9).await, only, "the kind {name:?}");
        let due = documents.due_documents(&of_kind, Timestamp::MAX, limit(9)).await;
        assert_eq!(due.expect("the store answers"), only, "due of the kind {name:?}");

        let only = [shared.clone()];
        let every = DocumentFilter::all(kind("shared"));
        let filter = DocumentFilter { state: Some(shared.state.clone()), ..every.clone() };
        assert_eq!(all(documents, &Scope::All, &filter, 9).await, only, "the state {name:?}");
        let scope = Scope::Division(division(name));
        assert_eq!(all(documents, &scope, &every, 9).await, only, "the division {name:?}");
        assert_eq!(all(documents, &scope, &filter, 9).await, only, "both of {name:?}");
    }
}
