//! Changes that a crash or a failover may lose, and changes that it must keep.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    collections::BTreeMap,
    error::Error as _,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use invitation_core::{
    Action, Criteria, Error, EventCriteria, EventOutcome, InvitationId, Invitations, Paging,
    Status, StoreErrorKind,
};
use invitation_redis::{RedisOptions, RedisStore, Unconfirmed};
use invitation_testkit::{Proxy, Redis};
use support::{admin, newcomer, options, staff};
use tokio::task::JoinSet;

type Service = Invitations<RedisStore>;

async fn open(server: &Redis, options: &RedisOptions) -> Service {
    Invitations::new(RedisStore::connect(&server.url(), options.clone()).await.unwrap())
}

async fn codes(invitations: &Service, number: usize) -> Vec<(InvitationId, String)> {
    let created = invitations.create_many(&admin(), vec![staff(); number]).await.unwrap();
    let code =
        |one: &invitation_core::Created| (one.invitation().id(), one.code().reveal().to_string());
    created.iter().map(code).collect()
}

/// The answer that a caller got for a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    Redeemed,
    Unknown,
    NotDone,
}

/// Sixteen callers redeem the codes between them until the server crashes, which it does
/// after `crash_after` of them. Returns the answer for each code.
async fn until_the_crash(
    server: &Redis,
    invitations: &Service,
    codes: &[(InvitationId, String)],
    crash_after: usize,
) -> BTreeMap<InvitationId, Told> {
    let told = Arc::new(Mutex::new(BTreeMap::new()));
    let mut callers = JoinSet::new();
    for share in 0..16 {
        let own: Vec<_> = codes.iter().skip(share).step_by(16).cloned().collect();
        let (invitations, told) = (invitations.clone(), Arc::clone(&told));
        callers.spawn(async move {
            for (id, code) in own {
                let answer = match invitations.redeem(&code, &newcomer("anna")).await {
                    Ok(_) => Told::Redeemed,
                    Err(Error::Store(error)) if error.kind() == StoreErrorKind::OutcomeUnknown => {
                        Told::Unknown
                    }
                    Err(Error::Store(_)) => Told::NotDone,
                    Err(other) => panic!("{other:?}"),
                };
                told.lock().unwrap().insert(id, answer);
                if answer != Told::Redeemed {
                    return;
                }
            }
        });
    }
    while told.lock().unwrap().len() < crash_after {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.stop_now().unwrap();
    callers.join_all().await;
    Arc::into_inner(told).unwrap().into_inner().unwrap()
}

/// Returns the used codes. Each redemption is complete, with its event, or absent.
async fn used(invitations: &Service, codes: &[(InvitationId, String)]) -> Vec<InvitationId> {
    let mut used = Vec::new();
    for (id, _) in codes {
        let view = invitations.get(&admin(), *id).await.unwrap();
        let criteria = EventCriteria::new()
            .about(*id)
            .of_action(Action::Redeem)
            .with_outcome(EventOutcome::Succeeded);
        let trail = invitations.events(&admin(), &criteria, Paging::default()).await.unwrap();
        let number = usize::try_from(view.invitation().uses()).unwrap();
        assert_eq!(trail.items().len(), number, "a use and its event are one");
        if number == 1 {
            used.push(*id);
        }
    }
    used
}

/// Every acknowledged redemption is kept; for the rest, a repeated call returns the actual
/// result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_under_appendfsync_always_loses_nothing_that_was_answered() {
    let server = Redis::durable().unwrap();
    let options = options();
    let invitations = open(&server, &options).await;
    let codes = codes(&invitations, 800).await;
    let told = until_the_crash(&server, &invitations, &codes, 300).await;
    assert!(told.values().any(|told| *told != Told::Redeemed), "it crashed under load");

    server.start_again().unwrap();
    let invitations = open(&server, &options).await;
    let used = used(&invitations, &codes).await;
    for (id, told) in &told {
        assert!(*told != Told::Redeemed || used.contains(id), "{id} was acknowledged");
        assert!(*told != Told::NotDone || !used.contains(id), "{id} was said not to be");
    }
    let may_be = |id: &InvitationId| told.get(id).is_some_and(|told| *told != Told::NotDone);
    assert!(used.iter().all(may_be), "each use belongs to a request");
    // No code is stuck, and no user who was registered is registered twice.
    for (id, code) in &codes {
        let redeemed = invitations.redeem(code, &newcomer("anna")).await.unwrap();
        assert_eq!(redeemed.is_replayed(), used.contains(id));
    }
}

/// Without WAIT, a promoted replica loses the changes that it has not received: the code is
/// unused again, and there is no event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_without_wait_loses_what_the_replica_had_not() {
    let (primary, options) = (Redis::start().unwrap(), options());
    let replica = Redis::replica_of(&primary).unwrap();
    let invitations = open(&primary, &options).await;
    let codes = codes(&invitations, 40).await;
    replica.catch_up_with(&primary).unwrap();
    // As in a partition: the replica is promoted while the primary still answers.
    replica.promote().unwrap();
    for (_, code) in &codes {
        invitations.redeem(code, &newcomer("anna")).await.unwrap();
    }
    primary.stop_now().unwrap();

    let invitations = open(&replica, &options).await;
    assert_eq!(used(&invitations, &codes).await, [], "all of them are lost");
    let (_, code) = &codes[0];
    let again = invitations.redeem(code, &newcomer("ben")).await.unwrap();
    assert!(!again.is_replayed(), "another user can make a lost redemption");
}

/// The former primary has become a replica and keeps its connections open. The address leads to
/// the new primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_follows_its_address_when_its_server_has_become_a_replica() {
    for wait in [false, true] {
        let (former, plain) = (Redis::start().unwrap(), options());
        let new = Redis::replica_of(&former).unwrap();
        let proxy = Proxy::to(former.port()).unwrap();
        let url = format!("redis://127.0.0.1:{}", proxy.port());
        let confirmed = plain.clone().wait_replicas(NonZeroU32::MIN, Duration::from_secs(10));
        let options = if wait { confirmed } else { plain.clone() };
        let store = RedisStore::connect(&url, options).await.unwrap();
        let invitations = Invitations::new(store);
        let codes = codes(&invitations, 2).await;
        new.catch_up_with(&former).unwrap();
        new.promote().unwrap();
        proxy.lead_to(new.port());
        former.ask(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]).unwrap();

        let (id, code) = &codes[0];
        let answer = invitations.redeem(code, &newcomer("anna")).await;
        let Err(Error::Store(error)) = answer else { panic!("a replica redeems: {answer:?}") };
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let redeemed = invitations.redeem(code, &newcomer("anna")).await.unwrap();
        assert!(!redeemed.is_replayed());
        assert_eq!(used(&open(&new, &plain).await, &codes).await, [*id]);
    }
}

/// As long as the address leads to a replica, the store does not connect with each call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_connects_at_most_once_a_second_while_its_address_leads_to_a_replica() {
    let server = Redis::start().unwrap();
    let invitations = open(&server, &options()).await;
    let codes = codes(&invitations, 1).await;
    server.ask(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    let connections = || -> u64 {
        let stats = server.ask(&["INFO", "stats"]).unwrap();
        let line = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse().unwrap()
    };
    let (before, begun) = (connections(), Instant::now());
    for _ in 0..100 {
        invitations.redeem(&codes[0].1, &newcomer("anna")).await.unwrap_err();
    }
    // The second question for the number is a connection, too.
    let made = connections() - before - 1;
    assert!(made >= 1, "the store has tried the address again");
    assert!(made <= 1 + begun.elapsed().as_secs(), "{made} connections");
}

/// With WAIT, such a change is never acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_wait_what_no_replica_has_is_unconfirmed() {
    let (primary, options) = (Redis::start().unwrap(), options());
    let replica = Redis::replica_of(&primary).unwrap();
    let options = options.wait_replicas(NonZeroU32::MIN, Duration::from_secs(1));
    let invitations = open(&primary, &options).await;
    let codes = codes(&invitations, 3).await;
    invitations.redeem(&codes[0].1, &newcomer("anna")).await.unwrap();
    replica.promote().unwrap();

    let unconfirmed = |error: &Error| match error {
        Error::Store(error) => {
            assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown);
            error.source().and_then(|source| source.downcast_ref::<Unconfirmed>()).copied()
        }
        _ => None,
    };
    // Success, repeated call and refusal are all unconfirmed.
    for (code, name) in [(1, "anna"), (1, "anna"), (1, "ben"), (0, "anna"), (0, "ben")] {
        let answer = invitations.redeem(&codes[code].1, &newcomer(name)).await;
        let error = answer.expect_err("no replica has it");
        let found = unconfirmed(&error).map(|found| (found.wanted, found.confirmed));
        assert_eq!(found, Some((1, 0)), "{name}: {error:?}");
    }
    primary.stop_now().unwrap();
    let invitations = open(&replica, &options).await;
    // The new primary has no replica, but reads do not wait for any.
    assert_eq!(used(&invitations, &codes).await, [codes[0].0]);
}

/// Without a replica, each change waits for the whole timeout. Concurrent changes share it, and reads
/// do not wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_changes_without_a_replica_are_unconfirmed_and_reads_go_on() {
    let primary = Redis::start().unwrap();
    let wait = Duration::from_secs(1);
    let options = options()
        .wait_replicas(NonZeroU32::MIN, wait)
        .with_response_timeout(Duration::from_secs(2));
    let invitations = open(&primary, &options).await;
    // The server learns the script.
    invitations.create(&admin(), staff()).await.unwrap_err();
    let mut callers = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..10 {
        let invitations = invitations.clone();
        callers.spawn(async move { invitations.create(&admin(), staff()).await.map(drop) });
    }
    while invitations.counts(&admin(), &Criteria::new()).await.unwrap().of(Status::Active) == 1 {
        assert!(begun.elapsed() < wait, "reads wait for replicas");
    }
    let mut reading = Duration::ZERO;
    while !callers.is_empty() {
        let asked = Instant::now();
        invitations.counts(&admin(), &Criteria::new()).await.unwrap();
        reading = reading.max(asked.elapsed());
        let Some(answer) = callers.try_join_next() else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let Err(Error::Store(error)) = answer.unwrap() else { panic!("nothing confirms it") };
        assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown);
        let source = error.source().and_then(|source| source.downcast_ref::<Unconfirmed>());
        assert!(source.is_some(), "{error:?}");
    }
    assert!(reading < wait / 2, "{reading:?}");
    assert!(begun.elapsed() < wait * 4, "changes share the wait: {:?}", begun.elapsed());
    let counts = invitations.counts(&admin(), &Criteria::new()).await.unwrap();
    assert_eq!(counts.of(Status::Active), 11, "each change was made");
}

/// A connected replica that does not keep up confirms nothing, on any connection that the
/// call is repeated: WAIT only covers the writes of its own connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_again_over_another_connection_waits_again() {
    let (primary, options) = (Redis::start().unwrap(), options());
    let replica = Redis::replica_of(&primary).unwrap();
    let options = options.wait_replicas(NonZeroU32::MIN, Duration::from_secs(1));
    let invitations = open(&primary, &options).await;
    let codes = codes(&invitations, 1).await;
    replica.freeze().unwrap();
    for _ in 0..2 {
        let anew = open(&primary, &options).await;
        let answer = anew.redeem(&codes[0].1, &newcomer("anna")).await;
        let is_unknown = |error: &Error| matches!(error, Error::Store(error) if error.kind() == StoreErrorKind::OutcomeUnknown);
        assert!(answer.as_ref().is_err_and(is_unknown), "{answer:?}");
    }
    replica.thaw().unwrap();
    replica.catch_up_with(&primary).unwrap();
    let redeemed = invitations.redeem(&codes[0].1, &newcomer("anna")).await.unwrap();
    assert!(redeemed.is_replayed());
}

/// Under load: every acknowledged change is kept at the failover, if the promoted replica
/// is the one that had to confirm it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_under_load_loses_nothing_that_the_replica_confirmed() {
    for wait in [true, false] {
        let (primary, plain) = (Redis::start().unwrap(), options());
        let replica = Redis::replica_of(&primary).unwrap();
        let confirmed = plain.clone().wait_replicas(NonZeroU32::MIN, Duration::from_secs(2));
        let options = if wait { confirmed } else { plain.clone() };
        let invitations = open(&primary, &options).await;
        let codes = codes(&invitations, 600).await;
        // Otherwise the codes themselves may be lost.
        replica.catch_up_with(&primary).unwrap();
        let told = until_the_crash(&primary, &invitations, &codes, 200).await;
        replica.promote().unwrap();

        let invitations = open(&replica, &plain).await;
        let used = used(&invitations, &codes).await;
        let acknowledged = told.iter().filter(|(_, told)| **told == Told::Redeemed);
        let lost = acknowledged.clone().filter(|(id, _)| !used.contains(id)).count();
        println!(
            "WAIT {wait}: of {} acknowledged redemptions, {lost} were lost",
            acknowledged.count()
        );
        assert!(!wait || lost == 0, "what was confirmed is there");
        for (id, code) in &codes {
            let again = invitations.redeem(code, &newcomer("anna")).await.unwrap();
            assert_eq!(again.is_replayed(), used.contains(id), "no code is stuck");
        }
    }
}
