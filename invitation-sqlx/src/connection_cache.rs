//! Connections that stay out of the pool between redemptions.
//!
//! When a connection returns to the pool, the pool tests it by a round trip. The pool also
//! hands out the connection that was idle longest, whose data is least likely to be in the
//! processors' caches. Redemptions that follow each other closely avoid both costs here.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::Pool;

use crate::{cached_connection::CachedConnection, dialect::Dialect};

/// The time after which an idle connection returns to the pool, and the interval at which
/// the reaper looks.
const IDLE_TIMEOUT: Duration = Duration::from_millis(10);

/// The maximum time that a connection stays out of the pool, even if it is busy. The pool
/// applies rules of its own to connections that return, such as a maximum lifetime.
const MAX_LIFETIME: Duration = Duration::from_secs(10);

/// Connections that were used for a redemption a moment ago.
pub(crate) struct ConnectionCache<DB: Dialect> {
    /// The maximum number of idle connections, which the pool cannot hand out meanwhile.
    max_idle: usize,
    shared: Arc<Mutex<Shared<DB>>>,
}

struct Shared<DB: Dialect> {
    /// The most recently used connection is the last one.
    idle: Vec<Idle<DB>>,
    has_reaper: bool,
}

struct Idle<DB: Dialect> {
    conn: CachedConnection<DB>,
    since: Instant,
}

impl<DB: Dialect> ConnectionCache<DB> {
    pub(crate) fn new(max_idle: usize) -> Self {
        let shared = Shared { idle: Vec::new(), has_reaper: false };
        Self { max_idle, shared: Arc::new(Mutex::new(shared)) }
    }

    /// Takes the most recently used connection.
    pub(crate) fn take(&self) -> Option<CachedConnection<DB>> {
        lock(&self.shared).idle.pop().map(|idle| idle.conn)
    }

    /// Keeps the connection for a moment, unless its pool has no other one to hand out. A
    /// connection that is not kept returns to its pool.
    pub(crate) fn put(&self, pool: &Pool<DB>, conn: CachedConnection<DB>) {
        if !conn.is_reusable() || !may_stay_out(pool, &conn) {
            return;
        }
        let mut shared = lock(&self.shared);
        if shared.idle.len() >= self.max_idle {
            return;
        }
        shared.idle.push(Idle { conn, since: Instant::now() });
        if !shared.has_reaper {
            shared.has_reaper = true;
            // A runtime that shuts down drops the reaper at once, and dropping it takes this
            // lock. So the lock is released before the reaper starts.
            drop(shared);
            let shared = Arc::clone(&self.shared);
            let reaper = Reaper { shared, pool: pool.clone(), has_retired: false };
            sqlx_core::rt::spawn(reaper.run());
        }
    }
}

/// Returns idle connections to the pool. The task runs only while the cache holds a
/// connection. Dropping it empties the cache, because a connection must not outlive the
/// runtime in which it works.
struct Reaper<DB: Dialect> {
    shared: Arc<Mutex<Shared<DB>>>,
    pool: Pool<DB>,
    has_retired: bool,
}

impl<DB: Dialect> Reaper<DB> {
    async fn run(mut self) {
        while self.reap() {
            sqlx_core::rt::sleep(IDLE_TIMEOUT).await;
        }
    }

    /// Returns expired connections to the pool. Returns whether the cache still holds one.
    fn reap(&mut self) -> bool {
        let mut shared = lock(&self.shared);
        let may_stay = |idle: &mut Idle<DB>| {
            idle.since.elapsed() < IDLE_TIMEOUT && may_stay_out(&self.pool, &idle.conn)
        };
        let expired: Vec<_> = shared.idle.extract_if(.., |idle| !may_stay(idle)).collect();
        shared.has_reaper = !shared.idle.is_empty();
        self.has_retired = !shared.has_reaper;
        drop(shared);
        drop(expired);
        !self.has_retired
    }
}

impl<DB: Dialect> Drop for Reaper<DB> {
    fn drop(&mut self) {
        if self.has_retired {
            return;
        }
        let mut shared = lock(&self.shared);
        let idle = std::mem::take(&mut shared.idle);
        shared.has_reaper = false;
        drop(shared);
        drop(idle);
    }
}

/// Whether the pool can do without the connection: it has another idle one, or may open one.
fn may_stay_out<DB: Dialect>(pool: &Pool<DB>, conn: &CachedConnection<DB>) -> bool {
    let has_others = pool.num_idle() > 0 || pool.size() < pool.options().get_max_connections();
    has_others && !pool.is_closed() && conn.acquired_at().elapsed() < MAX_LIFETIME
}

fn lock<DB: Dialect>(shared: &Mutex<Shared<DB>>) -> MutexGuard<'_, Shared<DB>> {
    // No code panics while it holds the lock.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
