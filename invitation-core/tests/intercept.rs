//! `Intercept`: each operation passes through the interceptor, which decides what the caller
//! gets.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use invitation_core::{
    CodeDigest, EventFilter, EventId, Filter, Insert, Intercept, Interceptor, InvitationId,
    Invitations, MemoryStore, Operation, Outcome, PageRequest, Performer, Purge, Redeemer,
    RequestContext, Scope, Store, StoreCall, StoreError, StoreErrorKind, SystemActor, Target,
    Timestamp, Transition, UserId, Username,
    decide::{Call, RedeemCommand, UseSource, decide_redemption},
    documents::{Document, DocumentFilter, DocumentKey, DocumentKind, DocumentState, Documents},
    feed::{CursorName, Feed, FeedCursor, FeedCursors, FeedRetention},
};
use time::Duration;

/// What an interceptor does with every call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    PassOn,
    FailBefore,
    LoseAnswer,
    DoNothing,
}

/// Acts in one way, and notes each operation with its outcome.
#[derive(Debug)]
struct Note(Way, Mutex<Vec<(Operation, Result<(), StoreErrorKind>)>>);

#[async_trait]
impl Interceptor for Note {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        let Self(way, noted) = self;
        if *way == Way::FailBefore {
            return Err(StoreError::new(StoreErrorKind::Unavailable, operation.as_str()));
        }
        if *way == Way::DoNothing {
            return Ok(());
        }
        let outcome = call.await;
        noted.lock().unwrap().push((operation, outcome));
        match way {
            Way::LoseAnswer => {
                Err(StoreError::new(StoreErrorKind::OutcomeUnknown, operation.as_str()))
            }
            Way::PassOn | Way::FailBefore | Way::DoNothing => Ok(()),
        }
    }
}

fn intercepted<S: Store>(store: S, way: Way) -> Intercept<S, Note> {
    Intercept::new(store, Note(way, Mutex::default()))
}

fn redemption(n: u8) -> Transition {
    let user = UserId::new("u-1").unwrap();
    let redeemer = Redeemer::new(user, Username::new("anna").unwrap());
    let call = Call {
        id: EventId::from_bytes([n; 16]),
        now: Timestamp::MIN,
        performer: Performer::System { name: None },
        context: RequestContext::default(),
    };
    let command = RedeemCommand::Redeem {
        code: vec![CodeDigest::from_bytes([n; 32])],
        redeemer: &redeemer,
        ceiling: &Arc::from([]),
        vouched: None,
        source: UseSource::Free,
    };
    decide_redemption(command, Scope::All, &call)
}

async fn insert_nothing(store: &impl Store) -> Result<(), StoreError> {
    store.insert(&Insert::of(Vec::new())).await.map(drop)
}

#[tokio::test]
async fn every_operation_passes_through_under_its_name() {
    let store = intercepted(MemoryStore::new(), Way::PassOn);
    let (all, id) = (Scope::All, InvitationId::from_bytes([1; 16]));
    let (target, filter) = (Target::Id(id), Filter::all(Timestamp::MIN));
    let page = PageRequest { after: None, limit: 1 };
    let of_events = PageRequest { after: None, limit: 1 };
    let user = UserId::new("u-1").unwrap();
    insert_nothing(&store).await.unwrap();
    let answers = store.apply(&[redemption(1), redemption(2)]).await;
    assert!(matches!(answers.as_slice(), [Ok(Outcome::Missing), Ok(Outcome::Missing)]));
    assert_eq!(store.get(&target, &all).await.unwrap(), None);
    assert_eq!(store.facts(&target, &all, &user).await.unwrap(), None);
    assert_eq!(store.locate(&target).await.unwrap(), None);
    assert!(store.are_invited(&[], Timestamp::MIN).await.unwrap().is_empty());
    assert_eq!(store.list(&all, &filter, &page).await.unwrap().items, []);
    store.count(&all, &filter, 1).await.unwrap();
    assert_eq!(store.redemptions(&all, id, &of_events).await.unwrap().items, []);
    assert_eq!(store.leases(&all, &of_events).await.unwrap().items, []);
    store.record(&[]).await.unwrap();
    let events = store.events(&all, &EventFilter::default(), &of_events).await.unwrap();
    assert_eq!(events.items, []);
    let event = redemption(3).event().clone();
    let max = std::num::NonZeroU32::MIN;
    let purge = Purge { scope: all, before: Timestamp::MIN, max, event };
    store.purge(&purge).await.unwrap();
    assert_eq!(store.feed(None, max).await.unwrap().events, []);
    let name = CursorName::new("mail").unwrap();
    assert_eq!(store.cursor(&name).await.unwrap(), None);
    let cursor = FeedCursor { name, position: None, lease: None, claims: 0, version: 1 };
    assert!(store.replace_cursor(&cursor).await.unwrap());

    let noted = store.interceptor().1.lock().unwrap().clone();
    let names: Vec<_> = noted.iter().map(|(operation, _)| operation.as_str()).collect();
    assert_eq!(
        names,
        [
            "insert",
            "apply",
            "get",
            "facts",
            "locate",
            "are_invited",
            "list",
            "count",
            "redemptions",
            "leases",
            "record",
            "events",
            "purge",
            "feed",
            "cursor",
            "replace_cursor"
        ]
    );
    assert!(noted.iter().all(|(_, outcome)| outcome.is_ok()));
    let writes: Vec<_> = noted.iter().filter(|(operation, _)| operation.is_write()).collect();
    assert_eq!(writes.len(), 5, "insert, apply, record, purge and replace_cursor");
}

#[tokio::test]
async fn every_operation_of_retention_passes_through_under_its_name() {
    let store = intercepted(MemoryStore::new(), Way::PassOn);
    store.record(&[redemption(3).event().clone()]).await.unwrap();
    let name = CursorName::new("mail").unwrap();
    let cursor = FeedCursor { name, position: None, lease: None, claims: 0, version: 1 };
    assert!(store.replace_cursor(&cursor).await.unwrap());
    assert_eq!(store.cursors().await.unwrap(), std::slice::from_ref(&cursor));
    assert!(store.remove_cursor(&cursor.name, cursor.version).await.unwrap());
    let (job, age) = (SystemActor::for_bootstrap(), Duration::days(2));
    let purged = Invitations::new(&store).purge_events(&job, age, NonZeroU32::MIN).await.unwrap();
    assert_eq!(purged.removed, 1);

    let noted = store.interceptor().1.lock().unwrap().clone();
    let names: Vec<_> = noted.iter().map(|(operation, _)| operation.as_str()).collect();
    let removal = ["cursors", "feed", "remove_events"];
    let before = ["record", "replace_cursor", "cursors", "remove_cursor"];
    assert_eq!(names, [before.as_slice(), &removal].concat());
    let writes: Vec<_> = noted.iter().filter(|(operation, _)| operation.is_write()).collect();
    assert_eq!(writes.len(), 4, "all but cursors and feed");
}

#[tokio::test]
async fn every_operation_of_documents_passes_through_under_its_name() {
    let store = intercepted(MemoryStore::new(), Way::PassOn);
    let (kind, state) = (DocumentKind::new("mail").unwrap(), DocumentState::new("sent").unwrap());
    let first = Document::new(DocumentKey::new(kind.clone(), "a").unwrap(), state, Timestamp::MIN);
    let (one, now) = (std::num::NonZeroU32::MIN, Timestamp::MAX);
    store.add_documents(std::slice::from_ref(&first)).await.unwrap();
    let next = first.next(first.state.clone());
    assert!(store.replace_documents(std::slice::from_ref(&next), &[]).await.unwrap());
    assert_eq!(store.document(&next.key).await.unwrap(), Some(next.clone()));
    assert_eq!(store.due_documents(&kind, now, one).await.unwrap(), []);
    let (filter, page) = (DocumentFilter::all(kind.clone()), PageRequest { after: None, limit: 1 });
    let listed = store.list_documents(&Scope::All, &filter, &page).await.unwrap();
    assert_eq!(listed.items, std::slice::from_ref(&next));
    assert_eq!(store.remove_documents(&kind, &next.state, now, one, None).await.unwrap(), 1);

    let noted = store.interceptor().1.lock().unwrap().clone();
    let names: Vec<_> = noted.iter().map(|(operation, _)| operation.as_str()).collect();
    let writes = ["add_documents", "replace_documents"];
    let reads = ["document", "due_documents", "list_documents"];
    assert_eq!(names, [writes.as_slice(), &reads, &["remove_documents"]].concat());
    let is_write = |(operation, _): &(Operation, _)| operation.is_write();
    assert_eq!(noted.iter().filter(|one| is_write(one)).count(), 3);
    assert!(noted.iter().all(|(_, outcome)| outcome.is_ok()));
}

#[tokio::test]
async fn failing_before_the_call_makes_no_call() {
    let behind = intercepted(MemoryStore::new(), Way::PassOn);
    let store = intercepted(&behind, Way::FailBefore);
    let kind = insert_nothing(&store).await.unwrap_err().kind();
    assert_eq!(kind, StoreErrorKind::Unavailable);
    for count in [0, 1, 3] {
        let transitions: Vec<_> = (0..count).map(redemption).collect();
        let answers = store.apply(&transitions).await;
        assert_eq!(answers.len(), transitions.len(), "one answer for each transition");
        let kinds = answers.into_iter().map(|answer| answer.unwrap_err().kind());
        assert!(kinds.into_iter().all(|kind| kind == StoreErrorKind::Unavailable));
    }
    assert!(behind.interceptor().1.lock().unwrap().is_empty());
}

#[tokio::test]
async fn losing_the_answer_replaces_it_after_the_call() {
    let behind = intercepted(MemoryStore::new(), Way::PassOn);
    let store = intercepted(&behind, Way::LoseAnswer);
    let kind = insert_nothing(&store).await.unwrap_err().kind();
    assert_eq!(kind, StoreErrorKind::OutcomeUnknown);
    let noted = behind.interceptor().1.lock().unwrap().clone();
    assert_eq!(noted, [(Operation::Insert, Ok(()))]);
}

#[tokio::test]
async fn the_interceptor_learns_the_kind_of_an_error() {
    let failing = intercepted(MemoryStore::new(), Way::FailBefore);
    let store = intercepted(failing, Way::PassOn);
    insert_nothing(&store).await.unwrap_err();
    let answers = store.apply(&[redemption(1), redemption(2)]).await;
    assert!(answers.iter().all(Result::is_err));
    let noted = store.interceptor().1.lock().unwrap().clone();
    let unavailable = Err(StoreErrorKind::Unavailable);
    assert_eq!(noted, [(Operation::Insert, unavailable), (Operation::Apply, unavailable)]);
}

#[tokio::test]
async fn an_interceptor_that_makes_no_call_gives_no_answer() {
    let store = intercepted(MemoryStore::new(), Way::DoNothing);
    let error = insert_nothing(&store).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert!(store.apply(&[redemption(1)]).await[0].is_err());
}
