//! The events of an import: which user ordered, started or cancelled it, and how it ended.

use std::fmt::Write as _;

use super::{ImportJob, ImportState};
use crate::{
    actor::Actor,
    detail::Detail,
    error::Error,
    event::{Event, Reason},
    service::{Duplicates, ImportMode, Invitations},
    store::Store,
    unicode,
};

/// A step of an import that leaves an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// A user ordered the import of a file with this SHA-256 digest.
    Ordered(&'a [u8]),
    /// A user started it.
    Started,
    /// A user cancelled it.
    Cancelled,
    /// A worker came to its end.
    Ended,
}

impl Step<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Ordered(_) => "ordered",
            Self::Started => "started",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
        }
    }
}

impl ImportJob {
    /// Returns the event of the step that leads to this version of the job.
    pub(super) fn event<S: Store>(
        &self,
        invitations: &Invitations<S>,
        actor: &Actor,
        step: Step<'_>,
    ) -> Result<Event, Error> {
        let detail = Detail::none().with("step", step.name());
        let detail = detail.with("batch", &self.id.to_string());
        let detail = match step {
            Step::Ordered(digest) => self.ordered(detail, digest),
            Step::Started => detail,
            Step::Cancelled => self.counted(detail),
            Step::Ended => {
                let (skipped, bad) = (self.kept.progress.skipped, self.kept.progress.bad());
                let detail = self.counted(detail).with("skipped", &skipped.to_string());
                detail.with("bad", &bad.to_string())
            }
        };
        let failure = (self.state == ImportState::Failed).then_some(Reason::ImportFailed);
        invitations.import_event(actor, self.document.division.clone(), detail, failure)
    }

    fn ordered(&self, detail: Detail, digest: &[u8]) -> Detail {
        let order = self.order();
        let mode = match order.mode() {
            ImportMode::AllOrNone => "atomic",
            ImportMode::BestEffort => "best_effort",
        };
        let duplicates = match order.duplicates() {
            Duplicates::Skip => "skip",
            Duplicates::Create => "create",
        };
        let detail = match self.file_name() {
            Some(name) => detail.with("file", name),
            None => detail,
        };
        detail
            .with("bytes", &self.kept.bytes.to_string())
            .with("sha256", &hex(digest))
            .with("format", order.format().as_str())
            .with("mode", mode)
            .with("duplicates", duplicates)
    }

    fn counted(&self, detail: Detail) -> Detail {
        let progress = &self.kept.progress;
        detail
            .with("rows", &progress.rows.to_string())
            .with("created", &progress.created.to_string())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The longest name of a file that is kept, in bytes. File systems allow no longer one.
const MAX_NAME: usize = 255;

/// Returns the last part of the path that a client sent as the name of a file: in one visible
/// line, because an administrator reads it in the audit trail. None if nothing is left.
pub(super) fn file_name(given: &str) -> Option<String> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let cut = &last[..last.floor_char_boundary(MAX_NAME)];
    let visible = cut.chars().filter(|c| unicode::hidden(*c).is_none());
    let name: String = visible.collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_file_is_one_short_visible_line_without_folders() {
        assert_eq!(file_name("C:\\lists\\people.csv").as_deref(), Some("people.csv"));
        assert_eq!(file_name("../../etc/people.csv").as_deref(), Some("people.csv"));
        assert_eq!(file_name("a\u{202e}\n\u{0}vsc.csv ").as_deref(), Some("avsc.csv"));
        assert_eq!(file_name("lists/"), None);
        assert_eq!(file_name("\u{200b}"), None);
        let long = file_name(&"ä".repeat(300)).unwrap();
        assert_eq!(long, "ä".repeat(127));
    }

    #[test]
    fn digest_is_written_in_two_digits_for_each_byte() {
        assert_eq!(hex(&[0, 7, 255]), "0007ff");
    }
}
