//! The store's access to its pool, and the state that belongs to that pool alone.

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

/// The pool, and what is shared by all stores that were made from it by cloning, whichever
/// tables they use.
pub(crate) struct Connections<DB: Dialect> {
    pool: Pool<DB>,
    cache: ConnectionCache<DB>,
    /// Where the database lets one writer in at a time: the queue for it.
    writer: Arc<Mutex<()>>,
}

impl<DB: Dialect> Connections<DB> {
    pub(crate) fn of(pool: Pool<DB>) -> Self {
        Self { pool, cache: ConnectionCache::default(), writer: Arc::default() }
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// A connection for a call that only reads.
    pub(crate) async fn acquire_to_read(
        &self,
        operation: &'static str,
    ) -> Result<CachedConnection<DB>, StoreError> {
        Ok(self.acquire(operation).await?.reading_only())
    }

    /// A connection without a transaction on it.
    pub(crate) async fn acquire(
        &self,
        operation: &'static str,
    ) -> Result<CachedConnection<DB>, StoreError> {
        // A host's own transaction may have left more than one in a state of which the
        // driver knows nothing. Each that cannot be used is closed, so this comes to an end.
        for _ in 0..=self.pool.options().get_max_connections() {
            let asked = Instant::now();
            let conn = self.pool.acquire().await;
            observe::pool_wait(asked.elapsed());
            let conn = conn.map_err(|error| store_error::<DB>(operation, error))?;
            if let Some(conn) = CachedConnection::new(conn).await {
                return Ok(conn);
            }
        }
        Err(store_error::<DB>(operation, sqlx::Error::PoolTimedOut))
    }

    /// A connection for a redemption, which others may follow closely.
    pub(crate) async fn acquire_cached(&self) -> Result<CachedConnection<DB>, StoreError> {
        if let Some(conn) = self.cache.take() {
            observe::connection(ConnectionSource::Cache);
            return Ok(conn);
        }
        observe::connection(ConnectionSource::Pool);
        self.acquire("apply").await
    }

    /// Gives back one for redemptions.
    pub(crate) fn return_to_cache(&self, conn: CachedConnection<DB>) {
        self.cache.put(&self.pool, conn);
    }

    /// This writer's turn, where writers have to queue. Taken with a connection in
    /// hand, so that the wait is bounded: nobody waits but those who got one, each
    /// holds the turn no longer than the database's own lock timeout, and getting
    /// a connection has a timeout too.
    pub(crate) async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if DB::SINGLE_WRITER { Some(self.writer.lock().await) } else { None }
    }
}

impl<DB: Dialect> Clone for Connections<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            cache: self.cache.clone(),
            writer: Arc::clone(&self.writer),
        }
    }
}
