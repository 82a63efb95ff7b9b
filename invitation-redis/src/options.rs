//! Options that a host sets for a store.

use std::{num::NonZeroU32, time::Duration};

use crate::keys::Namespace;

/// Options of a [`RedisStore`](crate::RedisStore).
///
/// ```
/// # mod invitation { pub use invitation_redis as redis_store; }
/// use std::{num::NonZeroU32, time::Duration};
/// use invitation::redis_store::{Persistence, RedisOptions};
///
/// let one = NonZeroU32::MIN;
/// let options = RedisOptions::new()
///     .with_namespace("tenant-42".parse()?)
///     .expecting(Persistence::EverySecond)
///     .wait_replicas(one, Duration::from_millis(500));
/// assert_eq!(options.namespace().as_str(), "tenant-42");
/// # Ok::<_, invitation::redis_store::InvalidNamespace>(())
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

/// The number of replicas that must have a change, and how long to wait for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Confirm {
    pub(crate) replicas: NonZeroU32,
    pub(crate) timeout: Duration,
}

/// The persistence that the host expects of the server. A weaker setting gives a warning
/// ([`RedisStore::warnings`](crate::RedisStore::warnings)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Persistence {
    /// No persistence: a server that ends may lose everything.
    Nothing,
    /// All writes but those of about the last second (`appendonly yes`,
    /// `appendfsync everysec`).
    EverySecond,
    /// All acknowledged writes (`appendonly yes`, `appendfsync always`).
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
    /// Returns the defaults: the namespace `invitation`, every write expected on the disk,
    /// no wait for replicas, 5 seconds for an answer and 2 for a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the namespace, which has its own invitations and its own slot.
    pub fn with_namespace(self, namespace: Namespace) -> Self {
        Self { namespace, ..self }
    }

    /// Warns unless the server persists at least as much as `persistence`.
    pub fn expecting(self, persistence: Persistence) -> Self {
        Self { persistence, ..self }
    }

    /// After each change, waits until `replicas` replicas have it. After `timeout` (at
    /// least 1 ms) the call fails with the kind
    /// [`OutcomeUnknown`](invitation_core::StoreErrorKind::OutcomeUnknown) and
    /// [`Unconfirmed`](crate::Unconfirmed) as its source: the change was made, but a
    /// failure of the primary may lose it. Repeating the call waits again.
    ///
    /// This makes a loss at a failover less likely, not impossible: a replica without the
    /// change may be promoted.
    ///
    /// The server serves nothing else on a connection that waits. So the store has a second
    /// connection for changes, and reads never wait for replicas. A store on a connection of the
    /// host ([`RedisStore::on`](crate::RedisStore::on)) uses that one for both. One wait is in
    /// flight at a time, and up to 16 changes that arrive meanwhile share the next. Without a
    /// replica, a change thus takes up to twice `timeout`, and longer with more concurrent ones.
    pub fn wait_replicas(self, replicas: NonZeroU32, timeout: Duration) -> Self {
        let timeout = timeout.max(Duration::from_millis(1));
        Self { confirm: Some(Confirm { replicas, timeout }), ..self }
    }

    /// Sets how long a server may take to answer, without the wait for replicas.
    pub fn with_response_timeout(self, timeout: Duration) -> Self {
        Self { response_timeout: timeout, ..self }
    }

    /// Sets how long a server may take to accept a connection.
    pub fn with_connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// Returns the namespace.
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

    /// Returns how long the client waits for an answer, including the wait for replicas.
    pub(crate) fn patience(&self) -> Duration {
        let wait = self.confirm.map_or(Duration::ZERO, |confirm| confirm.timeout);
        self.response_timeout.saturating_add(wait)
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }
}
