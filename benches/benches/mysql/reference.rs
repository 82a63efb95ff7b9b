//! The reference: a guarded update of one row and its event, with prepared statements on
//! each connection and as little overhead as possible.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use invitation::sql::sqlx::{
    self, Connection, MySqlConnection, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlQueryResult},
};
use tokio::task::JoinSet;

const TABLES: &str = "
    CREATE TABLE reference_codes (
        id BINARY(16) PRIMARY KEY, code_hash BINARY(32) NOT NULL UNIQUE,
        expires_at BIGINT NOT NULL, max_uses BIGINT NOT NULL, uses BIGINT NOT NULL,
        used_at BIGINT, used_by VARBINARY(128)
    ) ENGINE = InnoDB;
    CREATE TABLE reference_events (
        id BINARY(16) PRIMARY KEY, at BIGINT NOT NULL, action VARBINARY(64) NOT NULL,
        code BINARY(16) NOT NULL, actor VARBINARY(128) NOT NULL, KEY (code, at)
    ) ENGINE = InnoDB";

const USE: &str = "UPDATE reference_codes SET used_at = ?, used_by = ?, uses = uses + 1 \
     WHERE code_hash = ? AND uses < max_uses AND expires_at > ?";

const RECORD: &str =
    "INSERT INTO reference_events (id, at, action, code, actor) VALUES (?, ?, 'redeem', ?, ?)";

/// The work of a connection for one use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    /// Only the update, not even its event.
    Update,
    /// A transaction of the update and the event.
    UpdateAndEvent,
}

pub(crate) struct Reference {
    options: MySqlConnectOptions,
    pool: MySqlPool,
    codes: AtomicUsize,
}

impl Reference {
    pub(crate) async fn new(url: &str) -> Self {
        let options = MySqlConnectOptions::from_str(url).unwrap();
        let pool = MySqlPool::connect(url).await.unwrap();
        sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
        Self { options, pool, codes: AtomicUsize::new(0) }
    }

    /// Uses up a new code with `connections` connections. Returns the uses per second.
    pub(crate) async fn rate(&self, work: Work, connections: usize, uses: u32) -> f64 {
        let code = key(self.codes.fetch_add(1, Ordering::Relaxed));
        let hash = [code, code].concat();
        sqlx::query("INSERT INTO reference_codes VALUES (?, ?, 1000000, ?, 0, NULL, NULL)")
            .bind(code.to_vec())
            .bind(hash.clone())
            .bind(uses)
            .execute(&self.pool)
            .await
            .unwrap();
        let mut open = Vec::with_capacity(connections);
        for _ in 0..connections {
            let mut conn = MySqlConnection::connect_with(&self.options).await.unwrap();
            // Prepares the statements beforehand, because the library's connections are
            // warm, too.
            guarded(&mut conn, &[0; 32], 0).await.unwrap();
            open.push(conn);
        }
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let mut running = JoinSet::new();
        for mut conn in open {
            let (next, hash) = (Arc::clone(&next), hash.clone());
            running.spawn(async move {
                let mut made = 0_u32;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let done = match work {
                        Work::Update => guarded(&mut conn, &hash, number).await.unwrap(),
                        Work::UpdateAndEvent => {
                            both(&mut conn, &code, &hash, number).await.unwrap()
                        }
                    };
                    if !done {
                        return made;
                    }
                    made += 1;
                }
            });
        }
        let made: u32 = running.join_all().await.into_iter().sum();
        assert_eq!(made, uses);
        f64::from(made) / start.elapsed().as_secs_f64()
    }
}

/// Returns a key in no particular order, like ids.
fn key(number: usize) -> [u8; 16] {
    let number = u64::try_from(number).unwrap();
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    u128::from(mixed).rotate_left(64).wrapping_add(number.into()).to_be_bytes()
}

async fn guarded(conn: &mut MySqlConnection, hash: &[u8], number: usize) -> sqlx::Result<bool> {
    let update = sqlx::query(USE).bind(5).bind(format!("u-{number}")).bind(hash.to_vec()).bind(4);
    update.execute(conn).await.map(|done: MySqlQueryResult| done.rows_affected() == 1)
}

async fn both(
    conn: &mut MySqlConnection,
    code: &[u8],
    hash: &[u8],
    number: usize,
) -> sqlx::Result<bool> {
    let mut tx = conn.begin().await?;
    let used = guarded(&mut tx, hash, number).await?;
    if used {
        let event = [&key(number)[..8], &code[..8]].concat();
        let record = sqlx::query(RECORD).bind(event).bind(5);
        record.bind(code.to_vec()).bind(format!("u-{number}")).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(used)
}
