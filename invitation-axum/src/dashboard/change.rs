//! The form that edits the terms of an invitation.

use axum::{
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    Amendment, Binding, Error, Expiry, IfVersion, Invitation, InvitationView, Refusal, Right,
};
use time::Duration;

use super::{
    detail::named_or_forbidden,
    form::{Field, FormPage, Input, Kind, Mistakes},
    page::{PageContext, page, with_retry_after},
    terms,
    versioned::{about, offered, version},
};
use crate::{path::PathId, problem::Problem};

/// Shows the form with the current terms.
pub(super) async fn form(context: PageContext, id: PathId) -> Result<Response, Problem> {
    let id = named_or_forbidden(&context, id, Right::Amend).await?;
    let view = context.service().get(context.actor(), id).await?;
    offered(&view, Right::Amend)?;
    let invitation = view.invitation();
    let (email, domain) = match &invitation.binding() {
        Binding::Address(email) => (email.as_str(), ""),
        Binding::Domain(domain) => ("", domain.as_str()),
        Binding::Anyone => ("", ""),
    };
    let role = invitation.role().as_str();
    let input = Input::with([("email", email), ("email_domain", domain), ("role", role)]);
    let version = invitation.version();
    render(&context, StatusCode::OK, (&view, version), &input, Mistakes::default(), None)
}

/// Saves the terms that differ from the current ones, based on the version that the form
/// was made from.
pub(super) async fn save(
    context: PageContext,
    id: PathId,
    request: Request,
) -> Result<Response, Problem> {
    let id = named_or_forbidden(&context, id, Right::Amend).await?;
    let input = Input::of_body(request, context.web()).await?;
    let view = context.service().get(context.actor(), id).await?;
    let version = version(&input)?;
    let mut mistakes = Mistakes::default();
    let t = context.t();
    let Some(amendment) = amendment(&context, &input, view.invitation(), &mut mistakes) else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return render(&context, status, (&view, version), &input, mistakes, None);
    };
    let there = format!("{}/{id}", context.base());
    if amendment == Amendment::new() {
        let current = view.invitation().version();
        // The form was sent twice if the current version is the next one and has these
        // terms.
        for (expected, done) in [(Some(version), "unchanged"), (version.checked_add(1), "saved")] {
            if expected == Some(current) {
                return Ok(Redirect::to(&format!("{there}?done={done}")).into_response());
            }
        }
        let (status, notice) = (StatusCode::PRECONDITION_FAILED, t.changed_meanwhile.to_string());
        return render(&context, status, (&view, current), &input, mistakes, Some(notice));
    }
    let if_version = IfVersion::Exactly(version);
    match context.service().amend(context.actor(), id, amendment, if_version).await {
        Ok(_) => Ok(Redirect::to(&format!("{there}?done=saved")).into_response()),
        Err(Error::Invalid(invalid)) => {
            mistakes.add_all(t, &invalid);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            render(&context, status, (&view, version), &input, mistakes, None)
        }
        Err(error) => {
            let problem = Problem::of(&error);
            let status = problem.kind().status();
            let (notice, is_stale) = match error.refusal() {
                Some(Refusal::VersionMismatch { .. }) => (t.changed_meanwhile.to_string(), true),
                Some(refusal @ Refusal::QuotaExceeded { .. }) => {
                    ((t.sentence)(&refusal.to_string()), false)
                }
                _ => return Err(error.into()),
            };
            let view = context.service().get(context.actor(), id).await?;
            if is_stale && is_done_by_the_same_form(&context, &input, version, view.invitation()) {
                return Ok(Redirect::to(&format!("{there}?done=saved")).into_response());
            }
            let version = if is_stale { view.invitation().version() } else { version };
            let shown = render(&context, status, (&view, version), &input, mistakes, Some(notice))?;
            Ok(with_retry_after(shown, problem))
        }
    }
}

/// The time between two submissions of one form.
const SENT_TWICE: Duration = Duration::minutes(1);

/// Returns whether an invitation is as the form wants it, and one version behind the form's: then
/// the form was sent twice. Days count from the time of the submission, so the first one led to an
/// expiry that is a little earlier.
fn is_done_by_the_same_form(
    context: &PageContext,
    input: &Input,
    version: u64,
    current: &Invitation,
) -> bool {
    let mistakes = &mut Mistakes::default();
    let (rest, now) = (amendment(context, input, current, mistakes), context.now());
    let is_wanted = match terms::number(context, input, "expires_in_days", mistakes) {
        None => rest == Some(Amendment::new()),
        Some(days) => {
            let wanted = now.checked_add(Duration::days(days.into()));
            let early = wanted.map(|wanted| wanted.since(current.expires_at()));
            rest == Some(Amendment::new().expiring(Expiry::InDays(days)))
                && early.is_some_and(|early| !early.is_negative() && early <= SENT_TWICE)
        }
    };
    is_wanted && version.checked_add(1) == Some(current.version())
}

fn amendment(
    context: &PageContext,
    input: &Input,
    current: &Invitation,
    mistakes: &mut Mistakes,
) -> Option<Amendment> {
    let mut amendment = Amendment::new();
    let binding = terms::binding(context, input, mistakes);
    match binding.filter(|binding| binding != current.binding()) {
        Some(Binding::Address(email)) => amendment = amendment.for_email(email),
        Some(Binding::Domain(domain)) => amendment = amendment.for_domain(domain),
        Some(Binding::Anyone) => amendment = amendment.for_anyone(),
        None => {}
    }
    let role = terms::role(context, input, mistakes);
    if let Some(role) = role.filter(|role| role != current.role()) {
        amendment = amendment.with_role(role);
    }
    if let Some(days) = terms::number(context, input, "expires_in_days", mistakes) {
        amendment = amendment.expiring(Expiry::InDays(days));
    }
    mistakes.is_empty().then_some(amendment)
}

/// Renders the form. `version` is the one that the next save is based on: only a page that says
/// that the invitation has changed meanwhile may have a newer one than the form that was sent.
/// Otherwise the next save would undo a change that the user was never told of.
fn render(
    context: &PageContext,
    status: StatusCode,
    (view, version): (&InvitationView, u64),
    input: &Input,
    mistakes: Mistakes,
    notice: Option<String>,
) -> Result<Response, Problem> {
    let t = context.t();
    let invitation = view.invitation();
    let mut fields = terms::binding_fields(context, &t.email_or_nobody, input);
    fields.push(terms::role_field(context, input));
    let days = input.text("expires_in_days");
    let days = Field::new("expires_in_days", &*t.expires_in_days_anew, days, Kind::Number);
    fields.push(days.with_hint(&*t.expires_anew_hint));
    let there = format!("{}/{}", context.base(), invitation.id());
    let form = FormPage::new(context, &t.edit_heading, format!("{there}/edit"))
        .about(about(context, view))
        .with_hidden("version", version.to_string())
        .with_fields(fields)
        .with_mistakes(mistakes, notice);
    page(status, &t.edit_heading, &form)
}
