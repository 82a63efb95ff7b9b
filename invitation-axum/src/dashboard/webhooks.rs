//! The page about endpoints of webhooks: their state, and the buttons that let them go on or stop.

use askama::Template;
use axum::{
    extract::{RawQuery, Request},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    Error, EventId, Right, Scope, Timestamp,
    documents::DocumentName,
    webhook::{Endpoint, EndpointState},
};

use super::{
    Strings,
    events::in_words,
    form::Input,
    page::{PageContext, page},
    path::ChangeName,
    row::When,
};
use crate::{
    api::webhooks::segment,
    path::{PathId, ResourceId},
    problem::{Problem, ProblemKind},
};

/// The page with all endpoints.
#[derive(Template)]
#[template(path = "webhooks.html")]
struct Webhooks<'a> {
    t: &'a Strings,
    base: &'a str,
    home: &'a str,
    done: Option<&'a str>,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    /// The name as a segment of a path.
    segment: String,
    receiver: String,
    division: Option<String>,
    /// The class of the state, and the state.
    mark: &'static str,
    state: String,
    failure: Option<Failure>,
    last_success: Option<When>,
    next: Option<When>,
    may_enable: bool,
    /// Whether a failed event can be sent again, or left out.
    may_go_on: bool,
}

struct Failure {
    event: String,
    cause: String,
    since: When,
}

impl Row {
    fn of(endpoint: &Endpoint, t: &Strings, now: Timestamp) -> Self {
        let is_disabled = endpoint.state == EndpointState::Disabled;
        let failure = endpoint.failure.as_ref().map(|failure| Failure {
            event: failure.event.to_string(),
            cause: (t.sentence)(&failure.cause),
            since: When::new(failure.since, now, t),
        });
        let when = |at: Option<Timestamp>| at.map(|at| When::new(at, now, t));
        Self {
            name: endpoint.name.to_string(),
            segment: segment(&endpoint.name),
            receiver: endpoint.receiver.clone(),
            division: endpoint.division.as_ref().map(ToString::to_string),
            mark: match endpoint.state {
                EndpointState::Active if failure.is_none() => "succeeded",
                EndpointState::Active => "queued",
                EndpointState::Disabled => "refused",
                _ => "failed",
            },
            state: in_words(t, endpoint.state.as_str()),
            last_success: when(endpoint.last_success),
            // An endpoint that has not failed is tried with every run.
            next: when(endpoint.next_attempt.filter(|_| failure.is_some())),
            may_enable: is_disabled,
            may_go_on: failure.is_some() && !is_disabled,
            failure,
        }
    }
}

/// Returns whether the page is for this user: an endpoint hears of all divisions.
pub(super) fn is_for(context: &PageContext) -> bool {
    let may_manage = context.may(Right::Webhooks) && *context.actor().scope() == Scope::All;
    may_manage && context.web().endpoints().is_ok()
}

/// Shows all endpoints.
pub(super) async fn show(
    context: PageContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let endpoints = context.web().endpoints()?.list(context.actor()).await?;
    let (t, now) = (context.t(), context.now());
    let sheet = Webhooks {
        t,
        base: context.base(),
        home: context.home(),
        done: done(t, Input::of_query(query.as_deref())?.text("done")),
        rows: endpoints.iter().map(|one| Row::of(one, t, now)).collect(),
    };
    page(StatusCode::OK, &t.webhooks, &sheet)
}

/// Changes an endpoint, and shows all. A form that is sent twice has no further effect.
pub(super) async fn change(
    context: PageContext,
    name: PathId<DocumentName>,
    ChangeName(change): ChangeName,
    request: Request,
) -> Result<Response, Problem> {
    let endpoints = context.web().endpoints()?;
    context.must(Right::Webhooks, None).await?;
    let input = Input::of_body(request, context.web()).await?;
    let (name, actor) = (name.id()?, context.actor());
    let changed = match &*change {
        "enable" => endpoints.enable(actor, &name).await,
        "disable" => endpoints.disable(actor, &name).await,
        "retry" => endpoints.retry(actor, &name).await,
        "skip" => match input.text("event").parse::<EventId>() {
            Ok(event) => endpoints.skip(actor, &name, event).await,
            Err(error) => Err(Error::from(error)),
        },
        _ => return Err(Problem::new(ProblemKind::NotFound)),
    };
    changed.map_err(DocumentName::problem)?;
    Ok(Redirect::to(&format!("{}/webhooks?done={change}", context.base())).into_response())
}

/// Redirects to the page: the URLs of its forms accept only POST.
pub(super) async fn back(context: PageContext) -> Redirect {
    Redirect::to(&format!("{}/webhooks", context.base()))
}

/// Returns the notice about the change that led to this page. Unknown values have none.
fn done<'a>(t: &'a Strings, word: &str) -> Option<&'a str> {
    Some(match word {
        "enable" => &t.webhook_enabled,
        "disable" => &t.webhook_disabled,
        "retry" => &t.webhook_retried,
        "skip" => &t.webhook_skipped,
        _ => return None,
    })
}
