//! The rows of an import after their check.

use super::asked::{ImportedRow, RowOutcome};
use crate::{
    decide::{Call, Terms},
    refusal::Verdict,
    text::Division,
};

/// The rows of an import with their results so far, and the rows to be created.
pub(super) struct Judged {
    pub(super) rows: Vec<ImportedRow>,
    /// Refusals that are not recorded yet.
    pub(super) denied: Vec<Denied>,
    /// The rows to be created, by ascending row.
    pub(super) accepted: Vec<Candidate>,
}

/// A row that may be created.
pub(super) struct Candidate {
    pub(super) row: usize,
    pub(super) terms: Terms,
    pub(super) call: Call,
}

/// A row that the actor has no right to create.
pub(super) struct Denied {
    pub(super) row: usize,
    pub(super) verdict: Verdict,
    pub(super) named: Option<Division>,
    pub(super) call: Call,
}

impl Judged {
    pub(super) fn has_failures(&self) -> bool {
        let is_bad = |row: &ImportedRow| {
            matches!(row.outcome, RowOutcome::Invalid(_) | RowOutcome::Unreadable)
        };
        !self.denied.is_empty() || self.rows.iter().any(is_bad)
    }
}
