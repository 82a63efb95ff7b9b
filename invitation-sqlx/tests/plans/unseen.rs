//! PostgreSQL on tables that it knows little of: it has never looked at them, or only while
//! they were small. No question may then look at more rows than it does on any others.

use invitation_core::{Draft, Invitations};
use invitation_sqlx::{
    PgStore,
    sqlx::{self, AssertSqlSafe, PgPool},
};

use super::{MIXED, QUESTIONS, Question, TURN, ask, explaining, log, manager, on_postgres};

/// Nobody looks at the tables of their own accord.
const LEFT_ALONE: &str = "
    ALTER TABLE invitation_codes SET (autovacuum_enabled = off);
    ALTER TABLE invitation_standings SET (autovacuum_enabled = off);
    ALTER TABLE invitation_words SET (autovacuum_enabled = off)";

/// The most rows that one step of a plan gives or leaves out.
fn bound(question: Question) -> u64 {
    match question {
        Question::Counts => 10_001,
        Question::Search(_) => 5_001,
        _ => 2_001,
    }
}

/// How many rows the steps of some plans gave or left out.
fn rows(plans: &str) -> impl Iterator<Item = (u64, &str)> {
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse::<u64>().unwrap_or_default()
    };
    plans.lines().filter_map(move |line| {
        if let Some((_, removed)) = line.split_once("Rows Removed by Filter: ") {
            return Some((number(removed), line));
        }
        let (_, actual) = line.split_once("(actual ")?;
        let (_, rows) = actual.split_once("rows=")?;
        let (_, loops) = actual.split_once("loops=")?;
        Some((number(rows) * number(loops), line))
    })
}

async fn looks_at_few_rows(size: u32, then: &str) {
    let _turn = TURN.lock().await;
    let log = log();
    let url = invitation_testkit::Postgres::shared().create_database();
    let store = PgStore::new(PgPool::connect(&url).await.unwrap());
    store.migrate().await.unwrap();
    for sql in [LEFT_ALONE, &MIXED.replace("{rows}", &size.to_string()), then] {
        for part in sql.split(';').filter(|part| !part.trim().is_empty()) {
            sqlx::raw_sql(AssertSqlSafe(part)).execute(store.pool()).await.unwrap();
        }
    }
    let created = Invitations::new(store).create(&manager(), Draft::new()).await.unwrap();
    let id = created.invitation().id;
    let invitations = Invitations::new(PgStore::new(explaining(&url).await));
    for (question, indexes) in QUESTIONS {
        if matches!(question, Question::Redeem | Question::EventsOfOne | Question::Reservations) {
            continue;
        }
        // Often enough for the plans that do without the values.
        for _ in 0..8 {
            log.clear();
            ask(&invitations, *question, id, "").await;
            let plans = log.take();
            let most = rows(&plans).max_by_key(|(rows, _)| *rows);
            let (most, line) = most.unwrap_or_else(|| panic!("{question:?} tells rows:\n{plans}"));
            assert!(most <= bound(*question), "{question:?}: {line} in\n{plans}");
            for index in *indexes {
                let index = format!("invitation_{} ", on_postgres(*question, index));
                assert!(plans.contains(&index), "{question:?} is to use {index}:\n{plans}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_looks_at_few_rows_of_tables_it_has_never_analysed() {
    looks_at_few_rows(20_000, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_looks_at_few_rows_of_small_tables() {
    looks_at_few_rows(10_000, "VACUUM ANALYZE").await;
}
