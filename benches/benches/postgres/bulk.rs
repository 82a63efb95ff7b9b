//! Ten thousand codes with their events, compared to `COPY` of the same rows into tables
//! with the same indexes.

use std::time::Instant;

use invitation::{Invitations, SystemActor};
use invitation::{
    PgStore,
    sql::{
        TablePrefix,
        sqlx::{self, AssertSqlSafe, PgPool, postgres::PgPoolCopyExt},
    },
};
use invitation_testkit::Postgres;

use crate::{Extent, Pool, callers::draft, median, store};

const ROWS: u32 = 10_000;
/// The maximum number of codes per call.
const AT_ONCE: u32 = 1_000;
const TABLES: [&str; 4] = ["codes", "states", "search_terms", "events"];

pub(crate) async fn run(server: &Postgres, extent: &Extent) {
    let url = server.create_database();
    let ours = store(&url, Pool::Default).await;
    let pool = ours.pool().clone();
    let copies = PgStore::new(pool.clone()).with_prefix(TablePrefix::new("copy_").unwrap());
    copies.migrate().await.unwrap();
    let invitations = Invitations::new(ours);
    let rows = if extent.is_test { AT_ONCE } else { ROWS };

    println!("\nbulk: {rows} codes with their events, {AT_ONCE} a call, against COPY of the rows");
    println!("| round | COPY | create_many | ratio |");
    println!("|---|---|---|---|");
    let mut ratios = Vec::new();
    for round in 1..=extent.rounds {
        empty(&pool, "invitation_").await;
        let start = Instant::now();
        for _ in 0..rows / AT_ONCE {
            let drafts = vec![draft(1); usize::try_from(AT_ONCE).unwrap()];
            invitations.create_many(&SystemActor::for_bootstrap(), drafts).await.unwrap();
        }
        let ours = f64::from(rows) / start.elapsed().as_secs_f64();
        let copy = f64::from(rows) / copy(&pool).await;
        println!("| {round} | {copy:.0}/s | {ours:.0}/s | {:.2} |", ours / copy);
        ratios.push(ours / copy);
    }
    println!("median: {:.2}", median(ratios));
}

async fn empty(pool: &PgPool, prefix: &str) {
    let tables = TABLES.map(|table| format!("{prefix}{table}")).join(", ");
    sqlx::raw_sql(AssertSqlSafe(format!("TRUNCATE {tables}"))).execute(pool).await.unwrap();
}

/// Returns how many seconds it takes to copy the rows, from memory, in one transaction.
async fn copy(pool: &PgPool) -> f64 {
    let mut tables = Vec::new();
    for table in TABLES {
        let sql = format!("COPY invitation_{table} TO STDOUT (FORMAT BINARY)");
        let mut out = pool.copy_out_raw(&sql).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = std::future::poll_fn(|cx| out.as_mut().poll_next(cx)).await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        tables.push((table, bytes));
    }
    empty(pool, "copy_").await;
    let start = Instant::now();
    let mut tx = pool.begin().await.unwrap();
    for (table, bytes) in tables {
        let sql = format!("COPY copy_{table} FROM STDIN (FORMAT BINARY)");
        let mut sink = tx.copy_in_raw(&sql).await.unwrap();
        sink.send(bytes).await.unwrap();
        sink.finish().await.unwrap();
    }
    tx.commit().await.unwrap();
    start.elapsed().as_secs_f64()
}
