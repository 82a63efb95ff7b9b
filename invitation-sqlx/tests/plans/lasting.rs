//! Those that have expired, or have not, on PostgreSQL: all of them in the list's order,
//! however they lie in it, and found at once where they are valid for few lengths of time.

use invitation_core::{Actor, Criteria, InvitationId, Invitations, Paging, Span, Status};
use invitation_sqlx::{
    PgStore,
    sqlx::{self, AssertSqlSafe, PgPool, Row},
};

use super::{TURN, admin, explaining, log, manager};

const ROWS: &str = include_str!("../../benches/postgres/rows.sql");

/// Lengths below, at and between whole days, one of no time and one of less.
const FEW_LENGTHS: &str = "
    (ARRAY[72, 81, 1, 0, -5, 264, 285, 9600])[1 + n % 8] * 3600000000";
/// One that expired before it was created, which is still to come: clocks may differ.
const ODD: &str = "
    UPDATE invitation_codes
    SET created_at = created_at + 97200000000, expires_at = expires_at + 97200000000
    WHERE id = (SELECT id FROM invitation_standings WHERE standing = 0 AND expires_at < created_at
                ORDER BY created_at DESC LIMIT 1);
    UPDATE invitation_standings s SET created_at = c.created_at, expires_at = c.expires_at
    FROM invitation_codes c WHERE c.id = s.id AND c.created_at <> s.created_at;";
/// One length, most of a day above a whole one: many were created in that day.
const UNDECIDED: &str = "93 * 3600000000";
/// More lengths than are looked at.
const MANY_LENGTHS: &str = "(n % 80 - 40) * 86400000000";

struct Data {
    url: String,
    pool: PgPool,
    invitations: Invitations<PgStore>,
}

impl Data {
    /// So many invitations within twelve days, the newest of which is a day old.
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
        Self { url, pool: store.pool().clone(), invitations: Invitations::new(store) }
    }

    /// All of a status, one after the other.
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

    /// All that the pages list, and how many pages were not full.
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
            ids.extend(page.items().iter().map(|listed| listed.invitation().id));
            let Some(next) = page.next() else { return (ids, short) };
            short += usize::from(page.items().len() < size as usize);
            paging = Paging::first(size).unwrap().after(next);
        }
    }

    /// The plans of the first page.
    async fn plans(&self, status: Status) -> String {
        let explained = Invitations::new(PgStore::new(explaining(&self.url).await));
        let criteria = Criteria::new().with_status(status);
        log().clear();
        explained.list(&manager(), &criteria, Paging::first(50).unwrap()).await.unwrap();
        log().take()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_lists_all_in_order_by_each_length() {
    let _turn = TURN.lock().await;
    let data = Data::of(FEW_LENGTHS, 3_000).await;
    for status in [Status::Active, Status::Expired] {
        let expected = data.expected(status).await;
        assert!(expected.len() > 500, "{status}: {}", expected.len());
        let of = Criteria::new().with_status(status);
        for (actor, size) in [(manager(), 7), (manager(), 200), (admin(), 50)] {
            assert_eq!(data.listed(&actor, &of, size).await, (expected.clone(), 0), "{status}");
        }
        let plans = data.plans(status).await;
        assert!(plans.contains(" using invitation_standings_lasting on "), "{plans}");
        assert!(!plans.contains("invitation_standings_pkey on "), "{plans}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_lists_a_stretch_of_them() {
    let _turn = TURN.lock().await;
    let data = Data::of(FEW_LENGTHS, 3_000).await;
    let of = |status| Criteria::new().with_status(status);
    for status in [Status::Active, Status::Expired] {
        let all = data.expected(status).await;
        let at = async |n: usize| {
            let one = data.invitations.get(&manager(), all[n]).await.unwrap();
            (one.invitation().created_at, one.invitation().expires_at)
        };
        let (from, until) = (all.len() * 2 / 3, all.len() / 3);
        let (first, last) = (at(from).await.0, at(until).await.0);
        let within = of(status).created_within(Span { from: Some(first), until: Some(last) });
        let (ids, _) = data.listed(&manager(), &within, 7).await;
        assert_eq!(ids, all[until + 1..=from], "{status}");

        let (_, expires) = at(until).await;
        let [before, later] = [(None, Some(expires)), (Some(expires), None)]
            .map(|(from, until)| of(status).expiring_within(Span { from, until }));
        let (before, _) = data.listed(&manager(), &before, 50).await;
        let (later, _) = data.listed(&manager(), &later, 50).await;
        assert_eq!(before.len() + later.len(), all.len(), "{status}");
        assert!(later.contains(&all[until]) && !before.contains(&all[until]), "{status}");
    }
}

/// What cannot be told so is told by a walk: all the same, on pages that may be short.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_walks_where_lengths_tell_nothing() {
    let _turn = TURN.lock().await;
    for lifetime in [UNDECIDED, MANY_LENGTHS] {
        let data = Data::of(lifetime, 20_000).await;
        for status in [Status::Active, Status::Expired] {
            let expected = data.expected(status).await;
            assert!(expected.len() > 2_001, "{status}: {}", expected.len());
            let of = Criteria::new().with_status(status);
            let (listed, _) = data.listed(&manager(), &of, 200).await;
            assert_eq!(listed, expected, "{status}");
        }
    }
    let plans = Data::of(UNDECIDED, 20_000).await.plans(Status::Expired).await;
    assert!(plans.contains("invitation_standings_pkey on "), "{plans}");
    let plans = Data::of(MANY_LENGTHS, 20_000).await.plans(Status::Active).await;
    assert!(plans.contains("invitation_standings_pkey on "), "{plans}");
}
