//! Who is acting: the one question that the library asks its host.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::{HeaderValue, header};
use invitation::{
    Actor, Username, sqlx,
    web::{Identify, IdentifyError, Parts},
};

use crate::{accounts::Account, records::Records, secret::Secret, sessions::Sessions};

/// The cookie of a session.
const COOKIE: &str = "session";

/// How people are recognised.
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
    /// The account behind a request: by its token, if it has one, otherwise by the
    /// cookie of its session. Looked up each time, so that a role counts as it is now.
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
            // Said twice is said by nobody.
            (Some(_), Some(_)) => Ok(None),
        }
    }
}

/// A demonstration's token, as in `Bearer demo-admin`: no secret at all.
fn username(token: &HeaderValue) -> Option<Username> {
    let (scheme, token) = std::str::from_utf8(token.as_bytes()).ok()?.split_once(' ')?;
    let name = token.trim().strip_prefix("demo-")?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Username::new(name).ok()).flatten()
}

/// The id in the cookie of the session. Two such cookies are none: one of them may have
/// been set by somebody else, for a part of the host's paths.
fn session(request: &Parts) -> Option<Secret> {
    let mut given = sessions(request);
    given.next().filter(|_| given.next().is_none())
}

/// Every session id that a request carries.
pub(crate) fn sessions(request: &Parts) -> impl Iterator<Item = Secret> {
    cookies(request, COOKIE)
}

/// The value of a cookie.
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

/// The header that gives the browser its session, for so many seconds.
///
/// Scripts cannot read it, and other sites' pages cannot make a browser send it with a
/// change. A host on the network adds `Secure`.
pub(crate) fn session_cookie(id: &str, seconds: u64) -> String {
    format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}
