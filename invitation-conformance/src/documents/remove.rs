//! Removal of documents with which nothing is left to do.

use invitation_core::{
    Timestamp,
    documents::{Document, Documents},
};

use super::{
    DocumentsFixture,
    samples::{add, all_mails, key, kind, limit, mail, mails, replace, state, stored},
};
use crate::support::samples::{division, later, start};

async fn remove(store: &dyn Documents, before: Timestamp, most: u32) -> u32 {
    let removed = store.remove_documents(&kind("mail"), &state("sent"), before, limit(most)).await;
    removed.expect("the store answers")
}

/// A removal takes documents of the kind and state that are older than the instant and not due at
/// any time, and no others.
pub async fn removal_takes_old_documents_without_work_only(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let sent = |name: &str, micros: i64| Document {
        state: state("sent"),
        at: later(start(), micros),
        division: Some(division("sales")),
        ..mail(name)
    };
    let mut webhook = sent("old", -1);
    webhook.key.kind = kind("webhook");
    let kept = [
        sent("now", 0),
        sent("later", 1),
        sent("due", -9).due_at(Timestamp::MAX),
        Document { state: state("queued"), ..sent("queued", -9) },
        Document { state: state("Sent"), ..sent("another state", -9) },
        webhook,
    ];
    add(documents, &[sent("old", -1), sent("older", -8)]).await;
    add(documents, &kept).await;
    assert_eq!(remove(documents, start(), 100).await, 2);
    assert_eq!(remove(documents, start(), 100).await, 0, "none is left");
    for one in &kept {
        assert_eq!(stored(documents, &one.key).await.as_ref(), Some(one));
    }
    assert_eq!(all_mails(documents).await.len(), 5, "the removed ones are in no list");
    // The key of a removed document can be used again, from the first version on.
    assert!(!replace(documents, &[sent("old", -1).next(state("sent"))], &[]).await);
    assert!(replace(documents, &[sent("old", -1)], &[]).await);
    let done = kept[2].next(state("sent")).never_due();
    assert!(replace(documents, &[done], &[]).await);
    assert_eq!(remove(documents, start(), 100).await, 2);
    assert_eq!(stored(documents, &key("due")).await, None);
}

/// A removal takes at most as many documents as asked for, and as a call may have. Repeated calls
/// remove all of them.
pub async fn removal_is_bounded(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let mut many = mails(1_200);
    for (n, document) in many.iter_mut().enumerate() {
        document.state = state("sent");
        document.due = (n % 3 == 0).then(start);
    }
    for many in many.chunks(600) {
        add(documents, many).await;
    }
    for most in [1, 7] {
        assert_eq!(remove(documents, Timestamp::MAX, most).await, most);
    }
    let (mut left, mut calls) = (800 - 8, 0);
    while left > 0 {
        let removed = remove(documents, Timestamp::MAX, u32::MAX).await;
        assert!(removed > 0 && removed <= 1_000, "{removed}");
        left -= removed;
        calls += 1;
    }
    assert!(calls < 20, "{calls} calls");
    assert_eq!(remove(documents, Timestamp::MAX, u32::MAX).await, 0);
    assert_eq!(all_mails(documents).await.len(), 400, "those that are due stay");
}
