//! A connection on which the commit of an admission has failed.

use invitation_core::Invitations;
use invitation_sqlx::{
    MySqlStore,
    sqlx::{self, MySql},
};

use crate::support::{
    create,
    host::{Kind as _, add_user, number, run, unsynced_pool},
    redeemer, uses,
};

/// The driver counted the transaction of the failed commit for good, and began no other one.
#[tokio::test(flavor = "multi_thread")]
async fn pool_begins_transactions_after_a_failed_commit() {
    let database = MySql::empty();
    let store = MySqlStore::new(unsynced_pool(&database.url, 1).await);
    store.migrate().await.unwrap();
    let pool = store.pool().clone();
    run(&pool, "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await;
    let invitations = Invitations::new(store);
    let (_, code) = create(&invitations).await;

    let mut admission = invitations.admit(&code, &redeemer("anna")).await.unwrap();
    // On a cluster, a commit on another node ends the transaction like this.
    sqlx::raw_sql("ROLLBACK").execute(admission.tx()).await.unwrap();
    admission.commit().await.unwrap_err();
    assert_eq!(uses(&invitations).await, 0);

    let mut tx = pool.begin_with("START TRANSACTION").await.unwrap();
    add_user::<MySql>(&mut tx, "ben").await;
    tx.rollback().await.unwrap();
    assert_eq!(number(&pool, "SELECT COUNT(*) FROM users").await, 0);
    let admission = invitations.admit(&code, &redeemer("anna")).await.unwrap();
    admission.commit().await.unwrap();
    assert_eq!(uses(&invitations).await, 1);
}
