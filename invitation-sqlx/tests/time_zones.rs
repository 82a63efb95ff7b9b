//! Database sessions in different time zones: each host sees the same times, and a code expires at
//! the same instant.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(feature = "mysql", feature = "postgres"))]

mod support;

use invitation_core::{
    Draft, EventCriteria, Expiry, Invitations, ManualClock, Paging, Refusal, Role, Timestamp,
};
use invitation_sqlx::{
    SqlStore,
    sqlx::{
        self, AssertSqlSafe, Executor, MySql, Pool, Postgres, mysql::MySqlConnectOptions,
        postgres::PgPoolOptions,
    },
};
use support::{admin, host::Kind, redeemer};

/// A database whose sessions have a time zone.
trait Zoned: Kind {
    /// Zones without whole hours, east and west of Greenwich.
    const ZONES: [&'static str; 2];

    /// Returns a pool whose sessions are in the zone.
    fn in_zone(url: &str, zone: &'static str) -> impl Future<Output = Pool<Self>> + Send;

    /// Returns the zone of a session.
    fn zone(pool: &Pool<Self>) -> impl Future<Output = String> + Send;
}

impl Zoned for Postgres {
    const ZONES: [&'static str; 2] = ["Asia/Kathmandu", "America/St_Johns"];

    async fn in_zone(url: &str, zone: &'static str) -> Pool<Self> {
        // The driver sends UTC at the start of a connection.
        let options = PgPoolOptions::new().after_connect(move |conn, _| {
            Box::pin(async move {
                let set = AssertSqlSafe(format!("SET TIME ZONE '{zone}'"));
                conn.execute(set).await.map(drop)
            })
        });
        options.connect(url).await.unwrap()
    }

    async fn zone(pool: &Pool<Self>) -> String {
        let query = "SELECT current_setting('TimeZone')";
        sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
    }
}

impl Zoned for MySql {
    const ZONES: [&'static str; 2] = ["+05:45", "-03:30"];

    async fn in_zone(url: &str, zone: &'static str) -> Pool<Self> {
        let options: MySqlConnectOptions = url.parse().unwrap();
        Pool::connect_with(options.timezone(Some(zone.to_owned()))).await.unwrap()
    }

    async fn zone(pool: &Pool<Self>) -> String {
        let query = "SELECT CAST(@@session.time_zone AS CHAR)";
        sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
    }
}

fn later(t: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(t.as_micros() + micros).unwrap()
}

async fn sessions_in_other_zones_see_the_same_times<DB: Zoned>() {
    let database = DB::empty();
    DB::open(&database.url).await.unwrap();
    let start = Timestamp::from_micros(1_800_000_000_123_456).unwrap();
    let mut hosts = Vec::new();
    for zone in DB::ZONES {
        let pool = DB::in_zone(&database.url, zone).await;
        assert_eq!(DB::zone(&pool).await, zone);
        let clock = ManualClock::new(start);
        hosts.push((Invitations::new(SqlStore::new(pool)).with_clock(clock.clone()), clock));
    }
    let expiry = later(start, 3_600_000_000);
    for (n, (own, _)) in hosts.iter().enumerate() {
        let (other, clock) = &hosts[1 - n];
        for (_, clock) in &hosts {
            clock.set(start);
        }
        let draft = || Draft::new().with_role(Role::new("staff").unwrap());
        let expiring = || draft().expiring(Expiry::At(expiry));
        let [last, late] = [expiring(), expiring()];
        let last = own.create(&admin(), last).await.unwrap();
        let late = own.create(&admin(), late).await.unwrap();
        let view = other.get(&admin(), last.invitation().id()).await.unwrap();
        assert_eq!(view.invitation(), last.invitation());
        clock.set(later(expiry, -1));
        let anna = redeemer(&format!("anna-{n}"));
        let redeemed = other.redeem(&last.code().reveal(), &anna).await.unwrap();
        assert_eq!(redeemed.at(), later(expiry, -1));
        clock.set(expiry);
        let refused = other.redeem(&late.code().reveal(), &anna).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::Expired { at: expiry }));
        // Both read the same events, with the same times.
        let all = EventCriteria::new();
        let mut read = Vec::new();
        for (host, _) in &hosts {
            let page = host.events(&admin(), &all, Paging::first(200).unwrap()).await.unwrap();
            read.push(page.items().to_vec());
        }
        assert_eq!(read[0], read[1]);
        assert!(read[0].iter().any(|event| event.at == later(expiry, -1)));
    }
}

#[tokio::test]
async fn postgres_sessions_in_other_zones_see_the_same_times() {
    sessions_in_other_zones_see_the_same_times::<Postgres>().await;
}

#[tokio::test]
async fn mariadb_sessions_in_other_zones_see_the_same_times() {
    sessions_in_other_zones_see_the_same_times::<MySql>().await;
}
