//! All rows of all tables, on each database.

use invitation_sqlx::{
    SqlStore,
    sqlx::{MySql, Postgres, Sqlite},
};

use crate::{
    dump::{Dump, dump},
    live,
    support::host::unsynced_pool,
};

async fn dump_contains_no_code<DB: Dump>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 4).await);
    store.migrate().await.unwrap();
    let pool = store.pool().clone();
    let secrets = live(&store, async |_, _, readable| {
        // The dump would show a code: without a keyring it does.
        assert_eq!(readable.trace_in(&dump(&pool).await), Some("secret 0: symbols upper"));
    })
    .await;
    let contents = dump(store.pool()).await;
    for id in [b"k1", b"k2"] {
        assert!(contents.windows(2).any(|bytes| bytes == id), "rows name their key");
    }
    assert_eq!(secrets.sealed.trace_in(&contents), None);
    assert_eq!(secrets.readable.trace_in(&contents), None, "it was re-sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_dump_contains_no_code() {
    dump_contains_no_code::<Sqlite>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_dump_contains_no_code() {
    dump_contains_no_code::<Postgres>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_dump_contains_no_code() {
    dump_contains_no_code::<MySql>().await;
}
