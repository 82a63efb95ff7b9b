//! Checks when a store opens, their errors and warnings, and no password in any of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use invitation_core::{Actor, Criteria, Division, Invitations, Paging, Role, UserId};
use invitation_redis::{OpenError, Persistence, RedisOptions, RedisStore};
use invitation_testkit::{Redis, RedisCluster};
use support::{admin, in_namespace, options, staff};

async fn refused(server: &Redis) -> (String, String) {
    match RedisStore::connect(&server.url(), options()).await {
        Err(OpenError::Setting { setting, found, .. }) => (setting.to_owned(), found),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_evicts_is_refused() {
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let server = Redis::with(&[("maxmemory-policy", policy)]).unwrap();
        assert_eq!(refused(&server).await, ("maxmemory-policy".to_owned(), policy.to_owned()));
    }
}

#[tokio::test]
async fn a_replica_is_refused() {
    let primary = Redis::start().unwrap();
    let replica = Redis::replica_of(&primary).unwrap();
    assert_eq!(refused(&replica).await, ("replicaof".to_owned(), "127.0.0.1".to_owned()));
}

async fn warned_of(server: &Redis, expected: Persistence) -> Vec<(&'static str, String)> {
    let options = options().expecting(expected);
    let store = RedisStore::connect(&server.url(), options).await.unwrap();
    store.warnings().iter().map(|one| (one.setting, one.found.clone())).collect()
}

#[tokio::test]
async fn a_server_that_persists_less_than_expected_is_warned_of() {
    let every_second = Redis::with(&[("appendonly", "yes")]).unwrap();
    assert_eq!(warned_of(&every_second, Persistence::EverySecond).await, []);
    let told = warned_of(&every_second, Persistence::EveryWrite).await;
    assert_eq!(told, [("appendfsync", "everysec".to_owned())]);

    let durable = Redis::durable().unwrap();
    assert_eq!(warned_of(&durable, Persistence::EveryWrite).await, []);
    assert_eq!(
        RedisStore::connect(&durable.url(), RedisOptions::new()).await.unwrap().warnings(),
        []
    );

    let forgetful = Redis::shared();
    let told = warned_of(forgetful, Persistence::EverySecond).await;
    assert_eq!(told, [("appendonly", "no".to_owned())]);
    assert_eq!(warned_of(forgetful, Persistence::Nothing).await, []);
}

#[tokio::test]
async fn every_primary_of_a_cluster_is_looked_at() {
    let cluster = RedisCluster::start().unwrap();
    let urls = cluster.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let expecting = options().expecting(Persistence::EverySecond);
    let store = RedisStore::connect_cluster(&urls, expecting).await.unwrap();
    assert_eq!(store.warnings().len(), 3, "{:?}", store.warnings());
    cluster.nodes()[2].ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]).unwrap();
    let answer = RedisStore::connect_cluster(&urls, options()).await;
    let is_named =
        |error: &OpenError| error.to_string().contains(": maxmemory-policy is allkeys-random");
    assert!(answer.as_ref().is_err_and(is_named), "{answer:?}");
}

#[tokio::test]
async fn a_namespace_of_another_layout_is_left_alone() {
    let name = options().namespace().to_string();
    Redis::shared().ask(&["HSET", &format!("{{{name}}}:invitations"), "", "2"]).unwrap();
    let answer = RedisStore::connect(&Redis::shared().url(), in_namespace(&name)).await;
    assert!(matches!(answer, Err(OpenError::Layout)), "{answer:?}");
}

/// The name of a division is a value and never part of a key, whatever characters it has.
#[tokio::test(flavor = "multi_thread")]
async fn a_division_cannot_leave_its_place() {
    let cluster = RedisCluster::shared();
    let urls = cluster.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let store = RedisStore::connect_cluster(&urls, options()).await.unwrap();
    let invitations = Invitations::new(store);
    let names = ["{a}", "}:index", "a:b", "a", "{", "a}", "ἀ a", "t\u{ff}", "KEYS[1]"];
    for name in names {
        let division = Division::new(name).unwrap();
        let draft = staff().in_division(division.clone());
        invitations.create(&admin(), draft).await.unwrap();
    }
    for name in names {
        let division = Division::new(name).unwrap();
        let manager = Actor::in_division(
            UserId::new("mia").unwrap(),
            Role::new("manager").unwrap(),
            division,
        );
        let page = invitations.list(&manager, &Criteria::new(), Paging::default()).await.unwrap();
        assert_eq!(page.items().len(), 1, "{name}");
        assert_eq!(page.items()[0].invitation().division().as_str(), name);
    }
}

#[tokio::test]
async fn no_password_is_told() {
    let server = Redis::shared();
    let secret = "swordfish-7";
    let url = format!("redis://:{secret}@127.0.0.1:{}", server.port());
    // The server has no password, so it refuses a client that sends one.
    let refused = RedisStore::connect(&url, options()).await.unwrap_err();
    let nonsense = RedisStore::connect(&format!("redis://:{secret}@:x:y"), options()).await;
    let gone = RedisStore::connect(&format!("redis://:{secret}@127.0.0.1:1"), options()).await;
    let store = RedisStore::connect(&server.url(), options()).await.unwrap();
    let text = format!("{refused} {refused:?} {nonsense:?} {gone:?} {store:?}");
    assert!(!text.contains(secret), "{text}");
    assert!(!text.contains(&server.url()), "{text}");
}

/// The client has no cryptography provider of its own, and would panic without one.
#[cfg(feature = "tls")]
#[tokio::test]
async fn tls_has_a_provider() {
    let server = Redis::shared();
    let url = format!("rediss://127.0.0.1:{}", server.port());
    let answer = RedisStore::connect(&url, options()).await;
    assert!(matches!(answer, Err(OpenError::Store(_))), "it speaks no TLS: {answer:?}");
}
