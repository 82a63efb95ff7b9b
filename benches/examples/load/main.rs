//! Redeems fresh codes on a database, as fast as the library can. `scripts/bench-against` builds
//! this program at two commits and compares them. It therefore uses only what both commits have.
//!
//! ```text
//! echo '32 2000' | cargo run --release -p invitation-benches --example load -- URL
//! ```
//!
//! Each line of its input is a number of callers and a time in milliseconds; the answer is the
//! number of redemptions per second. The library uses its default options, on a pool of 16
//! connections with default options.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]
#![expect(clippy::future_not_send, reason = "the main task awaits these futures")]

mod redeem;

use std::{env, io, time::Duration};

use invitation::{
    MySqlStore, PgStore, RedisStore, SqliteStore, Store,
    redis_store::RedisOptions,
    sql::sqlx::{self, mysql::MySqlPoolOptions, postgres::PgPoolOptions},
};

use redeem::Load;

const CONNECTIONS: u32 = 16;

#[tokio::main]
async fn main() {
    let url = env::args().nth(1).expect("the URL of a database");
    let (kind, path) = url.split_once(':').expect("a URL");
    match kind {
        "postgres" => {
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(&url);
            let store = PgStore::new(pool.await.unwrap());
            store.migrate().await.unwrap();
            answer(store, async |store| {
                sqlx::raw_sql("CHECKPOINT").execute(store.pool()).await.unwrap();
            })
            .await;
        }
        "mysql" => {
            let pool = MySqlPoolOptions::new().max_connections(CONNECTIONS).connect(&url);
            let store = MySqlStore::new(pool.await.unwrap());
            store.migrate().await.unwrap();
            answer(store, async |_| ()).await;
        }
        "sqlite" => {
            answer(SqliteStore::open(path).await.unwrap(), async |store| {
                sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                    .execute(store.pool())
                    .await
                    .unwrap();
            })
            .await;
        }
        "redis" => {
            let store = RedisStore::connect(&url, RedisOptions::new()).await.unwrap();
            answer(store, async |_| ()).await;
        }
        other => panic!("no store for {other}"),
    }
}

/// Answers each line of the input.
async fn answer<S: Store + 'static>(store: S, quiesce: impl AsyncFn(&S)) {
    let mut load = Load::on(store);
    for line in io::stdin().lines() {
        let line = line.unwrap();
        let (callers, millis) = line.split_once(' ').expect("two numbers");
        let time = Duration::from_millis(millis.parse().unwrap());
        println!("{:.1}", load.rate(callers.parse().unwrap(), time, &quiesce).await);
    }
}
