//! Measures what an invitation costs: bytes of the store, and bytes written to its log. It starts
//! its own servers.
//!
//! ```text
//! cargo run -p invitation-benches --example cost -- 10000
//! ```
//!
//! The number is that of the invitations, each for an address and one use. Each is created in a
//! batch of 1,000, and half of them are then redeemed one at a time, each in its own commit. The
//! figures are bytes per invitation and bytes per redemption, with their events and indexes.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

use std::{env, fs, path::Path};

use invitation::{
    Division, Draft, Email, Invitations, MySqlStore, PgStore, Redeemer, RedisStore, Role,
    SqliteStore, Store, SystemActor, UserId, Username, VerifiedEmail,
    redis_store::{Persistence, RedisOptions},
    sql::sqlx::{self, MySqlPool, PgPool, SqlitePool},
};
use invitation_testkit::{MariaDb, Postgres, Redis};

/// The sizes of a store at one moment, in bytes.
#[derive(Clone, Copy)]
struct Sizes {
    /// Tables and indexes, or the memory of the server.
    stored: i64,
    /// All that was written to the log of the database so far, if it says so.
    logged: Option<i64>,
}

#[tokio::main]
async fn main() {
    let number = env::args().nth(1).map_or(10_000, |number| number.parse().expect("a number"));
    println!("store       created: stored  logged   redeemed: stored  logged");

    let server = Postgres::durable().unwrap();
    let store = PgStore::connect(&server.url("postgres")).await.unwrap();
    let pool = store.pool().clone();
    measure("postgres", store, number, async || of_postgres(&pool).await).await;

    let server = MariaDb::durable().unwrap();
    let store = MySqlStore::connect(&server.create_database()).await.unwrap();
    let pool = store.pool().clone();
    measure("mariadb", store, number, async || of_mariadb(&pool).await).await;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("invitations.db");
    let store = SqliteStore::open(&file).await.unwrap();
    let pool = store.pool().clone();
    measure("sqlite", store, number, async || of_sqlite(&pool, &file).await).await;

    let server = Redis::start().unwrap();
    let options = RedisOptions::new().expecting(Persistence::Nothing);
    let store = RedisStore::connect(&server.url(), options).await.unwrap();
    measure("redis", store, number, async || of_redis(&server)).await;
}

/// Creates and redeems, and prints what each took.
async fn measure<S: Store>(name: &str, store: S, number: usize, sizes: impl AsyncFn() -> Sizes) {
    let invitations = Invitations::new(store);
    let before = sizes().await;
    let codes = create(&invitations, number).await;
    let created = sizes().await;
    let redeemed = codes.len() / 2;
    for (n, code) in codes.iter().take(redeemed).enumerate() {
        redeem(&invitations, code, n).await;
    }
    let after = sizes().await;
    let per = |from: i64, to: i64, number: usize| (to - from) / i64::try_from(number).unwrap();
    let logged = |from: Sizes, to: Sizes, number: usize| match (from.logged, to.logged) {
        (Some(from), Some(to)) => per(from, to, number).to_string(),
        _ => "-".to_owned(),
    };
    println!(
        "{name:<10} {:>16} {:>7} {:>17} {:>7}",
        per(before.stored, created.stored, number),
        logged(before, created, number),
        per(created.stored, after.stored, redeemed),
        logged(created, after, redeemed),
    );
}

fn address(n: usize) -> Email {
    Email::parse(&format!("person-{n}@example.com")).unwrap()
}

async fn create<S: Store>(invitations: &Invitations<S>, number: usize) -> Vec<String> {
    let job = SystemActor::new("cost").unwrap();
    let draft = Draft::new()
        .with_role(Role::new("staff").unwrap())
        .in_division(Division::new("sales").unwrap());
    let mut codes = Vec::with_capacity(number);
    while codes.len() < number {
        let until = number.min(codes.len() + 1_000);
        let drafts = (codes.len()..until).map(|n| draft.clone().for_email(address(n))).collect();
        let created = invitations.create_many(&job, drafts).await.unwrap();
        codes.extend(created.iter().map(|one| one.code().reveal().to_string()));
    }
    codes
}

async fn redeem<S: Store>(invitations: &Invitations<S>, code: &str, n: usize) {
    let (user, name) = (UserId::new(format!("user-{n}")), Username::new(format!("person-{n}")));
    let redeemer = Redeemer::new(user.unwrap(), name.unwrap())
        .with_email(VerifiedEmail::vouched_by_host(address(n)));
    invitations.redeem(code, &redeemer).await.unwrap();
}

async fn of_postgres(pool: &PgPool) -> Sizes {
    sqlx::raw_sql("CHECKPOINT").execute(pool).await.unwrap();
    let sizes = "SELECT SUM(pg_total_relation_size(oid))::BIGINT, \
        (pg_current_wal_lsn() - '0/0')::BIGINT FROM pg_class \
        WHERE relname LIKE 'invitation\\_%' AND relkind = 'r'";
    let (stored, logged) = sqlx::query_as::<_, (i64, i64)>(sizes).fetch_one(pool).await.unwrap();
    Sizes { stored, logged: Some(logged) }
}

async fn of_mariadb(pool: &MySqlPool) -> Sizes {
    // The sizes are estimates of the statistics until the tables are analysed.
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT CONVERT(table_name USING utf8mb4) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let analyze = sqlx::AssertSqlSafe(format!("ANALYZE TABLE {}", names.join(", ")));
    sqlx::raw_sql(analyze).execute(pool).await.unwrap();
    let stored = "SELECT CAST(SUM(data_length + index_length) AS SIGNED) \
        FROM information_schema.tables WHERE table_schema = DATABASE()";
    let stored = sqlx::query_scalar(stored).fetch_one(pool).await.unwrap();
    let logged = "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status \
        WHERE variable_name = 'Innodb_os_log_written'";
    let logged = sqlx::query_scalar(logged).fetch_one(pool).await.unwrap();
    Sizes { stored, logged: Some(logged) }
}

async fn of_sqlite(pool: &SqlitePool, file: &Path) -> Sizes {
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(pool).await.unwrap();
    let stored = i64::try_from(fs::metadata(file).unwrap().len()).unwrap();
    Sizes { stored, logged: None }
}

fn of_redis(server: &Redis) -> Sizes {
    let memory = server.ask(&["INFO", "memory"]).unwrap();
    let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:"));
    Sizes { stored: used.expect("the memory").trim().parse().unwrap(), logged: None }
}
