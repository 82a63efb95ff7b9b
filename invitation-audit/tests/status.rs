//! The state of a log for pages.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use invitation_audit::{LogStatus, MemoryLog, SealError, Sealer, Verifier, verify_store};
use invitation_core::{
    MemoryStore, Timestamp,
    audit::{LogMonitor, LogVerdict},
};

use self::support::{key, public};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

/// A host may seal often and verify rarely. A failure is shown until the same work succeeds.
#[tokio::test]
async fn failure_is_shown_until_the_same_work_succeeds() {
    let (store, log, status) = (MemoryStore::new(), MemoryLog::new(), LogStatus::new());
    let sealed = Sealer::new(&store, &log, key()).seal().await.unwrap();
    let report = verify_store(&store, &log, Verifier::new([public()])).await.unwrap();
    let failed_at = || status.log_state().failed_at;

    status.set_seal_error(&SealError::Order, at(1));
    assert_eq!(failed_at(), Some(at(1)));
    status.set_verified(&report, at(2));
    assert_eq!(failed_at(), Some(at(1)), "sealing has not succeeded yet");
    status.set_sealed(&sealed);
    assert_eq!(failed_at(), None);

    status.set_failed(at(3));
    status.set_sealed(&sealed);
    assert_eq!(failed_at(), Some(at(3)), "verifying has not succeeded yet");
    status.set_seal_error(&SealError::Order, at(4));
    assert_eq!(failed_at(), Some(at(4)), "the later one");
    status.set_sealed(&sealed);
    assert_eq!(failed_at(), Some(at(3)));
    status.set_verified(&report, at(5));
    assert_eq!(failed_at(), None);

    let state = status.log_state();
    assert_eq!(state.verified_at, Some(at(5)));
    assert_ne!(state.verdict, LogVerdict::default());
}
