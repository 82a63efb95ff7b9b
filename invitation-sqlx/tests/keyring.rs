//! With a keyring, no row of any table contains a code.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(feature = "mysql", feature = "postgres", feature = "sqlite"))]

mod support;

use invitation_core::{
    Criteria, Draft, IfVersion, Invitations, OsEntropy, Paging, Reserved, Sealing,
    code::keyring::{KeyId, KeySecret, Keyring},
};
use invitation_sqlx::{
    SqlStore,
    sqlx::{AssertSqlSafe, Executor, MySql, Pool, Postgres, Row, Sqlite},
};
use invitation_testkit::Canary;
use support::{
    admin,
    host::{Kind, tables, unsynced_pool},
    manager, redeemer,
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

fn sealing() -> Sealing {
    let secret = KeySecret::generate(&OsEntropy).unwrap();
    Sealing::keyring(Keyring::new(KeyId::new("k1").unwrap(), &secret))
}

/// Uses codes in every way that touches a store. Returns them.
async fn live<DB: Dump>(invitations: &Invitations<SqlStore<DB>>) -> Vec<Canary> {
    let mut codes = Vec::new();
    for n in 0..3 {
        let created = invitations.create(&manager(), Draft::new()).await.unwrap();
        let (id, code) = (created.invitation().id(), created.code().reveal());
        invitations.copy(&manager(), id).await.unwrap();
        for text in [&code[..4], &code[..9], &code[..]] {
            let criteria = Criteria::new().matching(text);
            let found = invitations.list(&manager(), &criteria, Paging::default()).await.unwrap();
            assert_eq!(found.items().len(), 1);
        }
        let reserved = invitations.reserve(&code, &redeemer(&format!("r{n}"))).await.unwrap();
        assert!(matches!(reserved, Reserved::Open(_)));
        let rotated = invitations.rotate(&admin(), id, IfVersion::Any).await.unwrap();
        let new = rotated.code().reveal();
        invitations.redeem(&new, &redeemer(&format!("n{n}"))).await.unwrap();
        invitations.redeem(&new, &redeemer("late")).await.unwrap_err();
        invitations.redeem(&code, &redeemer("late")).await.unwrap_err();
        codes.extend([Canary::new(&code), Canary::new(&new)]);
    }
    let unused = invitations.create(&manager(), Draft::new()).await.unwrap();
    codes.push(Canary::new(&unused.code().reveal()));
    codes
}

async fn dump_contains_no_code<DB: Dump>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 4).await);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store.clone());

    // The dump would show a code: without a keyring it does.
    let readable = invitations.create(&manager(), Draft::new()).await.unwrap();
    let readable = Canary::new(&readable.code().reveal());
    assert_eq!(readable.trace_in(&dump(store.pool()).await), Some("symbols upper"));

    let invitations = invitations.with_sealing(sealing());
    let page = invitations.reseal(&admin(), Paging::default()).await.unwrap();
    assert_eq!(page.resealed(), 1);
    let mut codes = live(&invitations).await;
    codes.push(readable);
    let contents = dump(store.pool()).await;
    assert!(contents.windows(2).any(|bytes| bytes == b"k1"), "rows name their key");
    for (n, code) in codes.iter().enumerate() {
        assert_eq!(code.trace_in(&contents), None, "code {n}");
    }
}

mod sqlite {
    #[tokio::test(flavor = "multi_thread")]
    async fn dump_contains_no_code() {
        super::dump_contains_no_code::<super::Sqlite>().await;
    }
}

mod postgres {
    #[tokio::test(flavor = "multi_thread")]
    async fn dump_contains_no_code() {
        super::dump_contains_no_code::<super::Postgres>().await;
    }
}

mod mysql {
    #[tokio::test(flavor = "multi_thread")]
    async fn dump_contains_no_code() {
        super::dump_contains_no_code::<super::MySql>().await;
    }
}
