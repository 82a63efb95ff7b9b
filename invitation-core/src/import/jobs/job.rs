//! An import as a job: what is stored of it, and what its callers see.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::SpoolFile;
use crate::{
    actor::Actor,
    documents::{Document, DocumentKey, DocumentKind, DocumentState},
    error::Error,
    field_error::FieldError,
    id::BatchId,
    import::file::FileFormat,
    scope::Scope,
    service::{Duplicates, ImportMode, OutcomeKind},
    store_error::{StoreError, StoreErrorKind},
    string_enum::string_enum,
    text::{Division, Role, UserId, Username},
    time::Timestamp,
};

/// The longest reason of a failure that is kept, in bytes.
const MAX_REASON: usize = 500;

string_enum! {
    /// The state of an import.
    #[non_exhaustive]
    ImportState, "state" {
        /// The import waits until its user [starts](super::Imports::start) it.
        Uploaded = "uploaded",
        /// The import waits for a worker.
        Queued = "queued",
        /// A worker reads the file, and creates the invitations or checks the rows.
        Running = "running",
        /// All rows are in order, and a worker creates their invitations in one transaction.
        Writing = "writing",
        /// Every row has its outcome.
        Done = "done",
        /// The import ended before its last row. The reason is kept.
        Failed = "failed",
        /// A user ended the import.
        Cancelled = "cancelled",
    }
}

impl ImportState {
    /// Returns whether the import has come to its end.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// The options of an import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct ImportOrder {
    pub(super) format: FileFormat,
    pub(super) mode: ImportMode,
    pub(super) duplicates: Duplicates,
    pub(super) is_held: bool,
}

impl ImportOrder {
    /// Creates the order of a file in this format: as many rows as possible, and duplicates are
    /// skipped.
    pub fn new(format: FileFormat) -> Self {
        let (mode, duplicates) = (ImportMode::BestEffort, Duplicates::Skip);
        Self { format, mode, duplicates, is_held: false }
    }

    /// Lets the import wait until its user [starts](super::Imports::start) it, for example after a
    /// look at the [first rows](super::Imports::preview).
    pub fn started_later(self) -> Self {
        Self { is_held: true, ..self }
    }

    /// Returns the format of the file.
    #[must_use]
    pub fn format(&self) -> FileFormat {
        self.format
    }

    /// Returns whether one bad row prevents the creation of all others.
    #[must_use]
    pub fn mode(&self) -> ImportMode {
        self.mode
    }

    /// Returns how duplicates are treated.
    #[must_use]
    pub fn duplicates(&self) -> Duplicates {
        self.duplicates
    }

    /// Sets whether one bad row prevents the creation of all others.
    pub fn with_mode(self, mode: ImportMode) -> Self {
        Self { mode, ..self }
    }

    /// Sets how duplicates are treated.
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }
}

/// How far an import has come.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImportProgress {
    /// The number of bytes of the file whose rows have an outcome, or that were looked at.
    pub bytes: u64,
    /// The number of rows with an outcome.
    pub rows: u64,
    /// The number of rows that are created; of an atomic import that is being checked, 0.
    pub created: u64,
    /// The number of rows that are in order, of an atomic import that creates none yet.
    pub valid: u64,
    /// The number of duplicates that were skipped.
    pub skipped: u64,
    /// The number of rows whose values are not accepted, or that cannot be read.
    pub invalid: u64,
    /// The number of rows that the actor may not create.
    pub forbidden: u64,
    /// The number of rows for which a quota had no room.
    pub quota_exceeded: u64,
    /// The number of rows with a warning, whatever their outcome.
    pub warnings: u64,
    /// The number of other rows that were not created.
    pub unavailable: u64,
}

impl ImportProgress {
    pub(super) fn count(&mut self, outcome: OutcomeKind, has_warnings: bool) {
        let number = match outcome {
            OutcomeKind::Created | OutcomeKind::Deleted => &mut self.created,
            OutcomeKind::Valid => &mut self.valid,
            OutcomeKind::Skipped => &mut self.skipped,
            OutcomeKind::Invalid => &mut self.invalid,
            OutcomeKind::Forbidden => &mut self.forbidden,
            OutcomeKind::QuotaExceeded => &mut self.quota_exceeded,
            OutcomeKind::Unavailable => &mut self.unavailable,
        };
        *number += 1;
        self.rows += 1;
        self.warnings += u64::from(has_warnings);
    }

    /// Returns the number of failed rows. If there is one, an atomic import creates nothing.
    pub(super) fn bad(&self) -> u64 {
        self.invalid + self.forbidden + self.quota_exceeded + self.unavailable
    }
}

/// An import, as its document keeps it.
#[derive(Clone, PartialEq, Debug)]
pub struct ImportJob {
    pub(super) id: BatchId,
    pub(super) document: Document,
    pub(super) state: ImportState,
    pub(super) kept: Kept,
}

/// The body of the document of an import.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The id of the files in the spool.
    pub(super) file: BatchId,
    /// The id of the file of outcomes, if it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) results: Option<BatchId>,
    pub(super) format: FileFormat,
    pub(super) is_atomic: bool,
    pub(super) creates_duplicates: bool,
    pub(super) actor: KeptActor,
    /// The digest of file and options, by which a repeated request is known.
    pub(super) fingerprint: [u8; 32],
    /// The name of the file, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// The length of the file.
    pub(super) bytes: u64,
    /// The number of rows of a part. It never changes, because the keys of the parts depend on it.
    pub(super) part_rows: NonZeroU32,
    #[serde(default)]
    pub(super) progress: ImportProgress,
    /// A random number of the worker or user who changed the import last. Without it, changes of
    /// two at one instant would be equal, and a store could not tell them from a repeated call.
    #[serde(default)]
    pub(super) claim: [u8; 8],
    /// The number of parts with an outcome.
    #[serde(default)]
    pub(super) parts: u32,
    /// The length of the results of these parts.
    #[serde(default)]
    pub(super) result_bytes: u64,
    /// The number of attempts in a row that failed.
    #[serde(default)]
    pub(super) failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<i64>,
}

impl Kept {
    pub(super) fn read(document: &Document) -> Result<Self, Error> {
        serde_json::from_slice(&document.body).map_err(corrupt)
    }

    pub(super) fn results_file(&self) -> SpoolFile {
        SpoolFile::results(self.results.unwrap_or(self.file))
    }
}

/// The user who ordered an import.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct KeptActor {
    user: UserId,
    role: Role,
    /// The only division that the user reaches; none for all divisions.
    division: Option<Division>,
    home: Option<Division>,
    name: Option<Username>,
}

impl KeptActor {
    pub(super) fn of(actor: &Actor) -> Self {
        let division = match actor.scope() {
            Scope::All => None,
            Scope::Division(division) => Some(division.clone()),
        };
        Self {
            user: actor.user().clone(),
            role: actor.role().clone(),
            division,
            home: actor.home().cloned(),
            name: actor.name().cloned(),
        }
    }

    pub(super) fn actor(&self) -> Actor {
        let (user, role) = (self.user.clone(), self.role.clone());
        let actor = match &self.division {
            Some(division) => Actor::in_division(user, role, division.clone()),
            None => Actor::across_divisions(user, role),
        };
        let actor = match &self.home {
            Some(home) => actor.based_in(home.clone()),
            None => actor,
        };
        match &self.name {
            Some(name) => actor.with_name(name.clone()),
            None => actor,
        }
    }
}

/// Returns the kind of the documents of imports.
pub(super) fn kind() -> DocumentKind {
    DocumentKind::from_stored("import")
}

/// Returns the key of the document of an import.
pub(super) fn key(id: BatchId) -> DocumentKey {
    let name = crate::text::DocumentName::from_stored(id.to_string());
    DocumentKey { kind: kind(), name }
}

/// Returns the state of the documents of imports that are being removed. No call returns them.
pub(super) fn removing() -> DocumentState {
    DocumentState::from_stored("removing")
}

pub(super) fn state_of(state: ImportState) -> DocumentState {
    DocumentState::from_stored(state.as_str())
}

fn corrupt(why: impl std::error::Error + Send + Sync + 'static) -> Error {
    StoreError::new(StoreErrorKind::Corrupt, "import").because(why).into()
}

impl ImportJob {
    pub(super) fn new(
        id: BatchId,
        kept: Kept,
        state: ImportState,
        now: Timestamp,
    ) -> Result<Self, FieldError> {
        let mut document = Document::new(key(id), state_of(state), now);
        document.due = (state == ImportState::Queued).then_some(now);
        if let Some(division) = &kept.actor.division {
            document = document.in_division(division.clone());
        }
        let document = document.with_body(body(&kept))?;
        Ok(Self { id, document, state, kept })
    }

    pub(super) fn read(document: Document) -> Result<Self, Error> {
        let kept = Kept::read(&document)?;
        let state = document.state.as_str().parse().map_err(corrupt)?;
        let id = document.key.name.as_str().parse().map_err(corrupt)?;
        Ok(Self { id, document, state, kept })
    }

    /// Returns the next version of the job, due at `due`.
    pub(super) fn next(&self, state: ImportState, kept: Kept, due: Option<Timestamp>) -> Self {
        let mut document = self.document.next(state_of(state));
        document.body = body(&kept);
        document.due = due;
        Self { id: self.id, document, state, kept }
    }

    /// Returns the job at its end.
    pub(super) fn ended(&self, state: ImportState, why: Option<&str>, now: Timestamp) -> Self {
        let kept =
            Kept { reason: why.map(reason), ended: Some(now.as_micros()), ..self.kept.clone() };
        self.next(state, kept, None)
    }

    /// Returns the id of the import, which is the batch of its invitations.
    #[must_use]
    pub fn id(&self) -> BatchId {
        self.id
    }

    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> ImportState {
        self.state
    }

    /// Returns how far the import has come.
    #[must_use]
    pub fn progress(&self) -> &ImportProgress {
        &self.kept.progress
    }

    /// Returns the name of the file, if its upload [had one](super::Upload::named).
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.kept.name.as_deref()
    }

    /// Returns the length of the file, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.kept.bytes
    }

    /// Returns the options.
    pub fn order(&self) -> ImportOrder {
        let mode = if self.kept.is_atomic { ImportMode::AllOrNone } else { ImportMode::BestEffort };
        let duplicates =
            if self.kept.creates_duplicates { Duplicates::Create } else { Duplicates::Skip };
        let is_held = self.state == ImportState::Uploaded;
        ImportOrder { format: self.kept.format, mode, duplicates, is_held }
    }

    /// Returns the reason why the import failed, if it did. It names the line of the file where
    /// one is the reason.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.kept.reason.as_deref()
    }

    /// Returns the user who ordered the import.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.kept.actor.user
    }

    /// Returns the name of that user at the time of the order.
    #[must_use]
    pub fn username(&self) -> Option<&Username> {
        self.kept.actor.name.as_ref()
    }

    /// Returns the time of the order.
    #[must_use]
    pub fn ordered_at(&self) -> Timestamp {
        self.document.at
    }

    /// Returns the time at which the import ended, if it did.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.kept.ended.and_then(Timestamp::from_micros)
    }
}

/// Returns the body of a document. It has a few hundred bytes, and a reason.
fn body(kept: &Kept) -> Vec<u8> {
    // The value consists of texts and numbers only, so serializing it cannot fail.
    serde_json::to_vec(kept).unwrap_or_default()
}

/// Cuts a reason to its maximum.
fn reason(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_REASON)].to_owned()
}
