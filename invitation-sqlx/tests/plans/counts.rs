//! How PostgreSQL counts: by a sample if there are many rows, and one by one if there are
//! few.

use std::num::NonZeroU32;

use invitation_core::{
    Amendment, Criteria, Division, Draft, Expiry, Filter, IfVersion, Invitations, Role, Scope,
    Status, StatusCounts, Store, TimeRange, Timestamp,
};
use invitation_sqlx::{
    PgStore,
    sqlx::{self, AssertSqlSafe, PgPool, Row, postgres::PgPoolOptions},
};

use super::{
    MIXED, ROWS, TURN, admin, explaining, log, manager, redeemer,
    unanalyzed::{NO_AUTOVACUUM, pages, rows},
};

async fn empty() -> (String, PgStore) {
    let url = invitation_testkit::Postgres::shared().create_database();
    let store = PgStore::new(PgPool::connect(&url).await.unwrap());
    store.migrate().await.unwrap();
    (url, store)
}

async fn run(store: &PgStore, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(store.pool()).await.unwrap();
}

/// Counts `rows` used invitations.
async fn used(store: &PgStore, rows: u32) -> StatusCounts {
    run(store, "DELETE FROM invitation_states").await;
    let sql = format!(
        "INSERT INTO invitation_states (division, state, created_at, id, expires_at)
         SELECT 'sales', 2, n, decode(lpad(to_hex(n), 32, '0'), 'hex'), n
         FROM generate_series(1, {rows}) n"
    );
    run(store, &sql).await;
    count(store, 10_000).await
}

async fn count(store: &PgStore, cap: u32) -> StatusCounts {
    let filter = Filter::all(Timestamp::from_micros(5).unwrap());
    store.count(&Scope::All, &filter, cap).await.unwrap()
}

/// Counts of `used` used invitations, exact up to `cap`.
fn only_used(used: u32, cap: u32) -> StatusCounts {
    let mut counts = StatusCounts::up_to(cap);
    counts.add(Status::Used, used);
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_counts_exactly_up_to_the_cap() {
    let _turn = TURN.lock().await;
    let (_, store) = empty().await;
    for rows in [0, 1, 9_999, 10_000, 10_001, 17_000, 20_000, 60_000] {
        assert_eq!(used(&store, rows).await, only_used(rows, 10_000), "of {rows}");
    }
    assert_eq!(count(&store, 59_999).await, only_used(60_000, 59_999));
    assert_eq!(count(&store, 60_000).await, only_used(60_000, 60_000));
    assert_eq!(count(&store, 40_000).await, only_used(40_001, 40_000));

    // One of 32 is sampled, within seven standard deviations of 42.
    let sampled = "SELECT COUNT(*) FROM invitation_states WHERE sampled";
    let sampled: i64 = sqlx::query_scalar(sampled).fetch_one(store.pool()).await.unwrap();
    assert!((1_575..=2_175).contains(&sampled), "{sampled} of 60,000");
}

/// A manipulated sample reveals whether a count used it.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_takes_the_sample_for_proof_from_its_threshold_on() {
    let _turn = TURN.lock().await;
    let (_, store) = empty().await;
    for (rows, told) in [(580, 580), (581, 10_001)] {
        used(&store, rows).await;
        run(&store, "UPDATE invitation_states SET sampled = TRUE").await;
        assert_eq!(count(&store, 10_000).await, only_used(told, 10_000));
    }
    // A count does not use the sample if the proof would cost more than a quarter of the
    // rows.
    assert_eq!(count(&store, 100).await, only_used(101, 100));
    assert_eq!(count(&store, 300).await, only_used(301, 300));
    // Nor does it for criteria that are not in the sample's index.
    let created = TimeRange { from: None, until: Some(Timestamp::from_micros(1_000_000).unwrap()) };
    let filter = Filter { created, ..Filter::all(Timestamp::from_micros(5).unwrap()) };
    let counts = store.count(&Scope::All, &filter, 10_000).await.unwrap();
    assert_eq!(counts, only_used(581, 10_000));
}

/// Search terms of an earlier redeemer may still be stored.
#[tokio::test(flavor = "multi_thread")]
async fn search_counts_the_latest_redeemer_only() {
    let _turn = TURN.lock().await;
    let (_, store) = empty().await;
    let invitations = Invitations::new(store.clone());
    let draft = Draft::new().in_division(Division::new("sales").unwrap());
    let draft = draft.with_role(Role::new("staff").unwrap()).for_uses(NonZeroU32::new(3).unwrap());
    let created = invitations.create(&admin(), draft).await.unwrap();
    let code = created.code().reveal().to_string();
    for name in ["anna", "bert"] {
        invitations.redeem(&code, &redeemer(name)).await.unwrap();
    }
    let word = async |word: &str, part: u32| {
        let sql = format!(
            "INSERT INTO invitation_search_terms SELECT '{word}', division, created_at, id, {part}
             FROM invitation_codes ON CONFLICT DO NOTHING"
        );
        run(&store, &sql).await;
    };
    let counted = async |text: &str| {
        let counts = invitations.counts(&manager(), &Criteria::new().matching(text)).await.unwrap();
        counts.of(Status::Active) == 1
    };
    word("anna", 1).await;
    assert!(!counted("anna").await && counted("bert").await);
    word("bert", 1).await;
    assert!(counted("bert").await, "also an earlier one's");
    word("anna", 0).await;
    assert!(counted("anna").await, "also the address's");
    assert!(!counted("anna bert").await, "one of each");
    word("bert", 0).await;
    assert!(counted("anna bert").await && !counted("anna cleo").await);
}

/// A user who could learn which invitations are sampled could manipulate the counts.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_an_invitation_keep_its_sample() {
    let _turn = TURN.lock().await;
    let (_, store) = empty().await;
    let invitations = Invitations::new(store.clone());
    let mut codes = Vec::new();
    for _ in 0..64 {
        codes.push(invitations.create(&manager(), Draft::new()).await.unwrap());
    }
    let sampled = async || {
        let sql = "SELECT id FROM invitation_states WHERE sampled ORDER BY id";
        let rows = sqlx::query(sql).fetch_all(store.pool()).await.unwrap();
        rows.iter().map(|row| row.get::<Vec<u8>, _>(0)).collect::<Vec<_>>()
    };
    run(&store, "UPDATE invitation_states SET sampled = get_byte(id, 15) % 2 = 0").await;
    let before = sampled().await;
    assert!(!before.is_empty());
    for (n, created) in codes.iter().enumerate() {
        let id = created.invitation().id();
        match n % 5 {
            0 => {
                let code = created.code().reveal().to_string();
                invitations.redeem(&code, &redeemer("anna")).await.unwrap();
            }
            1 => {
                invitations.revoke(&admin(), id, None, IfVersion::Any).await.unwrap();
                invitations.reinstate(&admin(), id, IfVersion::Any).await.unwrap();
            }
            2 => {
                let later = Amendment::new().expiring(Expiry::InDays(2));
                invitations.amend(&admin(), id, later, IfVersion::Any).await.unwrap();
            }
            3 => {
                invitations.rotate(&admin(), id, IfVersion::Any).await.unwrap();
            }
            _ => {
                invitations.revoke(&admin(), id, None, IfVersion::Any).await.unwrap();
            }
        }
    }
    assert_eq!(sampled().await, before);
}

/// Each row is drawn independently, whatever the random seed of the connection.
#[tokio::test(flavor = "multi_thread")]
async fn each_new_invitation_may_enter_the_sample() {
    let _turn = TURN.lock().await;
    let url = invitation_testkit::Postgres::shared().create_database();
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = PgStore::new(pool);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store.clone());
    let mut draws = Vec::new();
    for _ in 0..20 {
        run(&store, "DELETE FROM invitation_states; SELECT setseed(0.5)").await;
        let draft = Draft::new().in_division(Division::new("sales").unwrap());
        let drafts = vec![draft.with_role(Role::new("staff").unwrap()); 100];
        invitations.create_many(&admin(), drafts).await.unwrap();
        let sql = "SELECT sampled FROM invitation_states ORDER BY created_at, id";
        draws.push(sqlx::query_scalar::<_, bool>(sql).fetch_all(store.pool()).await.unwrap());
    }
    assert!(draws.iter().all(|draw| draw.len() == 100));
    // 63 of 2,000 draws are expected, within seven standard deviations of 8.
    let sampled = draws.iter().flatten().filter(|sampled| **sampled).count();
    assert!((7..=119).contains(&sampled), "{sampled} of 2,000");
    draws.dedup();
    assert!(draws.len() > 1, "not the same each time");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_counts_many_rows_by_the_sample() {
    let _turn = TURN.lock().await;
    let log = log();
    let (url, store) = empty().await;
    run(&store, NO_AUTOVACUUM).await;
    for part in MIXED.replace("{rows}", &ROWS.to_string()).split(';') {
        run(&store, part).await;
    }
    // VACUUM marks rows as visible to all only if their commit is on the disk. ANALYZE also
    // commits asynchronously.
    for command in ["CHECKPOINT", "VACUUM", "ANALYZE"] {
        run(&store, command).await;
    }
    let invitations = Invitations::new(PgStore::new(explaining(&url).await));
    for (who, suffix) in [(manager(), ""), (admin(), "_anywhere")] {
        for _ in 0..8 {
            log.clear();
            let counts: StatusCounts = invitations.counts(&who, &Criteria::new()).await.unwrap();
            let plans = log.take();
            for (status, number, is_exact) in [
                (Status::Active, 10_000, false),
                (Status::Used, 10_000, false),
                (Status::Revoked, 5_000, true),
            ] {
                assert_eq!((counts.of(status), counts.is_exact(status)), (number, is_exact));
            }
            let index = format!("using invitation_states_sampled{suffix} on ");
            assert_eq!(plans.matches(&index).count(), 4, "{plans}");
            // The largest scan is of the status that the sample cannot decide.
            let (most, line) = rows(&plans).max_by_key(|(rows, _)| *rows).unwrap();
            assert!(most <= 5_000, "{line} in\n{plans}");
            assert!((1..=300).contains(&pages(&plans)), "{plans}");
        }
    }
}
