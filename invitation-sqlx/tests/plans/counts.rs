//! Counts: exact up to the cap, from entries of an index only, and of a bounded number of
//! candidates of a search.

use std::num::NonZeroU32;

use invitation_core::{
    Actor, Criteria, Division, Draft, Filter, Invitations, Limits, Role, Scope, Status,
    StatusCounts, Store, Timestamp, UserId,
};
use invitation_sqlx::{
    PgStore, SqliteStore,
    sqlx::{self, AssertSqlSafe, PgPool},
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
}

/// Counts the word of all addresses in a division of a hundred thousand invitations. Half of them
/// have an address, and none of these is used.
pub(super) async fn of_a_large_search_are_lower_bounds<S: Store>(invitations: &Invitations<S>) {
    let counts = async |actor: &Actor, criteria: &Criteria| {
        invitations.counts(actor, &criteria.clone().matching("example")).await.unwrap()
    };
    for actor in [manager(), admin()] {
        let found = counts(&actor, &Criteria::new()).await;
        let sum: u32 = Status::ALL.iter().map(|status| found.of(*status)).sum();
        assert!((10_000..50_000).contains(&sum), "{found:?}");
        assert_eq!(found.of(Status::Used), 0);
        assert!(Status::ALL.iter().all(|status| !found.is_exact(*status)), "{found:?}");
        let revoked = counts(&actor, &Criteria::new().with_status(Status::Revoked)).await;
        assert!(revoked.of(Status::Revoked) <= 5_000, "{revoked:?}");
        for status in Status::ALL {
            assert_eq!(revoked.is_exact(*status), *status != Status::Revoked, "{revoked:?}");
        }
    }
    // A division without invitations has exact counts, however many matches other divisions have.
    let (user, role) = (UserId::new("u-9").unwrap(), Role::new("manager").unwrap());
    let elsewhere = Actor::in_division(user, role, Division::new("hr").unwrap());
    let found = counts(&elsewhere, &Criteria::new()).await;
    assert_eq!(found, StatusCounts::up_to(Limits::COUNT_CAP));
}

/// With at most as many invitations as a search examines, its counts are exact. With more, they
/// are lower bounds.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_counts_of_a_large_search_are_lower_bounds() {
    let _turn = TURN.lock().await;
    let store = SqliteStore::in_memory().await.unwrap();
    let insert = async |from: u32, until: u32| {
        let sql = format!(
            "WITH RECURSIVE n (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM n WHERE n < {until})
             INSERT INTO invitation_codes (id, digest, tag, sealed, role, division, created_at,
                 expires_at, max_uses, uses, held, version)
             SELECT CAST(printf('%016d', n) AS BLOB), CAST(printf('%032d', n) AS BLOB), x'00', x'00',
                 'staff', 'sales', n, 9e15, 1, 0, 0, 1 FROM n;
             INSERT INTO invitation_search_terms
             SELECT term, 'sales', created_at, id, 0
             FROM invitation_codes, (SELECT 'anna' AS term UNION SELECT 'annabel')
             WHERE created_at >= {from}"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(store.pool()).await.unwrap();
    };
    let service = Invitations::new(store.clone());
    let count = async || service.counts(&admin(), &Criteria::new().matching("anna")).await.unwrap();
    insert(1, 10_000).await;
    let exact = count().await;
    assert_eq!((exact.of(Status::Active), exact.is_exact(Status::Active)), (10_000, true));
    assert!(exact.is_exact(Status::Used));
    insert(10_001, 10_001).await;
    let counts = count().await;
    assert!((5_000..=10_000).contains(&counts.of(Status::Active)), "{counts:?}");
    assert!(!counts.is_exact(Status::Active) && !counts.is_exact(Status::Used));
}

/// Several redeemers' names and the address may have the same term.
#[tokio::test(flavor = "multi_thread")]
async fn search_counts_an_invitation_once_for_all_redeemers() {
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
    let counted = async |text: &str| {
        let counts = invitations.counts(&manager(), &Criteria::new().matching(text)).await.unwrap();
        counts.of(Status::Active)
    };
    assert_eq!((counted("anna").await, counted("bert").await), (1, 1), "each of them");
    assert_eq!(counted("a").await + counted("anna bert").await, 0, "one of each");
    // The address and several names match: the invitation counts once.
    let sql = "INSERT INTO invitation_search_terms \
               SELECT 'bert', division, created_at, id, part FROM invitation_codes, \
               generate_series(0, 1) AS n (part) ON CONFLICT DO NOTHING";
    run(&store, sql).await;
    assert_eq!((counted("bert").await, counted("anna bert").await), (1, 1));
    assert_eq!(counted("anna cleo").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_counts_many_rows_from_an_index_alone() {
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
    for (who, indexes) in [
        (manager(), ["states_valid", "states_pkey"]),
        (admin(), ["states_valid_anywhere", "states_anywhere"]),
    ] {
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
            for index in indexes {
                let index = format!("Index Only Scan using invitation_{index} on ");
                assert_eq!(plans.matches(&index).count(), 2, "{plans}");
            }
            let (most, line) = rows(&plans).max_by_key(|(rows, _)| *rows).unwrap();
            assert!(most <= 10_001, "{line} in\n{plans}");
            assert!((1..=400).contains(&pages(&plans)), "{plans}");
        }
    }
}
