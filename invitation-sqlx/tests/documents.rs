//! Documents beside tables that are missing, and on connections that break between any two
//! messages.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::time::Duration;

use invitation_core::{
    Action, Event, EventFilter, EventId, EventOutcome, PageRequest, Scope, Store, StoreErrorKind,
    Timestamp,
    audit::{Detail, Performer, RequestContext},
    documents::{Document, DocumentKey, DocumentKind, DocumentState, Documents},
};
use invitation_sqlx::{
    SqlStore,
    sqlx::{Pool, pool::PoolOptions},
};
use invitation_testkit::Proxy;
use support::host::Kind;

fn state(name: &str) -> DocumentState {
    DocumentState::new(name).unwrap()
}

fn queued(number: u32) -> Document {
    let key = DocumentKey::new(DocumentKind::new("mail").unwrap(), number.to_string()).unwrap();
    Document::new(key, state("queued"), Timestamp::MIN)
}

fn event(number: u32) -> Event {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Event {
        id: EventId::from_bytes(id),
        at: Timestamp::from_micros(1).unwrap(),
        performer: Performer::System { name: None },
        action: Action::View,
        outcome: EventOutcome::Succeeded,
        reason: None,
        invitation: None,
        division: None,
        context: RequestContext::default(),
        detail: Detail::none(),
    }
}

/// Returns a pool of one connection without a ping, so that each message belongs to the call.
async fn one<DB: Kind>(url: &str) -> Pool<DB> {
    let options = PoolOptions::<DB>::new().max_connections(1).test_before_acquire(false);
    let options = options.acquire_timeout(Duration::from_secs(10));
    options.connect_with(DB::unsynced(url)).await.unwrap()
}

/// Waits until the pool has its connection back. The pool pings it on return.
async fn settled<DB: Kind>(pool: &Pool<DB>) {
    for _ in 0..10_000 {
        if pool.num_idle() == usize::try_from(pool.size()).unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the connection does not come back");
}

/// Whatever message of a replacement is lost, the caller is not told that it was refused.
/// Repeating the call replaces the document once, with one event.
async fn replacement_on_a_broken_connection_can_be_repeated<DB: Kind>() {
    for loses_answers in [true, false] {
        let database = DB::empty();
        let port = database.url.rsplit(':').next().unwrap().split('/').next().unwrap();
        let proxy = Proxy::to(port.parse().unwrap()).unwrap();
        let sound = SqlStore::<DB>::new(one(&database.url).await);
        sound.migrate().await.unwrap();
        let broken = database.url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
        let broken = SqlStore::<DB>::new(one(&broken).await);
        // The first call prepares statements.
        broken.add_documents(&[queued(999)]).await.unwrap();
        let next = queued(999).next(state("sent"));
        assert!(broken.replace_documents(&[next], &[event(999)]).await.unwrap());
        let mut unknown_but_made = 0;
        let (mut passing, mut rounds) = (0, 0);
        for number in 0.. {
            assert!(passing < 60, "a replacement is not that long");
            sound.add_documents(&[queued(number)]).await.unwrap();
            let (next, evidence) = ([queued(number).next(state("sent"))], [event(number)]);
            settled(broken.pool()).await;
            if loses_answers {
                proxy.lose_answer_after(passing);
            } else {
                proxy.lose_request_after(passing);
            }
            let told = broken.replace_documents(&next, &evidence).await;
            let lost_nothing = proxy.stop_faults();
            let stored = sound.document(&next[0].key).await.unwrap();
            match &told {
                Ok(is_made) => assert!(is_made, "{passing}: nobody else replaces it"),
                Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                    assert_eq!(stored, Some(queued(number)), "{passing}: said not to be made");
                }
                Err(error) => {
                    assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown, "{passing}: {error}");
                    unknown_but_made += u32::from(stored.as_ref() == next.first());
                }
            }
            assert!(broken.replace_documents(&next, &evidence).await.unwrap(), "{passing}: again");
            assert_eq!(sound.document(&next[0].key).await.unwrap().as_ref(), next.first());
            let page = PageRequest { after: None, limit: 200 };
            let events = sound.events(&Scope::All, &EventFilter::default(), &page).await.unwrap();
            let expected = usize::try_from(number).unwrap() + 2;
            assert_eq!(events.items.len(), expected, "{passing}: one event");
            if lost_nothing {
                assert!(told.unwrap());
                assert!(passing > 3, "several messages can be lost");
                // An answer may arrive in one piece or in two. So a round may miss that of the
                // commit, and another round finds it.
                rounds += 1;
                if unknown_but_made > 0 || !loses_answers || rounds == 8 {
                    break;
                }
                passing = 0;
            } else {
                passing += 1;
            }
        }
        assert_eq!(unknown_but_made > 0, loses_answers, "the answer to a commit was lost");
    }
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn postgres_replacement_on_a_broken_connection_can_be_repeated() {
    replacement_on_a_broken_connection_can_be_repeated::<invitation_sqlx::sqlx::Postgres>().await;
}

#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread")]
async fn mariadb_replacement_on_a_broken_connection_can_be_repeated() {
    replacement_on_a_broken_connection_can_be_repeated::<invitation_sqlx::sqlx::MySql>().await;
}

async fn documents_without_tables_say_to_migrate<DB: Kind>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(one(&database.url).await);
    let document = queued(1);
    for error in [
        store.document(&document.key).await.unwrap_err(),
        store.add_documents(std::slice::from_ref(&document)).await.unwrap_err(),
        store.replace_documents(&[document], &[]).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::NotMigrated, "{error:?}");
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_documents_without_tables_say_to_migrate() {
    documents_without_tables_say_to_migrate::<invitation_sqlx::sqlx::Sqlite>().await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_documents_without_tables_say_to_migrate() {
    documents_without_tables_say_to_migrate::<invitation_sqlx::sqlx::Postgres>().await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn mariadb_documents_without_tables_say_to_migrate() {
    documents_without_tables_say_to_migrate::<invitation_sqlx::sqlx::MySql>().await;
}
