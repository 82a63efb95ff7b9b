//! The mails of an invitation, the failed mails of all, and sending again.

use askama::{Template, filters::HtmlSafe};
use axum::{
    extract::{RawQuery, Request},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    Error, IdempotencyKey, Invitation, InvitationId, Page, Paging, Right, Timestamp,
    delivery::{Delivery, DeliveryId, DeliveryState, Resend},
};
use uuid::Uuid;

use super::{
    Strings,
    detail::named_or_forbidden,
    events::in_words,
    form::Input,
    page::{PageContext, page},
    pager::{PageForm, Pager},
    row::{When, short},
};
use crate::{
    path::PathId,
    problem::{Problem, ProblemKind},
    query::with_errors_in_query,
};

/// The number of mails that the page of an invitation shows.
const LATEST: u32 = 10;

/// The number of failed mails on a page by default.
const PAGE: &str = "50";

/// The mails of an invitation, and the buttons that send it again.
#[derive(Template, Debug)]
#[template(path = "mails.html")]
pub(super) struct Mails<'a> {
    t: &'a Strings,
    base: &'a str,
    id: String,
    /// The key of the form that sends again, if the user may.
    resend: Option<String>,
    may_rotate: bool,
    table: Option<MailTable<'a>>,
}

impl HtmlSafe for Mails<'_> {}

impl<'a> Mails<'a> {
    /// Returns the mails of an invitation; none if the host sends none, or if there are none and
    /// the user may send none.
    pub(super) async fn of(
        context: &'a PageContext,
        invitation: &Invitation,
    ) -> Result<Option<Self>, Error> {
        let Ok(deliveries) = context.web().deliveries() else { return Ok(None) };
        let (t, actor) = (context.t(), context.actor());
        let latest = Paging::first(LATEST)?;
        let found = deliveries.of_invitation(actor, invitation.id(), latest).await?;
        let may_resend = deliveries.may_resend(actor, invitation);
        if found.items().is_empty() && !may_resend {
            return Ok(None);
        }
        let may_retry = context.may(Right::Resend);
        let table = MailTable::of(context, found.items(), Invitations::Hidden, may_retry);
        Ok(Some(Self {
            t,
            base: context.base(),
            id: invitation.id().to_string(),
            resend: may_resend.then(|| Uuid::new_v4().to_string()),
            may_rotate: context.may(Right::Rotate),
            table,
        }))
    }
}

/// Whether a table of mails has a column with their invitations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Invitations {
    Shown,
    Hidden,
}

/// A table of mails.
#[derive(Template, Debug)]
#[template(path = "mail_table.html")]
struct MailTable<'a> {
    t: &'a Strings,
    base: &'a str,
    shows_invitation: bool,
    rows: Vec<MailRow>,
}

impl HtmlSafe for MailTable<'_> {}

impl<'a> MailTable<'a> {
    fn of(
        context: &'a PageContext,
        mails: &[Delivery],
        invitations: Invitations,
        may_retry: bool,
    ) -> Option<Self> {
        let (t, now) = (context.t(), context.now());
        let rows = mails.iter().map(|mail| MailRow::of(mail, t, now, may_retry)).collect();
        let shows_invitation = invitations == Invitations::Shown;
        let table = Self { t, base: context.base(), shows_invitation, rows };
        (!mails.is_empty()).then_some(table)
    }
}

#[derive(Debug)]
struct MailRow {
    id: String,
    purpose: String,
    queued: When,
    /// The class of the state, and the state.
    mark: &'static str,
    state: String,
    /// The reason of a failure, or the reason for which the mail was not sent.
    why: Option<String>,
    ended: Option<When>,
    next: Option<When>,
    invitation: String,
    may_retry: bool,
}

impl MailRow {
    fn of(mail: &Delivery, t: &Strings, now: Timestamp, may_retry: bool) -> Self {
        let failure = mail.failure().map(|failure| match failure.reply() {
            Some(reply) => format!("{} ({reply})", in_words(t, failure.kind().as_str())),
            None => in_words(t, failure.kind().as_str()),
        });
        let when = |at: Option<Timestamp>| at.map(|at| When::new(at, now, t));
        Self {
            id: mail.id().to_string(),
            purpose: in_words(t, mail.purpose().as_str()),
            queued: When::new(mail.queued_at(), now, t),
            mark: match mail.state() {
                DeliveryState::Sent => "succeeded",
                DeliveryState::Failed => "failed",
                DeliveryState::Cancelled => "refused",
                _ => "queued",
            },
            state: in_words(t, mail.state().as_str()),
            why: failure.or_else(|| mail.reason().map(|reason| in_words(t, reason.as_str()))),
            ended: when(mail.ended_at()),
            // A mail that was not tried yet goes out at once.
            next: when(mail.next_attempt().filter(|_| mail.attempts() > 0)),
            invitation: mail.invitation().to_string(),
            may_retry: may_retry && mail.state() == DeliveryState::Failed,
        }
    }

    fn short_invitation(&self) -> &str {
        short(&self.invitation)
    }
}

/// The page with the failed mails.
#[derive(Template)]
#[template(path = "failed_mails.html")]
struct FailedMails<'a> {
    t: &'a Strings,
    home: &'a str,
    table: Option<MailTable<'a>>,
    /// The title and the advice in place of an empty table.
    empty: (&'a str, &'a str),
    pager: Pager<'a>,
}

/// Shows the failed mails within the user's reach.
pub(super) async fn failed(
    context: PageContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let deliveries = context.web().deliveries()?;
    context.must(Right::Resend, None).await?;
    let asked = PageForm::of(&Input::of_query(query.as_deref())?);
    let (paging, t) = (asked.parse(PAGE)?, context.t());
    let state = Some(DeliveryState::Failed);
    let found = with_errors_in_query(deliveries.list(context.actor(), state, paging).await)?;
    let list = format!("{}/deliveries", context.base());
    let (links, next) = (asked.links(&list, PAGE), Page::next(&found));
    let nothing_here = links.nothing_here(t, next.is_some());
    let failed = FailedMails {
        t,
        home: context.home(),
        table: MailTable::of(&context, found.items(), Invitations::Shown, true),
        empty: nothing_here.unwrap_or((&t.no_failed_mails, &t.no_failed_mails_advice)),
        pager: links.pager(t, next),
    };
    page(StatusCode::OK, &t.failed_mails, &failed)
}

/// Queues a failed mail again, and shows its invitation. A form that is sent twice has no
/// further effect.
pub(super) async fn retry(
    context: PageContext,
    id: PathId<DeliveryId>,
    request: Request,
) -> Result<Response, Problem> {
    let deliveries = context.web().deliveries()?;
    context.must(Right::Resend, None).await?;
    Input::of_body(request, context.web()).await?;
    let retried = deliveries.retry(context.actor(), id.id()?).await?;
    Ok(shown(&context, retried.invitation()))
}

/// Sends an invitation again, once however often the form is sent.
pub(super) async fn resend(
    context: PageContext,
    id: PathId,
    request: Request,
) -> Result<Response, Problem> {
    let deliveries = context.web().deliveries()?;
    let id = named_or_forbidden(&context, id, Right::Resend).await?;
    let input = Input::of_body(request, context.web()).await?;
    let key = IdempotencyKey::new(input.text("key")).map_err(|_| {
        Problem::new(ProblemKind::Malformed).with_detail("the key of the form cannot be read")
    })?;
    let resend = Resend::new().with_key(key);
    let resend = if input.text("rotate") == "1" { resend.with_new_code() } else { resend };
    deliveries.resend(context.actor(), id, resend).await?;
    Ok(shown(&context, id))
}

/// Redirects to the invitation's page, which says that the mail is on its way.
fn shown(context: &PageContext, id: InvitationId) -> Response {
    Redirect::to(&format!("{}/{id}?done=resent", context.base())).into_response()
}

/// Redirects to the failed mails: the URL of a retry accepts only POST.
pub(super) async fn back(context: PageContext) -> Redirect {
    Redirect::to(&format!("{}/deliveries", context.base()))
}
