//! The worker of imports.

use std::sync::Arc;

use time::Duration;

use super::{
    ImportError, ImportJob, ImportProgress, ImportState, Imports, SpoolError, SpoolFile,
    evidence::Step,
    job::Kept,
    part::{FilePart, NO_ROWS, PartReader},
    results::{self, KeptRows},
    write::{InOneCall, InTransaction, WriteAll},
};
use crate::{
    admit::Transactional,
    error::Error,
    service::{ImportMode, Invitations, JobImport, PartRow, PartedImport},
    store::Store,
    store_error::StoreError,
    time::Timestamp,
};

/// The maximum number of imports that one call works on.
const MAX_JOBS: u32 = 100;

/// The number of attempts in a row that may fail before the import fails, and the pause after the
/// first of them. Each further pause is twice as long, up to the lease.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::seconds(5);

/// What a call of [`Imports::run`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a worker has something to do or not")]
pub enum ImportRun {
    /// No import was due that this machine can work on.
    Idle,
    /// The worker worked on imports. There may be more.
    Worked,
}

/// The reason why a worker stops working on an import.
pub(super) enum Stop {
    /// A user cancelled the import, or another worker has taken it over.
    Lost,
    /// The import cannot succeed.
    Failed(String),
    /// The store or the spool failed. A later attempt may succeed.
    Later(ImportError),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(_) | Error::Entropy(_) | Error::Seal(_) => Self::Later(error.into()),
            // The host did not say whether it allows the invitations.
            Error::Refused(refused) if refused.refusal().is_lapse() => {
                Self::Later(Error::Refused(refused).into())
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Later(error.into())
    }
}

impl From<SpoolError> for Stop {
    fn from(error: SpoolError) -> Self {
        Self::Later(error.into())
    }
}

impl Imports {
    /// Works on the imports that are due, one after another, until none is left or 100 are done.
    ///
    /// Several workers, on any number of machines, may call it at the same time: each import has
    /// one worker. An import whose file is not on this machine is left to the others.
    ///
    /// A few round trips for each part of a file: as [`Invitations::import_part`], and one.
    ///
    /// # Errors
    ///
    /// [`ImportError`] when the store or the spool fails. The import is due again after a pause; it
    /// fails after 10 such attempts in a row.
    pub async fn run<S: Store>(
        &self,
        invitations: &Invitations<S>,
    ) -> Result<ImportRun, ImportError> {
        self.run_with(invitations, &InOneCall).await
    }

    /// Works on imports as [`run`](Self::run) does, and creates the invitations of an atomic import
    /// of any size in one transaction of the store.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_in_transactions<S: Transactional>(
        &self,
        invitations: &Invitations<S>,
    ) -> Result<ImportRun, ImportError> {
        self.run_with(invitations, &InTransaction).await
    }

    async fn run_with<S: Store, W: WriteAll<S>>(
        &self,
        invitations: &Invitations<S>,
        writer: &W,
    ) -> Result<ImportRun, ImportError> {
        let mut done = ImportRun::Idle;
        for _ in 0..MAX_JOBS {
            let Some(job) = self.claim(invitations).await? else { break };
            done = ImportRun::Worked;
            self.work(invitations, job, writer).await?;
        }
        Ok(done)
    }

    /// Works on a claimed import until it ends or is lost.
    async fn work<S: Store, W: WriteAll<S>>(
        &self,
        invitations: &Invitations<S>,
        job: ImportJob,
        writer: &W,
    ) -> Result<(), ImportError> {
        let mut work = Work { imports: self, invitations, job };
        let worked = match work.job.order().mode {
            ImportMode::BestEffort => work.create_parts().await,
            ImportMode::AllOrNone => work.create_all(writer).await,
        };
        let (next, error) = match worked {
            Ok(()) => (work.ended(ImportState::Done, None), None),
            Err(Stop::Lost) => return Ok(()),
            Err(Stop::Failed(reason)) => (work.ended(ImportState::Failed, Some(&reason)), None),
            Err(Stop::Later(error)) => (work.postponed(&error), Some(error)),
        };
        // If it is not replaced, another worker or a user has decided on the import.
        let is_kept = if next.state.is_final() {
            let event = next.event(invitations, &next.kept.actor.actor(), Step::Ended)?;
            self.replace_with(&next, event).await?
        } else {
            self.replace(&next).await?
        };
        let is_atomic = next.order().mode == ImportMode::AllOrNone;
        if is_kept && next.state == ImportState::Done && is_atomic && !writer.notifies() {
            // Behind the end, because it may take long: no other worker takes the import over then.
            // The import has ended, and a notification comes at most once: a failure is not the import's.
            let _ = invitations.notify_of_batch(&next.kept.actor.actor(), next.id()).await;
        }
        match error {
            // The worker that took the import over has removed the results of this one.
            Some(ImportError::Spool(SpoolError::Missing)) if !is_kept => Ok(()),
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// A worker's work on one import.
pub(super) struct Work<'a, S> {
    pub(super) imports: &'a Imports,
    pub(super) invitations: &'a Invitations<S>,
    pub(super) job: ImportJob,
}

impl<'a, S: Store> Work<'a, S> {
    /// Returns a reader of the file from its beginning.
    pub(super) fn reader(&self) -> PartReader<'a> {
        let Kept { file, format, part_rows, .. } = &self.job.kept;
        PartReader::new(&*self.imports.spool, SpoolFile::rows(*file), *format, part_rows.get())
    }

    /// Returns the import in parts, after the first part of the file was read.
    pub(super) fn parted(&self, reader: &PartReader<'_>) -> JobImport {
        let order = self.job.order();
        let parted = PartedImport::new(self.job.id())
            .with_mode(order.mode)
            .with_duplicates(order.duplicates)
            .expecting_addresses(reader.reader().expects_addresses());
        JobImport::new(parted)
    }

    /// Creates as many rows as possible, part by part.
    async fn create_parts(&mut self) -> Result<(), Stop> {
        let actor = self.job.kept.actor.actor();
        let (mut reader, mut import) = (self.reader(), None);
        let spool = Arc::clone(&self.imports.spool);
        let mut kept = KeptRows::new(spool, self.results(), self.job.kept.result_bytes);
        while let Some(mut part) = reader.next().await? {
            if !part.rows.is_empty() {
                let import = match &mut import {
                    Some(import) => import,
                    none => none.insert(self.parted(&reader)),
                };
                let rows = std::mem::take(&mut part.rows);
                if import.parted.parts() < self.job.kept.parts {
                    import.parted.pass_over(&kept.good(rows).await.map_err(Stop::Later)?);
                } else {
                    let made = self.invitations.import_job_part(&actor, import, rows).await?;
                    self.keep(&part, &made, &reader).await?;
                }
            }
            end_of(&part)?;
        }
        self.must_have_rows()
    }

    /// Checks all rows, and then creates all of them in one step.
    async fn create_all<W: WriteAll<S>>(&mut self, writer: &W) -> Result<(), Stop> {
        // A worker that stopped while it was writing may have committed. The keys of the parts then
        // return what was created, so the rows must not be checked again.
        if self.job.state != ImportState::Writing {
            self.check_all(writer).await?;
            let kept = Kept { parts: 0, ..self.job.kept.clone() };
            self.advance(ImportState::Writing, kept).await?;
        }
        let written = match writer.write_all(self).await {
            Ok(written) => written,
            Err(stop) => {
                // The results of the check may be overwritten in part.
                let kept = &mut self.job.kept;
                (kept.progress, kept.result_bytes) = (ImportProgress::default(), 0);
                return Err(stop);
            }
        };
        self.job.kept.progress = written.progress;
        self.job.kept.result_bytes = written.result_bytes;
        self.imports.spool.sync(self.results()).await?;
        Ok(())
    }

    /// Checks all rows, and keeps what would become of each.
    async fn check_all<W: WriteAll<S>>(&mut self, writer: &W) -> Result<(), Stop> {
        let actor = self.job.kept.actor.actor();
        let (mut reader, mut import) = (self.reader(), None);
        while let Some(mut part) = reader.next().await? {
            if !part.rows.is_empty() {
                let import = match &mut import {
                    Some(import) => import,
                    none => none.insert(self.parted(&reader)),
                };
                let rows = std::mem::take(&mut part.rows);
                let checked = self.invitations.check_job_part(&actor, import, rows).await?;
                self.keep(&part, &checked, &reader).await?;
                if self.job.kept.parts > 1 && !writer.takes_any_number() {
                    let part_rows = self.job.kept.part_rows;
                    return Err(Stop::Failed(format!(
                        "the store creates at most {part_rows} invitations in one step: send \
                         fewer rows, or import as many as possible"
                    )));
                }
            }
            end_of(&part)?;
        }
        self.must_have_rows()?;
        match self.job.kept.progress.bad() {
            0 => Ok(()),
            1 => Err(Stop::Failed("one row has mistakes, so nothing was created".to_owned())),
            bad => Err(Stop::Failed(format!("{bad} rows have mistakes, so nothing was created"))),
        }
    }

    fn must_have_rows(&self) -> Result<(), Stop> {
        match self.job.kept.progress.rows {
            0 => Err(Stop::Failed(NO_ROWS.to_owned())),
            _ => Ok(()),
        }
    }

    pub(super) fn results(&self) -> SpoolFile {
        self.job.kept.results_file()
    }

    /// Keeps the outcomes of a part, and extends the lease.
    async fn keep(
        &mut self,
        part: &FilePart,
        rows: &[PartRow],
        reader: &PartReader<'_>,
    ) -> Result<(), Stop> {
        let mut kept = self.job.kept.clone();
        let written = results::write(&part.places, rows, reader.reader(), &mut kept.progress);
        let length = written.len() as u64;
        self.imports.spool.write(self.results(), kept.result_bytes, written).await?;
        // The document must not count outcomes that a crash of the machine loses.
        self.imports.spool.sync(self.results()).await?;
        kept.result_bytes += length;
        kept.progress.bytes = part.bytes;
        kept.parts += 1;
        kept.failures = 0;
        self.advance(ImportState::Running, kept).await
    }

    /// Stores the next version of the job with an extended lease.
    async fn advance(&mut self, state: ImportState, kept: Kept) -> Result<(), Stop> {
        let due = Some(self.imports.lease_end(self.invitations.now()));
        let next = self.job.next(state, kept, due);
        if !self.imports.replace(&next).await? {
            return Err(Stop::Lost);
        }
        self.job = next;
        Ok(())
    }

    fn ended(&self, state: ImportState, reason: Option<&str>) -> ImportJob {
        self.job.ended(state, reason, self.invitations.now())
    }

    /// Returns the job for a later attempt, or its failure after too many.
    fn postponed(&self, error: &ImportError) -> ImportJob {
        let failures = self.job.kept.failures + 1;
        if failures >= ATTEMPTS && self.job.state != ImportState::Writing {
            return self.ended(ImportState::Failed, Some(&error.to_string()));
        }
        let pause =
            PAUSE.saturating_mul(1 << self.job.kept.failures.min(10)).min(self.imports.lease);
        let due = self.invitations.now().checked_add(pause).unwrap_or(Timestamp::MAX);
        let state = match self.job.state {
            ImportState::Writing => ImportState::Writing,
            _ => ImportState::Queued,
        };
        let kept = Kept { failures, ..self.job.kept.clone() };
        self.job.next(state, kept, Some(due))
    }
}

/// Returns the reason to stop after a part, if nothing follows it.
fn end_of(part: &FilePart) -> Result<(), Stop> {
    match &part.error {
        Some(error) => Err(Stop::Failed(error.to_string())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
