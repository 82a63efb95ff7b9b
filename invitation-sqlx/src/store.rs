//! The store on a pool of connections.

use std::{fmt, num::NonZeroUsize};

use async_trait::async_trait;
use invitation_core::{
    CommittedBy, Event, EventFilter, EventId, Filter, Insert, Inserted, Invitation, InvitationId,
    Invitee, Located, OpenLease, Outcome, PageRequest, Purge, Purged, Redemption, Scope,
    StatusCounts, Store, StoreError, StorePage, Target, Timestamp, Transition,
};
use sqlx::Pool;

use crate::{
    TablePrefix,
    cached_connection::CachedConnection,
    connections::Connections,
    dialect::Dialect,
    names::Names,
    ops::{self, Begin},
    retry::Retries,
    schema,
    tables::Tables,
};

/// Makes a change in its turn, and again while concurrent work gets in its way. (A macro,
/// because the compiler cannot see that the future of a function over an async closure
/// is `Send`.)
macro_rules! retried {
    ($store:expr, $conn:ident, $id:expr, $change:expr) => {{
        let mut retries = Retries::of($id);
        loop {
            let made = {
                let _turn = $store.connections.turn().await;
                $change.await
            };
            // Nothing is held while the next try waits.
            match $conn.finish(made).await {
                // On a connection whose transaction may still be open nothing is tried.
                Err(error) if $conn.is_reusable() && retries.again_after(&error).await => {}
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
    pub(crate) connections: Connections<DB>,
    pub(crate) tables: Tables,
}

impl<DB: Dialect> SqlStore<DB> {
    /// How many redemptions may be out at once before those that come meanwhile share
    /// the next statement, where the database makes many with one: enough to keep two
    /// processors of it busy.
    const SLOTS: NonZeroUsize = NonZeroUsize::new(2).expect("it is not 0");

    /// A store on the host's pool. Call [`migrate`](Self::migrate) once before
    /// it is used.
    #[must_use]
    pub fn new(pool: Pool<DB>) -> Self {
        Self {
            connections: Connections::of(pool),
            tables: Tables::new(TablePrefix::default(), Self::SLOTS),
        }
    }

    /// Uses tables whose names begin with `prefix`. Set it before
    /// [`migrate`](Self::migrate).
    ///
    /// A store with another prefix is another store on the same pool, for instance of another
    /// tenant: calls to the two are never sent together.
    #[must_use]
    pub fn with_prefix(self, prefix: TablePrefix) -> Self {
        Self { tables: self.tables.with_prefix(prefix), ..self }
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
    /// let store = PgStore::new(pool).with_batch_slots(NonZeroUsize::new(4).expect("not 0"));
    /// # }
    /// ```
    #[must_use]
    pub fn with_batch_slots(self, slots: NonZeroUsize) -> Self {
        Self { tables: self.tables.with_slots(slots), ..self }
    }

    /// The pool.
    #[must_use]
    pub fn pool(&self) -> &Pool<DB> {
        self.connections.pool()
    }

    /// Brings the tables up to date. What was done before is left alone, and
    /// processes that start together do it once. A table of its own, named by the
    /// prefix, remembers; a host's `_sqlx_migrations` is not touched.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be reached or refuses.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut conn = self.connections.acquire("migrate").await?;
        let _turn = self.connections.turn().await;
        let done = schema::migrate::<DB>(&mut conn, self.tables.names()).await;
        // Otherwise the connection is closed, and the lock with it that it may hold.
        if DB::CANCEL_SAFE { conn.finish(done).await } else { done }
    }

    pub(crate) fn names(&self) -> &Names {
        self.tables.names()
    }

    /// Makes one transition on this connection.
    pub(crate) async fn apply_on(
        &self,
        conn: &mut CachedConnection<DB>,
        transition: &Transition,
    ) -> Result<Outcome, StoreError> {
        let id = Some(transition.event().id);
        retried!(
            self,
            conn,
            id,
            ops::apply::<DB>(conn, Begin::Own, self.tables.names(), transition)
        )
    }
}

impl<DB: Dialect> Clone for SqlStore<DB> {
    fn clone(&self) -> Self {
        Self { connections: self.connections.clone(), tables: self.tables.clone() }
    }
}

impl<DB: Dialect> fmt::Debug for SqlStore<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("database", &DB::NAME)
            .field("prefix", &self.tables.names().prefix())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<DB: Dialect> Store for SqlStore<DB> {
    fn committed_by(&self) -> CommittedBy {
        CommittedBy::Store
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        let mut conn = self.connections.acquire("insert").await?;
        let id = insert.rows.first().map(|row| row.event.id);
        retried!(
            self,
            conn,
            id,
            ops::insert::<DB>(&mut conn, Begin::Own, self.tables.names(), insert)
        )
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        if let [one] = transitions
            && ops::can_be_batched::<DB>(one)
        {
            return vec![self.redeem_batched(one).await];
        }
        let mut answers = Vec::with_capacity(transitions.len());
        // One connection for all of them, so that the wait for it is bounded once; another
        // one only where its transaction may still be open.
        let mut kept = None;
        for transition in transitions {
            let conn = match kept.take() {
                Some(conn) => Ok(conn),
                None => self.connections.acquire("apply").await,
            };
            let mut conn = match conn {
                Ok(conn) => conn,
                Err(error) => {
                    let others = transitions.len() - answers.len() - 1;
                    let kind = error.kind();
                    answers.push(Err(error));
                    answers.extend((0..others).map(|_| Err(StoreError::new(kind, "apply"))));
                    break;
                }
            };
            answers.push(self.apply_on(&mut conn, transition).await);
            kept = conn.is_reusable().then_some(conn);
        }
        answers
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Invitation>, StoreError> {
        let mut conn = self.connections.acquire_to_read("get").await?;
        let answer = ops::get::<DB>(&mut conn, self.tables.names(), target, scope).await;
        conn.finish(answer).await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        let mut conn = self.connections.acquire_to_read("locate").await?;
        let answer = ops::locate::<DB>(&mut conn, self.tables.names(), target).await;
        conn.finish(answer).await
    }

    async fn invited(&self, invitees: &[Invitee], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        let mut conn = self.connections.acquire_to_read("invited").await?;
        let answer = ops::invited::<DB>(&mut conn, self.tables.names(), invitees, now).await;
        conn.finish(answer).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Invitation, InvitationId>, StoreError> {
        let mut conn = self.connections.acquire_to_read("list").await?;
        let answer = ops::list::<DB>(&mut conn, self.tables.names(), scope, filter, page).await;
        conn.finish(answer).await
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        let mut conn = self.connections.acquire_to_read("count").await?;
        let answer = ops::count::<DB>(&mut conn, self.tables.names(), scope, filter, cap).await;
        conn.finish(answer).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        let mut conn = self.connections.acquire_to_read("redemptions").await?;
        let answer =
            ops::redemptions::<DB>(&mut conn, self.tables.names(), scope, invitation, page).await;
        conn.finish(answer).await
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        let mut conn = self.connections.acquire_to_read("leases").await?;
        let answer = ops::leases::<DB>(&mut conn, self.tables.names(), scope, page).await;
        conn.finish(answer).await
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        let mut conn = self.connections.acquire("record").await?;
        let id = events.first().map(|event| event.id);
        retried!(
            self,
            conn,
            id,
            ops::record::<DB>(&mut conn, Begin::Own, self.tables.names(), events)
        )
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        let mut conn = self.connections.acquire_to_read("events").await?;
        let answer = ops::events::<DB>(&mut conn, self.tables.names(), scope, filter, page).await;
        conn.finish(answer).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let mut conn = self.connections.acquire("purge").await?;
        let id = Some(purge.event.id);
        retried!(
            self,
            conn,
            id,
            ops::purge::<DB>(&mut conn, Begin::Own, self.tables.names(), purge)
        )
    }
}
