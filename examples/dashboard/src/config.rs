//! The settings from the environment: `PORT`, `DATABASE_URL`, `DEMO_RESET`, `BASE_URL`,
//! `SMTP_URL`, `MAIL_FROM`.

use std::{borrow::Cow, env};

use invitation::{delivery::mail::SmtpMailer, web::BaseUrl};

use crate::database::{self, Database};

/// The settings of the program.
#[derive(Debug)]
pub(crate) struct Config {
    /// The port on the loopback interface; 0 selects a free one.
    pub(crate) port: u16,
    /// The store of the invitations.
    pub(crate) database: Database,
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
        let database = Database::parse(database.as_deref().unwrap_or(database::DEFAULT))?;
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
    message: Cow<'static, str>,
}

impl ConfigError {
    pub(crate) fn new(variable: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { variable, message: message.into() }
    }
}
