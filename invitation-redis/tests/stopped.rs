//! Errors in a script: before its first write nothing was done; after it the outcome is
//! unknown.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use invitation_core::{
    Criteria, Error, IfVersion, Invitations, Limits, Status, StoreError, StoreErrorKind,
};
use invitation_redis::{RedisOptions, RedisStore, redis};
use invitation_testkit::Redis;
use support::{admin, load::Service, newcomer, options, snapshot, staff};

async fn open(server: &Redis, options: &RedisOptions) -> Service {
    let limits = Limits::default().with_batch(5_000.try_into().unwrap());
    let store = RedisStore::connect(&server.url(), options.clone()).await.unwrap();
    Invitations::new(store).with_limits(limits)
}

fn failure<T: std::fmt::Debug>(answer: Result<T, Error>) -> StoreError {
    match answer {
        Err(Error::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn cause(error: &StoreError) -> String {
    format!("{:?}", std::error::Error::source(error).unwrap())
}

/// Another client puts a text in place of an index: earlier writes of a script stay.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_after_a_write_is_outcome_unknown() {
    for key in ["trail", "index"] {
        let (server, options) = (Redis::start().unwrap(), options());
        let invitations = open(&server, &options).await;
        let created = invitations.create_many(&admin(), vec![staff(); 3]).await.unwrap();
        let code = |n: usize| created[n].code().reveal();
        let id = |n: usize| created[n].invitation().id();
        let key = format!("{{{}}}:{key}", options.namespace());
        server.ask(&["SET", &key, "foreign"]).unwrap();

        let mut failures = vec![
            failure(invitations.create(&admin(), staff()).await),
            failure(invitations.redeem(&code(0), &newcomer("anna")).await),
        ];
        if key.ends_with("trail") {
            let revoked = invitations.revoke(&admin(), id(1), None, IfVersion::default()).await;
            failures.push(failure(revoked));
            // The event of a refusal.
            failures.push(failure(invitations.redeem(&code(0), &newcomer("ben")).await));
        }
        for error in failures {
            assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown, "{key}: {error:?}");
            assert!(!error.is_retryable());
            assert!(cause(&error).contains("WRONGTYPE"), "{key}: {error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_before_the_first_write_has_done_nothing() {
    let (server, options) = (Redis::start().unwrap(), options());
    let invitations = open(&server, &options).await;
    let created = invitations.create(&admin(), staff()).await.unwrap();
    let codes = format!("{{{}}}:codes", options.namespace());
    server.ask(&["RENAME", &codes, "aside"]).unwrap();
    server.ask(&["SET", &codes, "foreign"]).unwrap();
    let events = || server.ask(&["HLEN", &format!("{{{}}}:events", options.namespace())]).unwrap();
    let before = events();
    let error = failure(invitations.redeem(&created.code().reveal(), &newcomer("anna")).await);
    assert_eq!(error.kind(), StoreErrorKind::Other, "{error:?}");
    assert!(cause(&error).contains("wrong kind of value"), "{error:?}");
    assert_eq!(events(), before);
    // Opening a store finds the wrong type, too.
    let answer = RedisStore::connect(&server.url(), options.clone()).await;
    assert!(answer.is_err(), "{answer:?}");
    server.ask(&["RENAME", "aside", &codes]).unwrap();
    invitations.redeem(&created.code().reveal(), &newcomer("anna")).await.unwrap();
}

/// A server that refuses writes for a while: it has become a replica, has lost its own
/// replicas, or has no memory left.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_writes_has_done_nothing_and_may_be_asked_again() {
    let (server, options) = (Redis::start().unwrap(), options());
    let invitations = open(&server, &options).await;
    let troubles: [[&[&str]; 2]; 3] = [
        [&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]],
        [
            &["CONFIG", "SET", "min-replicas-to-write", "1"],
            &["CONFIG", "SET", "min-replicas-to-write", "0"],
        ],
        [&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]],
    ];
    for (n, [begin, end]) in troubles.into_iter().enumerate() {
        let created = invitations.create_many(&admin(), vec![staff(); 2]).await.unwrap();
        let code = created[0].code().reveal();
        let before = snapshot(&server);
        server.ask(begin).unwrap();
        let id = created[1].invitation().id();
        for error in [
            failure(invitations.redeem(&code, &newcomer("anna")).await),
            failure(invitations.create(&admin(), staff()).await),
            failure(invitations.revoke(&admin(), id, None, IfVersion::default()).await),
        ] {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{n}: {error:?}");
            assert!(error.is_retryable());
        }
        server.ask(end).unwrap();
        assert_eq!(snapshot(&server), before, "{n}");
        let redeemed = invitations.redeem(&code, &newcomer("anna")).await.unwrap();
        assert!(!redeemed.is_replayed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_busy_with_somebody_elses_script_has_done_nothing() {
    let (server, options) = (Redis::start().unwrap(), options());
    let invitations = open(&server, &options).await;
    let created = invitations.create(&admin(), staff()).await.unwrap();
    let code = created.code().reveal();
    server.ask(&["CONFIG", "SET", "busy-reply-threshold", "1"]).unwrap();
    let mut endless = Command::new("redis-cli")
        .args(["-p", &server.port().to_string(), "EVAL", "while true do end", "0"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while server.ask(&["PING"]).is_ok() {}
    let error = failure(invitations.redeem(&code, &newcomer("anna")).await);
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert!(cause(&error).contains("BUSY"), "{error:?}");
    server.ask(&["SCRIPT", "KILL"]).unwrap();
    endless.wait().unwrap();
    let redeemed = invitations.redeem(&code, &newcomer("anna")).await.unwrap();
    assert!(!redeemed.is_replayed());
}

/// A script that an operator ends has written nothing, because the server refuses to end a
/// script that has written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_that_is_killed_has_done_nothing() {
    const BATCH: usize = 5_000;
    let (server, options) = (Redis::start().unwrap(), options());
    let invitations = open(&server, &options).await;
    server.ask(&["CONFIG", "SET", "busy-reply-threshold", "1"]).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let client = redis::Client::open(server.url()).unwrap();
    let mut operator = client.get_multiplexed_async_connection().await.unwrap();
    let until = Arc::clone(&over);
    let killing = tokio::spawn(async move {
        let mut kill = redis::cmd("SCRIPT");
        kill.arg("KILL");
        while !until.load(Ordering::Relaxed) {
            // Usually no script is running, or it has already written.
            kill.query_async::<()>(&mut operator).await.ok();
        }
    });
    let (mut created, mut killed) = (0, 0);
    while killed == 0 || created == 0 {
        match invitations.create_many(&admin(), vec![staff(); BATCH]).await {
            Ok(all) => created += all.len(),
            Err(Error::Store(error)) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
                assert!(cause(&error).contains("SCRIPT KILL"), "{error:?}");
                killed += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
        assert!(created + killed < 10 * BATCH, "no script is killed");
        if killed > 0 {
            over.store(true, Ordering::Relaxed);
        }
    }
    killing.await.unwrap();
    let counts = invitations.counts(&admin(), &Criteria::new()).await.unwrap();
    let active = usize::try_from(counts.of(Status::Active)).unwrap();
    assert_eq!(active, created.min(10_000));
}
