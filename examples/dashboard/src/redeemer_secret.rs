//! The secret from which the ids of new accounts are derived, in a file that only the owner can
//! read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use invitation::{
    admit::RedeemerIds,
    code::{Entropy, OsEntropy},
    sql::sqlx::sqlite::SqliteConnectOptions,
};

use crate::{
    Result,
    config::{DEFAULT_DATABASE, DatabaseUrl},
    secret::{Secret, hex},
};

/// Returns the derivation of account ids, under the secret of this database. The first start
/// makes the secret.
///
/// A newcomer who repeats a registration gets the same id, and so the same account, as long as
/// the secret is the same. Processes that share a database therefore need the same file.
pub(crate) fn ids(database: &DatabaseUrl) -> Result<RedeemerIds> {
    let secret = match file_of(database)? {
        Some(path) => kept_in(&path).map_err(|error| format!("{}: {error}", path.display()))?,
        // A database in memory ends with this process, and so do its accounts.
        None => new_secret()?,
    };
    Ok(RedeemerIds::new(secret.reveal())?)
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

/// Returns the secret in the file, which it makes if there is none.
fn kept_in(path: &Path) -> io::Result<Secret> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(path, &new_secret()?)?;
            // If two processes start together, both use the secret of the first.
            read(path)
        }
        read => read,
    }
}

fn read(path: &Path) -> io::Result<Secret> {
    let file = File::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(io::Error::other("only the owner may have access: run `chmod 600` on it"));
        }
    }
    Ok(Secret::new(io::read_to_string(file)?.trim()))
}

/// Writes a file that does not exist yet. Readers see all of it or none of it, because it gets
/// its name last.
fn create(path: &Path, secret: &Secret) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{}", secret.reveal())?;
    file.sync_all()?;
    let named = match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        named => named,
    };
    fs::remove_file(&draft)?;
    named
}

/// Returns 256 random bits of the operating system, as 64 hexadecimal digits.
fn new_secret() -> io::Result<Secret> {
    let mut bytes = [0; 32];
    OsEntropy.fill(&mut bytes).map_err(io::Error::other)?;
    Ok(Secret::new(hex(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.db.secret");
        let first = kept_in(&path).unwrap();
        assert_eq!(first.reveal().len(), 64);
        assert_eq!(kept_in(&path).unwrap().reveal(), first.reveal());
        // A process that started at the same time does not replace it.
        create(&path, &new_secret().unwrap()).unwrap();
        assert_eq!(kept_in(&path).unwrap().reveal(), first.reveal());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn secret_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.db.secret");
        kept_in(&path).unwrap();
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(kept_in(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn file_is_beside_the_sqlite_file_and_a_database_in_memory_has_none() {
        let of = |url: &str| file_of(&DatabaseUrl::Sqlite(url.to_owned())).unwrap();
        assert_eq!(of("sqlite:data/demo.db"), Some("data/demo.db.secret".into()));
        assert_eq!(of("sqlite::memory:"), None);
        let other = DatabaseUrl::Postgres("postgres://host".to_owned());
        assert_eq!(file_of(&other).unwrap(), Some("invitation-demo.db.secret".into()));
    }
}
