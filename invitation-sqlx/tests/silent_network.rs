//! A network that falls silent: connections stay open, and no packet arrives any more.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(feature = "mysql", feature = "postgres"))]

mod support;

use std::{num::NonZeroU32, str::FromStr, time::Duration};

use invitation_core::{Draft, Error, Invitations, Role, StoreErrorKind};
use invitation_sqlx::{
    Dialect, SqlStore,
    sqlx::{
        Connection, MySql, Pool, Postgres, mysql::MySqlConnectOptions, pool::PoolOptions,
        postgres::PgConnectOptions,
    },
};
use invitation_testkit::{MariaDb, Proxy};
use support::{admin, redeemer, uses};
use tokio::time::timeout;

/// The time limit of a call, far above what a call of this test takes.
const LIMIT: Duration = Duration::from_secs(2);

/// The time after which a call counts as never ending: it may wait for a connection too.
const ENDLESS: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn calls_on_postgres_end_when_the_network_falls_silent() {
    let url = invitation_testkit::Postgres::shared().create_database();
    let options = PgConnectOptions::from_str(&url).unwrap();
    let proxy = Proxy::to(options.get_port()).unwrap();
    calls_end::<Postgres>(options.port(proxy.port()), &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_on_mariadb_end_when_the_network_falls_silent() {
    let options = MySqlConnectOptions::from_str(&MariaDb::shared().create_database()).unwrap();
    let proxy = Proxy::to(options.get_port()).unwrap();
    calls_end::<MySql>(options.port(proxy.port()), &proxy).await;
}

async fn calls_end<DB: Dialect>(options: <DB::Connection as Connection>::Options, proxy: &Proxy) {
    let pool: Pool<DB> = PoolOptions::new()
        .max_connections(4)
        // Without a ping, it is the call that meets the silence.
        .test_before_acquire(false)
        .acquire_timeout(LIMIT)
        .connect_with(options)
        .await
        .unwrap();
    let store = SqlStore::new(pool.clone()).with_call_timeout(LIMIT);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store);
    let draft = Draft::new().for_uses(NonZeroU32::new(9).unwrap());
    let draft = draft.with_role(Role::new("staff").unwrap());
    let created = invitations.create(&admin(), draft).await.unwrap();
    let (id, code) = (created.invitation().id(), created.code().reveal().to_string());
    // All connections are open before the silence.
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(pool.acquire().await.unwrap());
    }
    drop(held);
    while pool.num_idle() < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    proxy.fall_silent();
    let read = timeout(ENDLESS, invitations.get(&admin(), id)).await.unwrap();
    assert_eq!(kind(read), StoreErrorKind::Unavailable);
    let redeem = |n: usize| {
        let (invitations, code) = (invitations.clone(), code.clone());
        let person = redeemer(&format!("person{n}"));
        tokio::spawn(async move { invitations.redeem(&code, &person).await })
    };
    // Several share a message, and one of them waits for its answer.
    let calls: Vec<_> = (0..4).map(redeem).collect();
    let mut kinds = Vec::new();
    for call in calls {
        kinds.push(kind(timeout(ENDLESS, call).await.unwrap().unwrap()));
    }
    let unknown = |kind: &StoreErrorKind| *kind == StoreErrorKind::OutcomeUnknown;
    assert!(kinds.iter().any(unknown), "a change that was sent: {kinds:?}");
    // A call that gets no connection has sent nothing.
    let known = |kind: &StoreErrorKind| unknown(kind) || *kind == StoreErrorKind::Unavailable;
    assert!(kinds.iter().all(known), "{kinds:?}");

    proxy.end_silence();
    for n in 0..4 {
        timeout(ENDLESS, redeem(n)).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(uses(&invitations).await, 4);
}

fn kind<T>(told: Result<T, Error>) -> StoreErrorKind {
    match told {
        Err(Error::Store(error)) => error.kind(),
        Err(other) => panic!("no failure of the store: {other:?}"),
        Ok(_) => panic!("a call succeeds on a silent network"),
    }
}
