//! Creating all invitations of an atomic import in one step.

use std::future::Future;

use super::{
    ImportProgress,
    part::{FilePart, PartReader},
    results,
    work::{Stop, Work},
};
use crate::{
    admit::{HostTransaction, Transactional},
    error::Error,
    service::{Invitations, JobImport, PartRow},
    store::Store,
    store_error::{StoreError, StoreErrorKind},
};

/// A way to create all invitations in one step.
pub(super) trait WriteAll<S: Store>: Sync {
    /// Returns whether the step takes more rows than one call of the store.
    fn takes_any_number(&self) -> bool;

    /// Returns whether the step itself notifies the hooks. Inside a transaction, the invitations are
    /// not kept yet.
    fn notifies(&self) -> bool;

    /// Creates all invitations of a file that was checked, or none.
    fn write_all(&self, work: &Work<'_, S>) -> impl Future<Output = Result<Written, Stop>> + Send;
}

/// The outcome of the step.
#[derive(Default)]
pub(super) struct Written {
    pub(super) progress: ImportProgress,
    pub(super) result_bytes: u64,
}

impl Written {
    /// Keeps the outcomes of a part in the spool. They count only when the step has succeeded.
    async fn keep<S: Store>(
        &mut self,
        work: &Work<'_, S>,
        part: &FilePart,
        rows: &[PartRow],
        reader: &PartReader<'_>,
    ) -> Result<(), Stop> {
        let bytes = results::write(&part.places, rows, reader.reader(), &mut self.progress);
        let length = bytes.len() as u64;
        work.imports.spool.write(work.results(), self.result_bytes, bytes).await?;
        self.result_bytes += length;
        self.progress.bytes = part.bytes;
        Ok(())
    }
}

/// All rows in one call of the store: those of one part.
pub(super) struct InOneCall;

impl<S: Store> WriteAll<S> for InOneCall {
    fn takes_any_number(&self) -> bool {
        false
    }

    fn notifies(&self) -> bool {
        true
    }

    async fn write_all(&self, work: &Work<'_, S>) -> Result<Written, Stop> {
        let (mut written, mut reader) = (Written::default(), work.reader());
        // The check found exactly one part.
        let Some(mut part) = reader.next().await? else { return Ok(written) };
        let actor = work.job.kept.actor.actor();
        let mut import = work.parted(&reader);
        let rows = std::mem::take(&mut part.rows);
        let imported = work.invitations.import_job_part(&actor, &mut import, rows).await;
        let imported = imported.map_err(|error| failure(error, &part, &reader))?;
        written.keep(work, &part, &imported, &reader).await?;
        Ok(written)
    }
}

/// All rows in one transaction of the store, part by part.
pub(super) struct InTransaction;

impl<S: Transactional> WriteAll<S> for InTransaction {
    fn takes_any_number(&self) -> bool {
        true
    }

    fn notifies(&self) -> bool {
        false
    }

    async fn write_all(&self, work: &Work<'_, S>) -> Result<Written, Stop> {
        let mut tx = work.invitations.store().begin().await?;
        match write_parts(work, &mut tx).await {
            Ok(written) => {
                tx.commit().await?;
                Ok(written)
            }
            Err(error) => {
                tx.rollback().await;
                match error {
                    WriteError::Stop(stop) => Err(stop),
                    WriteError::Service(error) => {
                        if let Error::Refused(refused) = &error {
                            // The refusal was undone with the transaction.
                            work.invitations.record(refused).await?;
                        }
                        Err(error.into())
                    }
                }
            }
        }
    }
}

/// The reason why the transaction is rolled back.
enum WriteError {
    Stop(Stop),
    Service(Error),
}

impl From<Stop> for WriteError {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// Returns the end of an import by an error about a part. A row may have become invalid since the
/// check, such as by an expiry that is past now.
fn failure(error: Error, part: &FilePart, reader: &PartReader<'_>) -> Stop {
    match error {
        Error::Invalid(found) => Stop::Failed(results::mistakes(&found, part, reader.reader())),
        other => other.into(),
    }
}

async fn write_parts<S: Transactional>(
    work: &Work<'_, S>,
    tx: &mut S::Transaction,
) -> Result<Written, WriteError> {
    let (mut written, mut reader, mut import) = (Written::default(), work.reader(), None);
    while let Some(mut part) = reader.next().await.map_err(Stop::from)? {
        if let Some(error) = &part.error {
            // The check has read the same file to its end.
            let error = StoreError::new(StoreErrorKind::Other, "import").because(error.clone());
            return Err(Stop::from(error).into());
        }
        let import = match &mut import {
            Some(import) => import,
            none => none.insert(work.parted(&reader)),
        };
        let rows = std::mem::take(&mut part.rows);
        let imported = import_joined(work.invitations, tx, work, import, rows).await;
        let imported = imported.map_err(|error| match error {
            Error::Invalid(_) => WriteError::Stop(failure(error, &part, &reader)),
            other => WriteError::Service(other),
        })?;
        written.keep(work, &part, &imported, &reader).await?;
    }
    Ok(written)
}

async fn import_joined<S: Transactional>(
    invitations: &Invitations<S>,
    tx: &mut S::Transaction,
    work: &Work<'_, S>,
    import: &mut JobImport,
    rows: Vec<crate::service::ImportRow>,
) -> Result<Vec<PartRow>, Error> {
    let actor = work.job.kept.actor.actor();
    invitations.on(tx.join()).import_job_part(&actor, import, rows).await
}
