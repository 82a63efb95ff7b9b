//! The state of a tamper-evident log of the audit trail, for a page that shows it.

use std::{fmt, sync::Arc};

use crate::time::Timestamp;

/// A source of the present state of the log, for pages. `invitation-audit` has one.
///
/// The core has no log of its own. This is the only thing that a page knows about one.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{
///     Timestamp,
///     audit::{LogMonitor, LogState, LogVerdict},
/// };
///
/// #[derive(Debug)]
/// struct Broken;
///
/// impl LogMonitor for Broken {
///     fn log_state(&self) -> LogState {
///         let verdict = LogVerdict::Tampered { place: "entry 7: altered".into() };
///         LogState { verdict, verified_at: Some(Timestamp::MIN), ..LogState::default() }
///     }
/// }
///
/// assert!(matches!(Broken.log_state().verdict, LogVerdict::Tampered { .. }));
/// ```
pub trait LogMonitor: fmt::Debug + Send + Sync {
    /// Returns what is known by now.
    ///
    /// Every view of a page calls it, so it MUST NOT read the log or wait for another call: it
    /// returns the result of the last verification, which took place elsewhere.
    fn log_state(&self) -> LogState;
}

impl<M: LogMonitor + ?Sized> LogMonitor for Arc<M> {
    fn log_state(&self) -> LogState {
        (**self).log_state()
    }
}

/// The state of a log, as its last verification found it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "monitors build it")]
pub struct LogState {
    /// The newest checkpoint; none if the log is empty or was not read yet.
    pub checkpoint: Option<LogCheckpoint>,
    /// The result of the last verification.
    pub verdict: LogVerdict,
    /// The time of the last verification; none before the first.
    pub verified_at: Option<Timestamp>,
    /// The number of sealed events that the store has lost. A verdict does not show them.
    pub lost: u64,
    /// The time at which sealing or verifying failed, if that has not succeeded since. If both
    /// failed, the later time.
    pub failed_at: Option<Timestamp>,
}

/// The newest checkpoint of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "monitors build it")]
pub struct LogCheckpoint {
    /// The number of entries that it covers.
    pub size: u64,
    /// The root of their Merkle tree, in base64.
    pub root: String,
    /// The time of the newest event that it covers; none if it covers no event.
    pub newest: Option<Timestamp>,
}

/// The result of a verification of the log.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a page must not overlook a verdict")]
pub enum LogVerdict {
    /// The log was not verified yet.
    #[default]
    Unverified,
    /// The log has everything that a saved checkpoint covers, unaltered, and so has the store.
    Valid,
    /// The log is consistent, but nothing shows that it was not rolled back or rewritten.
    Unanchored,
    /// The log or the store was altered.
    Tampered {
        /// The first place, as a sentence.
        place: String,
    },
}
