//! The page about a request that was not carried out: the reason, and what the user can do.

use askama::Template;

use super::Strings;
use crate::problem::{InputError, OUTCOME_UNKNOWN, Problem, ProblemKind};

/// What the advice depends on, besides the problem.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefusedRequest {
    /// Whether the request has no actor.
    pub(super) is_of_stranger: bool,
    /// Whether the method of the request changes nothing.
    pub(super) is_safe: bool,
}

/// The page that reports a problem.
#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemPage<'a> {
    status: u16,
    pub(super) title: &'a str,
    reason: Option<String>,
    advice: Option<&'a str>,
    lines: Vec<String>,
    way_out: Option<(&'a str, &'a str)>,
}

impl<'a> ProblemPage<'a> {
    /// Returns the page. `way_out` is the path and the label of its link.
    pub(super) fn new(
        t: &'a Strings,
        problem: &Problem,
        request: RefusedRequest,
        way_out: Option<(&'a str, &'a str)>,
    ) -> Self {
        let (title, advice) = title_and_advice(t, problem, request);
        let mut lines: Vec<_> = problem.errors().iter().map(|error| line(t, error)).collect();
        let mut reason = reason(problem, request).map(|reason| (t.sentence)(reason));
        if problem.kind() == ProblemKind::Invalid {
            // It is the number of further mistakes.
            lines.extend(reason.take());
        }
        let status = problem.kind().status().as_u16();
        Self { status, title, reason, advice, lines, way_out }
    }
}

/// Returns the name of a value that was not accepted, with the reason: the page shows no fields
/// beside which the reason could stand.
fn line(t: &Strings, error: &InputError) -> String {
    let message = (t.sentence)(&error.message);
    match error.pointer.strip_prefix('/') {
        Some(name) => format!("{name}: {message}"),
        None => message,
    }
}

/// Returns the title and the advice for a problem.
fn title_and_advice<'a>(
    t: &'a Strings,
    problem: &Problem,
    request: RefusedRequest,
) -> (&'a str, Option<&'a str>) {
    let (title, advice) = match problem.kind() {
        ProblemKind::Unauthenticated => (&t.sign_in_title, Some(&t.sign_in_advice)),
        // Without an actor, only the origin check can have refused the request.
        ProblemKind::Forbidden if request.is_of_stranger => {
            (&t.foreign_title, Some(&t.foreign_advice))
        }
        ProblemKind::Forbidden => (&t.forbidden_title, Some(&t.forbidden_advice)),
        ProblemKind::Vetoed => (&t.forbidden_title, None),
        ProblemKind::NotFound => (&t.not_found_title, Some(&t.not_found_advice)),
        ProblemKind::VersionMismatch => (&t.conflict_title, Some(&t.changed_meanwhile)),
        ProblemKind::Conflict | ProblemKind::IdempotencyKeyReused => (&t.conflict_title, None),
        ProblemKind::QuotaExceeded => (&t.quota_title, None),
        ProblemKind::TooManyRequests => (&t.busy_title, None),
        ProblemKind::Unavailable if !request.is_safe && is_outcome_unknown(problem) => {
            (&t.unavailable_title, Some(&t.outcome_unknown_advice))
        }
        ProblemKind::Unavailable | ProblemKind::Internal => {
            (&t.unavailable_title, Some(&t.unavailable_advice))
        }
        _ => (&t.bad_request_title, Some(&t.bad_request_advice)),
    };
    (title, advice.map(|advice| &**advice))
}

/// Returns the reason that the page shows besides the title and the advice.
fn reason(problem: &Problem, request: RefusedRequest) -> Option<&str> {
    let detail = problem.detail();
    match problem.kind() {
        // The title and the advice say it.
        ProblemKind::Unauthenticated
        | ProblemKind::Forbidden
        | ProblemKind::NotFound
        | ProblemKind::VersionMismatch => None,
        // A request that changes nothing has no outcome.
        ProblemKind::Unavailable if request.is_safe && is_outcome_unknown(problem) => None,
        // The detail of a veto is the text of the host's hook.
        ProblemKind::Vetoed
        | ProblemKind::Conflict
        | ProblemKind::IdempotencyKeyReused
        | ProblemKind::QuotaExceeded
        | ProblemKind::TooManyRequests
        | ProblemKind::Unavailable
        | ProblemKind::Internal
        | ProblemKind::Malformed
        | ProblemKind::Invalid => detail,
        // The title of the page is about any request that cannot be read.
        kind => Some(detail.unwrap_or(kind.title())),
    }
}

/// Returns whether a change may have been made although it was answered with a problem.
fn is_outcome_unknown(problem: &Problem) -> bool {
    problem.detail().is_some_and(|detail| detail.ends_with(OUTCOME_UNKNOWN))
}
