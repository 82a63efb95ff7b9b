//! The outcome of each row: how it is kept, and how it is returned with the codes.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    ImportError, ImportProgress, Spool, SpoolFile,
    part::{FilePart, RowPlace},
};
use crate::{
    actor::Actor,
    code::InvitationCode,
    field_error::ValidationErrors,
    id::{BatchId, InvitationId},
    import::file::FileReader,
    invitation::Invitation,
    policy::Right,
    service::{ImportRow, Invitations, OutcomeKind, PartOutcome, PartRow, RowOutcome},
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    time::Timestamp,
};

/// The number of bytes that are read from the spool at a time.
const PIECE: usize = 256 * 1_024;

/// The outcome of a row, as the spool keeps it: one JSON object on each line.
#[derive(Debug, Serialize, Deserialize)]
struct KeptRow {
    line: usize,
    outcome: OutcomeKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<InvitationId>,
    /// The time of creation, by which the store finds the invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A reader of kept outcomes.
#[derive(Debug)]
pub(super) struct KeptRows {
    spool: Arc<dyn Spool>,
    file: SpoolFile,
    at: u64,
    end: u64,
    /// The bytes that were read, and the position behind the last row in them.
    buffer: Vec<u8>,
    begin: usize,
    /// The rows of the present page. After an error, the next call goes on with them.
    page: Vec<KeptRow>,
}

impl KeptRows {
    /// Creates a reader of the first `end` bytes of a file.
    pub(super) fn new(spool: Arc<dyn Spool>, file: SpoolFile, end: u64) -> Self {
        Self { spool, file, at: 0, end, buffer: Vec::new(), begin: 0, page: Vec::new() }
    }

    /// Reads the next page, of at most `max` rows. It is the same one until [`take`](Self::take).
    async fn page(&mut self, max: usize) -> Result<&[KeptRow], ImportError> {
        while self.page.len() < max {
            let rest = &self.buffer[self.begin..];
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                self.page.push(serde_json::from_slice(&rest[..end]).map_err(|_| corrupt())?);
                self.begin += end + 1;
                continue;
            }
            let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
            if left == 0 {
                break;
            }
            let piece = self.spool.read(self.file, self.at, left.min(PIECE)).await?;
            if piece.is_empty() {
                return Err(corrupt().into());
            }
            self.at += piece.len() as u64;
            self.buffer.drain(..self.begin);
            self.begin = 0;
            self.buffer.extend(piece);
        }
        Ok(&self.page)
    }

    fn take(&mut self) -> Vec<KeptRow> {
        std::mem::take(&mut self.page)
    }

    /// Returns the rows of the next part whose mailboxes count as those of earlier parts.
    pub(super) async fn good(
        &mut self,
        rows: Vec<ImportRow>,
    ) -> Result<Vec<ImportRow>, ImportError> {
        if self.page(rows.len()).await?.len() < rows.len() {
            return Err(corrupt().into());
        }
        let kept = rows.into_iter().zip(self.take());
        Ok(kept.filter(|(_, kept)| kept.outcome.is_good()).map(|(row, _)| row).collect())
    }
}

/// Returns the lines that keep the outcomes of a part, and counts them.
pub(super) fn write(
    places: &[RowPlace],
    rows: &[PartRow],
    reader: &FileReader,
    progress: &mut ImportProgress,
) -> Vec<u8> {
    let mut written = Vec::new();
    for kept in kept_of(places, rows, reader) {
        progress.count(kept.outcome, !kept.warnings.is_empty());
        // The value consists of texts and numbers only, so serializing it cannot fail.
        written.extend(serde_json::to_vec(&kept).unwrap_or_default());
        written.push(b'\n');
    }
    written
}

/// Returns the outcomes of rows that nothing was created of.
pub(super) fn preview(
    places: &[RowPlace],
    rows: &[PartRow],
    reader: &FileReader,
) -> Vec<ResultRow> {
    let row = |kept: KeptRow| ResultRow {
        line: kept.line,
        outcome: kept.outcome,
        invitation: None,
        code: None,
        errors: kept.errors,
        warnings: kept.warnings,
    };
    kept_of(places, rows, reader).map(row).collect()
}

/// Returns the mistakes that prevent the creation of a part, each with its line of the file.
pub(super) fn mistakes(found: &ValidationErrors, part: &FilePart, reader: &FileReader) -> String {
    let mistakes = found.errors().iter().map(|error| {
        let mistake = note(reader, error.field(), error.message());
        match error.line().and_then(|row| part.places.get(row)) {
            Some(place) => format!("line {}, {mistake}", place.line),
            None => mistake,
        }
    });
    mistakes.collect::<Vec<_>>().join("; ")
}

/// Returns a mistake with the spelling of its field in the file.
fn note(reader: &FileReader, field: &str, message: &str) -> String {
    match field {
        "" | "drafts" => message.to_owned(),
        field => format!("{}: {message}", reader.spelling(field)),
    }
}

fn kept_of<'a>(
    places: &'a [RowPlace],
    rows: &'a [PartRow],
    reader: &'a FileReader,
) -> impl Iterator<Item = KeptRow> + 'a {
    let note = |field: &str, message: &str| note(reader, field, message);
    let line_of = |n: usize| places.get(n).map_or(n + 1, |place| place.line);
    places.iter().zip(rows).map(move |(place, row)| {
        let mut kept = KeptRow {
            line: place.line,
            outcome: row.outcome.kind(),
            id: None,
            at: None,
            errors: Vec::new(),
            warnings: Vec::new(),
        };
        match &row.outcome {
            PartOutcome::Created { id, at } => {
                (kept.id, kept.at) = (Some(*id), Some(at.as_micros()));
            }
            PartOutcome::Other(RowOutcome::Unreadable) => {
                let mistakes = place.mistakes.iter();
                kept.errors =
                    mistakes.map(|mistake| note(&mistake.field, &mistake.message)).collect();
            }
            PartOutcome::Other(RowOutcome::Invalid(found)) => {
                let errors = found.errors().iter();
                kept.errors = errors.map(|error| note(error.field(), error.message())).collect();
            }
            PartOutcome::Other(RowOutcome::Refused(refused)) => {
                kept.errors = vec![refused.to_string()];
            }
            PartOutcome::Other(RowOutcome::Failed(error)) => kept.errors = vec![error.to_string()],
            // `Created` is always the variant above.
            PartOutcome::Other(
                RowOutcome::Valid | RowOutcome::Skipped | RowOutcome::Created(_),
            ) => {}
        }
        for warning in &row.warnings {
            let message = warning.message(|first| format!("line {}", line_of(first)));
            kept.warnings.push(note("email", &message));
        }
        kept
    })
}

/// The outcome of one row of an import.
#[derive(Debug)]
#[non_exhaustive]
pub struct ResultRow {
    /// The line of the file in which the row begins, from 1 on.
    pub line: usize,
    /// The outcome. [`OutcomeKind::Deleted`] if the invitation does not exist any more.
    pub outcome: OutcomeKind,
    /// The invitation in its present state, if it was created and exists. None without the right
    /// to view invitations, if it has changed since.
    pub invitation: Option<Invitation>,
    /// Its present code; none if the actor may not copy codes, or if the store keeps none.
    pub code: Option<InvitationCode>,
    /// The reasons why the row was not created.
    pub errors: Vec<String>,
    /// The warnings about the row.
    pub warnings: Vec<String>,
}

/// The outcomes of the rows of an import, in the order of the file.
///
/// The codes are read from the store when they are returned: the result is never stored with
/// them.
#[derive(Debug)]
pub struct ImportResults {
    kept: KeptRows,
    id: BatchId,
    actor: Actor,
    page_rows: usize,
    /// Whether the actor may copy codes.
    has_codes: bool,
    /// Whether the actor may see what has become of the invitations.
    has_history: bool,
}

/// The part of [`ImportResults`] that a job knows.
pub(super) struct ResultSource {
    pub(super) spool: Arc<dyn Spool>,
    pub(super) file: SpoolFile,
    pub(super) id: BatchId,
    pub(super) page_rows: u32,
    /// The length of the outcomes that are complete.
    pub(super) end: u64,
}

impl ImportResults {
    /// Opens the results, and records once that the codes of the batch are copied.
    pub(super) async fn open<S: Store>(
        invitations: &Invitations<S>,
        actor: &Actor,
        source: ResultSource,
        created: u64,
    ) -> Result<Self, ImportError> {
        let ResultSource { spool, file, id, page_rows, end } = source;
        // Without the file there is no copy to record. Without outcomes there is no file.
        if end > 0 {
            spool.read(file, 0, 1).await?;
        }
        let has_codes = created > 0 && invitations.policy().allows(actor.role(), Right::Copy);
        if has_codes {
            invitations.record_copy_of_batch(actor, id, created).await?;
        }
        let page_rows = usize::try_from(page_rows).unwrap_or(usize::MAX);
        let kept = KeptRows::new(spool, file, end);
        let has_history = invitations.policy().allows(actor.role(), Right::View);
        Ok(Self { kept, id, actor: actor.clone(), page_rows, has_codes, has_history })
    }

    /// Returns the outcomes of the next part of the file; an empty list at the end.
    ///
    /// A few round trips for each part with created rows: one for 200 invitations.
    ///
    /// # Errors
    ///
    /// [`ImportError`] when the store or the spool fails. The call may be repeated.
    pub async fn next_page<S: Store>(
        &mut self,
        invitations: &Invitations<S>,
    ) -> Result<Vec<ResultRow>, ImportError> {
        let kept = self.kept.page(self.page_rows).await?;
        let mut times: Vec<_> = kept.iter().filter_map(|row| row.at).collect();
        times.dedup();
        let mut records = HashMap::new();
        for at in times {
            let at = Timestamp::from_micros(at).ok_or_else(corrupt)?;
            for record in invitations.created_at(&self.actor, self.id, at).await? {
                records.insert(record.id, record);
            }
        }
        let rows = self.kept.take().into_iter().map(|row| {
            let record = row.id.and_then(|id| records.remove(&id));
            let outcome = match (row.outcome, &record) {
                (OutcomeKind::Created, None) => OutcomeKind::Deleted,
                (outcome, _) => outcome,
            };
            let code = record.as_ref().filter(|_| self.has_codes);
            let code = code.and_then(|record| invitations.shown_code(record));
            let record = record.filter(|record| self.has_history || !record.has_history());
            ResultRow {
                line: row.line,
                outcome,
                invitation: record.map(Invitation::from),
                code,
                errors: row.errors,
                warnings: row.warnings,
            }
        });
        Ok(rows.collect())
    }
}

fn corrupt() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "import results")
}
