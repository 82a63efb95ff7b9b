//! The store on a pool of connections.

use std::{fmt, future::Future, num::NonZeroUsize, sync::Arc, time::Duration};

use invitation_core::{Facts, Outcome, StoreError, Transition};
use sqlx::Pool;

use crate::{
    TablePrefix,
    batching::{Batchers, SLOTS},
    cached_connection::CachedConnection,
    calls::retried,
    connections::Connections,
    dialect::Dialect,
    error::store_error,
    mechanisms::Mechanisms,
    names::Names,
    ops::{self, Begin, Session},
    schema,
};

/// The default time limit of a call. It is above the time for which MySQL waits for the lock of a
/// row by default, 50 s.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// A store on the connections of a pool. Each call is one statement or one transaction of its
/// own. Each call takes one connection, so a pool of one is enough.
///
/// A change that fails because of concurrent work (a deadlock, a serialisation failure) is
/// repeated as a whole. The store repeats it up to six times within a second, after short pauses
/// that differ between calls. It repeats it once even if the conflict took longer. If the last try
/// fails too, the error has the kind [`Conflict`](invitation_core::StoreErrorKind::Conflict). So a
/// call may wait longer for locks than the database allows a statement, if that is a second or more:
///
/// - twice as long on PostgreSQL, MySQL and MariaDB,
/// - three times as long on MySQL and MariaDB, as one of several callers who redeem a code at once,
/// - four times as long on SQLite. There each try waits for the other writers of the store first,
///   and then for the lock of the file, each for at most `busy_timeout`.
///
/// Consecutive redemptions reuse their connection. The store keeps up to two connections out of
/// the pool ([`with_connection_cache`](Self::with_connection_cache)). Such a connection returns to
/// the pool:
///
/// - when it has been idle for 10 to 20 ms,
/// - after 10 s, however busy it is,
/// - at once when the pool is closed or has no other connection to hand out.
///
/// So the pool's tests and hooks (`test_before_acquire`, `before_acquire`, `after_release`) run
/// less often than redemptions do. The store keeps no connection of a pool of one.
///
/// Clones share the pool. For a call inside a transaction of the host, see
/// [`Joined`](crate::Joined).
pub struct SqlStore<DB: Dialect> {
    pub(crate) connections: Arc<Connections<DB>>,
    pub(crate) names: Names,
    pub(crate) batchers: Batchers,
    pub(crate) mechanisms: Mechanisms,
    call_timeout: Duration,
}

impl<DB: Dialect> SqlStore<DB> {
    /// Creates a store on the host's pool. Call [`migrate`](Self::migrate) once before you use
    /// the store. `connect` opens a pool of the store's own and migrates.
    ///
    /// # What the pool must have
    ///
    /// Every connection of the pool is the same to the store: of one database, one user and one
    /// schema (`search_path`), with the settings below. Set them in the options of the connection
    /// or in `after_connect`, and not by a statement on one connection.
    ///
    /// | database | setting | without it |
    /// |---|---|---|
    /// | all | `acquire_timeout` of the pool, 30 s by default | – |
    /// | PostgreSQL | `lock_timeout`, for instance 5 s | a call waits for a lock until its [time limit](Self::with_call_timeout), and its outcome is unknown then; on the server, it waits on beside the pool's new connections |
    /// | MySQL, MariaDB | `innodb_lock_wait_timeout`, for instance 5 s | a call waits for a lock for 50 s |
    /// | MySQL, MariaDB | `autocommit = 1`, the server's default | reads show an old state; `migrate` refuses such a pool |
    /// | MySQL, MariaDB | `lock_wait_timeout`, for instance 5 s | a call waits until its time limit for a table that another session alters or locks; `migrate` and a host's transaction wait for a day on MariaDB and a year on MySQL |
    /// | SQLite, a file | `journal_mode = WAL` and `synchronous = FULL` | readers and writers exclude each other; a power cut may undo the last redemptions |
    /// | SQLite, a file | `busy_timeout`, 5 s by default in sqlx | concurrent writers fail at once |
    /// | SQLite | `after_release` calls `SqliteStore::may_be_reused` | after a full disk, sqlx may keep a connection that begins no transaction any more |
    /// | SQLite, in memory | one connection that is never closed: `max_connections(1)`, `idle_timeout(None)`, `max_lifetime(None)` | each connection has a database of its own |
    ///
    /// The store needs no particular isolation level, character set, collation or time zone. Its
    /// user needs the rights to read and write the tables, and for `migrate` to create them.
    #[must_use]
    pub fn new(pool: Pool<DB>) -> Self {
        Self {
            connections: Arc::new(Connections::of(pool)),
            names: Names::new(TablePrefix::default()),
            batchers: Batchers::new::<DB>(SLOTS),
            mechanisms: Mechanisms::default(),
            call_timeout: CALL_TIMEOUT,
        }
    }

    /// Creates a store on a new pool with these options, and brings the tables up to date.
    pub(crate) async fn opened(
        pool: impl Future<Output = sqlx::Result<Pool<DB>>>,
    ) -> Result<Self, StoreError> {
        let pool = pool.await.map_err(|error| store_error::<DB>("open", error))?;
        let store = Self::new(pool);
        store.migrate().await?;
        Ok(store)
    }

    /// Uses tables whose names begin with `prefix`. Set it before [`migrate`](Self::migrate).
    ///
    /// A store with another prefix is another store on the same pool, for instance of another
    /// tenant. Calls to the two stores are never sent together.
    #[must_use]
    pub fn with_prefix(self, prefix: TablePrefix) -> Self {
        // The leader of a batch redeems for others in its own tables.
        let batchers = self.batchers.apart();
        Self { names: Names::new(prefix), batchers, ..self }
    }

    /// Sets the number of batches of redemptions in flight on PostgreSQL, 2 by default.
    ///
    /// Redemptions that arrive while all slots are busy wait and share one statement. They also
    /// share its commit and its round trip. With more slots, callers wait less while the server
    /// has spare processors. With fewer slots, the server does less work for the same
    /// redemptions.
    ///
    /// Other databases ignore this number. `SQLite` has one writer, and so one slot. On MySQL and
    /// MariaDB, only redemptions of the same code share a message, and each code has one slot.
    ///
    /// ```
    /// # use invitation_sqlx as invitation;
    /// # #[cfg(feature = "postgres")]
    /// # fn host(pool: sqlx::PgPool) {
    /// use std::num::NonZeroUsize;
    /// use invitation::PgStore;
    ///
    /// let store = PgStore::new(pool).with_batch_slots(NonZeroUsize::new(4).expect("not 0"));
    /// # }
    /// ```
    #[must_use]
    pub fn with_batch_slots(self, slots: NonZeroUsize) -> Self {
        Self { batchers: Batchers::new::<DB>(slots), ..self }
    }

    /// Sets the maximum number of idle connections that the store keeps out of the pool between
    /// redemptions, 2 by default. 0 turns this cache off: each redemption then acquires a
    /// connection from the pool.
    ///
    /// ```
    /// # use invitation_sqlx as invitation;
    /// # #[cfg(feature = "postgres")]
    /// # fn host(pool: sqlx::PgPool) {
    /// let store = invitation::PgStore::new(pool).with_connection_cache(0);
    /// # }
    /// ```
    #[must_use]
    pub fn with_connection_cache(self, connections: usize) -> Self {
        Self { connections: Arc::new(self.connections.with_cache(connections)), ..self }
    }

    /// Sets the time limit of a call on PostgreSQL, MySQL and MariaDB, 60 s by default.
    ///
    /// It ends a call whose answer never arrives, as on a network that has fallen silent. No setting
    /// of the server can do that, and the drivers have none. It counts for each try of a call, from
    /// when the call has a connection. After that time the store closes the connection. A query is
    /// then [`Unavailable`](invitation_core::StoreErrorKind::Unavailable), and of a change the
    /// [outcome is unknown](invitation_core::StoreErrorKind::OutcomeUnknown).
    ///
    /// Set it above the lock timeouts of the connections, and above the time of the host's largest
    /// purge or batch. `Duration::MAX` turns it off. SQLite ignores it, because it has no network.
    ///
    /// It bounds neither [`migrate`](Self::migrate) nor what runs inside a host's transaction. For
    /// these the host sets a timeout of its own; dropping a call is safe.
    ///
    /// ```
    /// # use invitation_sqlx as invitation;
    /// # #[cfg(feature = "postgres")]
    /// # fn host(pool: sqlx::PgPool) {
    /// use std::time::Duration;
    ///
    /// let store = invitation::PgStore::new(pool).with_call_timeout(Duration::from_secs(20));
    /// # }
    /// ```
    #[must_use]
    pub fn with_call_timeout(self, call_timeout: Duration) -> Self {
        Self { call_timeout, ..self }
    }

    /// Returns the pool.
    #[must_use]
    pub fn pool(&self) -> &Pool<DB> {
        self.connections.pool()
    }

    /// Creates the tables and brings them up to date. Migrations that have run before do not run
    /// again, and processes that start together run each of them once. The store keeps the record
    /// in a table of its own with the prefix. It does not touch a host's `_sqlx_migrations`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be reached or refuses.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.migrate_with(&[]).await
    }

    /// Migrates as a later version of the library does, whose migrations are those of this
    /// version and `newer`. Only the tests of upgrades call it.
    ///
    /// # Errors
    ///
    /// As [`migrate`](Self::migrate).
    #[doc(hidden)]
    pub async fn migrate_with(&self, newer: &[&str]) -> Result<(), StoreError> {
        let mut conn = self.connections.acquire("migrate").await?;
        let _turn = match self.connections.turn(&mut conn, "migrate").await {
            Ok(turn) => turn,
            Err(error) => return conn.finish(Err(error)).await,
        };
        let done = schema::migrate::<DB>(&mut conn, &self.names, newer).await;
        if done.is_err() && !DB::survives_drop(false) {
            // Dropping the connection closes it. Otherwise a lock of the migration that could not
            // be released, which belongs to the connection, would go back to the pool with it.
            return done;
        }
        conn.finish(done).await
    }

    /// Returns the time limit of one try of a call.
    pub(crate) fn call_timeout(&self) -> Duration {
        DB::call_timeout(self.call_timeout)
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Returns a session on a connection of the store's own.
    pub(crate) fn session<'c>(
        &'c self,
        conn: &'c mut DB::Connection,
        operation: &'static str,
    ) -> Session<'c, DB> {
        Session::new(conn, &self.names, Begin::Own, operation)
    }

    /// Applies one transition on this connection.
    pub(crate) async fn apply_on(
        &self,
        conn: &mut CachedConnection<DB>,
        transition: &Transition,
    ) -> Result<Outcome, StoreError> {
        let (id, is_fast) = (Some(transition.event().id), self.mechanisms.fast_path);
        retried!(self, conn, "apply", id, on => ops::apply(on, transition, is_fast))
    }

    /// Redeems for the callers of a batch on this connection.
    pub(crate) async fn redeem_batch_on(
        &self,
        conn: &mut CachedConnection<DB>,
        batch: &[&Transition],
    ) -> Result<Vec<Option<Facts>>, StoreError> {
        let id = batch.first().map(|transition| transition.event().id);
        retried!(self, conn, "apply", id, on => DB::redeem_batch(on, batch))
    }
}

impl<DB: Dialect> Clone for SqlStore<DB> {
    fn clone(&self) -> Self {
        Self {
            connections: Arc::clone(&self.connections),
            names: self.names.clone(),
            batchers: self.batchers.clone(),
            mechanisms: self.mechanisms,
            call_timeout: self.call_timeout,
        }
    }
}

impl<DB: Dialect> fmt::Debug for SqlStore<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("database", &DB::NAME)
            .field("prefix", &&self.names.prefix())
            .finish_non_exhaustive()
    }
}
