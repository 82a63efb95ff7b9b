//! New documents.

use invitation_core::{
    Action, EventFilter, InvitationId, Scope, StoreErrorKind, Timestamp, documents::Document,
};

use super::{
    DocumentsFixture,
    samples::{add, all_mails, key, mail, mails, stored},
};
use crate::support::{
    factory::Factory,
    reads::all_events,
    samples::{division, later, start},
};

/// A document is returned as it was stored: with the longest body of all bytes, with the least of
/// everything, at the first and the last instant, and at the last version.
pub async fn stored_document_is_returned_unchanged(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(Document::MAX_BODY).collect();
    let longest = Document {
        version: Document::MAX_VERSION,
        division: Some(division(&"d".repeat(64))),
        invitation: Some(InvitationId::from_bytes([0xff; 16])),
        due: Some(Timestamp::MAX),
        at: Timestamp::MIN,
        ..mail(&"n".repeat(200))
    };
    let longest = longest.with_body(bytes).expect("the longest body");
    let last = Document { at: Timestamp::MAX, due: Some(Timestamp::MIN), ..mail("last") };
    let before = Document { due: Some(later(start(), -1)), ..mail("- é \"'\\ %") };
    let all = [longest, last, before, mail("least")];
    assert_eq!(stored(documents, &all[0].key).await, None);
    add(documents, &all).await;
    for document in &all {
        assert_eq!(stored(documents, &document.key).await.as_ref(), Some(document));
    }
    assert_eq!(stored(documents, &key("other")).await, None);
}

/// Adding a document of a stored key changes nothing, and stores the other documents of the call.
pub async fn added_document_of_a_stored_key_changes_nothing(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let first = mail("a");
    add(documents, std::slice::from_ref(&first)).await;
    let again = Document { version: 7, due: Some(start()), body: vec![1], ..mail("a") };
    add(documents, &[again, mail("b")]).await;
    assert_eq!(stored(documents, &key("a")).await, Some(first.clone()));
    assert_eq!(all_mails(documents).await, [mail("b"), first]);
    add(documents, &[]).await;
}

/// Of two documents with one key in one call, the first one is stored.
pub async fn first_of_two_added_documents_with_one_key_counts(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let [first, second] = [1, 2].map(|n| Document { body: vec![n], ..mail("b") });
    add(documents, &[first.clone(), mail("a"), second]).await;
    assert_eq!(all_mails(documents).await, [first, mail("a")]);
}

/// One call adds as many documents as a call may have, also with long bodies.
pub async fn add_of_1000_documents_stores_all(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let mut all = mails(1_000);
    for (n, document) in all.iter_mut().enumerate() {
        document.body = vec![7; if n % 100 == 0 { Document::MAX_BODY } else { n }];
    }
    add(documents, &all).await;
    all.reverse();
    assert!(all_mails(documents).await == all, "all of them, unchanged");
}

/// A call beyond a bound is refused, and changes nothing.
pub async fn call_beyond_a_bound_is_refused(fixture: DocumentsFixture) {
    let (documents, factory) = (&*fixture.documents, Factory::new());
    let long = Document { body: vec![0; Document::MAX_BODY + 1], ..mail("b") };
    let late = Document { version: Document::MAX_VERSION + 1, ..mail("b") };
    for beyond in [mails(1_001), vec![mail("a"), long], vec![mail("a"), late]] {
        let error = documents.add_documents(&beyond).await.expect_err("beyond a bound");
        assert_eq!(error.kind(), StoreErrorKind::Other);
        let error = documents.replace_documents(&beyond, &[]).await.expect_err("beyond a bound");
        assert_eq!(error.kind(), StoreErrorKind::Other);
    }
    let events: Vec<_> = (0..1_001).map(|_| factory.event(Action::View, start())).collect();
    let refused = documents.replace_documents(&[mail("a")], &events).await;
    assert_eq!(refused.expect_err("beyond a bound").kind(), StoreErrorKind::Other);
    assert_eq!(all_mails(documents).await, []);
    let found = all_events(&*fixture.store(), &Scope::All, &EventFilter::default(), 9).await;
    assert_eq!(found, []);
}
