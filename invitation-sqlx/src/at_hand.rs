//! Connections that stay at hand between redemptions. A pool asks each connection that
//! comes back whether it is well, by a round trip, and gives out the one that has rested
//! longest, of whose work the processors' caches hold the least. Redemptions that follow
//! each other closely pay for neither.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::Pool;

use crate::{dialect::Dialect, lent::Lent};

/// How many connections stay at most, and so are missing in the pool.
const SEATS: usize = 2;

/// How long one may rest, at least, before it goes back; and how often that is looked at.
const REST: Duration = Duration::from_millis(10);

/// How long one may be away from its pool, however busy it is: the pool has its own rules
/// for those that come back.
const AWAY: Duration = Duration::from_secs(10);

/// The connections at hand.
pub(crate) struct AtHand<DB: Dialect> {
    rack: Arc<Mutex<Rack<DB>>>,
}

struct Rack<DB: Dialect> {
    /// The last one has worked last.
    resting: Vec<Resting<DB>>,
    has_keeper: bool,
}

struct Resting<DB: Dialect> {
    conn: Lent<DB>,
    since: Instant,
}

impl<DB: Dialect> AtHand<DB> {
    /// The one that worked last.
    pub(crate) fn take(&self) -> Option<Lent<DB>> {
        lock(&self.rack).resting.pop().map(|resting| resting.conn)
    }

    /// Keeps it at hand, for a moment and if nobody else can want for it; else it goes back
    /// to its pool.
    pub(crate) fn keep(&self, pool: &Pool<DB>, conn: Lent<DB>) {
        if !conn.is_settled() || !may_be_away(pool, &conn) {
            return;
        }
        let mut rack = lock(&self.rack);
        if rack.resting.len() >= SEATS {
            return;
        }
        rack.resting.push(Resting { conn, since: Instant::now() });
        if !rack.has_keeper {
            rack.has_keeper = true;
            // Unlocked first: a runtime that shuts down drops the keeper at once, and that
            // locks it.
            drop(rack);
            let rack = Arc::clone(&self.rack);
            let keeper = Keeper { rack, pool: pool.clone(), has_retired: false };
            sqlx_core::rt::spawn(keeper.watch());
        }
    }
}

impl<DB: Dialect> Default for AtHand<DB> {
    fn default() -> Self {
        let rack = Rack { resting: Vec::new(), has_keeper: false };
        Self { rack: Arc::new(Mutex::new(rack)) }
    }
}

impl<DB: Dialect> Clone for AtHand<DB> {
    fn clone(&self) -> Self {
        Self { rack: Arc::clone(&self.rack) }
    }
}

/// Brings back what nobody needs. It is there while something is at hand, and what is at
/// hand is gone with it: a connection must not outlive the runtime that it works in.
struct Keeper<DB: Dialect> {
    rack: Arc<Mutex<Rack<DB>>>,
    pool: Pool<DB>,
    has_retired: bool,
}

impl<DB: Dialect> Keeper<DB> {
    async fn watch(mut self) {
        while self.looks_after_some() {
            sqlx_core::rt::sleep(REST).await;
        }
    }

    /// Whether any are left.
    fn looks_after_some(&mut self) -> bool {
        let mut rack = lock(&self.rack);
        let may_stay = |resting: &mut Resting<DB>| {
            resting.since.elapsed() < REST && may_be_away(&self.pool, &resting.conn)
        };
        let gone: Vec<_> = rack.resting.extract_if(.., |resting| !may_stay(resting)).collect();
        rack.has_keeper = !rack.resting.is_empty();
        self.has_retired = !rack.has_keeper;
        drop(rack);
        drop(gone);
        !self.has_retired
    }
}

impl<DB: Dialect> Drop for Keeper<DB> {
    fn drop(&mut self) {
        if self.has_retired {
            return;
        }
        let mut rack = lock(&self.rack);
        let gone = std::mem::take(&mut rack.resting);
        rack.has_keeper = false;
        drop(rack);
        drop(gone);
    }
}

/// Whether the pool can do without it: others are idle in it or may be opened.
fn may_be_away<DB: Dialect>(pool: &Pool<DB>, conn: &Lent<DB>) -> bool {
    let has_others = pool.num_idle() > 0 || pool.size() < pool.options().get_max_connections();
    has_others && !pool.is_closed() && conn.lent_since().elapsed() < AWAY
}

fn lock<DB: Dialect>(rack: &Mutex<Rack<DB>>) -> MutexGuard<'_, Rack<DB>> {
    // Nobody panics while holding it.
    rack.lock().unwrap_or_else(PoisonError::into_inner)
}
