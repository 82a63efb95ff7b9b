//! Lists of expired and of active invitations on PostgreSQL. They are complete and in
//! order, wherever the matches lie. If there are few validity lengths, the index finds them
//! without a scan.

use invitation_core::{Actor, Criteria, InvitationId, Invitations, Paging, Status, TimeRange};
use invitation_sqlx::{
    PgStore,
    sqlx::{self, AssertSqlSafe, PgPool, Row},
};

use super::{TURN, admin, explaining, log, manager, unanalyzed::pages};

const ROWS: &str = include_str!("../../../benches/benches/postgres/rows.sql");

/// Lengths below, at and between whole days, one of zero and one negative.
const FEW_LENGTHS: &str = "
    (ARRAY[72, 81, 1, 0, -5, 264, 285, 9600])[1 + n % 8] * 3600000000";
/// An invitation that expired before it was created, and whose creation is in the future:
/// clocks may differ.
const ODD: &str = "
    UPDATE invitation_codes
    SET created_at = created_at + 97200000000, expires_at = expires_at + 97200000000
    WHERE id = (SELECT id FROM invitation_states WHERE state = 0 AND expires_at < created_at
                ORDER BY created_at DESC LIMIT 1);
    UPDATE invitation_states s SET created_at = c.created_at, expires_at = c.expires_at
    FROM invitation_codes c WHERE c.id = s.id AND c.created_at <> s.created_at;";
/// One length: a whole number of days and most of one more day. Many invitations were created
/// within the part of a day.
const UNDECIDED: &str = "93 * 3600000000";
/// More lengths than a list examines.
const MANY_LENGTHS: &str = "(n % 80 - 40) * 86400000000";

/// Two lengths; invitations with the shorter one expired later.
const TWO_LENGTHS: &str = "(CASE WHEN n % 2 = 0 THEN 240 ELSE 48 END) * 3600000000";

struct Data {
    pool: PgPool,
    invitations: Invitations<PgStore>,
}

impl Data {
    /// Creates `rows` invitations within twelve days. The newest one is a day old.
    async fn of(lifetime: &str, rows: u32) -> Self {
        let url = invitation_testkit::Postgres::shared().create_database();
        let store = PgStore::new(PgPool::connect(&url).await.unwrap());
        store.migrate().await.unwrap();
        let made = format!(
            "CREATE VIEW made AS SELECT n, n % 3 = 0 AS is_used, n % 20 = 1 AS is_revoked,
             ({lifetime})::BIGINT AS lifetime FROM generate_series(1, {rows}) n;"
        );
        let fill = made + &ROWS.replace("{rows}", &rows.to_string());
        let odd = if lifetime == FEW_LENGTHS { ODD } else { "" };
        for part in [&*fill, odd, "VACUUM ANALYZE"] {
            sqlx::raw_sql(AssertSqlSafe(part)).execute(store.pool()).await.unwrap();
        }
        let pool = store.pool().clone();
        Self { pool, invitations: Invitations::new(PgStore::new(explaining(&url).await)) }
    }

    /// Returns all invitations of a status, fetched one after the other.
    async fn expected(&self, status: Status) -> Vec<InvitationId> {
        let is = if status == Status::Expired { "<=" } else { ">" };
        let sql = format!(
            "SELECT id FROM invitation_codes WHERE uses < max_uses AND revoked_at IS NULL
             AND expires_at {is} extract(epoch FROM now()) * 1000000
             ORDER BY created_at DESC, id DESC"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.pool).await.unwrap();
        let id = |row| Row::get::<Vec<u8>, _>(row, 0).try_into().unwrap();
        rows.iter().map(id).map(InvitationId::from_bytes).collect()
    }

    /// Returns all invitations on the pages, and the number of pages that were not full.
    async fn listed(
        &self,
        actor: &Actor,
        criteria: &Criteria,
        size: u32,
    ) -> (Vec<InvitationId>, usize) {
        let (mut ids, mut short) = (Vec::new(), 0);
        let mut paging = Paging::first(size).unwrap();
        loop {
            let page = self.invitations.list(actor, criteria, paging).await.unwrap();
            ids.extend(page.items().iter().map(|listed| listed.invitation().id()));
            let Some(next) = page.next() else { return (ids, short) };
            short += usize::from(page.items().len() < size as usize);
            paging = Paging::first(size).unwrap().after(next);
        }
    }

    /// Returns the list, and asserts that it used only the index by validity length.
    async fn listed_by_length(
        &self,
        actor: &Actor,
        criteria: &Criteria,
        size: u32,
    ) -> Vec<InvitationId> {
        log().clear();
        let (ids, short) = self.listed(actor, criteria, size).await;
        let plans = log().take();
        assert!(plans.contains(" using invitation_states_by_length"), "{plans}");
        for other in ["states_pkey", "states_anywhere", "states_valid"] {
            assert!(!plans.contains(&format!("invitation_{other}")), "{criteria:?}: {other}");
        }
        assert_eq!(short, 0, "{criteria:?}");
        ids
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_list_by_validity_length_is_complete_and_ordered() {
    let _turn = TURN.lock().await;
    let data = Data::of(FEW_LENGTHS, 8_000).await;
    for status in [Status::Active, Status::Expired] {
        let expected = data.expected(status).await;
        assert!(expected.len() > 1_000, "{status}: {}", expected.len());
        let of = Criteria::new().with_status(status);
        for (actor, size) in [(manager(), 7), (manager(), 200), (admin(), 50)] {
            assert_eq!(data.listed_by_length(&actor, &of, size).await, expected, "{status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_list_by_validity_length_stays_in_its_time_range() {
    let _turn = TURN.lock().await;
    let data = Data::of(FEW_LENGTHS, 8_000).await;
    for status in [Status::Active, Status::Expired] {
        let of = || Criteria::new().with_status(status);
        let all = data.expected(status).await;
        let at = async |n: usize| {
            let one = data.invitations.get(&manager(), all[n]).await.unwrap();
            (one.invitation().created_at(), one.invitation().expires_at())
        };
        let (from, until) = (all.len() * 2 / 3, all.len() / 3);
        let (first, last) = (at(from).await.0, at(until).await.0);
        let within = of().created_within(TimeRange { from: Some(first), until: Some(last) });
        let ids = data.listed_by_length(&manager(), &within, 7).await;
        assert_eq!(ids, all[until + 1..=from], "{status}");

        // Filters by expiry too, at an arbitrary instant instead of the present.
        let (_, expires) = at(until).await;
        let [before, later] = [(None, Some(expires)), (Some(expires), None)]
            .map(|(from, until)| of().expiring_within(TimeRange { from, until }));
        let before = data.listed_by_length(&manager(), &before, 50).await;
        let later = data.listed_by_length(&admin(), &later, 50).await;
        assert_eq!(before.len() + later.len(), all.len(), "{status}");
        let expected = all.iter().filter(|id| later.contains(id));
        assert!(expected.eq(&later), "{status}");
        assert!(later.contains(&all[until]) && !before.contains(&all[until]), "{status}");
    }
}

/// A page in the middle starts at the right position in each of the lengths.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_list_by_validity_length_reads_only_its_page() {
    let _turn = TURN.lock().await;
    let data = Data::of(TWO_LENGTHS, 40_000).await;
    for status in [Status::Active, Status::Expired] {
        let of = Criteria::new().with_status(status);
        let mut paging = Paging::first(10).unwrap();
        for page in 1..=10 {
            log().clear();
            let listed = data.invitations.list(&manager(), &of, paging).await.unwrap();
            let plans = log().take();
            let pages = pages(&plans);
            assert!((1..=80).contains(&pages), "{status}, page {page}: {pages} in\n{plans}");
            paging = Paging::first(10).unwrap().after(listed.next().unwrap());
        }
    }
}

/// Lists that lengths cannot answer use a scan: the result is the same, on pages that may
/// be short.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_list_with_too_many_lengths_uses_a_keyset_scan() {
    let _turn = TURN.lock().await;
    for (lifetime, walked) in [(UNDECIDED, Status::Expired), (MANY_LENGTHS, Status::Active)] {
        let data = Data::of(lifetime, 20_000).await;
        for status in [Status::Active, Status::Expired] {
            let expected = data.expected(status).await;
            assert!(expected.len() > 2_001, "{status}: {}", expected.len());
            let of = Criteria::new().with_status(status);
            log().clear();
            let (listed, _) = data.listed(&manager(), &of, 200).await;
            let plans = log().take();
            assert_eq!(listed, expected, "{status}");
            let is_walked = plans.contains("invitation_states_pkey on ");
            assert!(is_walked || status != walked, "{lifetime}: {status}");
        }
    }
}
