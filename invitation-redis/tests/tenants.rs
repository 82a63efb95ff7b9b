//! Tenants with a namespace each, concurrently over the same connection: no call acts on
//! another tenant's data.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use invitation_core::{Criteria, Invitations, Paging, Refusal, Status};
use invitation_redis::{RedisConnection, RedisOptions, RedisStore, redis};
use invitation_testkit::{Redis, RedisCluster};
use support::{admin, load::Service, newcomer, options, staff, whole::whole};
use tokio::task::JoinSet;

const CODES: usize = 150;
const CALLERS: usize = 8;

async fn open(connection: RedisConnection, options: &RedisOptions) -> Service {
    Invitations::new(RedisStore::on(connection, options.clone()).await.unwrap())
}

async fn codes(invitations: &Service) -> Vec<String> {
    let created = invitations.create_many(&admin(), vec![staff(); CODES]).await.unwrap();
    created.iter().map(|one| one.code().reveal().to_string()).collect()
}

/// While each tenant redeems its own codes, the other tenant's codes are presented to it.
async fn tenants_stay_apart(connection: RedisConnection) {
    let (here, there) = (options(), options());
    let here = open(connection.clone(), &here).await;
    let there = open(connection, &there).await;
    let (ours, theirs) = (codes(&here).await, codes(&there).await);
    let over = Arc::new(AtomicBool::new(false));
    let mut busy = JoinSet::new();
    for invitations in [&here, &there] {
        let spare = codes(invitations).await;
        for caller in 0..CALLERS {
            let (invitations, over) = (invitations.clone(), Arc::clone(&over));
            let own: Vec<_> = spare.iter().skip(caller).step_by(CALLERS).cloned().collect();
            busy.spawn(async move {
                for code in &own {
                    invitations.redeem(code, &newcomer("ben")).await.unwrap();
                }
                while !over.load(Ordering::Relaxed) {
                    let again = invitations.redeem(&own[0], &newcomer("ben")).await.unwrap();
                    assert!(again.is_replayed());
                }
            });
        }
    }
    let mut strangers = JoinSet::new();
    for (invitations, foreign) in [(&here, theirs), (&there, ours)] {
        for code in foreign {
            let invitations = invitations.clone();
            strangers.spawn(async move {
                let answer = invitations.redeem(&code, &newcomer("anna")).await;
                let error = answer.expect_err("it is of another tenant");
                assert_eq!(error.refusal(), Some(&Refusal::CodeUnknown), "{error:?}");
            });
        }
    }
    strangers.join_all().await;
    over.store(true, Ordering::Relaxed);
    busy.join_all().await;
    for invitations in [&here, &there] {
        let users: Vec<_> = whole(invitations).await.into_values().flatten().collect();
        assert_eq!(users, vec!["ben"; CODES]);
        let active = Criteria::new().with_status(Status::Active);
        let page = invitations.list(&admin(), &active, Paging::first(200).unwrap()).await.unwrap();
        assert_eq!(page.items().len(), CODES, "the foreign codes are unused where they belong");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_on_one_connection_stay_apart() {
    let client = redis::Client::open(Redis::shared().url()).unwrap();
    let connection = redis::aio::ConnectionManager::new(client).await.unwrap();
    tenants_stay_apart(connection.into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_on_one_cluster_stay_apart() {
    let urls = RedisCluster::shared().urls();
    let client = redis::cluster::ClusterClient::new(urls).unwrap();
    let connection = client.get_async_connection().await.unwrap();
    tenants_stay_apart(connection.into()).await;
}
