//! The database that `DATABASE_URL` names, and the paths of the host's files for it: the key, the
//! secret of the accounts, the log of the audit trail, the files of imports, and the users beside
//! Redis.

use std::{
    borrow::Cow,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use invitation::{
    redis_store::redis::IntoConnectionInfo,
    sql::sqlx::{
        mysql::MySqlConnectOptions, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
    },
};

use crate::{config::ConfigError, secret};

/// The default of `DATABASE_URL`: a file in the working directory, which the next start
/// finds again.
pub(crate) const DEFAULT: &str = "sqlite:invitation-demo.db";

/// The beginning of the names of files for a database on a server.
const NAME: &str = "invitation-demo";

/// A database, and the paths of the host's files for it.
pub(crate) struct Database {
    pub(crate) url: DatabaseUrl,
    /// The path that the paths of the host's files begin with; none for a database in memory.
    files: Option<PathBuf>,
}

/// A kind of store, and its URL.
pub(crate) enum DatabaseUrl {
    Sqlite(String),
    Postgres(String),
    MySql(String),
    Redis(String),
}

impl Database {
    /// Reads a URL.
    pub(crate) fn parse(url: &str) -> Result<Self, ConfigError> {
        let own = url.to_owned();
        let (url, files) = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => (DatabaseUrl::Sqlite(own), sqlite_file(url)?),
            Some("postgres" | "postgresql") => {
                (DatabaseUrl::Postgres(own), Some(postgres_files(url)?))
            }
            Some("mysql" | "mariadb") => (DatabaseUrl::MySql(own), Some(mysql_files(url)?)),
            Some("redis") => (DatabaseUrl::Redis(own), Some(redis_files(url)?)),
            Some("rediss") if cfg!(feature = "redis-tls") => {
                (DatabaseUrl::Redis(own), Some(redis_files(url)?))
            }
            Some("rediss") => {
                return Err(invalid("begins with rediss:, which needs the feature redis-tls"));
            }
            _ => {
                return Err(invalid(
                    "must begin with sqlite:, postgres:, mysql:, redis: or rediss:",
                ));
            }
        };
        Ok(Self { url, files })
    }

    /// Returns whether the database is in memory, and ends with the process.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.files.is_none()
    }

    /// Returns the path of a file of the host with this ending: beside a SQLite file, else in the
    /// working directory. None for a database in memory, which ends with the process.
    pub(crate) fn beside(&self, ending: &str) -> Option<PathBuf> {
        let mut path = self.files.clone()?.into_os_string();
        path.push(ending);
        Some(path.into())
    }
}

/// Returns the beginning of the names of files for a database on a server. Each database has names
/// of its own, so that several hosts can start in one folder: one log, for example, cannot hold the
/// events of two databases. The user, the password and options of the URL do not matter. A server with
/// two names, or with a socket and an address, has two names here, except for those of this machine.
fn files_of(kind: &str, server: &str, database: &str) -> PathBuf {
    let server = server.to_lowercase();
    let server = match server.rsplit_once(':') {
        Some(("127.0.0.1" | "::1" | "[::1]", port)) => format!("localhost:{port}"),
        _ => server,
    };
    let hash = secret::hash(&[kind, &server, database]);
    let short: String = hash.chars().take(8).collect();
    format!("{NAME}-{short}").into()
}

fn postgres_files(url: &str) -> Result<PathBuf, ConfigError> {
    let options =
        PgConnectOptions::from_str(url).map_err(|e| invalid(format!("cannot be read: {e}")))?;
    let host = match options.get_socket() {
        Some(folder) => folder.to_string_lossy(),
        None => options.get_host().into(),
    };
    let server = format!("{host}:{}", options.get_port());
    // A URL without a database means the one that has the user's name.
    let database = options.get_database().unwrap_or(options.get_username());
    Ok(files_of("postgres", &server, database))
}

fn mysql_files(url: &str) -> Result<PathBuf, ConfigError> {
    let options =
        MySqlConnectOptions::from_str(url).map_err(|e| invalid(format!("cannot be read: {e}")))?;
    let host = match options.get_socket() {
        Some(socket) => socket.to_string_lossy(),
        None => options.get_host().into(),
    };
    let server = format!("{host}:{}", options.get_port());
    Ok(files_of("mysql", &server, options.get_database().unwrap_or_default()))
}

fn redis_files(url: &str) -> Result<PathBuf, ConfigError> {
    let info = url.into_connection_info().map_err(|e| invalid(format!("cannot be read: {e}")))?;
    let database = info.redis_settings().db().to_string();
    Ok(files_of("redis", &info.addr().to_string(), &database))
}

/// Returns the path of the file that a URL names; none for a database in memory.
///
/// The driver accepts more, such as no name at all or `mode=memory`. Then each connection has a
/// database of its own, or the host's files have no name.
fn sqlite_file(url: &str) -> Result<Option<PathBuf>, ConfigError> {
    let text = url.strip_prefix("sqlite:").unwrap_or(url);
    let text = text.strip_prefix("//").unwrap_or(text);
    if text == ":memory:" {
        return Ok(None);
    }
    let options =
        SqliteConnectOptions::from_str(url).map_err(|e| invalid(format!("cannot be read: {e}")))?;
    let file = options.get_filename();
    let (name, parameters) = text.split_once('?').unwrap_or((text, ""));
    let is_file = name != ":memory:"
        && file != Path::new("")
        && !file.to_string_lossy().starts_with("file:")
        && parameters.split('&').all(|parameter| parameter != "mode=memory");
    if is_file {
        Ok(Some(file.to_owned()))
    } else {
        Err(invalid("must be sqlite:FILE, or sqlite::memory: for a database in memory"))
    }
}

fn invalid(message: impl Into<Cow<'static, str>>) -> ConfigError {
    ConfigError::new("DATABASE_URL", message)
}

impl fmt::Debug for Database {
    /// Prints the kind only, because the URL may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.url {
            DatabaseUrl::Sqlite(_) => "SQLite",
            DatabaseUrl::Postgres(_) => "PostgreSQL",
            DatabaseUrl::MySql(_) => "MySQL",
            DatabaseUrl::Redis(_) => "Redis, the users in SQLite",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        Database::parse(url).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn files_of_sqlite_are_beside_its_file_and_a_database_in_memory_has_none() {
        let of = |url: &str| Database::parse(url).unwrap().beside(".keys");
        assert_eq!(of(DEFAULT), Some("invitation-demo.db.keys".into()));
        assert_eq!(of("sqlite:data/demo.db"), Some("data/demo.db.keys".into()));
        assert_eq!(of("sqlite://data/demo.db?mode=rwc"), Some("data/demo.db.keys".into()));
        assert_eq!(of("sqlite::memory:"), None);
        assert_eq!(of("sqlite://:memory:"), None);
        assert!(Database::parse("sqlite::memory:").unwrap().is_in_memory());
    }

    #[test]
    fn sqlite_url_without_a_file_is_refused() {
        for url in [
            "sqlite:",
            "sqlite://",
            "sqlite:?mode=rwc",
            "sqlite:x?mode=memory",
            "sqlite:x?cache=shared&mode=memory",
            "sqlite::memory:?cache=shared",
            "sqlite:file:x.db",
            "sqlite:x?mode=never",
        ] {
            assert!(refusal(url).starts_with("DATABASE_URL "), "{url}: {}", refusal(url));
        }
    }

    #[test]
    fn files_of_a_server_are_named_after_server_and_database() {
        let of = |url: &str| Database::parse(url).unwrap().beside(".keys").unwrap();
        let same = [
            &[
                "postgres://a:b@host/x",
                "postgresql://host:5432/x",
                "postgres://HOST/x?sslmode=disable",
            ][..],
            &["postgres://host/y", "postgres://y@host"],
            &["postgres://host:5433/x"],
            &["postgres://localhost/x", "postgres://127.0.0.1:5432/x"],
            &["mysql://a:b@host/x", "mariadb://host:3306/x"],
            &["mysql://other/x"],
            &["redis://a:b@host/", "redis://host:6379/0"],
            &["redis://host/1"],
            &["redis://localhost", "redis://127.0.0.1:6379/0"],
        ];
        let mut seen = Vec::new();
        for urls in same {
            let first = of(urls[0]);
            for url in urls {
                assert_eq!(of(url), first, "{url}");
            }
            let name = first.to_str().unwrap();
            assert!(name.starts_with("invitation-demo-") && name.len() == 29, "{name}");
            assert!(!seen.contains(&first), "{urls:?}");
            seen.push(first);
        }
    }

    #[test]
    fn redis_over_tls_needs_its_feature() {
        let url = "rediss://me:tiger@127.0.0.1:6380/1";
        if cfg!(feature = "redis-tls") {
            assert!(matches!(Database::parse(url).unwrap().url, DatabaseUrl::Redis(_)));
        } else {
            let said = refusal(url);
            assert!(said.contains("redis-tls") && !said.contains("tiger"), "{said}");
        }
    }
}
