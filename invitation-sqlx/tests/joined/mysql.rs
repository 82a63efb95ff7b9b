//! Tests of `Joined` on MariaDB and MySQL.

use invitation_sqlx::sqlx::{self, MySql, Transaction};

use crate::{
    others,
    promises::{Call, dropped_calls_and_their_failures, promises},
    support::{
        create,
        host::{Host, add_user, assert_conflict, inside, try_to_add_user},
        redeemer, trail, uses,
    },
};

promises!(MySql);

/// Returns the statements that begin a transaction with or without snapshot isolation.
/// Without it, `InnoDB` locks the present version of a row. With it, a row that has changed
/// since the transaction's snapshot is a conflict. MariaDB 11.6 and later enable it by
/// default; older versions and MySQL do not have it.
async fn beginning(level: &str, is_of_now: bool) -> Option<String> {
    let host = Host::<MySql>::new().await;
    let setting = "SHOW VARIABLES LIKE 'innodb_snapshot_isolation'";
    let is_there = sqlx::raw_sql(setting).fetch_optional(host.pool()).await.unwrap().is_some();
    let choice = match (is_there, is_of_now) {
        (true, true) => "SET SESSION innodb_snapshot_isolation = OFF; ",
        (true, false) => "SET SESSION innodb_snapshot_isolation = ON; ",
        (false, true) => "",
        (false, false) => return None,
    };
    Some(format!("{choice}SET TRANSACTION ISOLATION LEVEL {level}; START TRANSACTION"))
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_and_keys_in_an_older_transaction_are_current() {
    let begin = beginning("REPEATABLE READ", true).await.unwrap();
    others::quotas_and_keys_in_an_older_transaction_are_current::<MySql>(&begin).await;
}

/// Under snapshot isolation, locking a row that has changed since the snapshot ends the
/// transaction.
#[tokio::test(flavor = "multi_thread")]
async fn older_transaction_under_snapshot_isolation_is_a_conflict() {
    let Some(begin) = beginning("REPEATABLE READ", false).await else { return };
    let host = Host::<MySql>::new().await;
    let created = create(&host.invitations).await;
    drop(others::overtaken(&host, &begin, &created).await);
    others::again(&host, &created.1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_wait_timeout_is_a_retryable_error_and_keeps_the_hosts_work() {
    let impatient = "SET SESSION innodb_lock_wait_timeout = 1";
    others::lock_wait_timeout::<MySql>(impatient).await;
}

/// Returns a transaction of the host, and the server's id of its connection.
async fn known(host: &Host<MySql>) -> (Transaction<'static, MySql>, u64) {
    let mut tx = host.begin().await;
    let id = sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(&mut *tx).await.unwrap();
    (tx, id)
}

/// Waits until the connection waits for a lock.
async fn until_waiting(host: &Host<MySql>, connection: u64) {
    let sql = "SELECT COUNT(*) FROM information_schema.innodb_trx \
               WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id = ?";
    let looks = async {
        loop {
            let found: i64 =
                sqlx::query_scalar(sql).bind(connection).fetch_one(host.pool()).await.unwrap();
            if found == 1 {
                break;
            }
            // The server refreshes this table only after a tenth of a second without a
            // query on it.
            tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), looks).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlock_is_a_retryable_error_and_keeps_no_work_of_the_transaction() {
    for stubborn in [false, true] {
        let host = Host::<MySql>::new().await;
        let (_, code) = create(&host.invitations).await;
        let before = trail(&host.invitations).await;

        let mut tx = host.begin().await;
        add_user(&mut tx, "anna").await;
        // Another transaction holds the code, has done more work, and now wants the first
        // one's rows.
        let (mut other, number) = known(&host).await;
        inside(&mut other, others::HOLD).await;
        for n in 0..100 {
            add_user(&mut other, &format!("other-{n}")).await;
        }
        let wanting = tokio::spawn(async move {
            let told = try_to_add_user(&mut other, "anna").await;
            other.commit().await.unwrap();
            told
        });
        until_waiting(&host, number).await;

        let joined = host.invitations.on(host.invitations.store().join(&mut tx));
        assert_conflict(joined.redeem(&code, &redeemer("anna")).await);
        wanting.await.unwrap().unwrap();
        if stubborn {
            // A host that ignores errors goes on like this.
            for name in ["one", "two", "three"] {
                try_to_add_user(&mut tx, name).await.unwrap_err();
            }
            let joined = host.invitations.on(host.invitations.store().join(&mut tx));
            joined.redeem(&code, &redeemer("anna")).await.unwrap_err();
            tx.commit().await.unwrap_err();
        } else {
            drop(tx);
        }
        assert_eq!(host.users().await, 101, "those of the other");
        assert_eq!(uses(&host.invitations).await, 0);
        assert_eq!(trail(&host.invitations).await, before);

        // The host repeats its whole transaction.
        let mut tx = host.begin().await;
        host.invitations
            .on(host.invitations.store().join(&mut tx))
            .redeem(&code, &redeemer("ben"))
            .await
            .unwrap();
        add_user(&mut tx, "ben").await;
        tx.commit().await.unwrap();
        assert_eq!((uses(&host.invitations).await, host.users().await), (1, 102));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_commits_are_seen_at_every_isolation_level() {
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        let begin = beginning(level, true).await.unwrap();
        others::concurrent_commits_are_seen::<MySql>(&begin).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_creation_fails_at_most_the_next_statement() {
    let failures = dropped_calls_and_their_failures::<MySql>(Call::Creation).await;
    assert!(failures > 0, "it was dropped while it prepared, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_search_fails_at_most_the_next_statement() {
    let failures = dropped_calls_and_their_failures::<MySql>(Call::Search).await;
    assert!(failures > 0, "it was dropped while it prepared, too");
}
