//! The host's own JSON API.

use std::{error::Error, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;
use invitation::{
    Email, FieldError, Username,
    web::{InputError, Json, Parts, Problem, ProblemKind},
};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::Account,
    app::{App, Host},
    client_request::ClientRequest,
    mail::{Mail, MailKind},
    params::{NoParams, Params},
    problems::busy,
    register::{Application, Registered},
    secret::Secret,
    webhooks::{MAX_MESSAGE, MESSAGE_TIME, Message, NotAccepted},
};

/// The body of a registration: the username and the code. A missing one is an error of its field, so
/// that the response names all missing ones.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationBody {
    code: Option<String>,
    username: Option<String>,
    email: Option<String>,
}

/// The body of the answer with a new account.
#[derive(Serialize)]
struct AccountBody {
    username: String,
    role: String,
    division: Option<String>,
}

/// The body of the answer while a registration waits for the proof of an address.
#[derive(Serialize)]
struct RegistrationBody {
    registration: String,
}

/// `POST /api/register`
pub(crate) async fn register(
    State(App(host)): State<App>,
    client: ClientRequest,
    _: NoParams,
    headers: HeaderMap,
    Json(body): Json<ApplicationBody>,
) -> Result<Response, Problem> {
    let ApplicationBody { code, username, email } = body;
    let key = idempotency_key(&headers)?;
    let application = application(&client, code, username.as_deref(), email.as_deref(), key)?;
    Ok(match host.register(&application).await? {
        Registered::Done(account) => created(&account),
        Registered::ProofAsked(registration) => {
            (StatusCode::ACCEPTED, axum::Json(RegistrationBody { registration })).into_response()
        }
    })
}

/// The key of the request, if it has one. A key that cannot be read is refused: without it,
/// the request would count as the one of another newcomer.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    let Some(key) = given.next() else { return Ok(None) };
    match (key.to_str(), given.next()) {
        (Ok(key), None) => Ok(Some(key)),
        _ => Err(Problem::invalid([InputError::in_header(
            "Idempotency-Key",
            "must be given once, as visible ASCII characters",
        )])),
    }
}

/// The values of an application, or all that is wrong with them.
pub(crate) fn application(
    client: &ClientRequest,
    code: Option<String>,
    username: Option<&str>,
    email: Option<&str>,
    key: Option<&str>,
) -> Result<Application, Problem> {
    let code = code.ok_or(missing("code"));
    let username = username.ok_or(missing("username"));
    let username = username.and_then(|name| Username::new(name).map_err(|error| in_body(&error)));
    let email = email.map(Email::parse).transpose().map_err(|error| in_body(&error));
    match (code, username, email) {
        (Ok(code), Ok(username), Ok(email)) => Ok(Application {
            request: client.context(),
            code: Secret::new(code),
            username,
            email,
            key: key.map(str::to_owned),
        }),
        (code, username, email) => {
            let wrong = [code.err(), username.err(), email.err()];
            Err(Problem::invalid(wrong.into_iter().flatten()))
        }
    }
}

/// The error of a field that is missing from the body.
fn missing(field: &str) -> InputError {
    InputError::in_body(format!("/{field}"), "must be given")
}

fn in_body(error: &FieldError) -> InputError {
    InputError::in_body(format!("/{}", error.field()), error.message())
}

/// The body of a confirmation: the handle and the token from the mail.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmationBody {
    registration: Option<String>,
    token: Option<String>,
}

/// `POST /api/register/confirm`
pub(crate) async fn confirm(
    State(App(host)): State<App>,
    client: ClientRequest,
    _: NoParams,
    Json(ConfirmationBody { registration, token }): Json<ConfirmationBody>,
) -> Result<Response, Problem> {
    let (registration, token) = match (registration, token) {
        (Some(registration), Some(token)) => (registration, token),
        (registration, token) => {
            let named = [(registration, "registration"), (token, "token")];
            let absent = named.into_iter().filter(|(value, _)| value.is_none());
            return Err(Problem::invalid(absent.map(|(_, field)| missing(field))));
        }
    };
    let account = host.confirm(client.context(), &registration, &token).await?;
    Ok(created(&account))
}

fn created(account: &Account) -> Response {
    let body = AccountBody {
        username: account.username.to_string(),
        role: account.role.to_string(),
        division: account.division.as_ref().map(ToString::to_string),
    };
    (StatusCode::CREATED, axum::Json(body)).into_response()
}

/// Returns the administrator who sends a request, and refuses anybody else.
pub(crate) async fn administrator(host: &Host, request: &Parts) -> Result<Account, Problem> {
    let account = host.people.account(request).await.map_err(busy)?;
    let account = account.ok_or(Problem::new(ProblemKind::Unauthenticated))?;
    if account.is_administrator() { Ok(account) } else { Err(Problem::new(ProblemKind::Forbidden)) }
}

/// The messages that the receiver of webhooks has accepted, the last one first.
#[derive(Serialize)]
struct Messages {
    items: Vec<Message>,
}

/// `GET /api/demo/webhooks`
pub(crate) async fn webhooks(
    State(App(host)): State<App>,
    request: Parts,
) -> Result<Response, Problem> {
    administrator(&host, &request).await?;
    Params::of(&request)?.nothing_else()?;
    Ok(axum::Json(Messages { items: host.receiver.read() }).into_response())
}

/// `POST /api/demo/webhooks/receiver`: the receiver of webhooks. The signature says who sent it.
pub(crate) async fn receive(
    State(App(host)): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body = message(body, MESSAGE_TIME).await?;
    match host.receiver.receive(&headers, &body) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(NotAccepted::Signature) => Err(Problem::new(ProblemKind::Unauthenticated)),
        Err(NotAccepted::Content) => Err(Problem::new(ProblemKind::Malformed)),
    }
}

/// Reads a message. Returns 413 for one that is too large, 408 if it arrives too slowly, and 400 if it
/// breaks off.
async fn message(body: Body, time: Duration) -> Result<Bytes, Problem> {
    let kind = match tokio::time::timeout(time, to_bytes(body, MAX_MESSAGE)).await {
        Ok(Ok(message)) => return Ok(message),
        Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
            ProblemKind::TooLarge
        }
        Ok(Err(_)) => ProblemKind::Malformed,
        Err(_) => ProblemKind::RequestTimeout,
    };
    Err(Problem::new(kind))
}

/// The mails that the demonstration sent, newest first.
#[derive(Serialize)]
struct Mails {
    items: Vec<Mail>,
}

/// `GET /api/demo/mail?to=&kind=confirmation|invitation`
pub(crate) async fn mail(
    State(App(host)): State<App>,
    request: Parts,
) -> Result<Response, Problem> {
    administrator(&host, &request).await?;
    let mut params = Params::of(&request)?;
    let (to, kind) = (params.take("to"), params.take("kind"));
    params.nothing_else()?;
    let to = to.as_deref().map(Email::parse).transpose();
    let to = to.map_err(|error| InputError::in_query("to", error.message()));
    let kind = match kind.as_deref() {
        None => Ok(MailKind::default()),
        Some("confirmation") => Ok(MailKind::Confirmation),
        Some("invitation") => Ok(MailKind::Invitation),
        Some(_) => Err(InputError::in_query("kind", "must be confirmation or invitation")),
    };
    let (to, kind) = match (to, kind) {
        (Ok(to), Ok(kind)) => (to, kind),
        (to, kind) => {
            return Err(Problem::invalid([to.err(), kind.err()].into_iter().flatten()));
        }
    };
    Ok(axum::Json(Mails { items: host.outbox.read(to.as_ref(), kind) }).into_response())
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::{StreamExt, stream};

    use super::*;

    /// Returns the problem with a body whose first piece is followed by `rest`.
    async fn problem(rest: impl stream::Stream<Item = io::Result<Bytes>> + Send + 'static) -> u16 {
        let first = stream::iter([Ok(Bytes::from_static(b"{"))]);
        let body = Body::from_stream(first.chain(rest));
        let read = message(body, Duration::from_millis(50)).await;
        read.expect_err("a problem").kind().status().as_u16()
    }

    #[tokio::test]
    async fn message_that_does_not_arrive_is_the_fault_of_its_sender() {
        assert_eq!(problem(stream::pending()).await, 408);
        assert_eq!(problem(stream::iter([Err(io::Error::other("broken"))])).await, 400);
        let large = Bytes::from(vec![b'x'; MAX_MESSAGE]);
        assert_eq!(problem(stream::iter([Ok(large)])).await, 413);
    }
}
