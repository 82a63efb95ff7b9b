//! Migrations on MariaDB, where each statement commits by itself.

use invitation_sqlx::sqlx::{MySql, MySqlPool};

use crate::{
    promises::{Migrating, promises},
    support::host::number,
};

promises!(MySql);

impl Migrating for MySql {
    const LAST: &'static str = "overview";
    const UNDOES_TABLES: bool = false;

    async fn is_free(pool: &MySqlPool) -> bool {
        let free = "SELECT IS_FREE_LOCK(CONCAT('invitation ', LEFT(SHA2(DATABASE(), 256), 48)))";
        number(pool, free).await == 1
    }
}
