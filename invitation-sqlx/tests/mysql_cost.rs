//! What operations cost on MariaDB: as many statements as the documentation says.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

mod support;

use invitation_core::Invitations;
use invitation_sqlx::{
    Joined, MySqlStore,
    sqlx::{self, MySqlConnection, MySqlPool, Row, mysql::MySqlPoolOptions},
};
use invitation_testkit::MariaDb;
use support::{create, redeemer};

async fn on_one_connection() -> (Invitations<MySqlStore>, MySqlPool) {
    let url = MariaDb::shared().create_database();
    let pool = MySqlPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = MySqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    (Invitations::new(store), pool)
}

/// How many statements the connection has prepared, has run prepared, and has run at all.
async fn counters(conn: &mut MySqlConnection) -> [i64; 3] {
    let sql = "SHOW SESSION STATUS WHERE variable_name IN \
               ('Com_stmt_execute', 'Com_stmt_prepare', 'Questions')";
    let rows = sqlx::raw_sql(sql).fetch_all(conn).await.unwrap();
    let of = |name: &str| {
        let row = rows.iter().find(|row| row.get::<String, _>(0) == name).unwrap();
        row.get::<String, _>(1).parse().unwrap()
    };
    [of("Com_stmt_prepare"), of("Com_stmt_execute"), of("Questions")]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_is_five_statements_in_a_transaction() {
    let (invitations, pool) = on_one_connection().await;
    for again in [false, true] {
        let (_, code) = create(&invitations).await;
        let before = counters(&mut pool.acquire().await.unwrap()).await;
        invitations.redeem(&code, &redeemer("anna")).await.unwrap();
        let after = counters(&mut pool.acquire().await.unwrap()).await;
        // The update, the row, the event, the standing, and the words of the name.
        assert_eq!(after[1] - before[1], 5);
        // That for an event was known from creating the code.
        assert_eq!(after[0] - before[0], if again { 0 } else { 4 }, "each is prepared once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_inside_prepares_nothing() {
    let (invitations, pool) = on_one_connection().await;
    let (_, code) = create(&invitations).await;
    let mut tx = pool.begin().await.unwrap();
    let before = counters(&mut tx).await;
    invitations.on(Joined::new(&mut tx)).redeem(&code, &redeemer("anna")).await.unwrap();
    let after = counters(&mut tx).await;
    assert_eq!((after[0], after[1]), (before[0], before[1]));
    // A savepoint, the five, the savepoint anew (two statements in one), the way back
    // that nobody waits for, and the question itself.
    assert_eq!(after[2] - before[2], 1 + 5 + 2 + 1 + 1);
    tx.commit().await.unwrap();
}
