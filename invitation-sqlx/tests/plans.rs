//! Query plans of the frequent queries: each uses its intended index, and none scans a
//! whole table. PostgreSQL logs the plans that it executed, at 100,000 rows. SQLite
//! explains the plan that it would use. MariaDB also counts the rows that it read; for statements with
//! addresses, which are logged without their values, only these count.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(feature = "postgres", feature = "sqlite"))]

#[path = "plans/all_terms.rs"]
mod all_terms;
#[path = "plans/by_validity_length.rs"]
mod by_validity_length;
#[path = "plans/counts.rs"]
mod counts;
#[path = "plans/documents.rs"]
mod documents;
#[path = "plans/indexes.rs"]
mod indexes;
#[path = "plans/kept.rs"]
mod kept;
#[cfg(feature = "mysql")]
#[path = "plans/mariadb.rs"]
mod mariadb;
mod support;
#[path = "plans/unanalyzed.rs"]
mod unanalyzed;

use std::{str::FromStr, sync::LazyLock};

use invitation_core::{
    BatchId, Clock, CorrelationId, Criteria, Division, Draft, Email, EventCriteria, InvitationId,
    Invitations, Paging, Role, Status, Store, SystemClock, TimeRange, UserId,
    import::{Import, ImportRow},
};
use invitation_sqlx::{
    PgStore, SqliteStore,
    sqlx::{
        self, AssertSqlSafe, PgPool, Row, SqlitePool,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};
use invitation_testkit::Log;
use support::{admin, manager, redeemer};
use tokio::sync::Mutex as Turn;

const ROWS: u32 = 100_000;

/// Invitations, states and search terms, as in the bench.
const MIXED: &str = concat!(
    include_str!("../../benches/benches/postgres/mixed.sql"),
    include_str!("../../benches/benches/postgres/rows.sql")
);
/// An event for each invitation; redemptions and reservations for some.
const MORE: &str = "
    INSERT INTO invitation_events
        (id, at, actor, actor_role, action, outcome, invitation, division, correlation)
    SELECT id, created_at, inviter, inviter_role, 'create', 'succeeded', id, division,
        CASE WHEN used_by IS NULL THEN encode(id, 'hex') ELSE 'nightly' END
    FROM invitation_codes;
    INSERT INTO invitation_leases
        (invitation, user_id, id, username, held_since, held_until, division)
    SELECT id, 'u-1', id, 'anna', created_at, created_at, division
    FROM invitation_codes ORDER BY id LIMIT 20000;
    INSERT INTO invitation_redemptions
        (invitation, user_id, id, username, at, role)
    SELECT id, 'u-1', id, 'anna', created_at, role FROM invitation_codes ORDER BY id LIMIT 20000;
    VACUUM ANALYZE;";

/// Returns the log of this program.
fn log() -> &'static Log {
    static LOG: LazyLock<Log> = LazyLock::new(|| {
        let log = Log::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
            .with_writer(log.writer())
            .with_ansi(false)
            .init();
        log
    });
    &LOG
}

/// Only one test at a time, because the tests share the log.
static TURN: Turn<()> = Turn::const_new(());

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Question {
    Get,
    Redeem,
    FirstPage,
    FirstPageOfAll,
    MiddlePage,
    Of(Status),
    SoonestExpiry,
    NextToExpire,
    ExpiringWithin(i64),
    SoonestExpiryOfAll,
    SoonestExpiryBy(&'static str),
    SoonestExpirySearch(&'static str),
    Search(&'static str),
    Role,
    Inviter,
    Batch,
    StatusCounts,
    CountsOf(&'static str),
    EventsOfOne,
    EventsOfRequest(&'static str),
    Reservations,
    /// Which of many addresses are invited.
    Invited,
}

/// Each query with the indexes that may serve it.
const QUESTIONS: &[(Question, &[&str])] = &[
    (Question::Get, &["codes_pkey"]),
    (Question::Redeem, &["codes_digest_key"]),
    (Question::FirstPage, &["codes_newest", "codes_pkey"]),
    (Question::FirstPageOfAll, &["codes_newest_anywhere", "codes_pkey"]),
    (Question::MiddlePage, &["codes_newest", "codes_pkey"]),
    (Question::Of(Status::Active), &["states_pkey", "codes_pkey"]),
    (Question::Of(Status::Expired), &["states_pkey", "codes_pkey"]),
    (Question::Of(Status::Used), &["states_pkey", "codes_pkey"]),
    (Question::Of(Status::Revoked), &["states_pkey", "codes_pkey"]),
    (Question::SoonestExpiry, &["states_valid", "codes_pkey"]),
    (Question::NextToExpire, &["states_valid", "codes_pkey"]),
    (Question::ExpiringWithin(1), &["states_valid", "codes_pkey"]),
    (Question::SoonestExpiryOfAll, &["states_valid_anywhere", "codes_pkey"]),
    (Question::SoonestExpiryBy("u-7"), &["states_valid_by", "codes_pkey"]),
    (Question::SoonestExpirySearch("rarely"), &["search_terms_pkey", "codes_pkey"]),
    (Question::Search("rarely"), &["search_terms_pkey", "codes_pkey"]),
    (Question::Search("example"), &["search_terms_pkey", "codes_pkey"]),
    (Question::Search("rarely example"), &["search_terms_pkey", "search_terms_of", "codes_pkey"]),
    (Question::Search("anna west"), &["search_terms_pkey"]),
    (Question::Search("absent"), &["search_terms_pkey"]),
    (Question::Role, &["codes_role", "codes_pkey"]),
    (Question::Inviter, &["codes_inviter", "codes_pkey"]),
    (Question::Batch, &["codes_batch", "codes_pkey"]),
    (Question::StatusCounts, &["states_valid"]),
    (Question::CountsOf("rarely"), &["search_terms_pkey", "codes_pkey"]),
    (Question::CountsOf("example"), &["search_terms_pkey", "codes_pkey"]),
    (Question::CountsOf("anna west"), &["search_terms_pkey", "codes_pkey"]),
    (Question::EventsOfOne, &["events_invitation"]),
    (Question::EventsOfRequest("req-7"), &["events_correlation"]),
    (Question::EventsOfRequest("nightly"), &["events_correlation"]),
    (Question::Reservations, &["leases_newest_anywhere"]),
    (Question::Invited, &["codes_invitee"]),
];

/// Returns the index on PostgreSQL, which has a separate index for active or expired
/// invitations. By its statistics it finds a common request among the newest events.
fn on_postgres(question: Question, index: &'static str) -> &'static str {
    match (question, index) {
        (Question::Of(Status::Active | Status::Expired), "states_pkey") => "states_by_length",
        (Question::EventsOfRequest("nightly"), "events_correlation") => "events_newest",
        _ => index,
    }
}

async fn ask<S: Store>(
    invitations: &Invitations<S>,
    question: Question,
    id: InvitationId,
    code: &str,
) {
    let list = async |criteria: Criteria| {
        let page = Paging::first(50).unwrap();
        invitations.list(&manager(), &criteria, page).await.unwrap()
    };
    match question {
        Question::Get => {
            invitations.get(&manager(), id).await.unwrap();
        }
        Question::Redeem => {
            invitations.redeem(code, &redeemer("anna")).await.unwrap();
        }
        Question::FirstPage => {
            list(Criteria::new()).await;
        }
        Question::FirstPageOfAll => {
            let page = Paging::first(50).unwrap();
            invitations.list(&admin(), &Criteria::new(), page).await.unwrap();
        }
        Question::MiddlePage => {
            let first = list(Criteria::new()).await;
            let Some(next) = first.next() else { return };
            let page = Paging::first(50).unwrap().after(next);
            invitations.list(&manager(), &Criteria::new(), page).await.unwrap();
        }
        Question::Of(status) => {
            list(Criteria::new().with_status(status)).await;
        }
        Question::SoonestExpiry => {
            list(Criteria::new().soonest_expiry_first()).await;
        }
        Question::NextToExpire => {
            let criteria = Criteria::new().soonest_expiry_first();
            let Some(next) = list(criteria.clone()).await.next() else { return };
            let page = Paging::first(50).unwrap().after(next);
            invitations.list(&manager(), &criteria, page).await.unwrap();
        }
        Question::ExpiringWithin(days) => {
            let now = SystemClock.now();
            let until = now.checked_add(time::Duration::days(days));
            let soon = TimeRange { from: None, until };
            list(Criteria::new().soonest_expiry_first().expiring_within(soon)).await;
        }
        Question::SoonestExpiryOfAll => {
            let page = Paging::first(50).unwrap();
            let criteria = Criteria::new().soonest_expiry_first();
            invitations.list(&admin(), &criteria, page).await.unwrap();
        }
        Question::SoonestExpiryBy(user) => {
            let by = Criteria::new().by_inviter(UserId::new(user).unwrap());
            list(by.soonest_expiry_first()).await;
        }
        Question::SoonestExpirySearch(text) => {
            list(Criteria::new().soonest_expiry_first().matching(text)).await;
        }
        Question::Search(text) => {
            list(Criteria::new().matching(text)).await;
        }
        Question::Role => {
            list(Criteria::new().with_role(Role::new("manager").unwrap())).await;
        }
        Question::Inviter => {
            list(Criteria::new().by_inviter(UserId::new("u-7").unwrap())).await;
        }
        Question::Batch => {
            list(Criteria::new().in_batch(BatchId::from_bytes([7; 16]))).await;
        }
        Question::StatusCounts => {
            invitations.counts(&manager(), &Criteria::new()).await.unwrap();
        }
        Question::CountsOf(text) => {
            invitations.counts(&manager(), &Criteria::new().matching(text)).await.unwrap();
        }
        Question::EventsOfOne => {
            let criteria = EventCriteria::new().about(id);
            invitations.events(&admin(), &criteria, Paging::first(50).unwrap()).await.unwrap();
        }
        Question::EventsOfRequest(request) => {
            let criteria =
                EventCriteria::new().with_correlation(CorrelationId::new(request).unwrap());
            let page = Paging::first(50).unwrap();
            let found = invitations.events(&admin(), &criteria, page).await.unwrap();
            if let Some(next) = found.next() {
                invitations.events(&admin(), &criteria, page.after(next)).await.unwrap();
            }
        }
        Question::Reservations => {
            let page = Paging::first(50).unwrap();
            invitations.reservations(&admin(), None, page).await.unwrap();
        }
        Question::Invited => {
            let rows = Import::new((0..500).map(invited).collect());
            invitations.rehearse(&admin(), rows).await.unwrap();
        }
    }
}

/// Returns a row of an import, for one of the addresses.
fn invited(n: u32) -> ImportRow {
    let email = Email::parse(&format!("person{}.anna@example.com", n * 10)).unwrap();
    let draft = Draft::new().with_role(Role::new("staff").unwrap());
    ImportRow::Draft(draft.in_division(Division::new("sales").unwrap()).for_email(email))
}

/// Returns a connection that receives the plan of each statement as a notice.
async fn explaining(url: &str) -> PgPool {
    let options = PgConnectOptions::from_str(url).unwrap().options([
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_level", "notice"),
        ("auto_explain.log_analyze", "on"),
        ("auto_explain.log_buffers", "on"),
    ]);
    PgPoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_uses_the_intended_indexes() {
    let _turn = TURN.lock().await;
    let log = log();
    let url = invitation_testkit::Postgres::shared().create_database();
    let store = PgStore::new(PgPool::connect(&url).await.unwrap());
    store.migrate().await.unwrap();
    let fill = MIXED.replace("{rows}", &ROWS.to_string());
    for sql in [fill.as_str(), MORE] {
        for part in sql.split(';').filter(|part| !part.trim().is_empty()) {
            sqlx::raw_sql(AssertSqlSafe(part)).execute(store.pool()).await.unwrap();
        }
    }
    let invitations = Invitations::new(PgStore::new(explaining(&url).await));
    for (question, indexes) in QUESTIONS {
        // Repeated often enough for PostgreSQL to switch to generic plans.
        for _ in 0..8 {
            let created = invitations.create(&manager(), Draft::new()).await.unwrap();
            let (id, code) = (created.invitation().id(), created.code().reveal().to_string());
            log.clear();
            ask(&invitations, *question, id, &code).await;
            let plans = log.take();
            for index in indexes.iter().map(|index| on_postgres(*question, index)) {
                // The index scan itself, or the bitmap scan that finds the rows.
                let forms = [format!("invitation_{index} on "), format!(" on invitation_{index} ")];
                let is_used = forms.iter().any(|form| plans.contains(form));
                assert!(is_used, "{question:?} is to use {index}:\n{plans}");
            }
            let whole = plans.lines().find(|line| line.contains("Seq Scan on invitation_"));
            assert_eq!(whole, None, "{question:?}:\n{plans}");
        }
    }
    // A page takes up to eight calls to the store, each of which examines a thousand invitations.
    let (found, pages) = all_terms::all(&invitations, "anna west", 50).await;
    assert_eq!(found.len(), 2);
    assert!(pages < 20, "{pages} pages");
    counts::of_a_large_search_are_lower_bounds(&invitations).await;
}

/// A plan that was cached while the tables were empty still works when they have grown.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_uses_keys_before_any_analyze() {
    let _turn = TURN.lock().await;
    let log = log();
    let url = invitation_testkit::Postgres::shared().create_database();
    let store = PgStore::new(explaining(&url).await);
    store.migrate().await.unwrap();
    let grows = Invitations::new(store);
    let mut plans = String::new();
    for _ in 0..8 {
        let created = grows.create(&manager(), Draft::new()).await.unwrap();
        let (id, code) = (created.invitation().id(), created.code().reveal().to_string());
        log.clear();
        ask(&grows, Question::Redeem, id, &code).await;
        plans = log.take();
    }
    assert!(plans.contains("invitation_codes_digest_key on "), "{plans}");
    let by_key = |line: &str| line.contains("Index Cond:") && line.contains("state = $");
    assert!(plans.lines().any(by_key), "{plans}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_uses_the_intended_indexes() {
    let _turn = TURN.lock().await;
    let log = log();
    let store = SqliteStore::in_memory().await.unwrap();
    let pool = store.pool().clone();
    let invitations = Invitations::new(store);
    for (question, indexes) in QUESTIONS {
        let created = invitations.create(&manager(), Draft::new()).await.unwrap();
        let (id, code) = (created.invitation().id(), created.code().reveal().to_string());
        log.clear();
        ask(&invitations, *question, id, &code).await;
        let mut plans = String::new();
        for statement in statements(&log.take()) {
            plans.push_str(&plan(&pool, &statement).await);
        }
        for index in *indexes {
            // SQLite generates the names for keys, and has none for the key of a table without
            // row numbers.
            let names = match *index {
                "codes_pkey" => "sqlite_autoindex_invitation_codes_1".to_owned(),
                "codes_digest_key" => "sqlite_autoindex_invitation_codes_2".to_owned(),
                key if key.ends_with("_pkey") => "PRIMARY KEY".to_owned(),
                index => format!("invitation_{index}"),
            };
            assert!(plans.contains(&names), "{question:?} is to use {names}:\n{plans}");
        }
        let tables = ["i", "w", "e", "s", "x", "invitation_"];
        let whole = plans.lines().find(|line| {
            let scanned = line.strip_prefix("SCAN ").unwrap_or_default();
            let table = scanned.split(' ').next().unwrap_or_default();
            tables.iter().any(|name| table == *name || table.starts_with("invitation_"))
                && !line.contains("USING")
        });
        assert_eq!(whole, None, "{question:?}:\n{plans}");
    }
}

/// Returns the statements in a log that read or change data.
fn statements(log: &str) -> Vec<String> {
    let texts = log.split("db.statement=").skip(1).filter_map(|rest| {
        let end = rest.find(" rows_affected=")?;
        serde_json::from_str::<String>(&rest[..end]).ok()
    });
    texts.filter(|text| text.contains("invitation_")).collect()
}

async fn plan(pool: &SqlitePool, statement: &str) -> String {
    let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.trim()));
    let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail") + "\n").collect()
}
