//! Identifies the acting user, the one thing that the library asks of its host.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::{HeaderValue, header};
use invitation::{
    Actor, Username,
    sql::sqlx,
    web::{Identify, IdentifyError, Parts},
};

use crate::{accounts::Account, records::Records, secret::Secret, sessions::Sessions};

/// The name of the session cookie.
const COOKIE: &str = "session";

/// Identifies users by token or session.
#[derive(Clone)]
pub(crate) struct People {
    pub(crate) records: Arc<dyn Records>,
    pub(crate) sessions: Arc<Sessions>,
}

#[async_trait]
impl Identify for People {
    async fn actor(&self, request: &Parts) -> Result<Option<Actor>, IdentifyError> {
        let account = self.account(request).await.map_err(IdentifyError::new)?;
        Ok(account.map(|account| account.actor()))
    }
}

impl People {
    /// Returns the account behind a request: by its token, if it has one, otherwise by its
    /// session cookie. It is looked up for each request, so that a changed role takes
    /// effect at once.
    pub(crate) async fn account(&self, request: &Parts) -> sqlx::Result<Option<Account>> {
        let mut tokens = request.headers.get_all(header::AUTHORIZATION).iter();
        match (tokens.next(), tokens.next()) {
            (None, _) => match session(request).and_then(|id| self.sessions.user(&id)) {
                Some(user) => self.records.account(&user).await,
                None => Ok(None),
            },
            (Some(token), None) => match username(token) {
                Some(name) => self.records.account_named(&name).await,
                None => Ok(None),
            },
            // A request with two `Authorization` headers is not authenticated.
            (Some(_), Some(_)) => Ok(None),
        }
    }
}

/// Parses a token of the demonstration, such as `Bearer demo-admin`. It is not secret.
fn username(token: &HeaderValue) -> Option<Username> {
    let (scheme, token) = std::str::from_utf8(token.as_bytes()).ok()?.split_once(' ')?;
    let name = token.trim().strip_prefix("demo-")?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Username::new(name).ok()).flatten()
}

/// Returns the session id from the cookie. Two session cookies count as none: an attacker
/// may have planted one of them for a part of the host's paths.
fn session(request: &Parts) -> Option<Secret> {
    let mut given = sessions(request);
    given.next().filter(|_| given.next().is_none())
}

/// Returns every session id in a request.
pub(crate) fn sessions(request: &Parts) -> impl Iterator<Item = Secret> {
    cookies(request, COOKIE)
}

/// Returns the value of a cookie.
pub(crate) fn cookie(request: &Parts, name: &'static str) -> Option<Secret> {
    cookies(request, name).next()
}

fn cookies(request: &Parts, name: &'static str) -> impl Iterator<Item = Secret> {
    let cookies = request.headers.get_all(header::COOKIE).iter();
    cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(move |(given, _)| *given == name)
        .map(|(_, value)| Secret::new(value))
}

/// Returns the `Set-Cookie` header for a session that lasts `seconds` seconds.
///
/// Scripts cannot read the cookie, and browsers do not send it with changes that other
/// sites' pages request. A host on the network adds `Secure`.
pub(crate) fn session_cookie(id: &str, seconds: u64) -> String {
    format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}
