//! What the library reports while it works: events for `tracing`, numbers for `metrics`.
//!
//! Both are features and off by default. Without them, the functions here do nothing. With
//! them, the host installs a subscriber and a recorder as for its other libraries. Reports
//! contain neither codes nor addresses nor names, except the
//! `error` of a host's own hook.
//!
//! | Metric | Kind | Labels | Meaning |
//! |---|---|---|---|
//! | `invitation_steps_total` | counter | `action`, `outcome` | steps that a service decided, with action and outcome as in the audit trail; `replayed` if the store had made the step before |
//! | `invitation_store_calls_total` | counter | `operation`, `outcome` | calls to an [`Observed`] store: `ok`, or the kind of the error |
//! | `invitation_store_call_seconds` | histogram | `operation` | time from the call to its answer |
//! | `invitation_retries_total` | counter | `operation` | operations that a store tries again after a conflict |
//! | `invitation_batch_size` | histogram | | changes that a store sends in one batch |
//! | `invitation_connections_total` | counter | `source` | connections for redemptions: from the `cache`, or from the `pool` |
//! | `invitation_pool_wait_seconds` | histogram | | time until the pool hands out a connection |
//! | `invitation_throttled_total` | counter | `budget` | presented codes that [`throttle`](crate::throttle) did not let through: `overall`, `source` or `source_and_code` |
//! | `invitation_unreadable_documents_total` | counter | `kind` | looks at a [document](crate::documents) that this version cannot read, such as a delivery that a newer version wrote |
//! | `invitation_guess_alarms_total` | counter | | minutes in which the failed guesses of all sources exceeded their budget |
//!
//! With `tracing`, each step is an event of the level DEBUG and the target `invitation`,
//! with the fields `action` and `outcome`. A retry is one with the field `operation`, and a
//! throttled attempt one with the field `budget`. The alarm of guesses has the level WARN.
//! If a host's hook does not say whether a grantor may still grant an invitation, that is an event
//! of the level WARN with the field `error`, or with `limit`, the time limit in seconds. The same
//! holds for a [hook](crate::hooks) before or after a command; `panicked` is set if it panicked.
//! A document that cannot be read is one of the level WARN, too, with the fields `kind` and `name`.
//!
//! A service reports its steps by itself, and the stores of this library report retries,
//! batches and connections. Calls to a store are reported if the host wraps it in
//! [`Observed`], also those in the transaction of [`admit`](crate::Invitations::admit), with its
//! `begin` and its `commit`. Authors of stores call the functions of this module.
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::observe::{Observed, Observer};
//! use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
//! use metrics_util::debugging::DebuggingRecorder;
//!
//! # #[cfg(not(feature = "metrics"))]
//! # fn main() {}
//! # #[cfg(feature = "metrics")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
//! # let manager = Actor::in_division(user, role, Division::new("sales")?);
//! // A host installs the recorder of its exporter, such as that for Prometheus.
//! let recorder = DebuggingRecorder::new();
//! let _guard = metrics::set_default_local_recorder(&recorder);
//!
//! let store = Observed::new(MemoryStore::new(), Observer::default());
//! Invitations::new(store).create(&manager, Draft::new()).await?;
//!
//! let reported = recorder.snapshotter().snapshot().into_vec();
//! let is_reported = |name| reported.iter().any(|(key, ..)| key.key().name() == name);
//! assert!(is_reported("invitation_steps_total") && is_reported("invitation_store_calls_total"));
//! # Ok(())
//! # }
//! ```

pub use crate::{
    observed::{Observed, Observer},
    report::{ConnectionSource, batch, connection, pool_wait, retry},
};
