//! The cost of operations on MariaDB: the number of statements matches the documentation.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

mod support;

use invitation_core::{Draft, Invitations, Role};
use invitation_sqlx::{
    MySqlStore,
    sqlx::{self, MySqlConnection, MySqlPool, Row, mysql::MySqlPoolOptions},
};
use invitation_testkit::MariaDb;
use support::{admin, create, redeemer};

async fn on_one_connection() -> (Invitations<MySqlStore>, MySqlPool) {
    let url = MariaDb::shared().create_database();
    let pool = MySqlPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = MySqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    (Invitations::new(store), pool)
}

/// Returns the number of statements that the connection has prepared, has executed
/// prepared, and has executed in total.
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

/// Returns the number of rows that the connection has read.
async fn rows_read(conn: &mut MySqlConnection) -> i64 {
    let sql = "SHOW SESSION STATUS LIKE 'Handler_read%'";
    let rows = sqlx::raw_sql(sql).fetch_all(conn).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(1).parse::<i64>().unwrap()).sum()
}

/// The number of codes in the table does not change the cost.
#[tokio::test(flavor = "multi_thread")]
async fn redemption_reads_only_its_own_rows() {
    let (invitations, pool) = on_one_connection().await;
    let draft = Draft::new().with_role(Role::new("staff").unwrap());
    let twice = || draft.clone().for_uses(2.try_into().unwrap());
    for codes in [1, 500] {
        let created = invitations.create_many(&admin(), vec![twice(); codes]).await.unwrap();
        let code = created[codes / 2].code().reveal();
        let mut tx = pool.begin().await.unwrap();
        for (name, is_refused) in [("anna", false), ("ben", false), ("cleo", true)] {
            let before = rows_read(&mut tx).await;
            let told = invitations
                .on(invitations.store().join(&mut tx))
                .redeem(&code, &redeemer(name))
                .await;
            assert_eq!(told.is_err(), is_refused);
            let read = rows_read(&mut tx).await - before;
            // The first operation also reads the server's metadata of the tables.
            assert!(read <= 60, "{name} of {codes}: {read} rows");
        }
        tx.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redemption_prepares_no_statement() {
    let (invitations, pool) = on_one_connection().await;
    let (_, code) = create(&invitations).await;
    let before = counters(&mut pool.acquire().await.unwrap()).await;
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    let after = counters(&mut pool.acquire().await.unwrap()).await;
    assert_eq!((after[0], after[1]), (before[0], before[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn joined_redemption_prepares_no_statement() {
    let (invitations, pool) = on_one_connection().await;
    let (_, code) = create(&invitations).await;
    let mut tx = pool.begin().await.unwrap();
    let before = counters(&mut tx).await;
    invitations
        .on(invitations.store().join(&mut tx))
        .redeem(&code, &redeemer("anna"))
        .await
        .unwrap();
    let after = counters(&mut tx).await;
    assert_eq!((after[0], after[1]), (before[0], before[1]));
    // One savepoint. Six statements of the redemption: the update, the event, the state, the
    // ledger, the search terms, the row. Renewing the savepoint: two statements. One statement
    // that ends the message, whose answer nothing waits for. The query of this counter.
    assert_eq!(after[2] - before[2], 1 + 6 + 2 + 1 + 1);
    tx.commit().await.unwrap();
}
