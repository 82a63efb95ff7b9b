//! The secret from which the ids of new accounts are derived, in a file that only the owner can
//! read.

use invitation::admit::RedeemerIds;

use crate::{Result, database::Database, secret};

/// Returns the derivation of account ids, under the secret of this database. The first start
/// makes the secret.
///
/// A newcomer who repeats a registration gets the same id, and so the same account, as long as
/// the secret is the same. Processes that share a database therefore need the same file.
pub(crate) fn ids(database: &Database) -> Result<RedeemerIds> {
    match database.beside(".secret") {
        Some(path) => Ok(RedeemerIds::from_file_or_create(path)?),
        // A database in memory ends with this process, and so do its accounts.
        None => Ok(RedeemerIds::new(secret::random()?.reveal())?),
    }
}
