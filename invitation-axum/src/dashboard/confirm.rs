//! The changes that ask for confirmation: revoke, reinstate, rotate, delete.

use axum::{
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{Error, IfVersion, InvitationId, InvitationView, Refusal, Right};

use super::{
    Strings,
    detail::{Detail, named_or_forbidden},
    form::{Field, FormPage, Input, Kind, Mistakes},
    page::{PageContext, page, with_retry_after},
    path::ChangeName,
    versioned::{about, offered, version},
};
use crate::{
    path::PathId,
    problem::{Problem, ProblemKind},
};

/// A change that asks for confirmation.
#[derive(Clone, Copy, Debug)]
enum Change {
    Revoke,
    Reinstate,
    Rotate,
    Delete,
}

impl Change {
    fn of(word: &str) -> Result<Self, Problem> {
        Ok(match word {
            "revoke" => Self::Revoke,
            "reinstate" => Self::Reinstate,
            "rotate" => Self::Rotate,
            "delete" => Self::Delete,
            _ => return Err(Problem::new(ProblemKind::NotFound)),
        })
    }

    fn right(self) -> Right {
        match self {
            Self::Revoke => Right::Revoke,
            Self::Reinstate => Right::Reinstate,
            Self::Rotate => Right::Rotate,
            Self::Delete => Right::Delete,
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Revoke | Self::Delete)
    }

    /// Returns the change that the same form already made, if the current version is the
    /// next one after the form's. The form was then sent twice, and the second response
    /// repeats the first.
    fn done_by_the_same_form(self, view: &InvitationView, version: u64) -> Option<&'static str> {
        let invitation = view.invitation();
        let is_next = version.checked_add(1) == Some(invitation.version());
        match (self, invitation.revocation().is_some()) {
            (Self::Revoke, true) if is_next => Some("revoked"),
            (Self::Reinstate, false) if is_next => Some("reinstated"),
            _ => None,
        }
    }

    /// Returns the question, its explanation, and the label of the button.
    fn labels(self, t: &Strings) -> (&str, &str, &str) {
        match self {
            Self::Revoke => (&t.revoke_question, &t.revoke_meaning, &t.revoke),
            Self::Reinstate => (&t.reinstate_question, &t.reinstate_meaning, &t.reinstate),
            Self::Rotate => (&t.rotate_question, &t.rotate_meaning, &t.rotate),
            Self::Delete => (&t.delete_question, &t.delete_meaning, &t.delete),
        }
    }
}

/// Shows the confirmation page.
pub(super) async fn ask(
    context: PageContext,
    id: PathId,
    ChangeName(word): ChangeName,
) -> Result<Response, Problem> {
    let change = Change::of(&word)?;
    let id = named_or_forbidden(&context, id, change.right()).await?;
    let view = context.service().get(context.actor(), id).await?;
    offered(&view, change.right())?;
    let confirm = ConfirmPage { context: &context, change, segment: &word };
    let version = view.invitation().version();
    confirm.render(StatusCode::OK, (&view, version), "", Mistakes::default(), None)
}

/// Makes the change, based on the version that the confirmation page showed.
pub(super) async fn make(
    context: PageContext,
    id: PathId,
    ChangeName(word): ChangeName,
    request: Request,
) -> Result<Response, Problem> {
    let change = Change::of(&word)?;
    let id = named_or_forbidden(&context, id, change.right()).await?;
    let input = Input::of_body(request, context.web()).await?;
    let reason = input.text("reason").to_owned();
    let version = version(&input)?;
    let if_version = IfVersion::Exactly(version);
    let (t, mut mistakes) = (context.t(), Mistakes::default());
    let confirm = ConfirmPage { context: &context, change, segment: &word };
    let error = match make_change(&context, change, id, &reason, if_version).await {
        Ok(response) => return Ok(response),
        Err(Failure::NotMade(error)) => error,
        Err(Failure::Unshown(problem)) => return Err(problem),
    };
    let is_stale = matches!(error.refusal(), Some(Refusal::VersionMismatch { .. }));
    let notice = match (&error, error.refusal()) {
        (Error::Invalid(invalid), _) => {
            mistakes.add_all(t, invalid);
            None
        }
        (_, Some(Refusal::VersionMismatch { .. })) => Some(t.changed_meanwhile.to_string()),
        (_, Some(refusal @ Refusal::QuotaExceeded { .. })) => {
            Some((t.sentence)(&refusal.to_string()))
        }
        _ => return Err(error.into()),
    };
    let view = context.service().get(context.actor(), id).await?;
    if is_stale && let Some(done) = change.done_by_the_same_form(&view, version) {
        return Ok(shown(&context, id, done));
    }
    offered(&view, change.right())?;
    // Only a page that says that the invitation has changed meanwhile has the newer version.
    let version = if is_stale { view.invitation().version() } else { version };
    let problem = Problem::of(&error);
    let status = problem.kind().status();
    let page = confirm.render(status, (&view, version), &reason, mistakes, notice)?;
    Ok(with_retry_after(page, problem))
}

/// The failure of a change: it was not made, or it was made and its page cannot be
/// rendered.
enum Failure {
    NotMade(Error),
    Unshown(Problem),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::NotMade(error)
    }
}

async fn make_change(
    context: &PageContext,
    change: Change,
    id: InvitationId,
    reason: &str,
    if_version: IfVersion,
) -> Result<Response, Failure> {
    let (service, actor, t) = (context.service(), context.actor(), context.t());
    Ok(match change {
        Change::Revoke => {
            let reason = (!reason.is_empty()).then_some(reason);
            service.revoke(actor, id, reason, if_version).await?;
            shown(context, id, "revoked")
        }
        Change::Reinstate => {
            service.reinstate(actor, id, if_version).await?;
            shown(context, id, "reinstated")
        }
        Change::Rotate => {
            let rotated = service.rotate(actor, id, if_version).await?;
            let (invitation, code) = (rotated.invitation(), rotated.code());
            let detail = Detail::of_code(context, &t.rotated, invitation, code);
            page(StatusCode::OK, &t.rotated, &detail).map_err(Failure::Unshown)?
        }
        Change::Delete => {
            service.delete(actor, id, if_version).await?;
            Redirect::to(&format!("{}?done=deleted", context.home())).into_response()
        }
    })
}

/// Redirects to the invitation's page, which reports the change.
fn shown(context: &PageContext, id: InvitationId, done: &str) -> Response {
    Redirect::to(&format!("{}/{id}?done={done}", context.base())).into_response()
}

/// The page that asks the user to confirm a change.
struct ConfirmPage<'a> {
    context: &'a PageContext,
    change: Change,
    /// The last segment of the page's path, which names the change.
    segment: &'a str,
}

impl ConfirmPage<'_> {
    fn render(
        &self,
        status: StatusCode,
        (view, version): (&InvitationView, u64),
        reason: &str,
        mistakes: Mistakes,
        notice: Option<String>,
    ) -> Result<Response, Problem> {
        let t = self.context.t();
        let (question, meaning, submit) = self.change.labels(t);
        let mut fields = Vec::new();
        if matches!(self.change, Change::Revoke) {
            let field = Field::new("reason", &*t.reason, reason, Kind::Long);
            fields.push(field.with_hint(&*t.reason_hint));
        }
        let invitation = view.invitation();
        let action = format!("{}/{}/{}", self.context.base(), invitation.id(), self.segment);
        let form = FormPage::new(self.context, question, action)
            .with_intro(meaning)
            .about(about(self.context, view))
            .with_submit(submit)
            .taking_away(self.change.is_final())
            .with_hidden("version", version.to_string())
            .with_fields(fields)
            .with_mistakes(mistakes, notice);
        page(status, question, &form)
    }
}
