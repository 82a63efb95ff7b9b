//! All rows of all tables, on each database.

use invitation_sqlx::{
    SqlStore,
    sqlx::{AssertSqlSafe, Executor, MySql, Pool, Postgres, Row, Sqlite},
};

use crate::{
    live,
    support::host::{Kind, tables, unsynced_pool},
};

/// How a database returns the columns of a table as bytes.
trait Dump: Kind {
    /// A query for the expressions that return the columns of the table `TABLE` as bytes.
    const COLUMNS: &'static str;
}

impl Dump for Sqlite {
    const COLUMNS: &'static str =
        r#"SELECT 'CAST("' || name || '" AS BLOB)' FROM pragma_table_info('TABLE')"#;
}

impl Dump for Postgres {
    const COLUMNS: &'static str = "SELECT CASE data_type WHEN 'bytea' THEN format('%I', column_name) \
         ELSE format('convert_to(%I::TEXT, ''UTF8'')', column_name) END \
         FROM information_schema.columns WHERE table_name = 'TABLE'";
}

impl Dump for MySql {
    const COLUMNS: &'static str = "SELECT CONCAT('CAST(`', column_name, '` AS BINARY)') \
         FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = 'TABLE'";
}

/// Returns the bytes of all rows of all tables.
async fn dump<DB: Dump>(pool: &Pool<DB>) -> Vec<u8> {
    let mut contents = Vec::new();
    for table in tables(pool).await {
        let mut conn = pool.acquire().await.unwrap();
        let columns = AssertSqlSafe(DB::COLUMNS.replace("TABLE", &table));
        let columns = DB::exec(&mut conn).fetch_all(columns).await.unwrap();
        let columns: Vec<String> = columns
            .iter()
            .map(|row| row.get::<DB::Text, _>(DB::ColumnNumber::from(0)).into())
            .collect();
        let query = format!("SELECT {} FROM {table}", columns.join(", "));
        for row in DB::exec(&mut conn).fetch_all(AssertSqlSafe(query)).await.unwrap() {
            for column in 0..columns.len() {
                let cell: Option<Vec<u8>> =
                    row.get::<DB::OptBlob, _>(DB::ColumnNumber::from(column)).into();
                contents.extend(cell.unwrap_or_default());
                contents.push(b'\n');
            }
        }
    }
    contents
}

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
