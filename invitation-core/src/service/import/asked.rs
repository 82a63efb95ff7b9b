//! The input and the results of an import.

use crate::{
    decide::Call,
    draft::Draft,
    error::Error,
    field_error::ValidationErrors,
    id::BatchId,
    refusal::{Refusal, Refused},
    request::{
        Fingerprint, Fingerprinting, IdempotencyKey, IdempotentRequest, ScopedIdempotencyKey,
    },
    service::Created,
    string_enum::string_enum,
};

/// Many drafts in one request, each with an outcome of its own.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{
///     Draft,
///     import::{Duplicates, Import, ImportMode, ImportRow},
/// };
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

/// The options of an import.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) mode: ImportMode,
    pub(super) duplicates: Duplicates,
    pub(super) expects_addresses: bool,
}

/// One row of an import: a draft, or text that could not be parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a row can be read or not")]
pub enum ImportRow {
    /// A row that was parsed into a draft.
    Draft(Draft),
    /// A row that could not be parsed, with a fingerprint of its text that tells it from
    /// other rows. Its outcome is [`RowOutcome::Unreadable`].
    Unreadable(Fingerprint),
}

impl ImportRow {
    /// Creates an unreadable row from its text as sent.
    #[must_use]
    pub fn unreadable(source: &str) -> Self {
        let mut parts = Fingerprinting::new("unreadable");
        parts.part(Some(source));
        Self::Unreadable(parts.finish())
    }
}

/// Whether one invalid row prevents the creation of all others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum ImportMode {
    /// All or none: nothing is created unless every row can be created, or is skipped as
    /// a duplicate.
    #[default]
    AllOrNone,
    /// Best effort: every row that can be created is created.
    BestEffort,
}

/// How an import treats rows whose mailbox occurs twice, or is invited already.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Duplicates {
    /// Duplicates are skipped; of rows with the same mailbox, the first is created.
    #[default]
    Skip,
    /// Duplicates are created like other rows.
    Create,
}

/// The result of an import.
#[derive(Debug)]
pub struct Imported {
    pub(super) rows: Vec<ImportedRow>,
    pub(super) is_replayed: bool,
}

/// The result of one row of an import or a rehearsal.
#[derive(Debug)]
#[non_exhaustive]
pub struct ImportedRow {
    /// Whether the row was created, or why not.
    pub outcome: RowOutcome,
    /// The warnings about the row, independent of its outcome.
    pub warnings: Vec<RowWarning>,
}

/// The outcome of a row.
#[derive(Debug)]
#[non_exhaustive]
pub enum RowOutcome {
    /// The invitation was created; by now it may be
    /// [deleted](crate::Invitation::deleted_at).
    Created(Box<Created>),
    /// The row would be created (the outcome of a rehearsal).
    Valid,
    /// The row is a duplicate, and duplicates are skipped.
    Skipped,
    /// Some values of the row are not accepted.
    Invalid(ValidationErrors),
    /// The actor may not create the invitation, or a quota has no room for it.
    Refused(Refused),
    /// The row could not be parsed.
    Unreadable,
    /// The invitation was not created, and the refusal could not be recorded.
    Failed(Box<Error>),
}

/// A warning about a row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum RowWarning {
    /// The row has no address although the import [expects](Import::expecting_addresses)
    /// one: anyone may redeem the code.
    WithoutAddress,
    /// An earlier row has the same mailbox.
    Repeated {
        /// The index of the earlier row, counted from 0.
        first: usize,
    },
    /// A row of an earlier part of the same import has the same mailbox: see
    /// [`PartedImport`](super::PartedImport).
    RepeatedEarlier,
    /// The mailbox has an active invitation to the row's division.
    AlreadyInvited,
}

string_enum! {
    /// The kind of a row's outcome, as a word for results and files.
    #[non_exhaustive]
    OutcomeKind, "outcome" {
        /// The row was created.
        Created = "created",
        /// The row would be created.
        Valid = "valid",
        /// The row's mailbox occurs twice or is already invited, and the import skips such rows.
        Skipped = "skipped",
        /// Some values of the row are not accepted, or the row cannot be read.
        Invalid = "invalid",
        /// The actor may not create the row.
        Forbidden = "forbidden",
        /// Too many invitations are pending.
        QuotaExceeded = "quota_exceeded",
        /// The row was created earlier under the same key, and has been deleted since.
        Deleted = "deleted",
        /// The row was not created, and the store failed to record why.
        Unavailable = "unavailable",
    }
}

impl OutcomeKind {
    /// Returns whether a later row with the same mailbox is a duplicate of the row.
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Created | Self::Valid | Self::Skipped)
    }
}

impl RowOutcome {
    /// Returns the kind of this outcome.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Created(created) if created.invitation().deleted_at().is_some() => {
                OutcomeKind::Deleted
            }
            Self::Created(_) => OutcomeKind::Created,
            Self::Valid => OutcomeKind::Valid,
            Self::Skipped => OutcomeKind::Skipped,
            Self::Invalid(_) | Self::Unreadable => OutcomeKind::Invalid,
            Self::Refused(refused) => match refused.refusal() {
                Refusal::QuotaExceeded { .. } => OutcomeKind::QuotaExceeded,
                _ => OutcomeKind::Forbidden,
            },
            Self::Failed(_) => OutcomeKind::Unavailable,
        }
    }
}

impl RowWarning {
    /// Returns the message, which completes the sentence "the address …". `place` names the
    /// earlier row of a [repeated](Self::Repeated) mailbox by its index.
    pub fn message(&self, place: impl FnOnce(usize) -> String) -> String {
        match self {
            Self::WithoutAddress => "is empty: anybody may redeem the code".to_owned(),
            Self::Repeated { first } => format!("is the same mailbox as in {}", place(*first)),
            Self::RepeatedEarlier => "is the same mailbox as in an earlier row".to_owned(),
            Self::AlreadyInvited => "has an active invitation to this division".to_owned(),
        }
    }
}

impl Import {
    /// Creates an import of these rows: all or none, and duplicates are skipped.
    pub fn new(rows: Vec<ImportRow>) -> Self {
        let (mode, duplicates) = (ImportMode::default(), Duplicates::default());
        Self { rows, mode, duplicates, expects_addresses: false }
    }

    /// Sets whether one invalid row prevents the creation of all others.
    pub fn with_mode(self, mode: ImportMode) -> Self {
        Self { mode, ..self }
    }

    /// Sets how duplicates are treated.
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Expects every row to have an address, as for a file with an address column: a row
    /// without one gets a warning.
    pub fn expecting_addresses(self) -> Self {
        Self { expects_addresses: true, ..self }
    }

    pub(super) fn asked(&self) -> Asked {
        let Self { mode, duplicates, expects_addresses, .. } = *self;
        Asked { mode, duplicates, expects_addresses }
    }

    /// Returns the import as a request under an idempotency key.
    pub(super) fn request(&self, call: &Call, key: &IdempotencyKey) -> IdempotentRequest {
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
        let key = ScopedIdempotencyKey { owner: call.performer.user().cloned(), key: key.clone() };
        let (id, at) = (call.id, call.now);
        IdempotentRequest { key, fingerprint: all.finish(), id, at, results: None }
    }
}

impl Imported {
    /// The results of the rows, in their order.
    #[must_use]
    pub fn rows(&self) -> &[ImportedRow] {
        &self.rows
    }

    /// Returns the results of the rows, in their order.
    #[must_use]
    pub fn into_rows(self) -> Vec<ImportedRow> {
        self.rows
    }

    /// The batch of the created invitations; `None` when none was created.
    #[must_use]
    pub fn batch(&self) -> Option<BatchId> {
        self.created().find_map(|created| created.invitation().batch())
    }

    /// Whether an earlier call with the same key had done the import.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.is_replayed
    }
}
