//! PostgreSQL with missing or outdated statistics: the tables were never analysed, or only
//! while they were small. Even then no query may examine more rows than usual.

use invitation_core::{
    Actor, Criteria, Division, Draft, InvitationId, Invitations, Paging, Role, Status, TimeRange,
    UserId,
};
use invitation_sqlx::{
    PgStore,
    sqlx::{self, AssertSqlSafe, postgres::PgPoolOptions},
};

use super::{MIXED, QUESTIONS, Question, TURN, admin, ask, explaining, log, manager, on_postgres};

/// Disables automatic vacuum and analyze on the tables.
pub(super) const NO_AUTOVACUUM: &str = "
    ALTER TABLE invitation_codes SET (autovacuum_enabled = off);
    ALTER TABLE invitation_states SET (autovacuum_enabled = off);
    ALTER TABLE invitation_search_terms SET (autovacuum_enabled = off)";

/// Returns the maximum number of rows that a single plan step returns or filters out.
fn bound(question: Question) -> u64 {
    match question {
        // Up to the cap of each status.
        Question::StatusCounts => 10_001,
        // All terms of each candidate, a few terms of up to 10,001 candidates.
        Question::CountsOf(_) => 60_000,
        // All terms of each candidate, a few terms of up to 5,001 candidates.
        Question::Search(_) => 30_000,
        _ => 2_001,
    }
}

/// Returns the number of rows that each plan step returned or filtered out.
pub(super) fn rows(plans: &str) -> impl Iterator<Item = (u64, &str)> {
    plans.lines().filter_map(move |line| {
        if let Some((_, removed)) = line.split_once("Rows Removed by Filter: ") {
            return Some((leading(removed), line));
        }
        let (_, actual) = line.split_once("(actual ")?;
        let (_, rows) = actual.split_once("rows=")?;
        let (_, loops) = actual.split_once("loops=")?;
        Some((leading(rows) * leading(loops), line))
    })
}

/// Returns the largest number of pages that one of these plans read.
pub(super) fn pages(plans: &str) -> u64 {
    let told = plans.lines().filter_map(|line| line.split_once("Buffers: shared "));
    let number = |told: &str, what: &str| told.split_once(what).map_or(0, |(_, n)| leading(n));
    told.map(|(_, told)| number(told, "hit=") + number(told, "read=")).max().unwrap_or_default()
}

/// Returns the number at the beginning of a text.
fn leading(text: &str) -> u64 {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().unwrap_or_default()
}

/// Creates `size` rows without automatic analyze, and one more invitation.
async fn filled(size: u32, then: &str) -> (String, InvitationId) {
    let url = invitation_testkit::Postgres::shared().create_database();
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = PgStore::new(pool);
    store.migrate().await.unwrap();
    for sql in [NO_AUTOVACUUM, &MIXED.replace("{rows}", &size.to_string()), then] {
        for part in sql.split(';').filter(|part| !part.trim().is_empty()) {
            sqlx::raw_sql(AssertSqlSafe(part)).execute(store.pool()).await.unwrap();
        }
    }
    let created = Invitations::new(store).create(&manager(), Draft::new()).await.unwrap();
    (url, created.invitation().id())
}

async fn reads_few_rows(size: u32, then: &str) {
    let _turn = TURN.lock().await;
    let log = log();
    let (url, id) = filled(size, then).await;
    let invitations = Invitations::new(PgStore::new(explaining(&url).await));
    for (question, indexes) in QUESTIONS {
        // These need a code, or rows of tables that are empty here.
        if matches!(
            question,
            Question::Redeem
                | Question::EventsOfOne
                | Question::EventsOfRequest(_)
                | Question::Reservations
        ) {
            continue;
        }
        // Repeated often enough for PostgreSQL to switch to generic plans.
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
async fn postgres_reads_few_rows_of_unanalyzed_tables() {
    reads_few_rows(20_000, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_reads_few_rows_of_small_tables() {
    reads_few_rows(10_000, "VACUUM ANALYZE").await;
}

/// Thirty of the oldest are in their own division; in the other division, few are revoked.
const SMALL: &str = "
    CREATE TEMPORARY TABLE small AS
    SELECT id FROM invitation_codes ORDER BY created_at LIMIT 30;
    UPDATE invitation_codes SET division = 'small' WHERE id IN (SELECT id FROM small);
    UPDATE invitation_states SET division = 'small' WHERE id IN (SELECT id FROM small);
    UPDATE invitation_search_terms SET division = 'small' WHERE invitation IN (SELECT id FROM small);
    CREATE TEMPORARY TABLE revoked AS
    SELECT id FROM invitation_states WHERE division = 'sales' AND state = 1
    ORDER BY created_at DESC OFFSET 10;
    DELETE FROM invitation_codes WHERE id IN (SELECT id FROM revoked);
    DELETE FROM invitation_states WHERE id IN (SELECT id FROM revoked);
    VACUUM ANALYZE";

/// A list does not scan rows of other divisions, times or statuses.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_reads_few_rows_for_rare_matches() {
    let _turn = TURN.lock().await;
    let log = log();
    let (url, _) = filled(20_000, SMALL).await;
    let invitations = Invitations::new(PgStore::new(explaining(&url).await));
    let division = Division::new("small").unwrap();
    let small =
        Actor::in_division(UserId::new("u-9").unwrap(), Role::new("manager").unwrap(), division);
    let all = invitations.list(&small, &Criteria::new(), Paging::first(50).unwrap()).await.unwrap();
    assert_eq!(all.items().len(), 30);
    let (newest, oldest) = (all.items()[0].invitation(), all.items()[29].invitation());
    let before = TimeRange { from: Some(oldest.created_at()), until: Some(newest.created_at()) };
    let last = invitations.list(&manager(), &Criteria::new(), Paging::first(10).unwrap()).await;
    let since =
        TimeRange { from: Some(last.unwrap().items()[9].invitation().created_at()), until: None };

    let of = |status: &Status| Criteria::new().with_status(*status);
    let statuses: Vec<_> = Status::ALL.iter().map(of).collect();
    let mut asked: Vec<_> = statuses.iter().cloned().map(|of| (small.clone(), of)).collect();
    asked.push((manager(), of(&Status::Revoked)));
    for criteria in [Criteria::new()].into_iter().chain(statuses) {
        asked.push((manager(), criteria.clone().created_within(since)));
        asked.push((admin(), criteria.created_within(before)));
    }
    let mut found = 0;
    for (actor, criteria) in asked {
        for _ in 0..8 {
            log.clear();
            let page =
                invitations.list(&actor, &criteria, Paging::first(50).unwrap()).await.unwrap();
            let plans = log.take();
            assert!(page.next().is_none(), "{criteria:?}");
            found += page.items().len();
            let (most, line) = rows(&plans).max_by_key(|(rows, _)| *rows).unwrap();
            assert!(most <= 200, "{criteria:?}: {line} in\n{plans}");
            // Only the page count reveals index entries that were scanned in vain.
            let pages = pages(&plans);
            assert!((1..=250).contains(&pages), "{criteria:?}: {pages} pages in\n{plans}");
        }
    }
    // By all statuses as well as without a status: 30 of the small division, the 10 that
    // are revoked, the last 10, and 29 within the time range.
    assert_eq!(found, 8 * (30 + 10 + 2 * 10 + 2 * 29));
}
