//! What an import asks for, and what comes of it.

use crate::{
    decide::Call,
    draft::Draft,
    error::Error,
    id::BatchId,
    invalid::InvalidInput,
    refusal::Refused,
    request::{Fingerprint, Fingerprinting, IdempotencyKey, Request, RequestKey},
    service::Created,
};

/// Many drafts that are asked for together, each with an outcome of its own.
///
/// ```
/// use invitation_core::{Draft, Duplicates, Import, ImportMode, ImportRow};
///
/// let import = Import::new(vec![ImportRow::Draft(Draft::new())])
///     .with_mode(ImportMode::BestEffort)
///     .with_duplicates(Duplicates::Create);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Import {
    pub(super) rows: Vec<ImportRow>,
    mode: ImportMode,
    duplicates: Duplicates,
    expects_addresses: bool,
}

/// The choices of an import.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) mode: ImportMode,
    pub(super) duplicates: Duplicates,
    pub(super) expects_addresses: bool,
}

/// One row of an import.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a row can be read or not")]
pub enum ImportRow {
    /// A row that could be read.
    Draft(Draft),
    /// A row that could not, and by what it is told apart from others. Its outcome is
    /// [`RowOutcome::Unreadable`].
    Unreadable(Fingerprint),
}

impl ImportRow {
    /// A row that could not be read, as it was sent.
    #[must_use]
    pub fn unreadable(source: &str) -> Self {
        let mut parts = Fingerprinting::new("unreadable");
        parts.part(Some(source));
        Self::Unreadable(parts.finish())
    }
}

/// Whether the rows of an import depend on each other.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum ImportMode {
    /// Nothing is created unless every row can be created, or is skipped as a duplicate.
    #[default]
    AllOrNone,
    /// What can be created is.
    BestEffort,
}

/// What becomes of rows about a mailbox that comes twice, or is invited already.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Duplicates {
    /// They are skipped; of a mailbox that comes twice, the first row counts.
    #[default]
    Skip,
    /// They are created like the others.
    Create,
}

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    pub(super) rows: Vec<ImportedRow>,
    pub(super) is_replayed: bool,
}

/// What came of one row, or would.
#[derive(Debug)]
#[non_exhaustive]
pub struct ImportedRow {
    /// The outcome.
    pub outcome: RowOutcome,
    /// What is noticeable about the row, whatever came of it.
    pub warnings: Vec<RowWarning>,
}

/// The outcome of a row.
#[derive(Debug)]
#[non_exhaustive]
pub enum RowOutcome {
    /// It was created; by now it may be [deleted](crate::Invitation::deleted_at).
    Created(Box<Created>),
    /// It would be created.
    Valid,
    /// It is a duplicate, and duplicates are skipped.
    Skipped,
    /// Some values are not accepted.
    Invalid(InvalidInput),
    /// The actor may not create it, or there is no room under a quota.
    Refused(Refused),
    /// It could not be read.
    Unreadable,
    /// It was not created, and the refusal could not be recorded.
    Failed(Box<Error>),
}

/// What is noticeable about a row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum RowWarning {
    /// It has no address although the import [expects](Import::expecting_addresses) one:
    /// anybody may redeem the code.
    WithoutAddress,
    /// Its mailbox came before.
    Repeated {
        /// In which row, counted from 0.
        first: usize,
    },
    /// Its mailbox has an active invitation to the row's division.
    AlreadyInvited,
}

impl Import {
    /// An import of these rows, of which all or none is created and duplicates are skipped.
    pub fn new(rows: Vec<ImportRow>) -> Self {
        let (mode, duplicates) = (ImportMode::default(), Duplicates::default());
        Self { rows, mode, duplicates, expects_addresses: false }
    }

    /// Sets whether the rows depend on each other.
    pub fn with_mode(self, mode: ImportMode) -> Self {
        Self { mode, ..self }
    }

    /// Sets what becomes of duplicates.
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Says that the rows are expected to have an address, as those of a file with a column
    /// for it are: one that is bound to nobody gets a warning.
    pub fn expecting_addresses(self) -> Self {
        Self { expects_addresses: true, ..self }
    }

    pub(super) fn asked(&self) -> Asked {
        let Self { mode, duplicates, expects_addresses, .. } = *self;
        Asked { mode, duplicates, expects_addresses }
    }

    /// The import as a request under a key.
    pub(super) fn request(&self, call: &Call, key: &IdempotencyKey) -> Request {
        let mut all = Fingerprinting::new("import");
        all.part(Some(match self.mode {
            ImportMode::AllOrNone => "all or none",
            ImportMode::BestEffort => "best effort",
        }));
        all.part(Some(match self.duplicates {
            Duplicates::Skip => "skip",
            Duplicates::Create => "create",
        }));
        all.part(self.expects_addresses.then_some("addresses"));
        for row in &self.rows {
            match row {
                ImportRow::Draft(draft) => draft.tell(&mut all),
                ImportRow::Unreadable(source) => all.bytes(source.as_bytes()),
            }
        }
        let key = RequestKey { owner: call.performer.user().cloned(), key: key.clone() };
        let (id, at) = (call.id, call.now);
        Request { key, fingerprint: all.finish(), id, at, results: None }
    }
}

impl Imported {
    /// What came of each row, in their order.
    #[must_use]
    pub fn rows(&self) -> &[ImportedRow] {
        &self.rows
    }

    /// What came of each row, in their order.
    #[must_use]
    pub fn into_rows(self) -> Vec<ImportedRow> {
        self.rows
    }

    /// What the invitations that were created have in common; none when none was.
    #[must_use]
    pub fn batch(&self) -> Option<BatchId> {
        self.created().find_map(|created| created.invitation().batch)
    }

    /// Whether an earlier call with the same key had done it.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.is_replayed
    }
}
