//! The PostgreSQL server of a bench.

use invitation::sql::sqlx::{self, PgPool};
use invitation_testkit::Postgres;

/// Starts a server that waits for the disk at each commit, without autovacuum: it would clean
/// the rows of one side during the measurement of the other.
pub(crate) async fn postgres() -> Postgres {
    let server = Postgres::durable().unwrap();
    let pool = PgPool::connect(&server.url("postgres")).await.unwrap();
    for set in ["ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"] {
        sqlx::raw_sql(set).execute(&pool).await.unwrap();
    }
    pool.close().await;
    server
}
