//! MariaDB explains the plan of each statement, and counts the rows that a query really
//! read.

use invitation_core::{Draft, Invitations};
use invitation_sqlx::{
    MySqlStore,
    sqlx::{self, AssertSqlSafe, MySqlConnection, MySqlPool, Row},
};

use super::{QUESTIONS, Question, ROWS, TURN, ask, log, manager, statements};

const MIXED: &str = include_str!("mixed_mariadb.sql");

/// A line of a plan: a table that a statement reads.
struct Line {
    table: String,
    way: String,
    key: String,
    rows: i64,
}

async fn plan(conn: &mut MySqlConnection, statement: &str) -> Vec<Line> {
    let sql = AssertSqlSafe(format!("EXPLAIN {}", statement.trim()));
    let rows = sqlx::raw_sql(sql).fetch_all(conn).await.unwrap();
    let text = |row: &sqlx::mysql::MySqlRow, column| {
        row.try_get::<Option<String>, _>(column).unwrap().unwrap_or_default()
    };
    rows.iter()
        .map(|row| Line {
            table: text(row, "table"),
            way: text(row, "type"),
            key: text(row, "key"),
            rows: text(row, "rows").parse().unwrap_or_default(),
        })
        .collect()
}

/// Returns the number of rows that the connection has read.
pub(super) async fn rows_read(conn: &mut MySqlConnection) -> u64 {
    let sql = "SHOW SESSION STATUS LIKE 'Handler_read%'";
    let rows = sqlx::raw_sql(sql).fetch_all(conn).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(1).parse::<u64>().unwrap()).sum()
}

/// Returns the maximum number of rows that a query reads: a small multiple of a list's
/// candidates.
fn bound(question: Question) -> u64 {
    match question {
        // Up to 10,000 of each status, collected and counted.
        Question::StatusCounts => 81_000,
        // All matches of a term, a few times over.
        Question::CountsOf(_) => 360_000,
        // Up to 5,001 search terms, collected four times, and then a scan.
        Question::Search(_) => 60_000,
        // The candidates of two pages.
        Question::MiddlePage | Question::NextToExpire => 26_000,
        // Up to 2,000 candidates, three times, and the remaining ones.
        _ => 14_000,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_uses_the_intended_indexes() {
    let _turn = TURN.lock().await;
    let log = log();
    let url = invitation_testkit::MariaDb::shared().create_database();
    let pool = MySqlPool::connect(&url).await.unwrap();
    let store = MySqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    for part in MIXED.replace("{rows}", &ROWS.to_string()).split(';') {
        sqlx::raw_sql(AssertSqlSafe(part)).execute(&pool).await.unwrap();
    }
    let invitations = Invitations::new(store);
    for (question, indexes) in QUESTIONS {
        let created = invitations.create(&manager(), Draft::new()).await.unwrap();
        let (id, code) = (created.invitation().id(), created.code().reveal().to_string());
        // Inside a host's transaction, statements are sent and logged with their values.
        let mut tx = pool.begin().await.unwrap();
        let before = rows_read(&mut tx).await;
        log.clear();
        ask(&invitations.on(invitations.store().join(&mut tx)), *question, id, &code).await;
        let sent = statements(&log.take());
        // One message may contain several statements; no value contains a semicolon.
        let asked = sent.iter().flat_map(|text| text.split(';'));
        let asked: Vec<_> = asked.filter(|text| text.contains("invitation_")).collect();
        let read = rows_read(&mut tx).await - before;
        tx.rollback().await.unwrap();

        // A statement with addresses is logged without its values, so only the rows tell how it was
        // executed.
        if asked.iter().any(|text| text.contains('?')) {
            assert!(read <= bound(*question), "{question:?} read {read} rows");
            continue;
        }
        let (mut told, mut keys) = (String::new(), Vec::new());
        let mut conn = pool.acquire().await.unwrap();
        for statement in asked.iter().filter(|text| !text.trim().starts_with("INSERT")) {
            for Line { table, way, key, rows } in plan(&mut conn, statement).await {
                let line = format!("{table} {way} {key} {rows}\n");
                told.push_str(&line);
                // A full scan of intermediate results is fine.
                let found = table.is_empty() || table.starts_with('<') || table == "f";
                assert!(found || way != "ALL", "{question:?}: {line} in {statement}");
                keys.push(key);
            }
        }
        assert!(!keys.is_empty(), "{question:?} asks something");
        assert!(read <= bound(*question), "{question:?} read {read} rows:\n{told}");
        for index in *indexes {
            let name = match *index {
                "codes_digest_key" => "digest".to_owned(),
                key if key.ends_with("_pkey") => "PRIMARY".to_owned(),
                index => format!("invitation_{index}"),
            };
            assert!(keys.contains(&name), "{question:?} is to use {name}:\n{told}");
        }
    }
    super::counts::of_a_large_search_are_lower_bounds(&invitations).await;
}
