//! Removal of documents with which nothing is left to do.

use invitation_core::{
    Action, Detail, Event, Timestamp,
    documents::{Document, Documents, RemovalEvidence},
};

use super::{
    DocumentsFixture,
    samples::{add, all_mails, events, key, kind, limit, mail, mails, replace, state, stored},
};
use crate::support::{
    factory::Factory,
    samples::{division, later, start},
};

async fn remove(store: &dyn Documents, before: Timestamp, most: u32) -> u32 {
    remove_with(store, before, most, None).await
}

async fn remove_with(
    store: &dyn Documents,
    before: Timestamp,
    most: u32,
    evidence: Option<&RemovalEvidence>,
) -> u32 {
    let (kind, state) = (kind("mail"), state("sent"));
    let removed = store.remove_documents(&kind, &state, before, limit(most), evidence).await;
    removed.expect("the store answers")
}

/// Returns the evidence of a removal, and the same of another call.
fn evidence() -> [RemovalEvidence; 2] {
    let factory = Factory::new();
    [(); 2].map(|()| {
        let detail = Detail::none().with("state", "\"sent\"");
        let event = Event { detail, ..factory.event(Action::Purge, start()) };
        RemovalEvidence { event, number: "documents" }
    })
}

fn sent_before(n: i64) -> Vec<Document> {
    let sent = |n: i64| Document {
        state: state("sent"),
        at: later(start(), -n),
        ..mail(&format!("sent-{n}"))
    };
    (1..=n).map(sent).collect()
}

/// A removal writes its event with the number of removed documents, in the same step. If there is
/// nothing to remove, it writes none.
pub async fn removal_writes_its_event_with_the_number(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let [first, second] = evidence();
    add(documents, &[mail("queued")]).await;
    assert_eq!(remove_with(documents, Timestamp::MAX, 100, Some(&first)).await, 0);
    assert_eq!(events(&fixture).await, [], "nothing was removed");
    add(documents, &sent_before(12)).await;
    assert_eq!(remove_with(documents, Timestamp::MAX, 11, Some(&first)).await, 11);
    assert_eq!(events(&fixture).await, [first.of(11)]);
    assert_eq!(first.of(11).detail.get("documents"), Some("11"));
    assert_eq!(remove_with(documents, Timestamp::MAX, 100, Some(&second)).await, 1);
    let mut stored = events(&fixture).await;
    stored.sort_by_key(|event| event.id != first.event.id);
    assert_eq!(stored, [first.of(11), second.of(1)]);
    assert_eq!(all_mails(documents).await, [mail("queued")]);
}

/// A removal whose event is on record was made before. It removes nothing more, and its event
/// stays as it is.
pub async fn repeated_removal_changes_nothing(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let [first, second] = evidence();
    add(documents, &sent_before(5)).await;
    assert_eq!(remove_with(documents, Timestamp::MAX, 2, Some(&first)).await, 2);
    for _ in 0..2 {
        assert_eq!(remove_with(documents, Timestamp::MAX, 2, Some(&first)).await, 0);
    }
    assert_eq!(events(&fixture).await, [first.of(2)]);
    assert_eq!(all_mails(documents).await.len(), 3);
    assert_eq!(remove_with(documents, Timestamp::MAX, 9, Some(&second)).await, 3);
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
