//! The common parts of forms that change an invitation as it was when the form was made.

use invitation_core::{InvitationView, Right};

use super::{
    form::Input,
    page::PageContext,
    row::{Row, Summary},
};
use crate::problem::{Problem, ProblemKind};

/// Returns the summary of the invitation that a form is about.
pub(super) fn about<'a>(context: &'a PageContext, view: &'a InvitationView) -> Summary<'a> {
    let row = Row::of(view, context, context.now());
    Summary { t: context.t(), row, shows_code: true, more: Vec::new() }
}

/// Returns an error unless the core offers this action to the user at the moment.
pub(super) fn offered(view: &InvitationView, right: Right) -> Result<(), Problem> {
    if view.actions().contains(&right) {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Conflict)
        .with_detail(format!("the invitation is {}", view.status())))
}

/// Returns the version that a form was made from.
pub(super) fn version(input: &Input) -> Result<u64, Problem> {
    input.text("version").parse().map_err(|_| Problem::new(ProblemKind::Malformed))
}
