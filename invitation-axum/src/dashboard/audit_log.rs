//! The state of the tamper-evident log, on the audit view.

use askama::{Template, filters::HtmlSafe};
use invitation_core::{
    Scope, Timestamp,
    audit::{LogCheckpoint, LogState, LogVerdict},
};

use super::{Strings, page::PageContext, row::When};

/// The number of characters that are shown of a root.
const SHORT_ROOT: usize = 12;

/// The verdict about the log and its newest checkpoint, as a list of terms.
#[derive(Template)]
#[template(path = "audit_log.html")]
pub(super) struct AuditLog<'a> {
    t: &'a Strings,
    verdict: &'a str,
    /// The outcome of an event whose colour the verdict has.
    tone: &'static str,
    place: Option<String>,
    verified_at: Option<When>,
    failed_at: Option<When>,
    lost: u64,
    checkpoint: Option<Checkpoint>,
}

impl HtmlSafe for AuditLog<'_> {}

struct Checkpoint {
    size: u64,
    newest: Option<When>,
    root: String,
    short_root: String,
}

impl<'a> AuditLog<'a> {
    /// Returns the state of the host's log, if there is one, for an actor who reaches all
    /// divisions: the log has the events of all of them.
    pub(super) fn of(context: &'a PageContext) -> Option<Self> {
        let log = context.web().audit_log()?;
        (*context.actor().scope() == Scope::All)
            .then(|| Self::new(log.log_state(), context.t(), context.now()))
    }

    fn new(state: LogState, t: &'a Strings, now: Timestamp) -> Self {
        let LogState { checkpoint, verdict, verified_at, lost, failed_at } = state;
        let (text, tone, place) = match verdict {
            LogVerdict::Unverified => (&*t.log_unverified, "refused", None),
            LogVerdict::Valid => (&*t.log_valid, "succeeded", None),
            LogVerdict::Unanchored => (&*t.log_unanchored, "refused", None),
            LogVerdict::Tampered { place } => {
                (&*t.log_tampered, "denied", Some((t.sentence)(&place)))
            }
        };
        let when = |at| When::exact(at, now, t);
        Self {
            t,
            verdict: text,
            tone,
            place,
            verified_at: verified_at.map(when),
            failed_at: failed_at.map(when),
            lost,
            checkpoint: checkpoint.map(|LogCheckpoint { size, root, newest }| Checkpoint {
                size,
                newest: newest.map(when),
                short_root: root.chars().take(SHORT_ROOT).collect(),
                root,
            }),
        }
    }
}
