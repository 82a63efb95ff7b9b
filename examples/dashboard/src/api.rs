//! The host's own JSON API.

use axum::{
    body::{Body, to_bytes},
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
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
    problems::busy,
    register::{Application, Registered},
    secret::Secret,
    webhooks::{MAX_MESSAGE, Message, NotAccepted},
};

/// The body of a registration: the username and the code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationBody {
    code: String,
    username: String,
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
    headers: HeaderMap,
    Json(body): Json<ApplicationBody>,
) -> Result<Response, Problem> {
    let ApplicationBody { code, username, email } = body;
    let key = idempotency_key(&headers)?;
    let application = application(&client, code, &username, email.as_deref(), key)?;
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
    code: String,
    username: &str,
    email: Option<&str>,
    key: Option<&str>,
) -> Result<Application, Problem> {
    let email = email.map(Email::parse).transpose();
    match (Username::new(username), email) {
        (Ok(username), Ok(email)) => Ok(Application {
            request: client.context(),
            code: Secret::new(code),
            username,
            email,
            key: key.map(str::to_owned),
        }),
        (username, email) => {
            let wrong = [username.err(), email.err()].into_iter().flatten();
            Err(Problem::invalid(wrong.map(|error| in_body(&error))))
        }
    }
}

fn in_body(error: &FieldError) -> InputError {
    InputError::in_body(format!("/{}", error.field()), error.message())
}

/// The body of a confirmation: the handle and the token from the mail.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmationBody {
    registration: String,
    token: String,
}

/// `POST /api/register/confirm`
pub(crate) async fn confirm(
    State(App(host)): State<App>,
    client: ClientRequest,
    Json(body): Json<ConfirmationBody>,
) -> Result<Response, Problem> {
    let account = host.confirm(client.context(), &body.registration, &body.token).await?;
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
    Ok(axum::Json(Messages { items: host.receiver.read() }).into_response())
}

/// `POST /api/demo/webhooks/receiver`: the receiver of webhooks. The signature says who sent it.
pub(crate) async fn receive(
    State(App(host)): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body = to_bytes(body, MAX_MESSAGE).await;
    let body = body.map_err(|_| Problem::new(ProblemKind::TooLarge))?;
    match host.receiver.receive(&headers, &body) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(NotAccepted::Signature) => Err(Problem::new(ProblemKind::Unauthenticated)),
        Err(NotAccepted::Content) => Err(Problem::new(ProblemKind::Malformed)),
    }
}

/// The query of the mail list: the recipient, and what the mails are for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailQuery {
    to: Option<String>,
    #[serde(default)]
    kind: MailKind,
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
    query: Result<Query<MailQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    administrator(&host, &request).await?;
    let Query(MailQuery { to, kind }) = query.map_err(|_| {
        let detail = "the parameters are `to`, an address, and `kind`: confirmation or invitation";
        Problem::new(ProblemKind::Invalid).with_detail(detail)
    })?;
    let to = to.as_deref().map(Email::parse).transpose();
    let to = to.map_err(|invalid| {
        Problem::new(ProblemKind::Invalid).with_detail(format!("to {}", invalid.message()))
    })?;
    Ok(axum::Json(Mails { items: host.outbox.read(to.as_ref(), kind) }).into_response())
}
