//! A redemption on MariaDB is one message of several statements. If any of them fails, none
//! of their changes is kept, and no transaction stays open.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

mod support;

use std::{num::NonZeroU32, time::Duration};

use invitation_core::{Draft, Error, Invitations, Role, StoreErrorKind};
use invitation_sqlx::{
    MySqlStore,
    sqlx::{self, AssertSqlSafe, MySql, MySqlPool, Transaction, mysql::MySqlPoolOptions},
};
use invitation_testkit::DropAfter;
use invitation_testkit::MariaDb;
use support::{admin, redeemer, trail, uses};

/// The changes of a redemption after the guarded update. The second use of a code for two
/// makes all of them.
const LATER: [&str; 4] = [
    "INSERT ON invitation_events",
    "UPDATE ON invitation_states",
    "INSERT ON invitation_redemptions",
    "INSERT ON invitation_search_terms",
];

/// A service on a pool of one connection, a host's table, and a second pool.
struct Host {
    invitations: Invitations<MySqlStore>,
    others: MySqlPool,
}

impl Host {
    async fn new() -> Self {
        let url = MariaDb::shared().create_database();
        let others = MySqlPool::connect(&url).await.unwrap();
        let one = MySqlPoolOptions::new().max_connections(1);
        let store = MySqlStore::new(one.connect(&url).await.unwrap());
        store.migrate().await.unwrap();
        let users = "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY) ENGINE = InnoDB";
        sqlx::raw_sql(users).execute(&others).await.unwrap();
        Self { invitations: Invitations::new(store), others }
    }

    /// Returns a code with one of its two uses left.
    async fn half_used(&self) -> String {
        let draft = Draft::new().with_role(Role::new("staff").unwrap());
        let draft = draft.for_uses(NonZeroU32::new(2).unwrap());
        let code = self.invitations.create(&admin(), draft).await.unwrap().code().reveal();
        self.invitations.redeem(&code, &redeemer("first")).await.unwrap();
        code.to_string()
    }

    /// Makes every such change fail from now on.
    async fn forbid(&self, change: &str) {
        let sql = format!(
            "CREATE TRIGGER forbidden BEFORE {change} FOR EACH ROW \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.others).await.unwrap();
    }

    async fn allow(&self) {
        sqlx::raw_sql("DROP TRIGGER forbidden").execute(&self.others).await.unwrap();
    }

    async fn users(&self) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(&self.others).await.unwrap()
    }
}

async fn add_user(tx: &mut Transaction<'_, MySql>, name: &str) -> sqlx::Result<()> {
    let add = sqlx::query("INSERT INTO users (name) VALUES (?)").bind(name);
    add.execute(&mut **tx).await.map(|_| ())
}

fn is_plain_failure(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.kind() == StoreErrorKind::Other)
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_message_keeps_nothing_and_resets_the_connection() {
    for change in LATER {
        let host = Host::new().await;
        let code = host.half_used().await;
        let before = trail(&host.invitations).await;
        host.forbid(change).await;
        let error = host.invitations.redeem(&code, &redeemer("anna")).await.unwrap_err();
        assert!(is_plain_failure(&error), "{change}: {error:?}");
        // The failed message leaves no lock behind, so this can remove the trigger.
        host.allow().await;
        // This statement is an error inside a transaction, on MariaDB and on MySQL.
        let outside = "SET TRANSACTION READ WRITE";
        let pool = host.invitations.store().pool();
        let mut conn = pool.acquire().await.unwrap();
        sqlx::raw_sql(outside).execute(&mut *conn).await.unwrap();
        let autocommit = "SELECT CAST(@@autocommit AS SIGNED)";
        let is_on: i64 = sqlx::query_scalar(autocommit).fetch_one(&mut *conn).await.unwrap();
        assert_eq!(is_on, 1, "{change}");
        drop(conn);
        assert_eq!(uses(&host.invitations).await, 1, "{change}");
        assert_eq!(trail(&host.invitations).await, before, "{change}");
        let again = host.invitations.redeem(&code, &redeemer("anna")).await.unwrap();
        assert!(!again.is_replayed(), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_message_in_a_host_transaction_keeps_only_the_hosts_work() {
    for change in LATER {
        let host = Host::new().await;
        let code = host.half_used().await;
        let before = trail(&host.invitations).await;
        host.forbid(change).await;
        let mut tx = host.others.begin().await.unwrap();
        add_user(&mut tx, "before").await.unwrap();
        let inside = host.invitations.on(host.invitations.store().join(&mut tx));
        let error = inside.redeem(&code, &redeemer("anna")).await.unwrap_err();
        assert!(is_plain_failure(&error), "{change}: {error:?}");
        add_user(&mut tx, "after").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(host.users().await, 2, "{change}");
        assert_eq!(uses(&host.invitations).await, 1, "{change}");
        assert_eq!(trail(&host.invitations).await, before, "{change}");
    }
}

/// The caller, or the host's next statement, then never sees the error.
#[tokio::test(flavor = "multi_thread")]
async fn failed_message_dropped_before_its_answer_keeps_nothing() {
    let host = Host::new().await;
    let code = host.half_used().await;
    let before = trail(&host.invitations).await;
    host.forbid("INSERT ON invitation_search_terms").await;
    let (mut users, mut dropped) = (0, 0);
    for polls in 0..24 {
        let anna = redeemer("anna");
        dropped +=
            i32::from(DropAfter::new(host.invitations.redeem(&code, &anna), polls).await.is_none());
        let mut tx = host.others.begin().await.unwrap();
        add_user(&mut tx, &format!("before-{polls}")).await.unwrap();
        {
            let inside = host.invitations.on(host.invitations.store().join(&mut tx));
            dropped +=
                i32::from(DropAfter::new(inside.redeem(&code, &anna), polls).await.is_none());
        }
        let rest = async {
            let next = add_user(&mut tx, &format!("next-{polls}")).await;
            add_user(&mut tx, &format!("after-{polls}")).await.unwrap();
            tx.commit().await.unwrap();
            users += if next.is_ok() { 3 } else { 2 };
        };
        tokio::time::timeout(Duration::from_secs(20), rest).await.unwrap();
        assert_eq!(host.users().await, users, "dropped after {polls} polls");
        assert_eq!(uses(&host.invitations).await, 1, "dropped after {polls} polls");
        assert_eq!(trail(&host.invitations).await, before, "dropped after {polls} polls");
    }
    // A call waits for each round trip; on a busy machine, several answers may arrive at once.
    assert!(dropped > 3, "{dropped}");
    host.allow().await;
    host.invitations.redeem(&code, &redeemer("anna")).await.unwrap();
}
