//! Migrations on PostgreSQL.

use invitation_sqlx::sqlx::{PgPool, Postgres};

use crate::{
    promises::{Migrating, promises},
    support::host::number,
};

promises!(Postgres);

impl Migrating for Postgres {
    const LAST: &'static str = "search_terms";
    const UNDOES_TABLES: bool = true;

    async fn is_free(pool: &PgPool) -> bool {
        let held = "SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
             WHERE l.locktype = 'advisory' AND d.datname = current_database()";
        number(pool, held).await == 0
    }
}
