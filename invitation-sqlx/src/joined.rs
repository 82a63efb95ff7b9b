//! The store inside a host's own transaction.

use std::fmt;

use async_lock::Mutex;
use async_trait::async_trait;
use invitation_core::{
    Durability, Event, EventFilter, EventId, EventListing, Filter, Insert, Inserted, Invitation,
    InvitationId, LeaseListing, Listing, Located, Outcome, Page, Purge, Purged, RedemptionListing,
    Scope, Store, StoreError, Tally, Target, Transition,
};
use sqlx::Transaction;

use crate::{
    SqlStore, TablePrefix,
    dialect::Dialect,
    names::Names,
    ops::{self, Begin},
};

/// A store that works inside a transaction of the host: what it does commits
/// with the host's own work, or vanishes with it.
///
/// - It never commits or rolls back the host's transaction; each step stands
///   behind a savepoint.
/// - A refusal leaves the transaction usable.
/// - The evidence of a refusal is not written here, because the host may roll
///   back: it comes with the error ([`Refused`](invitation_core::Refused)), and
///   `Invitations::record`, on a service outside of the transaction, writes it.
/// - Nothing is retried: a conflict with concurrent work is an error whose
///   [`is_retryable`](StoreError::is_retryable) is true, and the host repeats its
///   whole transaction.
///
/// The transaction must have been begun through sqlx (`pool.begin()` and its
/// like), which keeps count of the nesting.
///
/// ```
/// # use invitation_core::{Actor, Draft, Invitations, Redeemer, Role, Division, UserId, Username};
/// use invitation_sqlx::{Joined, SqliteStore, sqlx};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = SqliteStore::in_memory().await?;
/// # let pool = store.pool().clone();
/// # let invitations = Invitations::new(store);
/// # let boss = Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, Division::new("sales")?);
/// # let code = invitations.create(&boss, Draft::new()).await?.code().reveal();
/// # sqlx::raw_sql("CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT)").execute(&pool).await?;
/// let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
///
/// let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
/// let redeemed = invitations.on(Joined::new(&mut tx)).redeem(&code, &anna).await?;
/// sqlx::query("INSERT INTO users (name, role) VALUES (?, ?)")
///     .bind(redeemed.username().as_str())
///     .bind(redeemed.role().as_str())
///     .execute(&mut *tx)
///     .await?;
/// tx.commit().await?; // the account and the redemption, or neither
/// # Ok(())
/// # }
/// ```
pub struct Joined<'t, DB: Dialect> {
    conn: Mutex<&'t mut DB::Connection>,
    names: Names,
}

impl<'t, DB: Dialect> Joined<'t, DB> {
    /// Joins the host's transaction.
    #[must_use]
    pub fn new(tx: &'t mut Transaction<'_, DB>) -> Self {
        Self::on_connection(&mut **tx)
    }

    /// Joins the transaction that is open on the host's connection, begun through
    /// sqlx. Without one, every call that would change something is an error.
    #[must_use]
    pub fn on_connection(conn: &'t mut DB::Connection) -> Self {
        Self { conn: Mutex::new(conn), names: Names::new(TablePrefix::default()) }
    }

    /// Uses tables whose names begin with `prefix`.
    #[must_use]
    pub fn with_prefix(self, prefix: TablePrefix) -> Self {
        Self { names: Names::new(prefix), ..self }
    }
}

impl<DB: Dialect> SqlStore<DB> {
    /// This store, inside a transaction of the host: [`Joined::new`] with the
    /// same prefix.
    #[must_use]
    pub fn join<'t>(&self, tx: &'t mut Transaction<'_, DB>) -> Joined<'t, DB> {
        Joined { names: self.names().clone(), ..Joined::new(tx) }
    }
}

impl<DB: Dialect> fmt::Debug for Joined<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined")
            .field("database", &DB::NAME)
            .field("prefix", &self.names.prefix())
            .finish_non_exhaustive()
    }
}

/// What came of an operation. If it failed, and the database has ended the transaction
/// for that, nothing that follows on the connection can be committed.
async fn closed<DB: Dialect, T>(
    conn: &mut DB::Connection,
    answer: Result<T, StoreError>,
) -> Result<T, StoreError> {
    if answer.is_err() {
        DB::fail_closed(conn).await;
    }
    answer
}

#[async_trait]
impl<DB: Dialect> Store for Joined<'_, DB> {
    fn durability(&self) -> Durability {
        Durability::Hosts
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::insert::<DB>(&mut conn, Begin::Nested, &self.names, insert).await;
        closed::<DB, _>(&mut conn, answer).await
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        let mut conn = self.conn.lock().await;
        let mut answers = Vec::with_capacity(transitions.len());
        for transition in transitions {
            let answer = ops::apply::<DB>(&mut conn, Begin::Nested, &self.names, transition).await;
            answers.push(closed::<DB, _>(&mut conn, answer).await);
        }
        answers
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Invitation>, StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::get::<DB>(&mut conn, &self.names, target, scope).await;
        closed::<DB, _>(&mut conn, answer).await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::locate::<DB>(&mut conn, &self.names, target).await;
        closed::<DB, _>(&mut conn, answer).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &Page<InvitationId>,
    ) -> Result<Listing, StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::list::<DB>(&mut conn, &self.names, scope, filter, page).await;
        closed::<DB, _>(&mut conn, answer).await
    }

    async fn count(&self, scope: &Scope, filter: &Filter, cap: u32) -> Result<Tally, StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::count::<DB>(&mut conn, &self.names, scope, filter, cap).await;
        closed::<DB, _>(&mut conn, answer).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &Page<EventId>,
    ) -> Result<RedemptionListing, StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::redemptions::<DB>(&mut conn, &self.names, scope, invitation, page).await;
        closed::<DB, _>(&mut conn, answer).await
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &Page<EventId>,
    ) -> Result<LeaseListing, StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::leases::<DB>(&mut conn, &self.names, scope, page).await;
        closed::<DB, _>(&mut conn, answer).await
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::record::<DB>(&mut conn, Begin::Nested, &self.names, events).await;
        closed::<DB, _>(&mut conn, answer).await
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &Page<EventId>,
    ) -> Result<EventListing, StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::events::<DB>(&mut conn, &self.names, scope, filter, page).await;
        closed::<DB, _>(&mut conn, answer).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let mut conn = self.conn.lock().await;
        let answer = ops::purge::<DB>(&mut conn, Begin::Nested, &self.names, purge).await;
        closed::<DB, _>(&mut conn, answer).await
    }
}
