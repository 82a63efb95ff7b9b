//! The page of one invitation: its facts, its code, and the possible actions.

use super::{
    Strings, batches,
    deliveries::Mails,
    form::Input,
    page::{PageContext, asks_for_data, page},
    pager::{PageForm, Pager},
    qr::QrCode,
    row::{CopyForm, Fact, Row, Summary, When},
};
use crate::{path::PathId, problem::Problem};
use askama::Template;
use axum::{
    Json,
    extract::RawQuery,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    Invitation, InvitationCode, InvitationId, InvitationView, Inviter, Right, Timestamp,
};

/// The number of redemptions on a page by default.
const PAGE: &str = "50";

/// The page of one invitation.
#[derive(Template, Debug)]
#[template(path = "detail.html")]
pub(super) struct Detail<'a> {
    t: &'a Strings,
    base: &'a str,
    home: &'a str,
    heading: &'a str,
    done: Option<&'a str>,
    facts: Summary<'a>,
    /// The links to further redemptions, for an invitation for several people.
    pager: Option<Pager<'a>>,
    /// The picture of the registration link.
    qr: Option<QrCode<'a>>,
    mails: Option<Mails<'a>>,
    offers_another: bool,
    may_audit: bool,
}

impl<'a> Detail<'a> {
    /// Returns the page of an invitation just created or changed, with its code.
    pub(super) fn of_code(
        context: &'a PageContext,
        heading: &'a str,
        invitation: &'a Invitation,
        code: &InvitationCode,
    ) -> Self {
        let now = context.now();
        let mut row = Row::new(invitation, invitation.status(now), Some(code), context, now);
        row.copy = context.may(Right::Copy).then(|| {
            let view = context.service().view_of(context.actor(), invitation.clone());
            let is_kept = view.actions().contains(&Right::Copy);
            CopyForm::of_new_code(context, &row, is_kept)
        });
        Self::new(context, heading, row, more(context, invitation, now))
    }

    fn of_view(context: &'a PageContext, heading: &'a str, view: &'a InvitationView) -> Self {
        let now = context.now();
        let row = Row::of(view, context, now);
        Self::new(context, heading, row, more(context, view.invitation(), now))
    }

    fn new(
        context: &'a PageContext,
        heading: &'a str,
        mut row: Row<'a>,
        more: Vec<Fact<'a>>,
    ) -> Self {
        let t = context.t();
        row.copy = row.copy.map(CopyForm::enlarged);
        let facts = Summary { t, row, shows_code: false, more };
        Self {
            t,
            base: context.base(),
            home: context.home(),
            heading,
            done: None,
            facts,
            pager: None,
            qr: None,
            mails: None,
            offers_another: false,
            may_audit: context.may(Right::Audit),
        }
    }

    /// Shows the registration link as a QR code, if the host has a base URL.
    pub(super) fn with_qr_code(self, context: &'a PageContext, code: &InvitationCode) -> Self {
        let link = context.web().link(code);
        Self { qr: link.and_then(|link| QrCode::new(context.t(), link)), ..self }
    }

    pub(super) fn offering_another(self) -> Self {
        Self { offers_another: true, ..self }
    }
}

/// Returns the facts for which the table has no column.
fn more<'a>(context: &'a PageContext, invitation: &Invitation, now: Timestamp) -> Vec<Fact<'a>> {
    let t = context.t();
    let inviter = match invitation.inviter() {
        Inviter::System => t.the_system.to_string(),
        Inviter::User { user, role, name: None } => format!("{user} ({})", (t.role)(role)),
        Inviter::User { user, role, name: Some(name) } => {
            format!("{name}, {user} ({})", (t.role)(role))
        }
    };
    let created = When::new(invitation.created_at(), now, t);
    let mut more = vec![Fact::text(&t.created_by, inviter), Fact::instant(&t.created_at, created)];
    let batch = invitation.batch();
    more.extend(batch.map(|id| Fact::link(&t.batch, id.to_string(), batches::link(context, id))));
    let reason = invitation.revocation().and_then(|revocation| revocation.reason.clone());
    more.extend(reason.map(|reason| Fact::text(&t.reason_given, reason)));
    more
}

/// Shows one invitation.
pub(super) async fn show(
    context: PageContext,
    id: PathId,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = named_or_forbidden(&context, id, Right::View).await?;
    let view = context.service().get(context.actor(), id).await?;
    let t = context.t();
    let mut detail = Detail::of_view(&context, &t.invitation, &view);
    let input = Input::of_query(query.as_deref())?;
    detail.done = done(t, input.text("done"));
    if view.invitation().max_uses().get() > 1 {
        let (redeemers, pager) = redeemers(&context, id, &PageForm::of(&input)).await?;
        detail.facts.more.extend(redeemers);
        detail.pager = Some(pager);
    }
    detail.mails = Mails::of(&context, view.invitation()).await?;
    page(StatusCode::OK, &t.invitation, &detail)
}

/// Returns a page of the redemptions of an invitation for several people, newest first, and the
/// links to the others.
async fn redeemers<'a>(
    context: &'a PageContext,
    id: InvitationId,
    asked: &PageForm,
) -> Result<(Vec<Fact<'a>>, Pager<'a>), Problem> {
    let (t, now) = (context.t(), context.now());
    let paging = asked.parse(PAGE)?;
    let page = context.service().redemptions(context.actor(), id, paging).await?;
    let facts = page.items().iter().map(|redemption| {
        let at = When::new(redemption.at, now, t);
        Fact::text(&t.column_used_by, redemption.username.to_string()).at(at)
    });
    let path = format!("{}/{id}", context.base());
    Ok((facts.collect(), asked.links(&path, PAGE).pager(t, page.next())))
}

/// Gives out the code and records the copy in the audit trail. The script that fills the
/// clipboard gets JSON; a browser without scripts gets a page.
pub(super) async fn copy(
    context: PageContext,
    id: PathId,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = named_or_forbidden(&context, id, Right::Copy).await?;
    let code = context.service().copy(context.actor(), id).await?;
    if asks_for_data(&headers) {
        let text = code.reveal();
        return Ok(Json(serde_json::json!({ "code": text.as_str() })).into_response());
    }
    let view = context.service().get(context.actor(), id).await?;
    let t = context.t();
    let mut detail = Detail::of_code(&context, &t.copy_by_hand, view.invitation(), &code);
    detail.facts.row.copy = None;
    page(StatusCode::OK, &t.copy_by_hand, &detail)
}

/// Redirects to the invitation: the URL of the copy accepts only POST.
pub(super) async fn back(context: PageContext, id: PathId) -> Result<Redirect, Problem> {
    let id = id.id()?;
    Ok(Redirect::to(&format!("{}/{id}", context.base())))
}

/// Returns the invitation id of the path. A context whose role lacks the right gets 403
/// even if the id is malformed.
pub(super) async fn named_or_forbidden(
    context: &PageContext,
    id: PathId,
    right: Right,
) -> Result<InvitationId, Problem> {
    context.must(right, id.0).await?;
    id.id()
}

/// Returns the notice about the change that led to this page. Unknown values have none.
fn done<'a>(t: &'a Strings, word: &str) -> Option<&'a str> {
    Some(match word {
        "saved" => &*t.saved,
        "unchanged" => &*t.nothing_changed,
        "revoked" => &*t.revoked_done,
        "reinstated" => &*t.reinstated_done,
        "resent" => &*t.resent_done,
        _ => return None,
    })
}
