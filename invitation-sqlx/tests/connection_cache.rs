//! Consecutive redemptions reuse a cached connection, and return it to the pool afterwards.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use invitation_core::{Draft, Invitations, Role};
use invitation_sqlx::{
    SqlStore,
    sqlx::{Pool, pool::PoolOptions},
};
use tokio::time::timeout;

use self::support::{
    admin,
    host::{Empty, Kind, run},
    redeemer, uses,
};

mod support;

/// Long enough for a busy machine.
const LONG: Duration = Duration::from_mins(1);

/// Half of the time for which a busy connection may stay out of the pool.
const SOON: Duration = Duration::from_secs(5);

/// A host that counts how often its pool hands out a connection.
struct Host<DB: Kind> {
    invitations: Invitations<SqlStore<DB>>,
    pool: Pool<DB>,
    handed_out: Arc<AtomicUsize>,
    database: Empty,
}

impl<DB: Kind> Host<DB> {
    async fn new(connections: u32) -> Self {
        Self::with(connections, |store| store).await
    }

    async fn with(connections: u32, set: impl FnOnce(SqlStore<DB>) -> SqlStore<DB>) -> Self {
        let (database, handed_out) = (DB::empty(), Arc::new(AtomicUsize::new(0)));
        let (opened, reused) = (Arc::clone(&handed_out), Arc::clone(&handed_out));
        let pool = PoolOptions::<DB>::new()
            .max_connections(connections)
            .after_connect(move |_, _| {
                opened.fetch_add(1, Ordering::Relaxed);
                Box::pin(async { Ok(()) })
            })
            .before_acquire(move |_, _| {
                reused.fetch_add(1, Ordering::Relaxed);
                Box::pin(async { Ok(true) })
            })
            .connect(&database.url)
            .await
            .unwrap();
        let store = set(SqlStore::new(pool.clone()));
        store.migrate().await.unwrap();
        Self { invitations: Invitations::new(store), pool, handed_out, database }
    }

    async fn code(&self, uses: u32) -> String {
        let draft = Draft::new().with_role(Role::new("staff").unwrap());
        let draft = draft.for_uses(NonZeroU32::new(uses).unwrap());
        let created = self.invitations.create(&admin(), draft).await.unwrap();
        created.code().reveal().to_string()
    }

    /// Redeems a code `times` times, one after the other.
    async fn redeem(&self, times: u32) {
        let code = self.code(times).await;
        for n in 0..times {
            self.invitations.redeem(&code, &redeemer(&format!("person{n}"))).await.unwrap();
        }
    }

    /// Waits until all connections are in the pool, without acquiring one.
    async fn wait_until_all_are_idle(&self) {
        let all_idle = async {
            while self.pool.num_idle() < usize::try_from(self.pool.size()).unwrap() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(SOON, all_idle).await.unwrap();
    }
}

async fn consecutive_redemptions_reuse_a_connection<DB: Kind>() {
    let host = Host::<DB>::new(4).await;
    let before = host.handed_out.load(Ordering::Relaxed);
    host.redeem(40).await;
    let handed_out = host.handed_out.load(Ordering::Relaxed) - before;
    assert!(handed_out < 20, "forty redemptions took {handed_out} connections");
}

async fn cache_of_zero_connections_keeps_none<DB: Kind>() {
    let host = Host::<DB>::with(4, |store| store.with_connection_cache(0)).await;
    let before = host.handed_out.load(Ordering::Relaxed);
    host.redeem(20).await;
    // One connection creates the code, and one is acquired for each redemption.
    assert_eq!(host.handed_out.load(Ordering::Relaxed) - before, 21);
}

async fn idle_connections_return_to_the_pool<DB: Kind>() {
    let host = Host::<DB>::new(3).await;
    for _ in 0..3 {
        host.redeem(2).await;
        host.wait_until_all_are_idle().await;
    }
    host.redeem(2).await;
    timeout(LONG, host.pool.close()).await.unwrap();
}

/// A waiter for the last connection gets it, however busy the store is.
async fn waiter_for_the_last_connection_gets_it<DB: Kind>() {
    let host = Host::<DB>::new(2).await;
    let code = host.code(2_000).await;
    let held = host.pool.acquire().await.unwrap();
    host.invitations.redeem(&code, &redeemer("person0")).await.unwrap();
    let is_served = Arc::new(AtomicBool::new(false));
    let (pool, served) = (host.pool.clone(), Arc::clone(&is_served));
    let waiting = tokio::spawn(async move {
        let got = pool.acquire().await.unwrap();
        served.store(true, Ordering::Relaxed);
        drop(got);
    });
    let mut made = 1;
    while !is_served.load(Ordering::Relaxed) && made < 500 {
        host.invitations.redeem(&code, &redeemer(&format!("person{made}"))).await.unwrap();
        made += 1;
    }
    assert!(made < 500, "the waiter got no connection");
    drop(held);
    waiting.await.unwrap();
    assert_eq!(uses(&host.invitations).await, made);
}

/// A cached connection cannot work without the runtime in which it was opened. A connection
/// that is dropped outside of a runtime panics.
fn cached_connection_is_closed_with_its_runtime<DB: Kind>(runtime: &mut tokio::runtime::Builder) {
    let runtime = runtime.enable_all().build().unwrap();
    let host = runtime.block_on(async {
        let host = Host::<DB>::new(4).await;
        host.redeem(3).await;
        host
    });
    drop(runtime);
    drop(host);
}

/// A cached connection that the server has closed fails for one caller at most. A second
/// try of that caller returns the actual result.
async fn cached_connection_closed_by_the_server_is_not_kept<DB: Kind>(
    end_all_others: impl AsyncFn(&Pool<DB>),
) {
    let host = Host::<DB>::new(4).await;
    let other = Pool::<DB>::connect(&host.database.url).await.unwrap();
    let code = host.code(10).await;
    for n in 0..5 {
        let person = redeemer(&format!("person{n}"));
        let first = host.invitations.redeem(&code, &person).await;
        if first.is_err() {
            let again = host.invitations.redeem(&code, &person).await.unwrap();
            assert!(!again.is_replayed(), "the first try had not reached the server");
        }
        end_all_others(&other).await;
    }
    assert_eq!(uses(&host.invitations).await, 5);
}

macro_rules! on {
    ($database:ident) => {
        use invitation_sqlx::sqlx::$database;
        use tokio::runtime::Builder;

        #[tokio::test]
        async fn consecutive_redemptions_reuse_a_connection() {
            super::consecutive_redemptions_reuse_a_connection::<$database>().await;
        }

        #[tokio::test]
        async fn cache_of_zero_connections_keeps_none() {
            super::cache_of_zero_connections_keeps_none::<$database>().await;
        }

        #[tokio::test]
        async fn idle_connections_return_to_the_pool() {
            super::idle_connections_return_to_the_pool::<$database>().await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn waiter_for_the_last_connection_gets_it() {
            super::waiter_for_the_last_connection_gets_it::<$database>().await;
        }

        #[test]
        fn cached_connection_is_closed_with_its_runtime() {
            super::cached_connection_is_closed_with_its_runtime::<$database>(
                &mut Builder::new_current_thread(),
            );
            super::cached_connection_is_closed_with_its_runtime::<$database>(
                &mut Builder::new_multi_thread(),
            );
        }
    };
    ($database:ident, $end_all_others:expr) => {
        on!($database);

        #[tokio::test]
        async fn cached_connection_closed_by_the_server_is_not_kept() {
            super::cached_connection_closed_by_the_server_is_not_kept::<$database>($end_all_others)
                .await;
        }
    };
}

#[cfg(feature = "sqlite")]
mod sqlite {
    on!(Sqlite);
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::{Pool, run};

    on!(Postgres, async |pool: &Pool<Postgres>| run(pool, END_ALL_OTHERS).await);

    const END_ALL_OTHERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
}

#[cfg(feature = "mysql")]
mod mysql {
    use invitation_sqlx::sqlx::{self, Row};

    use super::Pool;

    on!(MySql, end_all_others);

    /// Runs on one connection, so that it does not close itself.
    async fn end_all_others(pool: &Pool<MySql>) {
        let mut conn = pool.acquire().await.unwrap();
        let others = "SELECT CAST(id AS UNSIGNED) FROM information_schema.processlist \
                      WHERE db = DATABASE() AND id <> CONNECTION_ID()";
        for other in sqlx::raw_sql(others).fetch_all(&mut *conn).await.unwrap() {
            let end = format!("KILL {}", other.get::<u64, _>(0));
            // The connection may have been closed meanwhile.
            sqlx::raw_sql(sqlx::AssertSqlSafe(end)).execute(&mut *conn).await.ok();
        }
    }
}
