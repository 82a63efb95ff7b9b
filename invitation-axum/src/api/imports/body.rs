//! An import as JSON.

use invitation_core::import::{
    Duplicates, ImportMode,
    file::FileFormat,
    jobs::{ImportJob, ImportState},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::page_body::page_body;

/// An import.
#[derive(Serialize, ToSchema)]
#[schema(as = Import)]
pub(crate) struct ImportJobBody {
    /// The id of the import, and the batch of its invitations.
    #[schema(format = Uuid)]
    id: String,
    state: State,
    format: Format,
    mode: ModeBody,
    duplicates: DuplicatesBody,
    /// The name of the file; `null` if it was not sent in a form.
    #[schema(required)]
    file_name: Option<String>,
    /// The length of the file, in bytes.
    bytes: u64,
    progress: ProgressBody,
    /// The reason why the import failed, with the line of the file where one is the reason; `null`
    /// if it did not fail.
    #[schema(required)]
    reason: Option<String>,
    /// The id of the user who ordered the import.
    created_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// The time at which the import ended; `null` before.
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
}

/// How far an import has come. The counts are those of rows.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportProgress)]
struct ProgressBody {
    /// The number of bytes of the file whose rows have an outcome.
    bytes: u64,
    /// The number of rows with an outcome.
    rows: u64,
    created: u64,
    /// The rows that are in order, of an atomic import that has created none yet.
    valid: u64,
    skipped: u64,
    invalid: u64,
    forbidden: u64,
    quota_exceeded: u64,
    unavailable: u64,
    /// The rows with a warning, whatever their outcome.
    warnings: u64,
}

/// The state of an import.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportState)]
enum State {
    /// It waits until its user starts it in the dashboard.
    Uploaded,
    /// It waits for a worker.
    Queued,
    /// A worker creates invitations, or checks the rows of an atomic import.
    Running,
    /// A worker creates the invitations of an atomic import.
    Writing,
    /// Every row has its outcome.
    Done,
    /// It ended before its last row, or an atomic import created nothing.
    Failed,
    /// A user ended it.
    Cancelled,
}

/// The format of a file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportFormat)]
enum Format {
    Csv,
    JsonLines,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportMode)]
enum ModeBody {
    Atomic,
    BestEffort,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportDuplicates)]
enum DuplicatesBody {
    Skip,
    Create,
}

impl ImportJobBody {
    pub(crate) fn of(job: &ImportJob) -> Self {
        let (progress, order) = (job.progress(), job.order());
        Self {
            id: job.id().to_string(),
            state: match job.state() {
                ImportState::Uploaded => State::Uploaded,
                ImportState::Queued => State::Queued,
                ImportState::Running => State::Running,
                ImportState::Writing => State::Writing,
                ImportState::Done => State::Done,
                ImportState::Cancelled => State::Cancelled,
                _ => State::Failed,
            },
            format: match order.format() {
                FileFormat::JsonLines => Format::JsonLines,
                _ => Format::Csv,
            },
            mode: match order.mode() {
                ImportMode::AllOrNone => ModeBody::Atomic,
                ImportMode::BestEffort => ModeBody::BestEffort,
            },
            duplicates: match order.duplicates() {
                Duplicates::Skip => DuplicatesBody::Skip,
                Duplicates::Create => DuplicatesBody::Create,
            },
            file_name: job.file_name().map(str::to_owned),
            bytes: job.bytes(),
            progress: ProgressBody {
                bytes: progress.bytes,
                rows: progress.rows,
                created: progress.created,
                valid: progress.valid,
                skipped: progress.skipped,
                invalid: progress.invalid,
                forbidden: progress.forbidden,
                quota_exceeded: progress.quota_exceeded,
                unavailable: progress.unavailable,
                warnings: progress.warnings,
            },
            reason: job.reason().map(str::to_owned),
            created_by: job.user().to_string(),
            created_at: job.ordered_at().to_string(),
            ended_at: job.ended_at().map(|at| at.to_string()),
        }
    }
}

page_body! {
    /// A page of imports, newest first.
    ImportJobPageBody as ImportPage of ImportJobBody
}
