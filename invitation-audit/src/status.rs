//! The state of a log for pages: what the last sealing and the last verification found.

use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use invitation_core::{
    Timestamp,
    audit::{LogCheckpoint, LogMonitor, LogState, LogVerdict},
};

use crate::{
    sealer::{SealError, Sealed},
    verify::{Finding, StoreReport, Verdict},
};

/// The state of a log, which a page can show without reading the log. Clones share it.
///
/// The task that seals and verifies tells it what it finds:
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_audit as audit_log; }
/// use invitation::{
///     audit::{LogMonitor, LogVerdict},
///     audit_log::{LogKey, LogStatus, MemoryLog, Sealer, Verifier, verify_store},
/// };
/// # use invitation::{
/// #     Division, Draft, Invitations, MemoryStore, Role, SystemActor,
/// #     clock::{Clock, SystemClock},
/// #     code::OsEntropy,
/// # };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (store, log, clock) = (MemoryStore::new(), MemoryLog::new(), SystemClock);
/// # let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
/// # Invitations::new(&store).create(&SystemActor::for_bootstrap(), draft).await?;
/// let key = LogKey::generate("example.com/invitations", &OsEntropy)?;
/// let public = key.public_key().clone();
/// let status = LogStatus::new(); // give a clone to the pages
///
/// let mut sealer = Sealer::new(&store, &log, key);
/// status.set_sealed(&sealer.seal().await?);
///
/// let report = verify_store(&store, &log, Verifier::new([public])).await?;
/// status.set_verified(&report, clock.now());
///
/// let shown = status.log_state();
/// assert_eq!(shown.verdict, LogVerdict::Unanchored);
/// assert_eq!(shown.checkpoint.map(|checkpoint| checkpoint.size), Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default, Debug)]
pub struct LogStatus(Arc<RwLock<StatusParts>>);

/// The parts from which the state is computed.
#[derive(Default, Debug)]
struct StatusParts {
    /// The state without the time of a failure.
    state: LogState,
    /// The time at which sealing failed, if it has not succeeded since.
    seal_failed_at: Option<Timestamp>,
    /// The time at which verifying failed, if it has not succeeded since.
    verify_failed_at: Option<Timestamp>,
}

impl LogStatus {
    /// Creates the state of a log that was not verified yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the newest checkpoint. It ends an earlier failure to seal.
    pub fn set_sealed(&self, sealed: &Sealed) {
        let checkpoint = sealed.checkpoint.as_ref().map(|signed| {
            let stated = signed.stated();
            let root = stated.root.to_string();
            LogCheckpoint { size: stated.size, root, newest: sealed.newest }
        });
        let mut parts = self.parts();
        parts.state.checkpoint = checkpoint;
        parts.seal_failed_at = None;
    }

    /// Sets the result of a verification that ended at `now`. It ends an earlier failure to verify.
    pub fn set_verified(&self, report: &StoreReport, now: Timestamp) {
        let verdict = match &report.verdict {
            Verdict::Valid { .. } => LogVerdict::Valid,
            Verdict::Unanchored { .. } => LogVerdict::Unanchored,
            Verdict::Tampered(finding) => tampered(finding),
        };
        let mut parts = self.parts();
        (parts.state.verdict, parts.state.lost) = (verdict, report.lost);
        (parts.state.verified_at, parts.verify_failed_at) = (Some(now), None);
    }

    /// Sets the reason why sealing failed at `now`. A log that is not as it was sealed is a
    /// verdict; after any other failure, the earlier verdict stays.
    pub fn set_seal_error(&self, error: &SealError, now: Timestamp) {
        match error {
            SealError::Tampered(finding) => {
                let state = &mut self.parts().state;
                (state.verdict, state.verified_at) = (tampered(finding), Some(now));
            }
            _ => self.parts().seal_failed_at = Some(now),
        }
    }

    /// Records that verifying failed at `now`, or that the task could not begin. The earlier verdict
    /// stays, with its time.
    pub fn set_failed(&self, now: Timestamp) {
        self.parts().verify_failed_at = Some(now);
    }

    fn parts(&self) -> RwLockWriteGuard<'_, StatusParts> {
        // No caller panics between two changes, so a poisoned state is consistent.
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogMonitor for LogStatus {
    fn log_state(&self) -> LogState {
        let parts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let failed_at = parts.seal_failed_at.max(parts.verify_failed_at);
        LogState { failed_at, ..parts.state.clone() }
    }
}

fn tampered(finding: &Finding) -> LogVerdict {
    LogVerdict::Tampered { place: finding.to_string() }
}
