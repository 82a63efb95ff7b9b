//! The indexes that queries rely on exist in the schema of each database, with the columns that
//! the queries expect.

use invitation_sqlx::{
    PgStore, SqliteStore,
    sqlx::{self, AssertSqlSafe, PgPool},
};

use super::TURN;

#[path = "../../src/list/index.rs"]
#[expect(dead_code, reason = "the store uses the rest")]
mod index;

use index::Index;

/// Returns all indexes. The match does not compile without a new one.
fn all() -> Vec<Index> {
    use Index::*;

    let all = [
        CodesKey,
        CodesNewest,
        CodesNewestAnywhere,
        CodesRole,
        CodesInviter,
        CodesBatch,
        CodesTag,
        CodesInvitee,
        StatesKey,
        StatesAnywhere,
        StatesValid,
        StatesValidAnywhere,
        StatesValidBy,
        TermsKey,
        DocumentsKey,
        DocumentsDue,
        DocumentsNewest,
        DocumentsState,
        DocumentsDivision,
        DocumentsInvitation,
    ];
    all.map(|index| match index {
        CodesKey | CodesNewest | CodesNewestAnywhere | CodesRole | CodesInviter | CodesBatch
        | CodesTag | CodesInvitee | StatesKey | StatesAnywhere | StatesValid
        | StatesValidAnywhere | StatesValidBy | TermsKey | DocumentsKey | DocumentsDue
        | DocumentsNewest | DocumentsState | DocumentsDivision | DocumentsInvitation => index,
    })
    .to_vec()
}

/// Returns the columns of an index. `has_partial` says whether the database has partial indexes,
/// which leave out the state.
fn expected(index: Index, has_partial: bool) -> Vec<&'static str> {
    let is_partial = has_partial && index.name().starts_with("states_valid");
    let columns = index.columns().iter().copied();
    columns.filter(|column| !is_partial || *column != "state").collect()
}

fn assert_begins(index: Index, columns: &[String], expected: &[&str]) {
    let begins = columns.iter().zip(expected).filter(|(a, b)| a == b).count();
    assert_eq!(begins, expected.len(), "{index:?}: {columns:?} instead of {expected:?}");
}

#[tokio::test]
async fn postgres_schema_has_the_indexes() {
    // Other tests read the statements of a migration in the log of the process.
    let _turn = TURN.lock().await;
    let url = invitation_testkit::Postgres::shared().create_database();
    let store = PgStore::new(PgPool::connect(&url).await.unwrap());
    store.migrate().await.unwrap();
    for index in all() {
        let name = if index.is_key() {
            format!("{}_pkey", index.table())
        } else {
            index.name().to_owned()
        };
        let sql = format!(
            "SELECT attname::TEXT FROM pg_attribute
             WHERE attrelid = 'invitation_{name}'::regclass ORDER BY attnum"
        );
        let columns = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(store.pool()).await.unwrap();
        assert_begins(index, &columns, &expected(index, true));
    }
}

#[tokio::test]
async fn sqlite_schema_has_the_indexes() {
    // Other tests read the statements of a migration in the log of the process.
    let _turn = TURN.lock().await;
    let store = SqliteStore::in_memory().await.unwrap();
    for index in all() {
        let (table, name) = (index.table(), index.name());
        let sql = if index.is_key() {
            format!(
                "SELECT name FROM pragma_table_info('invitation_{table}') WHERE pk > 0 ORDER BY pk"
            )
        } else {
            format!("SELECT name FROM pragma_index_info('invitation_{name}') ORDER BY seqno")
        };
        let columns = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(store.pool()).await.unwrap();
        assert_begins(index, &columns, &expected(index, true));
    }
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn mariadb_schema_has_the_indexes() {
    // Other tests read the statements of a migration in the log of the process.
    let _turn = TURN.lock().await;
    let url = invitation_testkit::MariaDb::shared().create_database();
    let pool = sqlx::MySqlPool::connect(&url).await.unwrap();
    invitation_sqlx::MySqlStore::new(pool.clone()).migrate().await.unwrap();
    for index in all() {
        let prefix = if index.is_key() { "" } else { "invitation_" };
        let sql = format!(
            "SELECT column_name FROM information_schema.statistics
             WHERE table_schema = DATABASE() AND table_name = 'invitation_{}'
             AND index_name = '{prefix}{}' ORDER BY seq_in_index",
            index.table(),
            index.name()
        );
        let columns = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap();
        assert_begins(index, &columns, &expected(index, false));
    }
}
