//! On MariaDB, where each statement commits by itself.

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
        let free = "SELECT IS_FREE_LOCK(CONCAT('invitation ', MD5(DATABASE())))";
        number(pool, free).await == 1
    }
}
