//! Lost replies: no caller gets a false answer, and repeating the call returns the actual
//! result.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use invitation_core::{
    Action, Actor, Criteria, Error, EventCriteria, EventOutcome, IdempotencyKey, Invitations,
    Paging, Status, StoreErrorKind, Timestamp,
    documents::{Document, DocumentKey, DocumentKind, DocumentState, Documents},
};
use invitation_redis::{RedisOptions, RedisStore};
use invitation_testkit::{Proxy, Redis, RedisCluster};
use support::{admin, newcomer, options, staff};
use tokio::task::JoinSet;

type Service = Invitations<RedisStore>;

/// Returns the service on a proxy that can break, and on a direct connection.
async fn wired(options: &RedisOptions) -> (Proxy, Service, Service) {
    let server = Redis::shared();
    let proxy = Proxy::to(server.port()).unwrap();
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let broken = RedisStore::connect(&url, options.clone()).await.unwrap();
    let sound = RedisStore::connect(&server.url(), options.clone()).await.unwrap();
    (proxy, Invitations::new(broken), Invitations::new(sound))
}

/// Waits until the connection is up and idle. A reconnecting client sends commands of its
/// own, which the proxy would lose instead of the intended message.
async fn settled(broken: &Service) {
    for _ in 0..1_000 {
        if broken.list(&admin(), &Criteria::new(), Paging::default()).await.is_ok() {
            return;
        }
    }
    panic!("it does not come back");
}

fn is_unknown<T: std::fmt::Debug>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Store(error)) if error.kind() == StoreErrorKind::OutcomeUnknown)
}

async fn succeeded(invitations: &Service, action: Action) -> usize {
    let criteria = EventCriteria::new().of_action(action).with_outcome(EventOutcome::Succeeded);
    let paging = Paging::first(200).unwrap();
    invitations.events(&admin(), &criteria, paging).await.unwrap().items().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redemption_whose_answer_is_lost_is_there_and_asking_again_says_so() {
    let (proxy, broken, sound) = wired(&options()).await;
    // The first call on a server without the script would take an additional round trip.
    let first = sound.create(&admin(), staff()).await.unwrap();
    sound.redeem(&first.code().reveal(), &newcomer("ben")).await.unwrap();
    for (n, answer_is_lost) in [true, false].into_iter().enumerate() {
        let created = sound.create(&admin(), staff()).await.unwrap();
        let code = created.code().reveal();
        settled(&broken).await;
        if answer_is_lost {
            proxy.lose_answer_after(0);
        } else {
            proxy.lose_request_after(0);
        }
        let answer = broken.redeem(&code, &newcomer("anna")).await;
        assert!(is_unknown(&answer), "{answer:?}");
        assert!(!proxy.stop_faults(), "it was lost");
        assert_eq!(succeeded(&sound, Action::Redeem).await, 1 + n + usize::from(answer_is_lost));
        let again = sound.redeem(&code, &newcomer("anna")).await.unwrap();
        assert_eq!(again.is_replayed(), answer_is_lost);
        assert_eq!(succeeded(&sound, Action::Redeem).await, 2 + n);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_whose_answer_is_lost_is_made_once() {
    let (proxy, broken, sound) = wired(&options()).await;
    let key = IdempotencyKey::new("a-key").unwrap();
    settled(&broken).await;
    proxy.lose_answer_after(0);
    let answer = broken.create_once(&admin(), &key, staff()).await;
    assert!(is_unknown(&answer), "{answer:?}");
    let again = sound.create_once(&admin(), &key, staff()).await.unwrap();
    let page = sound.list(&admin(), &Criteria::new(), Paging::default()).await.unwrap();
    assert_eq!(page.items().len(), 1);
    assert_eq!(page.items()[0].invitation().id(), again.invitation().id());
    assert_eq!(succeeded(&sound, Action::Create).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_whose_answer_is_lost_can_be_asked_for_again() {
    let (proxy, broken, _) = wired(&options()).await;
    settled(&broken).await;
    proxy.lose_answer_after(0);
    let answer = broken.list(&admin(), &Criteria::new(), Paging::default()).await;
    let is_so = |error: &Error| matches!(error, Error::Store(error) if error.is_retryable());
    assert!(answer.as_ref().is_err_and(is_so), "nothing is unknown of a read: {answer:?}");
    settled(&broken).await;
}

/// A lost reply of a replacement is no refusal. Whether it was made or not, repeating the call
/// replaces the document once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replacement_whose_answer_is_lost_can_be_repeated() {
    let (proxy, broken, sound) = wired(&options()).await;
    let key = DocumentKey::new(DocumentKind::new("mail").unwrap(), "a").unwrap();
    let state = DocumentState::new("queued").unwrap();
    let mut document = Document::new(key.clone(), state.clone(), Timestamp::MIN);
    // The first call on a server without the script would take an additional round trip.
    let one = std::slice::from_ref(&document);
    assert!(sound.store().replace_documents(one, &[]).await.unwrap());
    for answer_is_lost in [true, false] {
        document = document.next(state.clone());
        settled(&broken).await;
        if answer_is_lost {
            proxy.lose_answer_after(0);
        } else {
            proxy.lose_request_after(0);
        }
        let one = std::slice::from_ref(&document);
        let error = broken.store().replace_documents(one, &[]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown);
        assert!(!proxy.stop_faults(), "it was lost");
        let stored = sound.store().document(&key).await.unwrap();
        assert_eq!(stored.as_ref() == Some(&document), answer_is_lost);
        assert!(sound.store().replace_documents(one, &[]).await.unwrap());
        assert_eq!(sound.store().document(&key).await.unwrap(), Some(document.clone()));
    }
}

/// The cluster client repeats a command when its connection breaks. The change must not be
/// made twice, nor refused as if another user had made it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_client_of_a_cluster_sends_twice_is_made_once() {
    let cluster = Arc::new(RedisCluster::start().unwrap());
    let urls = cluster.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let store = RedisStore::connect_cluster(&urls, options()).await.unwrap();
    let invitations = Invitations::new(store);
    let over = Arc::new(AtomicBool::new(false));
    let (killing, until) = (Arc::clone(&cluster), Arc::clone(&over));
    let killer = thread::spawn(move || {
        while !until.load(Ordering::Relaxed) {
            for node in &killing.nodes()[..3] {
                node.ask(&["CLIENT", "KILL", "TYPE", "normal"]).ok();
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    let mut callers = JoinSet::new();
    for caller in 0..8 {
        let invitations = invitations.clone();
        callers.spawn(async move {
            let actor: Actor = admin();
            let (mut created, mut unknown) = (0_usize, 0_usize);
            for n in 0..40 {
                match invitations.create(&actor, staff()).await {
                    Ok(one) => {
                        created += 1;
                        let (code, name) = (one.code().reveal(), format!("c{caller}-{n}"));
                        let mut redeemed = invitations.redeem(&code, &newcomer(&name)).await;
                        for _ in 0..100 {
                            if !is_unknown(&redeemed) {
                                break;
                            }
                            redeemed = invitations.redeem(&code, &newcomer(&name)).await;
                        }
                        redeemed.unwrap();
                    }
                    Err(Error::Store(error)) => {
                        assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown, "{error:?}");
                        unknown += 1;
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
            (created, unknown)
        });
    }
    let told = callers.join_all().await;
    over.store(true, Ordering::Relaxed);
    killer.join().unwrap();
    let created: usize = told.iter().map(|(created, _)| created).sum();
    let unknown: usize = told.iter().map(|(_, unknown)| unknown).sum();
    // The last connections were killed too.
    let counts = loop {
        if let Ok(counts) = invitations.counts(&admin(), &Criteria::new()).await {
            break counts;
        }
    };
    let number = |status| {
        assert!(counts.is_exact(status), "{counts:?}");
        usize::try_from(counts.of(status)).unwrap()
    };
    assert_eq!(number(Status::Used), created, "each is used once");
    assert!(number(Status::Active) <= unknown, "and each is known to a caller");
}
