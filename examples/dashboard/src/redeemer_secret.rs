//! The secret from which the ids of new accounts are derived, in a file that only the owner can
//! read.

use std::{path::PathBuf, str::FromStr};

use invitation::{admit::RedeemerIds, sql::sqlx::sqlite::SqliteConnectOptions};

use crate::{
    Result,
    config::{DEFAULT_DATABASE, DatabaseUrl},
    secret,
};

/// Returns the derivation of account ids, under the secret of this database. The first start
/// makes the secret.
///
/// A newcomer who repeats a registration gets the same id, and so the same account, as long as
/// the secret is the same. Processes that share a database therefore need the same file.
pub(crate) fn ids(database: &DatabaseUrl) -> Result<RedeemerIds> {
    match file_of(database)? {
        Some(path) => Ok(RedeemerIds::from_file_or_create(path)?),
        // A database in memory ends with this process, and so do its accounts.
        None => Ok(RedeemerIds::new(secret::random()?.reveal())?),
    }
}

/// Returns the file for a database: beside a SQLite file, else in the working directory. A
/// database in memory has none.
fn file_of(database: &DatabaseUrl) -> Result<Option<PathBuf>> {
    let url = match database {
        DatabaseUrl::Sqlite(url) => url,
        // Redis keeps no users: they are in the default SQLite file.
        DatabaseUrl::Postgres(_) | DatabaseUrl::MySql(_) | DatabaseUrl::Redis(_) => {
            DEFAULT_DATABASE
        }
    };
    if url.contains(":memory:") {
        return Ok(None);
    }
    let mut name = SqliteConnectOptions::from_str(url)?.get_filename().to_owned().into_os_string();
    name.push(".secret");
    Ok(Some(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_beside_the_sqlite_file_and_a_database_in_memory_has_none() {
        let of = |url: &str| file_of(&DatabaseUrl::Sqlite(url.to_owned())).unwrap();
        assert_eq!(of("sqlite:data/demo.db"), Some("data/demo.db.secret".into()));
        assert_eq!(of("sqlite::memory:"), None);
        let other = DatabaseUrl::Postgres("postgres://host".to_owned());
        assert_eq!(file_of(&other).unwrap(), Some("invitation-demo.db.secret".into()));
    }
}
