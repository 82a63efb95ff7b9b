//! The reference: one statement per redeem with its event, by `pgbench`.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use invitation::sql::sqlx::{self, PgPool};

/// The number of codes to redeem: enough for all rounds.
const CODES: u32 = 1_000_000;

const TABLES: &str = "
    CREATE TABLE reference_codes (
        id UUID PRIMARY KEY, code_hash BYTEA NOT NULL UNIQUE, division TEXT NOT NULL,
        created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
        max_uses BIGINT NOT NULL, uses BIGINT NOT NULL,
        used_at BIGINT, used_by TEXT
    );
    CREATE INDEX ON reference_codes (division, created_at, id);
    CREATE TABLE reference_events (
        id UUID PRIMARY KEY, at BIGINT NOT NULL, action TEXT NOT NULL,
        code UUID NOT NULL, actor TEXT NOT NULL
    );
    CREATE INDEX ON reference_events (code, at);";

/// Connection k of n takes every n-th code, beginning with the k-th.
const REDEEM: &str = r"
\set n :n + 1
\set code :n * :connections + :client_id
WITH u AS (UPDATE reference_codes SET used_at = 5, used_by = 'u-1', uses = 1
    WHERE code_hash = sha256(:code::TEXT::BYTEA) AND used_at IS NULL AND expires_at > 4 RETURNING id)
INSERT INTO reference_events SELECT gen_random_uuid(), 5, 'redeem', id, 'u-1' FROM u;
";

const FILL: &str = "
    INSERT INTO reference_codes SELECT gen_random_uuid(), sha256(n::TEXT::BYTEA), 'sales', n,
        1000000000, 1, 0 FROM generate_series(1, %) n;
    INSERT INTO reference_codes VALUES (gen_random_uuid(), sha256('hot'::BYTEA), 'sales', 0,
        1000000000, 1000000000, 0);";

const HOT: &str = r"
WITH u AS (UPDATE reference_codes SET used_at = 5, used_by = 'u-1', uses = uses + 1
    WHERE code_hash = sha256('hot'::BYTEA) AND uses < max_uses AND expires_at > 4 RETURNING id)
INSERT INTO reference_events SELECT gen_random_uuid(), 5, 'redeem', id, 'u-1' FROM u;
";

/// The script that `pgbench` runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Script {
    Redeem,
    Hot,
}

pub(crate) struct Reference {
    url: String,
    pool: PgPool,
    /// Codes below this number may be used.
    next: AtomicU32,
}

impl Reference {
    pub(crate) async fn new(url: &str, quick: bool) -> Self {
        let pool = PgPool::connect(url).await.unwrap();
        sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
        let fill = FILL.replace('%', &(if quick { CODES / 50 } else { CODES }).to_string());
        sqlx::raw_sql(sqlx::AssertSqlSafe(fill)).execute(&pool).await.unwrap();
        sqlx::raw_sql("VACUUM ANALYZE reference_codes").execute(&pool).await.unwrap();
        Self { url: url.to_owned(), pool, next: AtomicU32::new(0) }
    }

    /// Makes the server finish its deferred work now, so that it does not slow down the
    /// next measurement.
    pub(crate) async fn settle(&self) {
        sqlx::raw_sql("CHECKPOINT").execute(&self.pool).await.unwrap();
    }

    /// Returns the transactions per second.
    pub(crate) async fn rate(&self, script: Script, connections: u32, time: Duration) -> f64 {
        self.settle().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script.sql");
        fs::write(&file, if script == Script::Redeem { REDEEM } else { HOT }).unwrap();
        let mut command = Command::new(pgbench());
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=2"]);
        command.arg(format!("--client={connections}"));
        // Its shortest time is a second, which is too long for a smoke test.
        command.arg(match time.as_secs() {
            0 => "--transactions=20".to_owned(),
            seconds => format!("--time={seconds}"),
        });
        command.arg(format!("--define=connections={connections}"));
        let next = self.next.load(Ordering::Relaxed);
        command.arg(format!("--define=n={}", next / connections)).arg("--file").arg(&file);
        command.arg(&self.url);
        // Runs outside of the async workers, so that they do not disturb the reference.
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let tps = told.lines().find_map(|line| line.strip_prefix("tps = "));
        let tps: Option<f64> = tps.and_then(|line| line.split(' ').next()?.parse().ok());
        if script == Script::Redeem {
            // A margin, because some connections are faster than others.
            let drawn = tps.unwrap_or_default() * time.as_secs_f64() * 1.5;
            let drawn: u32 = format!("{drawn:.0}").parse().unwrap();
            self.next.store(next + drawn + connections, Ordering::Relaxed);
        }
        tps.unwrap_or_else(|| panic!("{told}\n{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Returns the newest `pgbench` of PostgreSQL's packages.
fn pgbench() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin/pgbench"));
    found.filter(|path| path.is_file()).max().unwrap_or_else(|| PathBuf::from("pgbench"))
}
