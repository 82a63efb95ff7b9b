//! All rows of all tables, as bytes.

use invitation_sqlx::sqlx::{AssertSqlSafe, Executor, Pool, Row};

use crate::support::host::{Kind, tables};

/// How a database returns the columns of a table as bytes.
pub(crate) trait Dump: Kind {
    /// A query for the expressions that return the columns of the table `TABLE` as bytes.
    const COLUMNS: &'static str;
}

#[cfg(feature = "sqlite")]
impl Dump for invitation_sqlx::sqlx::Sqlite {
    const COLUMNS: &'static str =
        r#"SELECT 'CAST("' || name || '" AS BLOB)' FROM pragma_table_info('TABLE')"#;
}

#[cfg(feature = "postgres")]
impl Dump for invitation_sqlx::sqlx::Postgres {
    const COLUMNS: &'static str = "SELECT CASE data_type WHEN 'bytea' THEN format('%I', column_name) \
         ELSE format('convert_to(%I::TEXT, ''UTF8'')', column_name) END \
         FROM information_schema.columns WHERE table_name = 'TABLE'";
}

#[cfg(feature = "mysql")]
impl Dump for invitation_sqlx::sqlx::MySql {
    const COLUMNS: &'static str = "SELECT CONCAT('CAST(`', column_name, '` AS BINARY)') \
         FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = 'TABLE'";
}

/// Returns the bytes of all rows of all tables.
pub(crate) async fn dump<DB: Dump>(pool: &Pool<DB>) -> Vec<u8> {
    let mut contents = Vec::new();
    for table in tables(pool).await {
        let mut conn = pool.acquire().await.unwrap();
        let columns = AssertSqlSafe(DB::COLUMNS.replace("TABLE", &table));
        let columns = DB::exec(&mut conn).fetch_all(columns).await.unwrap();
        let columns: Vec<String> = columns
            .iter()
            .map(|row| row.get::<DB::Text, _>(DB::ColumnNumber::from(0)).into())
            .collect();
        let query = format!("SELECT {} FROM {table}", columns.join(", "));
        for row in DB::exec(&mut conn).fetch_all(AssertSqlSafe(query)).await.unwrap() {
            for column in 0..columns.len() {
                let cell: Option<Vec<u8>> =
                    row.get::<DB::OptBlob, _>(DB::ColumnNumber::from(column)).into();
                contents.extend(cell.unwrap_or_default());
                contents.push(b'\n');
            }
        }
    }
    contents
}
