//! Claiming an import: the choice of the next one that a worker works on.

use std::num::NonZeroU32;

use time::Duration;

use super::{
    ImportError, ImportJob, ImportProgress, ImportState, Imports, SpoolError, SpoolFile,
    evidence::Step, job::kind,
};
use crate::{error::Error, service::Invitations, store::Store, time::Timestamp};

/// The numbers of due imports that a worker looks at, one after the other, to find one whose file is
/// on this machine.
const LOOKED_AT: [NonZeroU32; 2] =
    [NonZeroU32::new(100).expect("not zero"), NonZeroU32::new(1_000).expect("not zero")];

/// The time after which an import is lost if it is due and no machine that works on imports has its
/// file.
const LOST_AFTER: Duration = Duration::weeks(1);

impl Imports {
    /// Claims a due import whose file is on this machine.
    pub(super) async fn claim<S: Store>(
        &self,
        invitations: &Invitations<S>,
    ) -> Result<Option<ImportJob>, ImportError> {
        let (mut failure, mut seen) = (None, 0);
        for looked_at in LOOKED_AT {
            let due = self.documents.due_documents(&kind(), invitations.now(), looked_at).await?;
            let found = due.len();
            for document in due.into_iter().skip(seen) {
                // A document that this version cannot read, as a newer one may have written it, must
                // not hold up the others.
                let Ok(job) = ImportJob::read(document) else { continue };
                match self.spool.read(SpoolFile::rows(job.kept.file), 0, 1).await {
                    Ok(_) => {
                        if let Some(claimed) = self.claim_job(invitations, &job).await? {
                            return Ok(Some(claimed));
                        }
                    }
                    Err(SpoolError::Missing) => self.end_if_lost(invitations, &job).await?,
                    // One file that cannot be read must not hold up the others, either.
                    Err(error) => failure = Some(error),
                }
            }
            if found < usize::try_from(looked_at.get()).unwrap_or(usize::MAX) {
                break;
            }
            seen = found;
        }
        failure.map_or(Ok(None), |error| Err(error.into()))
    }

    /// Claims an import. None if another worker or a user has changed it.
    async fn claim_job<S: Store>(
        &self,
        invitations: &Invitations<S>,
        job: &ImportJob,
    ) -> Result<Option<ImportJob>, ImportError> {
        let state = match job.state {
            ImportState::Writing => ImportState::Writing,
            _ => ImportState::Running,
        };
        let mut kept = job.kept.clone();
        invitations.entropy().fill(&mut kept.claim).map_err(Error::from)?;
        if kept.is_atomic {
            // The check and the transaction begin with the first row. Their outcomes go to a
            // file of this claim: a worker that was suspended may still write to its own.
            kept.results = Some(invitations.new_batch()?);
            (kept.progress, kept.parts, kept.result_bytes) = (ImportProgress::default(), 0, 0);
        }
        let claimed = job.next(state, kept, Some(self.lease_end(invitations.now())));
        if !self.replace(&claimed).await? {
            return Ok(None);
        }
        self.remove_results_before(job, &claimed).await;
        Ok(Some(claimed))
    }

    /// Ends an import for whose file no worker came in a long time. Otherwise imports of a machine
    /// that is gone would hold up those of the others, and could not be removed.
    async fn end_if_lost<S: Store>(
        &self,
        invitations: &Invitations<S>,
        job: &ImportJob,
    ) -> Result<(), ImportError> {
        let now = invitations.now();
        if job.document.due.is_none_or(|due| now.since(due) < LOST_AFTER) {
            return Ok(());
        }
        let reason = match job.state {
            ImportState::Writing => {
                "the file is lost, and whether its invitations were created is unknown: the list of \
                 the batch shows them"
            }
            _ => "the file is lost",
        };
        let lost = job.ended(ImportState::Failed, Some(reason), now);
        let event = lost.event(invitations, &lost.kept.actor.actor(), Step::Ended)?;
        // If it is not replaced, a worker has found the file, or a user has cancelled the import.
        self.replace_with(&lost, event).await?;
        Ok(())
    }

    /// Removes the outcomes of an earlier claim, if it had a file of its own.
    async fn remove_results_before(&self, job: &ImportJob, claimed: &ImportJob) {
        let (before, file) = (job.kept.results_file(), claimed.kept.results_file());
        if before != file {
            // A file that stays is one of those that a crash leaves: the host removes old ones.
            let _ = self.spool.remove(before).await;
        }
    }

    pub(super) fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.lease).unwrap_or(Timestamp::MAX)
    }
}
