//! The store's access to its pool, and the state that belongs to the pool.

use std::{sync::Arc, time::Instant};

use async_lock::{Mutex, MutexGuard};
use invitation_core::{
    StoreError,
    observe::{self, ConnectionSource},
};
use sqlx::Pool;

use crate::{
    cached_connection::CachedConnection, connection_cache::ConnectionCache, dialect::Dialect,
    error::store_error,
};

/// The default number of connections that the cache holds, as many as there are batches in flight.
const MAX_IDLE: usize = 2;

/// The pool and the state that all clones of a store share, whatever tables they use.
pub(crate) struct Connections<DB: Dialect> {
    pool: Pool<DB>,
    cache: ConnectionCache<DB>,
    /// The queue of writers, on a database that lets one writer in at a time.
    writer: Arc<Mutex<()>>,
}

impl<DB: Dialect> Connections<DB> {
    pub(crate) fn of(pool: Pool<DB>) -> Self {
        Self { pool, cache: ConnectionCache::new(MAX_IDLE), writer: Arc::default() }
    }

    /// Returns the same pool and the same queue of writers, with a cache of its own.
    pub(crate) fn with_cache(&self, max_idle: usize) -> Self {
        let (pool, writer) = (self.pool.clone(), Arc::clone(&self.writer));
        Self { pool, cache: ConnectionCache::new(max_idle), writer }
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Acquires a connection for a call that only reads.
    pub(crate) async fn acquire_to_read(
        &self,
        operation: &'static str,
    ) -> Result<CachedConnection<DB>, StoreError> {
        Ok(self.acquire(operation).await?.reading_only())
    }

    /// Acquires a connection without an open transaction.
    pub(crate) async fn acquire(
        &self,
        operation: &'static str,
    ) -> Result<CachedConnection<DB>, StoreError> {
        // Host transactions that SQLite has ended may have left several connections in a state
        // that the driver does not know. Each unusable connection is closed, so the loop ends.
        for _ in 0..=self.pool.options().get_max_connections() {
            let started = Instant::now();
            let conn = self.pool.acquire().await;
            observe::pool_wait(started.elapsed());
            let conn = conn.map_err(|error| store_error::<DB>(operation, error))?;
            if let Some(conn) = CachedConnection::new(conn).await {
                return Ok(conn);
            }
        }
        Err(store_error::<DB>(operation, sqlx::Error::PoolTimedOut))
    }

    /// Acquires a connection for a redemption, from the cache if it holds one.
    pub(crate) async fn acquire_cached(&self) -> Result<CachedConnection<DB>, StoreError> {
        if let Some(conn) = self.cache.take() {
            observe::connection(ConnectionSource::Cache);
            return Ok(conn);
        }
        observe::connection(ConnectionSource::Pool);
        self.acquire("apply").await
    }

    /// Returns the connection of a redemption to the cache.
    pub(crate) fn return_to_cache(&self, conn: CachedConnection<DB>) {
        self.cache.put(&self.pool, conn);
    }

    /// Waits for this writer's turn, on a database that lets one writer in at a time. The wait is
    /// bounded by the lock timeout of the caller's connection.
    ///
    /// # Errors
    ///
    /// A conflict, after that time.
    pub(crate) async fn turn(
        &self,
        conn: &mut DB::Connection,
        operation: &'static str,
    ) -> Result<Option<MutexGuard<'_, ()>>, StoreError> {
        DB::writer_turn(conn, &self.writer, operation).await
    }
}
