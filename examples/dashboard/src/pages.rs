//! The host's pages. They work without JavaScript; a few lines of it move a code from the
//! fragment of a link into the form.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, Html, IntoResponse, Redirect, Response},
};
use invitation::{
    Username,
    web::{Form, InputError, Parts, Problem, ProblemKind},
};
use serde::Deserialize;

use crate::{
    accounts::Account,
    api::{administrator, application},
    app::{App, DASHBOARD},
    client_request::ClientRequest,
    people::{cookie, session_cookie, sessions},
    problems::busy,
    register::Registered,
    secret,
    seed::USERS,
    sessions::LIFETIME,
    webhooks::Message,
};

/// Forbids resources of other origins, inline scripts and styles, and framing.
const POLICY: [(HeaderName, &str); 1] = [(
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'",
)];

/// The cookie that distinguishes the browsers of newcomers who share a code.
const NEWCOMER: &str = "newcomer";

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    account: Option<Account>,
    dashboard: &'static str,
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct Webhooks {
    messages: Vec<Message>,
    dashboard: &'static str,
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    users: [(&'static str, &'static str, Option<&'static str>); 4],
    username: String,
    error: Option<&'static str>,
}

#[derive(Template, Default)]
#[template(path = "register.html")]
struct Register {
    fields: Fields,
    code_error: Option<String>,
    username_error: Option<String>,
    email_error: Option<String>,
    error: Option<String>,
}

#[derive(Template, Default)]
#[template(path = "confirm.html")]
struct Confirm {
    is_new: bool,
    fields: Answer,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct Welcome {
    account: Account,
}

/// The fields of the page *Register*, as they were sent.
#[derive(Deserialize, Default)]
pub(crate) struct Fields {
    #[serde(default)]
    code: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
}

/// The fields of the page *Confirm*.
#[derive(Deserialize, Default)]
pub(crate) struct Answer {
    #[serde(default)]
    registration: String,
    #[serde(default)]
    token: String,
}

/// The field of the page *Sign in*.
#[derive(Deserialize)]
pub(crate) struct SignIn {
    #[serde(default)]
    username: String,
}

pub(crate) async fn home(
    State(App(host)): State<App>,
    request: Parts,
) -> Result<Response, Problem> {
    let account = host.people.account(&request).await.map_err(busy)?;
    Ok(page(StatusCode::OK, &Home { account, dashboard: DASHBOARD }))
}

/// Shows the messages that the receiver of webhooks has accepted, to the administrator.
pub(crate) async fn webhooks(
    State(App(host)): State<App>,
    request: Parts,
) -> Result<Response, Problem> {
    administrator(&host, &request).await?;
    Ok(page(StatusCode::OK, &Webhooks { messages: host.receiver.read(), dashboard: DASHBOARD }))
}

pub(crate) async fn login() -> Response {
    page(StatusCode::OK, &Login { users: USERS, username: String::new(), error: None })
}

/// Signs in as any user, because this is a demonstration. A real host checks a password.
pub(crate) async fn sign_in(
    State(App(host)): State<App>,
    request: Parts,
    Form(SignIn { username }): Form<SignIn>,
) -> Result<Response, Problem> {
    let found = match Username::new(username.trim()) {
        Ok(name) => host.records.account_named(&name).await.map_err(busy)?,
        // No account has a name that is none.
        Err(_) => None,
    };
    let Some(account) = found else {
        let error = Some("there is no user of this name");
        let page_again = Login { users: USERS, username, error };
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &page_again));
    };
    // End the previous session and begin a new one. A session id that an attacker knew, or
    // had planted in this browser, then gives no access.
    for former in sessions(&request) {
        host.people.sessions.end(&former);
    }
    let begun = host
        .people
        .sessions
        .begin(account.id)
        .map_err(|error| Problem::of_redeeming(&error.into()))?;
    let cookie = session_cookie(begun.reveal(), LIFETIME.as_secs());
    let to = if account.role.as_str() == "staff" { "/" } else { DASHBOARD };
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(to)).into_response())
}

pub(crate) async fn sign_out(State(App(host)): State<App>, request: Parts) -> Response {
    for id in sessions(&request) {
        host.people.sessions.end(&id);
    }
    let gone = session_cookie("", 0);
    (AppendHeaders([(header::SET_COOKIE, gone)]), Redirect::to("/")).into_response()
}

pub(crate) async fn register(request: Parts) -> Result<Response, Problem> {
    let response = page(StatusCode::OK, &Register::default());
    if cookie(&request, NEWCOMER).is_some() {
        return Ok(response);
    }
    let id = secret::random().map_err(|error| Problem::of_redeeming(&error.into()))?;
    let cookie = format!("{NEWCOMER}={}; Path=/register; HttpOnly; SameSite=Lax", id.reveal());
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), response).into_response())
}

pub(crate) async fn apply(
    State(App(host)): State<App>,
    client: ClientRequest,
    request: Parts,
    Form(fields): Form<Fields>,
) -> Response {
    let email = Some(fields.email.trim()).filter(|email| !email.is_empty());
    let newcomer = cookie(&request, NEWCOMER).map(|id| id.hash());
    let applied = application(
        &client,
        Some(fields.code.clone()),
        Some(fields.username.trim()),
        email,
        newcomer.as_deref(),
    );
    let registered = match applied {
        Ok(application) => host.register(&application).await,
        Err(problem) => Err(problem),
    };
    match registered {
        Ok(Registered::Done(account)) => page(StatusCode::CREATED, &Welcome { account }),
        Ok(Registered::ProofAsked(registration)) => {
            let fields = Answer { registration, token: String::new() };
            page(StatusCode::ACCEPTED, &Confirm { is_new: true, fields, error: None })
        }
        Err(problem) => again(fields, &problem),
    }
}

/// Renders the page *Register* again, with the typed values and each error beside its
/// field.
fn again(fields: Fields, problem: &Problem) -> Response {
    use ProblemKind::{
        AddressProofRequired, CodeExpired, CodeMistyped, CodeRevoked, CodeUnknown, CodeUsed,
        UsernameTaken,
    };
    let mut page_again = Register { fields, ..Register::default() };
    let said = problem.detail().unwrap_or(problem.kind().title()).to_owned();
    match problem.kind() {
        CodeExpired | CodeMistyped | CodeRevoked | CodeUnknown | CodeUsed => {
            page_again.code_error = Some(said);
        }
        UsernameTaken => page_again.username_error = Some(said),
        AddressProofRequired => {
            page_again.email_error =
                Some("this invitation is for a certain address: enter that one".to_owned());
        }
        _ if !problem.errors().is_empty() => {
            for InputError { pointer, message, .. } in problem.errors() {
                match &**pointer {
                    "/email" => page_again.email_error = Some(message.clone()),
                    _ => page_again.username_error = Some(message.clone()),
                }
            }
        }
        _ => page_again.error = Some(said),
    }
    refusal(problem, &page_again)
}

pub(crate) async fn confirmation() -> Response {
    page(StatusCode::OK, &Confirm::default())
}

pub(crate) async fn confirm(
    State(App(host)): State<App>,
    client: ClientRequest,
    Form(fields): Form<Answer>,
) -> Response {
    match host.confirm(client.context(), &fields.registration, &fields.token).await {
        Ok(account) => page(StatusCode::CREATED, &Welcome { account }),
        Err(problem) => {
            let error = problem.detail().unwrap_or(problem.kind().title()).to_owned();
            let page_again = Confirm { is_new: false, fields, error: Some(error) };
            refusal(&problem, &page_again)
        }
    }
}

/// Renders a page that shows a problem, with the problem's status and `Retry-After`.
fn refusal(problem: &Problem, template: &impl Template) -> Response {
    let mut response = page(problem.kind().status(), template);
    if let Some(wait) = problem.retry_after() {
        let seconds = HeaderValue::from(wait.as_secs());
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, POLICY, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a page failed");
            Problem::new(ProblemKind::Internal).into_response()
        }
    }
}
