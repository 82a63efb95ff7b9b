//! Documents that a worker may work on.

use invitation_core::{
    Timestamp,
    documents::{Document, Documents},
};

use super::{
    DocumentsFixture,
    samples::{add, key, kind, limit, mail, mails},
};
use crate::support::samples::{later, start};

async fn due(store: &dyn Documents, now: Timestamp, most: u32) -> Vec<Document> {
    store.due_documents(&kind("mail"), now, limit(most)).await.expect("the store answers")
}

/// Documents are due from the microsecond of their due time on. They come in the order of their
/// due time, then of the bytes of their name.
pub async fn due_documents_come_in_the_order_of_time_and_name(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let named = |name: &str, micros: i64| mail(name).due_at(later(start(), micros));
    let early = Document { due: Some(Timestamp::MIN), ..mail("early") };
    let in_order = [
        early,
        named("z", -1),
        named("B", 0),
        named("a", 0),
        named("a b", 0),
        named("aa", 0),
        named("\u{e9}", 0),
        named("0", 1),
    ];
    let mut mixed = in_order.to_vec();
    mixed.rotate_left(3);
    mixed.push(mail("never"));
    mixed.push(Document { due: Some(Timestamp::MAX), ..mail("late") });
    let mut other = named("other", -5);
    other.key.kind = kind("mai");
    mixed.push(other.clone());
    add(documents, &mixed).await;
    assert_eq!(due(documents, later(start(), -2), 100).await, in_order[..1]);
    assert_eq!(due(documents, later(start(), -1), 100).await, in_order[..2]);
    assert_eq!(due(documents, start(), 100).await, in_order[..7]);
    assert_eq!(due(documents, later(start(), 1), 100).await, in_order);
    assert_eq!(due(documents, Timestamp::MAX, 100).await.len(), 9);
    for most in 1..=8 {
        let found = due(documents, later(start(), 1), most).await;
        assert_eq!(found, in_order[..most as usize], "at most {most}");
    }
    let found = documents.due_documents(&kind("mai"), start(), limit(9)).await;
    assert_eq!(found.expect("the store answers"), [other]);
}

/// Whatever the limit, a call returns at most as many documents as a call may have.
pub async fn due_documents_are_bounded(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let mut all: Vec<_> = mails(1_001).into_iter().map(|one| one.due_at(start())).collect();
    add(documents, &all[..500]).await;
    add(documents, &all[500..]).await;
    assert!(due(documents, start(), u32::MAX).await == all[..1_000], "the first thousand");
    let last = all.pop().expect("the last one");
    let gone: Vec<_> = all.iter().map(|one| one.next(one.state.clone()).never_due()).collect();
    for gone in gone.chunks(500) {
        assert!(documents.replace_documents(gone, &[]).await.expect("the store answers"));
    }
    assert_eq!(due(documents, start(), u32::MAX).await, [last]);
    assert_eq!(documents.document(&key("00000")).await.expect("it answers"), gone.first().cloned());
}
