//! The settings from the environment: `PORT`, `DATABASE_URL`, `DEMO_RESET`, `BASE_URL`,
//! `SMTP_URL`, `MAIL_FROM`.

use std::{env, ffi::OsString, fmt, path::PathBuf, str::FromStr};

use invitation::{
    delivery::mail::SmtpMailer,
    sql::sqlx::{self, sqlite::SqliteConnectOptions},
    web::BaseUrl,
};

/// The default of `DATABASE_URL`: a file in the working directory, which the next start
/// finds again.
pub(crate) const DEFAULT_DATABASE: &str = "sqlite:invitation-demo.db";

/// The beginning of the names of files beside a database on a server.
const NAME: &str = "invitation-demo";

/// The settings of the program.
#[derive(Debug)]
pub(crate) struct Config {
    /// The port on the loopback interface; 0 selects a free one.
    pub(crate) port: u16,
    /// The store of the invitations.
    pub(crate) database: DatabaseUrl,
    /// Whether to begin with an empty store.
    pub(crate) reset: bool,
    /// The public URL, if the host is reached outside of the loopback interface.
    pub(crate) base_url: Option<BaseUrl>,
    /// The mail server that the mails of invitations go to, if there is one.
    pub(crate) mailer: Option<SmtpMailer>,
}

/// The default of `MAIL_FROM`.
const SENDER: &str = "Demonstration <no-reply@example.com>";

/// A server to check a sender with. A mailer connects to nothing before its first mail.
const ANY_SERVER: &str = "smtp://localhost";

/// A kind of store, and its URL.
pub(crate) enum DatabaseUrl {
    Sqlite(String),
    Postgres(String),
    MySql(String),
    Redis(String),
}

impl Config {
    /// Reads the settings from the environment.
    pub(crate) fn from_env() -> Result<Self, ConfigError> {
        let port = match variable("PORT")? {
            None => 3000,
            Some(text) => text
                .parse()
                .map_err(|_| ConfigError::new("PORT", "must be a number from 0 to 65535"))?,
        };
        let database = variable("DATABASE_URL")?;
        let database = DatabaseUrl::parse(database.as_deref().unwrap_or(DEFAULT_DATABASE))?;
        let reset = match variable("DEMO_RESET")?.as_deref() {
            None | Some("0") => false,
            Some("1") => true,
            Some(_) => return Err(ConfigError::new("DEMO_RESET", "must be 1, or 0, or not set")),
        };
        let base_url = variable("BASE_URL")?.map(|text| BaseUrl::parse(&text)).transpose();
        let base_url = base_url.map_err(|_| {
            ConfigError::new("BASE_URL", "must be an http or https address without query")
        })?;
        let mailer = mailer(variable("SMTP_URL")?.as_deref(), variable("MAIL_FROM")?.as_deref())?;
        Ok(Self { port, database, reset, base_url, mailer })
    }
}

impl DatabaseUrl {
    fn parse(url: &str) -> Result<Self, ConfigError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite(url.to_owned())),
            Some("postgres" | "postgresql") => Ok(Self::Postgres(url.to_owned())),
            Some("mysql" | "mariadb") => Ok(Self::MySql(url.to_owned())),
            Some("redis") => Ok(Self::Redis(url.to_owned())),
            _ => Err(ConfigError::new(
                "DATABASE_URL",
                "must begin with sqlite:, postgres:, mysql: or redis:",
            )),
        }
    }

    /// Returns the path of a file of the host with this ending: beside a SQLite file, else in the
    /// working directory. None for a database in memory, which ends with the process.
    pub(crate) fn beside(&self, ending: &str) -> Result<Option<PathBuf>, sqlx::Error> {
        let mut name = match self {
            Self::Sqlite(url) if url.contains(":memory:") => return Ok(None),
            Self::Sqlite(url) => {
                SqliteConnectOptions::from_str(url)?.get_filename().to_owned().into_os_string()
            }
            Self::Postgres(_) | Self::MySql(_) | Self::Redis(_) => OsString::from(NAME),
        };
        name.push(ending);
        Ok(Some(name.into()))
    }
}

impl fmt::Debug for DatabaseUrl {
    /// Prints the kind only, because the URL may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
            Self::MySql(_) => "MySQL",
            Self::Redis(_) => "Redis, the users in SQLite",
        })
    }
}

/// Returns the mailer for the mails of invitations, if there is a mail server. The sender is
/// checked in either case, so that a mistake in it does not wait for the server.
fn mailer(url: Option<&str>, sender: Option<&str>) -> Result<Option<SmtpMailer>, ConfigError> {
    let sender = sender.unwrap_or(SENDER);
    let mailer = SmtpMailer::new(url.unwrap_or(ANY_SERVER), sender);
    let mailer = mailer.map_err(|error| match error.field() {
        "from" => ConfigError::new("MAIL_FROM", "must be an address, as in Name <a@b.org>"),
        _ => ConfigError::new("SMTP_URL", "must be smtps://user:password@host or similar"),
    })?;
    Ok(url.map(|_| mailer))
}

/// Returns a variable of the environment. An empty one counts as not set.
fn variable(name: &'static str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(ConfigError::new(name, "must be UTF-8")),
    }
}

/// The error for an invalid variable. It never contains the value.
#[derive(Debug, thiserror::Error)]
#[error("{variable} {message}")]
pub(crate) struct ConfigError {
    variable: &'static str,
    message: &'static str,
}

impl ConfigError {
    fn new(variable: &'static str, message: &'static str) -> Self {
        Self { variable, message }
    }
}
