//! Faults on PostgreSQL. Tests of broken connections are in `postgres_lost.rs`.

use std::{str::FromStr as _, time::Duration};

use invitation_core::{Draft, Error, Invitations, StoreError, StoreErrorKind};
use invitation_sqlx::{
    PgStore,
    sqlx::{self, Connection, Postgres},
};
use invitation_testkit::DropAfter;

use tokio::time::timeout;

use crate::{
    promises::{Failing, promises},
    support::{
        create,
        host::{Host, Kind, add_user, number, try_to_add_user, unsynced_pool},
        manager, redeemer, redemptions_on_record, trail, uses,
    },
};

promises!(Postgres);

impl Failing for Postgres {
    const FILL: &'static str = "CREATE FUNCTION no_room() RETURNS TRIGGER LANGUAGE plpgsql \
         AS $$ BEGIN RAISE EXCEPTION 'no room for evidence'; END $$; \
         CREATE TRIGGER no_room BEFORE INSERT ON invitation_events \
         FOR EACH ROW EXECUTE FUNCTION no_room()";
    const CLEAR: &'static str = "DROP TRIGGER no_room ON invitation_events";
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_call_leaves_nothing_on_the_connection() {
    let database = Postgres::empty();
    let store = PgStore::new(unsynced_pool(&database.url, 1).await);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store);
    let anna = redeemer("anna");
    for polls in 0..40 {
        let (_, code) = create(&invitations).await;
        let done = DropAfter::new(invitations.redeem(&code, &anna), polls).await;
        let again = invitations.redeem(&code, &anna).await.unwrap();
        assert!(again.is_replayed() || done.is_none(), "dropped after {polls} polls");
        let made = u32::try_from(polls + 1).unwrap();
        assert_eq!(uses(&invitations).await, made, "dropped after {polls} polls");
        assert_eq!(redemptions_on_record(&invitations).await, polls + 1);
    }
}

/// The server may have begun a transaction for a call that is dropped before the answer.
#[tokio::test(flavor = "multi_thread")]
async fn call_dropped_at_any_await_leaves_no_transaction_open() {
    const OPEN: &str = "SELECT COUNT(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let database = Postgres::empty();
    let watcher = unsynced_pool::<Postgres>(&database.url, 1).await;
    let store = PgStore::new(unsynced_pool(&database.url, 1).await);
    store.migrate().await.unwrap();
    let pool = store.pool().clone();
    let invitations = Invitations::new(store);
    let mut finished = false;
    for polls in 0.. {
        assert!(polls < 200, "a creation is not that long");
        let draft = Draft::new();
        let manager = manager();
        finished |= DropAfter::new(invitations.create(&manager, draft), polls).await.is_some();
        // What comes next on the pool may not find a transaction on the connection.
        let mut conn = pool.acquire().await.unwrap();
        sqlx::raw_sql("SELECT 1").execute(&mut *conn).await.unwrap();
        let ended = async {
            while number(&watcher, OPEN).await > 0 {
                tokio::task::yield_now().await;
            }
        };
        let patience = Duration::from_secs(10);
        timeout(patience, ended).await.expect("a transaction stays open");
        drop(conn);
        if finished {
            break;
        }
    }
}

/// The server answers COMMIT of a failed transaction with ROLLBACK, which is no error.
#[tokio::test(flavor = "multi_thread")]
async fn commit_of_a_failed_host_transaction_is_an_error_and_keeps_nothing() {
    for is_nested in [false, true] {
        let host = Host::<Postgres>::new().await;
        let (_, code) = create(&host.invitations).await;
        let mut tx = host.begin().await;
        add_user(&mut tx, "anna").await;
        if is_nested {
            let mut inner = tx.begin().await.unwrap();
            go_on_after_a_failure(&host, &code, &mut inner).await;
            inner.commit().await.unwrap_err();
        } else {
            go_on_after_a_failure(&host, &code, &mut tx).await;
        }
        tx.commit().await.unwrap_err();
        assert_eq!((host.users().await, uses(&host.invitations).await), (0, 0));

        // The host repeats its whole transaction.
        let mut tx = host.begin().await;
        add_user(&mut tx, "anna").await;
        let joined = host.invitations.on(host.invitations.store().join(&mut tx));
        joined.redeem(&code, &redeemer("anna")).await.unwrap();
        drop(joined);
        tx.commit().await.unwrap();
        assert_eq!((host.users().await, uses(&host.invitations).await), (1, 1));
    }
}

/// After a failover, a pool may still lead to the former primary server, which only reads. The
/// server refuses each write before it does anything.
#[tokio::test(flavor = "multi_thread")]
async fn server_that_only_reads_is_unavailable_and_keeps_nothing() {
    let database = Postgres::empty();
    let primary = PgStore::new(unsynced_pool(&database.url, 1).await);
    primary.migrate().await.unwrap();
    let primary = Invitations::new(primary);
    let (_, code) = create(&primary).await;
    let before = trail(&primary).await;

    let options = sqlx::postgres::PgConnectOptions::from_str(&database.url).unwrap();
    let options = options.options([("default_transaction_read_only", "on")]);
    let pool = sqlx::PgPool::connect_with(options).await.unwrap();
    let standby = Invitations::new(PgStore::new(pool));
    let error = standby.redeem(&code, &redeemer("anna")).await.unwrap_err();
    assert_eq!(store_error(error).kind(), StoreErrorKind::Unavailable);
    let error = standby.create(&manager(), Draft::new()).await.unwrap_err();
    assert_eq!(store_error(error).kind(), StoreErrorKind::Unavailable);
    // Callers at the same moment share a statement.
    let callers: Vec<_> = (0..8).map(|n| redeemer(&format!("n-{n}"))).collect();
    let answers = callers.iter().map(|caller| standby.redeem(&code, caller));
    for answer in futures_util::future::join_all(answers).await {
        assert_eq!(store_error(answer.unwrap_err()).kind(), StoreErrorKind::Unavailable);
    }
    assert_eq!(uses(&standby).await, 0, "reading works");
    assert_eq!(trail(&primary).await, before);
    primary.redeem(&code, &redeemer("anna")).await.unwrap();
}

fn store_error(error: Error) -> StoreError {
    let Error::Store(error) = error else { panic!("{error}") };
    error
}

/// What a host does that looks at no error.
async fn go_on_after_a_failure(
    host: &Host<Postgres>,
    code: &str,
    tx: &mut sqlx::Transaction<'_, Postgres>,
) {
    sqlx::raw_sql("SELECT 1 / 0").execute(&mut **tx).await.unwrap_err();
    let joined = host.invitations.on(host.invitations.store().join(tx));
    for _ in 0..2 {
        let told = joined.redeem(code, &redeemer("anna")).await;
        let Err(Error::Store(error)) = told else { panic!("it has failed: {told:?}") };
        assert!(error.transaction_ended(), "{error:?}");
    }
    drop(joined);
    try_to_add_user(tx, "ben").await.unwrap_err();
}
