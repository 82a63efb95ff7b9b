//! Imports and their results, in a form that tests can compare.

use invitation_core::{
    Created, Draft, Import, ImportMode, ImportRow, Imported, ImportedRow, InvitationId, Refusal,
    RowOutcome, RowWarning,
};

/// Returns a best-effort import of these drafts, one a row.
pub(crate) fn import(drafts: impl IntoIterator<Item = Draft>) -> Import {
    let rows = drafts.into_iter().map(ImportRow::Draft).collect();
    Import::new(rows).with_mode(ImportMode::BestEffort)
}

/// Returns the name of the outcome.
fn outcome_name(row: &ImportedRow) -> &'static str {
    match &row.outcome {
        RowOutcome::Created(_) => "created",
        RowOutcome::Valid => "valid",
        RowOutcome::Skipped => "skipped",
        RowOutcome::Invalid(_) => "invalid",
        RowOutcome::Refused(refused) => match refused.refusal() {
            Refusal::QuotaExceeded { .. } => "full",
            _ => "denied",
        },
        RowOutcome::Unreadable => "unreadable",
        RowOutcome::Failed(error) => panic!("{error}"),
        other => panic!("the suite does not know the outcome {other:?}"),
    }
}

/// Returns the name of the outcome of each row.
pub(crate) fn outcomes(rows: &[ImportedRow]) -> Vec<&'static str> {
    rows.iter().map(outcome_name).collect()
}

/// Returns the outcome and the warnings of each row, without the created invitations.
pub(crate) fn results(rows: &[ImportedRow]) -> Vec<(String, Vec<RowWarning>)> {
    let said = |row: &ImportedRow| {
        let why = match &row.outcome {
            RowOutcome::Invalid(found) => found.to_string(),
            RowOutcome::Refused(refused) => format!("{:?}", refused.refusal()),
            _ => String::new(),
        };
        (format!("{} {why}", outcome_name(row)), row.warnings.clone())
    };
    rows.iter().map(said).collect()
}

/// Returns the ids and codes of the created invitations.
pub(crate) fn codes(imported: &Imported) -> Vec<(InvitationId, String)> {
    let pair = |one: &Created| (one.invitation().id(), one.code().reveal().to_string());
    imported.created().map(pair).collect()
}

/// Whether both imports returned the same results, invitations, codes and batch.
pub(crate) fn same_results(again: &Imported, first: &Imported) -> bool {
    results(again.rows()) == results(first.rows())
        && codes(again) == codes(first)
        && again.batch() == first.batch()
}
