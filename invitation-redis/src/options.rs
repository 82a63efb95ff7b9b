//! What a host can choose.

use std::{num::NonZeroU32, time::Duration};

use crate::keys::Namespace;

/// How a store on Redis behaves.
///
/// ```
/// use std::{num::NonZeroU32, time::Duration};
/// use invitation_redis::{Persistence, RedisOptions};
///
/// let one = NonZeroU32::MIN;
/// let options = RedisOptions::new()
///     .with_namespace("tenant-42".parse()?)
///     .expecting(Persistence::EverySecond)
///     .wait_replicas(one, Duration::from_millis(500));
/// assert_eq!(options.namespace().as_str(), "tenant-42");
/// # Ok::<_, invitation_redis::InvalidNamespace>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisOptions {
    namespace: Namespace,
    persistence: Persistence,
    confirm: Option<Confirm>,
    response_timeout: Duration,
    connect_timeout: Duration,
}

/// How many replicas must have a change before it counts, and how long to wait for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Confirm {
    pub(crate) replicas: NonZeroU32,
    pub(crate) timeout: Duration,
}

/// What the host expects to be on the server's disk. A server that promises less is
/// warned of ([`RedisStore::warnings`](crate::RedisStore::warnings)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Persistence {
    /// Nothing: when the server ends, all may be gone.
    Nothing,
    /// All but about the last second (`appendonly yes`, `appendfsync everysec`).
    EverySecond,
    /// All that was answered (`appendonly yes`, `appendfsync always`).
    EveryWrite,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            namespace: Namespace::default(),
            persistence: Persistence::EveryWrite,
            confirm: None,
            response_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(2),
        }
    }
}

impl RedisOptions {
    /// The namespace `invitation`, every write expected on the disk, no wait for
    /// replicas, 5 seconds for an answer and 2 for a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses another namespace: its own invitations, its own slot.
    pub fn with_namespace(self, namespace: Namespace) -> Self {
        Self { namespace, ..self }
    }

    /// Warns unless the server persists at least so much.
    pub fn expecting(self, persistence: Persistence) -> Self {
        Self { persistence, ..self }
    }

    /// After each change, waits until so many replicas have it. When `timeout` passes
    /// before, the call ends in
    /// [`OutcomeUnknown`](invitation_core::StoreErrorKind::OutcomeUnknown), with
    /// [`Unconfirmed`](crate::Unconfirmed) as its source: the change was made, but may
    /// be lost when the primary fails; asking again waits again. `timeout` is at least
    /// 1 ms.
    ///
    /// It makes a loss at a failover less likely, not impossible: a replica that does
    /// not have the change may be the one that is promoted.
    pub fn wait_replicas(self, replicas: NonZeroU32, timeout: Duration) -> Self {
        let timeout = timeout.max(Duration::from_millis(1));
        Self { confirm: Some(Confirm { replicas, timeout }), ..self }
    }

    /// How long a server may take to answer; a wait for replicas is not counted.
    pub fn with_response_timeout(self, timeout: Duration) -> Self {
        Self { response_timeout: timeout, ..self }
    }

    /// How long a server may take to accept a connection.
    pub fn with_connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub(crate) fn persistence(&self) -> Persistence {
        self.persistence
    }

    pub(crate) fn confirm(&self) -> Option<Confirm> {
        self.confirm
    }

    /// How long the client waits for an answer, with that to a wait for replicas.
    pub(crate) fn patience(&self) -> Duration {
        let wait = self.confirm.map_or(Duration::ZERO, |confirm| confirm.timeout);
        self.response_timeout.saturating_add(wait)
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }
}
