//! The store on a pool of connections.

use std::{fmt, num::NonZeroUsize, sync::Arc};

use async_lock::{Mutex, MutexGuard};
use async_trait::async_trait;
use invitation_core::{
    Durability, Event, EventFilter, EventId, EventListing, Filter, Insert, Inserted, Invitation,
    InvitationId, Lanes, LeaseListing, Listing, Located, Outcome, Page, Purge, Purged,
    RedemptionListing, Scope, Store, StoreError, Tally, Target, Transition,
};
use sqlx::Pool;

use crate::{
    TablePrefix,
    at_hand::AtHand,
    crowds::Crowds,
    dialect::Dialect,
    error::store_error,
    lent::Lent,
    names::Names,
    ops::{self, Begin},
    retry::Retries,
    schema,
    shared::Answer,
};

/// Makes a change in its turn, and again while concurrent work gets in its way. (A macro,
/// because the compiler cannot see that the future of a function over an async closure
/// is `Send`.)
macro_rules! retried {
    ($store:expr, $conn:ident, $id:expr, $change:expr) => {{
        let mut retries = Retries::of($id);
        loop {
            let made = {
                let _turn = $store.turn().await;
                $change.await
            };
            // Nothing is held while the next try waits.
            match $conn.settle(made).await {
                Err(error) if retries.again_after(&error).await => {}
                done => break done,
            }
        }
    }};
}

/// A store on the connections of a pool. Each call is one transaction of its own,
/// or one statement; each takes one connection, so a pool of one is enough.
///
/// A change that concurrent work got in the way of (a deadlock, a serialisation
/// failure) is tried again as a whole, up to six times within a second, after short
/// pauses that differ between calls. What fails even then is an error of the kind
/// [`Conflict`](invitation_core::StoreErrorKind::Conflict).
///
/// On PostgreSQL, MySQL and MariaDB, redemptions that follow each other closely keep their
/// connection: one or two go back to the pool when they have rested for 10 to 20 ms, after
/// 10 s however busy they are, and at once when the pool has no other to give or is closed.
/// So the pool's questions and hooks (`test_before_acquire`, `before_acquire`,
/// `after_release`) come less often than redemptions do. Nothing is kept by a pool of one.
///
/// Clones share the pool. For a call inside a transaction of the host, see
/// [`Joined`](crate::Joined).
pub struct SqlStore<DB: Dialect> {
    pool: Pool<DB>,
    pub(crate) lanes: Lanes<Transition, Answer>,
    pub(crate) crowds: Crowds,
    at_hand: AtHand<DB>,
    names: Names,
    /// Where the database lets one writer in at a time: the queue for it.
    writer: Arc<Mutex<()>>,
}

impl<DB: Dialect> SqlStore<DB> {
    /// How many redemptions may be out at once before those that come meanwhile share
    /// the next statement, where the database makes many with one: enough to keep two
    /// processors of it busy.
    const LANES: NonZeroUsize = NonZeroUsize::new(2).expect("it is not 0");

    /// A store on the host's pool. Call [`migrate`](Self::migrate) once before
    /// it is used.
    #[must_use]
    pub fn new(pool: Pool<DB>) -> Self {
        Self {
            pool,
            lanes: Lanes::new(Self::LANES, ops::TOGETHER),
            crowds: Crowds::default(),
            at_hand: AtHand::default(),
            names: Names::new(TablePrefix::default()),
            writer: Arc::default(),
        }
    }

    /// Uses tables whose names begin with `prefix`. Set it before
    /// [`migrate`](Self::migrate).
    #[must_use]
    pub fn with_prefix(self, prefix: TablePrefix) -> Self {
        Self { names: Names::new(prefix), ..self }
    }

    /// On PostgreSQL: lets so many redemptions be out at once, 2 by default, before those
    /// that come meanwhile wait and share one statement, whose commit and round trip then
    /// serve all of them. With more, callers wait less while the server has processors to
    /// spare; with fewer, it does less work for the same. `SQLite` takes each for itself,
    /// and MySQL and MariaDB, but for those who want the same code at the same time.
    ///
    /// ```
    /// # #[cfg(feature = "postgres")]
    /// # fn host(pool: sqlx::PgPool) {
    /// use std::num::NonZeroUsize;
    /// use invitation_sqlx::PgStore;
    ///
    /// let store = PgStore::new(pool).with_lanes(NonZeroUsize::new(4).expect("not 0"));
    /// # }
    /// ```
    #[must_use]
    pub fn with_lanes(self, lanes: NonZeroUsize) -> Self {
        Self { lanes: Lanes::new(lanes, ops::TOGETHER), ..self }
    }

    /// The pool.
    #[must_use]
    pub fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Brings the tables up to date. What was done before is left alone, and
    /// processes that start together do it once. A table of its own, named by the
    /// prefix, remembers; a host's `_sqlx_migrations` is not touched.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be reached or refuses.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut conn = self.acquire("migrate").await?;
        let _turn = self.turn().await;
        schema::migrate::<DB>(&mut conn, &self.names).await
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) async fn acquire(&self, operation: &'static str) -> Result<Lent<DB>, StoreError> {
        let conn = self.pool.acquire().await;
        Ok(Lent::new(conn.map_err(|error| store_error::<DB>(operation, error))?))
    }

    /// The same for a redemption, which others may follow closely.
    pub(crate) async fn acquire_at_hand(&self) -> Result<Lent<DB>, StoreError> {
        match self.at_hand.take() {
            Some(conn) => Ok(conn),
            None => self.acquire("apply").await,
        }
    }

    /// Gives back one for redemptions.
    pub(crate) fn keep_at_hand(&self, conn: Lent<DB>) {
        self.at_hand.keep(&self.pool, conn);
    }

    /// Makes one transition on this connection.
    pub(crate) async fn apply_on(
        &self,
        conn: &mut Lent<DB>,
        transition: &Transition,
    ) -> Result<Outcome, StoreError> {
        let id = Some(transition.event().id);
        retried!(self, conn, id, ops::apply::<DB>(conn, Begin::Own, &self.names, transition))
    }

    /// This writer's turn, where writers have to queue. Taken with a connection in
    /// hand, so that the wait is bounded: nobody waits but those who got one, each
    /// holds the turn no longer than the database's own lock timeout, and getting
    /// a connection has a timeout too.
    async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if DB::ONE_WRITER { Some(self.writer.lock().await) } else { None }
    }
}

impl<DB: Dialect> Clone for SqlStore<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            lanes: self.lanes.clone(),
            crowds: self.crowds.clone(),
            at_hand: self.at_hand.clone(),
            names: self.names.clone(),
            writer: Arc::clone(&self.writer),
        }
    }
}

impl<DB: Dialect> fmt::Debug for SqlStore<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("database", &DB::NAME)
            .field("prefix", &self.names.prefix())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<DB: Dialect> Store for SqlStore<DB> {
    fn durability(&self) -> Durability {
        Durability::Own
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        let mut conn = self.acquire("insert").await?;
        let id = insert.rows.first().map(|row| row.event.id);
        retried!(self, conn, id, ops::insert::<DB>(&mut conn, Begin::Own, &self.names, insert))
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        if let [one] = transitions
            && ops::may_share::<DB>(one)
        {
            return vec![self.redeem_among_others(one).await];
        }
        // One connection for all of them, so that the wait for it is bounded once.
        let mut conn = match self.acquire("apply").await {
            Ok(conn) => conn,
            Err(error) => {
                let kind = error.kind();
                let others = transitions.iter().skip(1).map(|_| StoreError::new(kind, "apply"));
                return std::iter::once(error).chain(others).map(Err).collect();
            }
        };
        let mut answers = Vec::with_capacity(transitions.len());
        for transition in transitions {
            answers.push(self.apply_on(&mut conn, transition).await);
        }
        answers
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Invitation>, StoreError> {
        let mut conn = self.acquire("get").await?;
        let answer = ops::get::<DB>(&mut conn, &self.names, target, scope).await;
        conn.settle(answer).await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        let mut conn = self.acquire("locate").await?;
        let answer = ops::locate::<DB>(&mut conn, &self.names, target).await;
        conn.settle(answer).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &Page<InvitationId>,
    ) -> Result<Listing, StoreError> {
        let mut conn = self.acquire("list").await?;
        let answer = ops::list::<DB>(&mut conn, &self.names, scope, filter, page).await;
        conn.settle(answer).await
    }

    async fn count(&self, scope: &Scope, filter: &Filter, cap: u32) -> Result<Tally, StoreError> {
        let mut conn = self.acquire("count").await?;
        let answer = ops::count::<DB>(&mut conn, &self.names, scope, filter, cap).await;
        conn.settle(answer).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &Page<EventId>,
    ) -> Result<RedemptionListing, StoreError> {
        let mut conn = self.acquire("redemptions").await?;
        let answer = ops::redemptions::<DB>(&mut conn, &self.names, scope, invitation, page).await;
        conn.settle(answer).await
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &Page<EventId>,
    ) -> Result<LeaseListing, StoreError> {
        let mut conn = self.acquire("leases").await?;
        let answer = ops::leases::<DB>(&mut conn, &self.names, scope, page).await;
        conn.settle(answer).await
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        let mut conn = self.acquire("record").await?;
        let id = events.first().map(|event| event.id);
        retried!(self, conn, id, ops::record::<DB>(&mut conn, Begin::Own, &self.names, events))
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &Page<EventId>,
    ) -> Result<EventListing, StoreError> {
        let mut conn = self.acquire("events").await?;
        let answer = ops::events::<DB>(&mut conn, &self.names, scope, filter, page).await;
        conn.settle(answer).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let mut conn = self.acquire("purge").await?;
        let id = Some(purge.event.id);
        retried!(self, conn, id, ops::purge::<DB>(&mut conn, Begin::Own, &self.names, purge))
    }
}
