//! Imports: many drafts in one request, each row with an outcome of its own.
//!
//! [`Invitations::import`](crate::Invitations::import) takes an idempotency key. The same
//! request with the same key creates nothing new, so a repetition is safe.
//! [`Invitations::rehearse`](crate::Invitations::rehearse) returns the same outcomes without
//! creating anything.
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::{Actor, Division, Draft, Email, IdempotencyKey, Invitations, MemoryStore, Role, UserId};
//! use invitation::import::{Import, ImportMode, ImportRow, RowOutcome};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let invitations = Invitations::new(MemoryStore::new());
//! let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?)
//!     .based_in(Division::new("sales")?);
//!
//! let staff = |address: &str| -> Result<_, invitation::FieldError> {
//!     let draft = Draft::new().with_role(Role::new("staff")?).for_email(Email::parse(address)?);
//!     Ok(ImportRow::Draft(draft))
//! };
//! let rows = vec![staff("anna@example.com")?, staff("ben@example.com")?, staff("ANNA@example.com")?];
//! let import = Import::new(rows).with_mode(ImportMode::BestEffort);
//!
//! let key = IdempotencyKey::new("upload-1")?;
//! let imported = invitations.import(&admin, import.clone(), Some(&key)).await?;
//! let outcomes: Vec<_> = imported.rows().iter().map(|row| &row.outcome).collect();
//! assert!(matches!(outcomes[..2], [RowOutcome::Created(_), RowOutcome::Created(_)]));
//! assert!(matches!(outcomes[2], RowOutcome::Skipped), "the mailbox comes twice");
//!
//! // The same request again, for example after a lost reply, creates nothing.
//! assert!(invitations.import(&admin, import, Some(&key)).await?.is_replayed());
//! # Ok(())
//! # }
//! ```
//!
//! - **The request**: an [`Import`] of [`ImportRow`]s. [`ImportMode`] says whether one bad
//!   row stops all; [`Duplicates`] says what happens to a mailbox that comes twice.
//! - **The result**: [`Imported`] holds an [`ImportedRow`] for each row, with a
//!   [`RowOutcome`] and [`RowWarning`]s.
//! - **Any size**: a [`PartedImport`] takes its rows in parts.
//! - **Files** (feature `files`): the module `file` reads the rows of CSV and JSON Lines, and the
//!   module `jobs` imports files in the background.

#[cfg(feature = "files")]
pub mod file;
#[cfg(feature = "files")]
pub mod jobs;

pub use crate::service::{
    Duplicates, Import, ImportMode, ImportRow, Imported, ImportedRow, OutcomeKind, PartedImport,
    RowOutcome, RowWarning,
};
