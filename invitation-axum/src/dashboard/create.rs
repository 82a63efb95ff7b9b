//! The form that creates an invitation, and the page with the new code.

use axum::{extract::Request, http::StatusCode, response::Response};
use invitation_core::{
    Binding, Created, Division, Draft, Error, Expiry, IdempotencyKey, Refusal, Right,
};
use uuid::Uuid;

use super::{
    detail::Detail,
    form::{Field, FormPage, Input, Kind, Mistakes},
    page::{PageContext, page, with_retry_after},
    terms,
};
use crate::problem::{Problem, ProblemKind};

/// Shows the empty form.
pub(super) async fn form(context: PageContext) -> Result<Response, Problem> {
    context.must(Right::Create, None).await?;
    let days = context.service().limits().default_lifetime().whole_days().to_string();
    let home = context.actor().home().map(Division::as_str).unwrap_or_default();
    let input = Input::with([("expires_in_days", &*days), ("division", home), ("max_uses", "1")]);
    render(&context, StatusCode::OK, &input, new_key(), Mistakes::default(), None)
}

/// Creates the invitation of the form, once however often the form is sent.
pub(super) async fn create(context: PageContext, request: Request) -> Result<Response, Problem> {
    context.must(Right::Create, None).await?;
    let input = Input::of_body(request, context.web()).await?;
    let mut mistakes = Mistakes::default();
    let Some(draft) = draft(&context, &input, &mut mistakes) else {
        let key = input.text("key").to_owned();
        return render(&context, StatusCode::UNPROCESSABLE_ENTITY, &input, key, mistakes, None);
    };
    let key = match input.text("key") {
        "" => new_key(),
        given => given.to_owned(),
    };
    // A key that cannot be read is no missing key: with a new one, the form sent twice would
    // create two invitations.
    let key = IdempotencyKey::new(key).map_err(|_| {
        Problem::new(ProblemKind::Malformed).with_detail("the key of the form cannot be read")
    })?;
    let t = context.t();
    match context.service().create_once(context.actor(), &key, draft).await {
        // The invitation was deleted since then: sending the form now means a new one.
        Ok(created) if created.invitation().deleted_at().is_some() => {
            let notice = Some(t.form_was_used.to_string());
            render(&context, StatusCode::CONFLICT, &input, new_key(), mistakes, notice)
        }
        Ok(created) => shown(&context, &created),
        Err(Error::Invalid(invalid)) => {
            mistakes.add_all(t, &invalid);
            let key = input.text("key").to_owned();
            render(&context, StatusCode::UNPROCESSABLE_ENTITY, &input, key, mistakes, None)
        }
        Err(error) => {
            let problem = Problem::of(&error);
            let status = problem.kind().status();
            let notice = match error.refusal() {
                Some(Refusal::IdempotencyKeyReused) => t.form_was_used.to_string(),
                Some(refusal @ Refusal::QuotaExceeded { .. }) => (t.sentence)(&refusal.to_string()),
                // The text is the host's own, so it is not translated.
                Some(Refusal::Vetoed { reason }) => reason.to_string(),
                _ => return Err(error.into()),
            };
            let shown = render(&context, status, &input, new_key(), mistakes, Some(notice))?;
            Ok(with_retry_after(shown, problem))
        }
    }
}

fn draft(context: &PageContext, input: &Input, mistakes: &mut Mistakes) -> Option<Draft> {
    let mut draft = Draft::new();
    match terms::binding(context, input, mistakes) {
        Some(Binding::Address(email)) => draft = draft.for_email(email),
        Some(Binding::Domain(domain)) => draft = draft.for_domain(domain),
        Some(Binding::Anyone) | None => {}
    }
    if let Some(role) = terms::role(context, input, mistakes) {
        draft = draft.with_role(role);
    }
    let division = input.text("division");
    if !division.is_empty()
        && let Some(division) = mistakes.check(context.t(), Division::new(division))
    {
        draft = draft.in_division(division);
    }
    if let Some(days) = terms::number(context, input, "expires_in_days", mistakes) {
        draft = draft.expiring(Expiry::InDays(days));
    }
    if let Some(uses) = terms::uses(context, input, mistakes) {
        draft = draft.for_uses(uses);
    }
    mistakes.is_empty().then_some(draft)
}

fn new_key() -> String {
    Uuid::new_v4().to_string()
}

fn render(
    context: &PageContext,
    status: StatusCode,
    input: &Input,
    key: String,
    mistakes: Mistakes,
    notice: Option<String>,
) -> Result<Response, Problem> {
    let t = context.t();
    let mut fields = terms::binding_fields(context, &t.email_optional, input);
    fields.push(terms::role_field(context, input));
    fields.extend(terms::division_field(context, input));
    let days = input.text("expires_in_days");
    let days = Field::new("expires_in_days", &*t.expires_in_days, days, Kind::Number);
    fields.push(days.with_hint(&*t.expires_hint));
    if context.may(Right::MultiUse) {
        let uses = input.text("max_uses");
        fields.push(Field::new("max_uses", &*t.max_uses, uses, Kind::Number));
    }
    let form = FormPage::new(context, &t.create_invitation, format!("{}/new", context.base()))
        .with_submit(&t.create)
        .with_hidden("key", key)
        .with_fields(fields)
        .with_mistakes(mistakes, notice);
    page(status, &t.create_invitation, &form)
}

/// Shows the new code, large.
fn shown(context: &PageContext, created: &Created) -> Result<Response, Problem> {
    let t = context.t();
    let is_new = !created.is_replayed();
    let heading = if is_new { &t.created } else { &t.created_before };
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let (invitation, code) = (created.invitation(), created.code());
    let detail = Detail::of_code(context, heading, invitation, code).with_qr_code(context, code);
    page(status, heading, &detail.offering_another())
}
