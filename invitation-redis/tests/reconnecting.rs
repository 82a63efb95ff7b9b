//! A store leaves a server that no longer answers, and connects again after its password was
//! refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use invitation_core::{Created, Error, Invitations, Redeemed, StoreErrorKind};
use invitation_redis::{RedisOptions, RedisStore};
use invitation_testkit::{Proxy, Redis, RedisCluster};
use support::{admin, newcomer, options, staff};

/// Less than the default, so that the tests are quick.
const RESPONSE: Duration = Duration::from_millis(500);

fn impatient() -> RedisOptions {
    options().with_response_timeout(RESPONSE).with_connect_timeout(RESPONSE)
}

async fn create(invitations: &Invitations<RedisStore>) -> Created {
    invitations.create(&admin(), staff()).await.unwrap()
}

async fn redeem(invitations: &Invitations<RedisStore>, code: &str) -> Result<Redeemed, Error> {
    invitations.redeem(code, &newcomer("anna")).await
}

fn kind<T: std::fmt::Debug>(answer: Result<T, Error>) -> StoreErrorKind {
    match answer {
        Err(Error::Store(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

/// No packet closes the connection to a server whose host is gone. The address leads to the new
/// primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_leaves_a_server_that_does_not_answer() {
    for wait in [false, true] {
        let former = Redis::start().unwrap();
        let [new, second] = [(); 2].map(|()| Redis::replica_of(&former).unwrap());
        let proxy = Proxy::to(former.port()).unwrap();
        let url = format!("redis://127.0.0.1:{}", proxy.port());
        let options = impatient();
        let confirmed = options.clone().wait_replicas(NonZeroU32::MIN, Duration::from_millis(500));
        let options = if wait { confirmed } else { options };
        let store = RedisStore::connect(&url, options).await.unwrap();
        let invitations = Invitations::new(store);
        let created = create(&invitations).await;
        new.catch_up_with(&former).unwrap();
        new.promote().unwrap();
        former.freeze().unwrap();
        second.ask(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]).unwrap();
        proxy.lead_to(new.port());

        let code = created.code().reveal();
        for _ in 0..2 {
            let lost = kind(redeem(&invitations, &code).await);
            assert_eq!(lost, StoreErrorKind::OutcomeUnknown, "wait: {wait}");
        }
        if wait {
            // It may take the replica of the new primary a moment to follow.
            let until = Instant::now() + Duration::from_secs(10);
            while redeem(&invitations, &code).await.is_err() {
                assert!(Instant::now() < until, "it is never confirmed");
            }
        } else {
            assert!(!redeem(&invitations, &code).await.unwrap().is_replayed());
        }
        // Reads follow as well.
        let found = invitations.get(&admin(), created.invitation().id()).await.unwrap();
        assert_eq!(found.invitation().uses(), 1, "wait: {wait}");
        former.thaw().unwrap();
    }
}

/// The time limit of the host is shorter than that of the store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_leaves_a_server_although_its_callers_give_up() {
    let former = Redis::start().unwrap();
    let new = Redis::replica_of(&former).unwrap();
    let proxy = Proxy::to(former.port()).unwrap();
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let store = RedisStore::connect(&url, options()).await.unwrap();
    let invitations = Invitations::new(store);
    let created = create(&invitations).await;
    new.catch_up_with(&former).unwrap();
    new.promote().unwrap();
    former.freeze().unwrap();
    proxy.lead_to(new.port());

    let (code, limit) = (created.code().reveal(), Duration::from_millis(1_200));
    for _ in 0..2 {
        tokio::time::timeout(limit, redeem(&invitations, &code)).await.unwrap_err();
    }
    let redeemed = tokio::time::timeout(limit, redeem(&invitations, &code)).await.unwrap();
    assert!(!redeemed.unwrap().is_replayed());
    former.thaw().unwrap();
}

/// Only the host knows the address of its connection. So the store lets the server close it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_of_the_host_leaves_a_server_that_has_become_a_replica() {
    use invitation_redis::redis::{Client, aio::ConnectionManager};

    let former = Redis::start().unwrap();
    let new = Redis::replica_of(&former).unwrap();
    let proxy = Proxy::to(former.port()).unwrap();
    let client = Client::open(format!("redis://127.0.0.1:{}", proxy.port())).unwrap();
    let connection = ConnectionManager::new(client).await.unwrap();
    let invitations = Invitations::new(RedisStore::on(connection, options()).await.unwrap());
    let created = create(&invitations).await;
    new.catch_up_with(&former).unwrap();
    new.promote().unwrap();
    proxy.lead_to(new.port());
    former.ask(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]).unwrap();

    let code = created.code().reveal();
    assert_eq!(kind(redeem(&invitations, &code).await), StoreErrorKind::Unavailable);
    assert!(!redeem(&invitations, &code).await.unwrap().is_replayed());
}

/// Slow answers between timely ones are no reason to connect anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_timeout_does_not_replace_the_connection() {
    let server = Redis::start().unwrap();
    let store = RedisStore::connect(&server.url(), impatient()).await.unwrap();
    let invitations = Invitations::new(store);
    let connections = || -> u64 {
        let stats = server.ask(&["INFO", "stats"]).unwrap();
        let line = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse().unwrap()
    };
    let created = create(&invitations).await;
    let before = connections();
    for _ in 0..2 {
        server.freeze().unwrap();
        let answer = invitations.get(&admin(), created.invitation().id()).await;
        assert_eq!(kind(answer), StoreErrorKind::Unavailable);
        server.thaw().unwrap();
        invitations.get(&admin(), created.invitation().id()).await.unwrap();
    }
    // The second question for the number is a connection, too.
    assert_eq!(connections() - before, 1);
}

/// A new primary takes over the slot of a primary that does not answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_follows_a_failover_of_a_cluster() {
    for wait in [false, true] {
        let cluster = RedisCluster::start().unwrap();
        let urls = cluster.urls();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let options = impatient();
        let namespace = options.namespace().clone();
        let confirmed = options.clone().wait_replicas(NonZeroU32::MIN, Duration::from_millis(500));
        let options = if wait { confirmed } else { options };
        let store = RedisStore::connect_cluster(&urls, options).await.unwrap();
        let invitations = Invitations::new(store);
        let mut codes = Vec::new();
        for _ in 0..4 {
            let created = create(&invitations).await;
            codes.push((created.invitation().id(), created.code().reveal().to_string()));
        }
        redeem(&invitations, &codes[0].1).await.unwrap();
        let index = cluster.primary_of(&format!("{{{namespace}}}:index")).unwrap();
        let (former, replica) = (&cluster.nodes()[index], &cluster.nodes()[index + 3]);
        replica.catch_up_with(former).unwrap();
        former.freeze().unwrap();

        let until = Instant::now() + Duration::from_secs(40);
        for (_, code) in &codes[1..] {
            loop {
                let answer = redeem(&invitations, code).await;
                let is_unconfirmed = answer
                    .as_ref()
                    .is_err_and(|error| wait && format!("{error:?}").contains("Unconfirmed"));
                if answer.is_ok() || is_unconfirmed {
                    break;
                }
                assert!(Instant::now() < until, "wait {wait}: {answer:?}");
            }
        }
        // The redemption before the failover is kept, and each code has one use.
        for (id, _) in &codes {
            let found = invitations.get(&admin(), *id).await.unwrap();
            assert_eq!(found.invitation().uses(), 1);
        }
        former.thaw().unwrap();
    }
}

/// An operator changes the password, and then changes it back or gives the new one to the hosts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_connects_again_after_its_password_was_refused() {
    let server = Redis::start().unwrap();
    let set = |password: &str| {
        let password = format!(">{password}");
        let rule = ["ACL", "SETUSER", "host", "reset", "on", &password, "~*", "+@all"];
        server.ask(&rule).unwrap();
    };
    set("first");
    let url = format!("redis://host:first@127.0.0.1:{}", server.port());
    let store = RedisStore::connect(&url, impatient()).await.unwrap();
    let invitations = Invitations::new(store);
    let created = create(&invitations).await;

    set("second");
    server.ask(&["CLIENT", "KILL", "USER", "host"]).ok();
    let read = async || invitations.get(&admin(), created.invitation().id()).await;
    for _ in 0..5 {
        assert_eq!(kind(read().await), StoreErrorKind::Unavailable);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    set("first");
    let until = Instant::now() + Duration::from_secs(5);
    while let Err(error) = read().await {
        assert!(Instant::now() < until, "{error:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The password is wrong from the beginning.
#[tokio::test]
async fn wrong_password_of_the_host_is_no_passing_failure() {
    use invitation_redis::OpenError;

    let server = Redis::start().unwrap();
    let url = format!("redis://host:wrong@127.0.0.1:{}", server.port());
    let Err(OpenError::Store(error)) = RedisStore::connect(&url, impatient()).await else {
        panic!("it is refused")
    };
    assert_eq!(error.kind(), StoreErrorKind::Other);
}
