//! Imports as jobs: files of any size, which a worker of the host imports in the background.
//!
//! [`Imports`] keeps each import as a [document](crate::documents) and its file in a [`Spool`].
//!
//! 1. [`Imports::upload`] takes the bytes of a file, and [`Upload::submit`] orders the import, once
//!    for each idempotency key.
//! 2. A task of the host calls [`Imports::run`], or on an SQL store
//!    [`Imports::run_in_transactions`], for example every second.
//! 3. [`Imports::get`] shows the progress, and [`Imports::results`] returns the outcome of each row,
//!    with the codes.
//!
//! A worker that stops, or a machine that crashes, repeats nothing: the import continues after its
//! last part when the lease of the worker has ended.
//!
//! # All or none
//!
//! An import with [`ImportMode::AllOrNone`](super::ImportMode::AllOrNone) checks the whole file
//! first. Then it creates all invitations in one step:
//!
//! - up to the rows of one part ([`Limits::batch`](crate::Limits::batch)): by one call, on any store;
//! - more: in one transaction of an SQL store, by [`Imports::run_in_transactions`]. SQLite has one
//!   writer: until the transaction ends, other changes wait and may fail as unavailable.
//!
//! On any other store a larger import fails, and creates nothing.
//!
//! # Evidence
//!
//! Each created invitation has its own event. In addition, each step of an import writes one event
//! with the action [`Import`](crate::Action::Import), in the same atomic step as its document:
//!
//! | `step` | further details |
//! |---|---|
//! | `ordered` | `file` (the name, if the upload has one), `bytes`, `sha256`, `format`, `mode`, `duplicates` |
//! | `started` | none |
//! | `cancelled` | `rows`, `created`: the counts so far |
//! | `ended` | `rows`, `created`, `skipped`, `bad`; a failed import has the reason `import_failed` |
//!
//! All of them name the `batch`. A removal of imports writes one event with the action
//! [`Purge`](crate::Action::Purge), and their number as `imports`. The event of the end is in the name of the user who ordered the
//! import. A download of the result with codes is one event with the action
//! [`Copy`](crate::Action::Copy).
//!
//! # What is kept
//!
//! The document has the id, role and name of the user, the name of the file, and counts. The files
//! have the rows as they were sent and the outcomes; neither has a code. [`Imports::remove_ended`]
//! removes both.

mod claim;
mod evidence;
mod job;
mod memory;
mod part;
mod preview;
mod queue;
mod removal;
mod results;
mod spool;
mod upload;
mod work;
mod write;

pub use self::{
    job::{ImportJob, ImportOrder, ImportProgress, ImportState},
    memory::MemorySpool,
    preview::ImportPreview,
    queue::{ImportError, Imports},
    results::{ImportResults, ResultRow},
    spool::{Spool, SpoolError, SpoolFile, SpoolPart},
    upload::{Submitted, Upload},
    work::ImportRun,
};
