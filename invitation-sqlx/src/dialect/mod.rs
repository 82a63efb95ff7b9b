//! The differences between the databases.

use std::{
    future::{Future, ready},
    num::{NonZeroU32, NonZeroUsize},
};

use async_lock::{Mutex, MutexGuard};
use sqlx::{
    ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Type,
    database::HasStatementCache,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
};

use invitation_core::{
    CodeDigest, Facts, Outcome, Record, Status, StoreError, StoreErrorKind, Target, Transition,
    feed::{FeedPage, FeedPosition},
};
use sqlx_core::transaction::TransactionManager;

use crate::{
    error::commit_error,
    list::{Index, ListQuery},
    names::Names,
    ops::{self, Session, Step},
    render, row,
    statement::{Statement, StatementSink},
    values::Value,
};

mod sealed {
    #[expect(unnameable_types, reason = "that is what seals")]
    pub trait Sealed {}

    #[cfg(feature = "sqlite")]
    impl Sealed for sqlx::Sqlite {}

    #[cfg(feature = "postgres")]
    impl Sealed for sqlx::Postgres {}

    #[cfg(feature = "mysql")]
    impl Sealed for sqlx::MySql {}
}

/// A type that a database can store and return.
pub trait Scalar<DB: Database>:
    for<'q> Encode<'q, DB> + for<'r> Decode<'r, DB> + Type<DB> + Send + Sync + Unpin + 'static
{
}

impl<T, DB: Database> Scalar<DB> for T where
    T: for<'q> Encode<'q, DB> + for<'r> Decode<'r, DB> + Type<DB> + Send + Sync + Unpin + 'static
{
}

/// Begins a statement with the tables `f` and `z` of a plan: the matches of the page, and a row if
/// the plan would have to read too much.
pub(crate) type ByValidityLength<DB> = fn(&mut Statement<DB>, &ListQuery<'_>, Status);

/// A database that the store supports. The trait is sealed: the crate's features decide which
/// databases implement it.
///
/// Values have three forms only: integers, text and bytes. So the host needs no type feature of
/// sqlx. The associated types are always the obvious ones. As bounds of a trait they are implied
/// wherever a dialect is used; the same bounds in `where` clauses would not be.
pub trait Dialect:
    Database<Arguments: IntoArguments<Self>> + HasStatementCache + sealed::Sealed + Sync
{
    /// The integer type, always `i64`.
    type Int: Scalar<Self> + From<i64> + Into<i64>;
    /// The nullable integer type, always `Option<i64>`.
    type OptInt: Scalar<Self> + From<Option<i64>> + Into<Option<i64>>;
    /// The text type: `String`, or a wrapper of it.
    type Text: Scalar<Self> + From<String> + Into<String>;
    /// The nullable text type, always `Option<String>`.
    type OptText: Scalar<Self> + From<Option<String>> + Into<Option<String>>;
    /// The nullable byte type, always `Option<Vec<u8>>`.
    type OptBlob: Scalar<Self> + From<Option<Vec<u8>>> + Into<Option<Vec<u8>>>;
    /// The number of a column in a row, always `usize`.
    type ColumnNumber: ColumnIndex<Self::Row> + From<usize>;
    /// The executor, always `&mut Self::Connection`.
    type Exec<'c>: Executor<'c, Database = Self>;
    /// What statements are written into.
    type Sink: StatementSink<Self>;

    /// The statement that begins the store's own transaction. The transaction will write.
    const BEGIN: &'static str;
    /// The assignment with which an `UPDATE` locks a row that it does not change otherwise.
    const LOCK_BY_UPDATE: &'static str = "held = held";
    /// The clause that makes a query wait for transactions that are changing the row, and locks
    /// the row against changes until this transaction ends. Empty for a database with one writer.
    const FOR_SHARE: &'static str;
    /// The clause that also makes other queries with this clause wait.
    const FOR_UPDATE: &'static str;
    /// The maximum number of values that one statement binds.
    const MAX_BINDS: usize;
    /// The SQL of the migrations in order, with `{prefix}` for the table prefix.
    const MIGRATIONS: &'static [&'static str];

    /// Returns the connection as an executor.
    fn exec(conn: &mut Self::Connection) -> Self::Exec<'_>;

    /// Returns the clause after a table that makes a query use this index. It is empty if the
    /// planner's own choice is right.
    #[must_use]
    fn use_index(_index: &str) -> String {
        String::new()
    }

    /// Returns the comparison that selects the open state, and that is the condition of the partial
    /// indexes by expiry. After an equality, a planner without statistics expects so few rows
    /// that it uses any index with the state, and sorts.
    #[must_use]
    fn is_open() -> &'static str {
        "<= 0"
    }

    /// Returns the join of each candidate `c` with its invitation `i`, in the order of the
    /// candidates.
    #[must_use]
    fn each_by_key(invitations: &str, use_key: &str) -> String {
        // CROSS makes SQLite read the candidates first.
        format!(" CROSS JOIN {invitations} i{use_key} ON i.id = c.which")
    }

    /// Returns the maximum number of addresses in one query.
    #[doc(hidden)]
    #[must_use]
    fn addresses_at_once() -> usize {
        250
    }

    /// Writes the table and the condition of a query for the columns `division` and `email_key` of
    /// the invitations to these addresses. `conditions` writes further conditions of an invitation
    /// `i`.
    #[doc(hidden)]
    fn invited_to(
        s: &mut Statement<Self>,
        names: &Names,
        addresses: &[&str],
        conditions: impl FnOnce(&mut Statement<Self>),
    ) {
        s.one_off();
        render::by_index(s, names, Index::CodesInvitee);
        s.sql(" WHERE i.email_key IN ").list(addresses, |s, address| {
            s.text(*address);
        });
        conditions(s);
    }

    /// Writes a value. A planner that would choose a worse plan because of the value does not see
    /// it.
    #[doc(hidden)]
    fn hide_from_planner(s: &mut Statement<Self>, write: impl FnOnce(&mut Statement<Self>)) {
        write(s);
    }

    /// Returns whether a keyset scan with this number of fixed columns compares the whole key of
    /// its index, so that only that index can satisfy it.
    #[doc(hidden)]
    #[must_use]
    fn scans_whole_key(_fixed: usize) -> bool {
        false
    }

    /// Returns the plan for lists of active or expired invitations by their length of validity, if
    /// the database has one. It needs lateral joins, and an index on an expression.
    #[doc(hidden)]
    #[must_use]
    fn by_validity_length() -> Option<ByValidityLength<Self>> {
        None
    }

    /// Returns the clause of an `INSERT` before the assignments to rows whose key exists. `key` has
    /// the columns of the primary key.
    #[must_use]
    fn on_conflict(key: &str) -> String {
        format!(" ON CONFLICT ({key}) DO UPDATE SET ")
    }

    /// Returns the new value of a column in such an assignment.
    #[must_use]
    fn new_value(column: &str) -> String {
        format!("excluded.{column}")
    }

    /// Returns the clause with which an `INSERT` skips rows whose key exists.
    #[must_use]
    fn skip_existing(key: &str) -> String {
        format!(" ON CONFLICT ({key}) DO NOTHING")
    }

    /// Returns the clause with which an `INSERT` replaces these columns of rows whose key exists.
    #[must_use]
    fn replace_existing(key: &str, columns: &str) -> String {
        let value = |column| format!("{column} = {}", Self::new_value(column));
        let values: Vec<_> = columns.split(", ").map(value).collect();
        Self::on_conflict(key) + &values.join(", ")
    }

    /// Returns the clause with which the `INSERT` of a quota's row locks a row that exists. An
    /// update locks it; skipping it would not.
    #[must_use]
    fn lock_quota() -> String {
        Self::replace_existing("kind, name", "kind")
    }

    /// Returns the number of rows that a statement touched.
    fn affected(result: &Self::QueryResult) -> u64;

    /// Returns the clause that makes a query see the latest committed data. It is empty unless
    /// the transaction on this connection would hide that data.
    fn locking_read(_conn: &Self::Connection) -> &'static str {
        ""
    }

    /// Classifies an error that the database itself reported. The statement then did nothing, but
    /// its transaction may or may not be open.
    fn classify(error: &dyn DatabaseError) -> StoreErrorKind;

    /// Begins a step: a transaction of the store's own, or a savepoint of the host's transaction.
    #[doc(hidden)]
    fn begin_step(step: &mut Step<'_, Self>) -> impl Future<Output = sqlx::Result<()>> + Send {
        step.begin_counted(step.mode)
    }

    /// Keeps the work of a step.
    #[doc(hidden)]
    fn commit_step(step: &mut Step<'_, Self>) -> impl Future<Output = sqlx::Result<()>> + Send {
        step.commit_counted()
    }

    /// Undoes the work of a step.
    #[doc(hidden)]
    fn roll_back_step(step: &mut Step<'_, Self>) -> impl Future<Output = sqlx::Result<()>> + Send {
        step.roll_back_counted()
    }

    /// Prepares a step, before any other work of it, for statements with
    /// [secrets](StatementSink::keep_secret).
    #[doc(hidden)]
    fn expect_secrets(step: &mut Step<'_, Self>) -> impl Future<Output = sqlx::Result<()>> + Send {
        let _ = step;
        ready(Ok(()))
    }

    /// Returns whether a statement with secrets on this connection needs a step that
    /// [expects](Self::expect_secrets) them.
    #[doc(hidden)]
    fn guards_secrets(_conn: &Self::Connection) -> bool {
        false
    }

    /// Returns whether the pool can use the store's own connection again after a call on it was
    /// dropped at any await. The argument says whether the call began no transaction.
    fn survives_drop(only_reads: bool) -> bool;

    /// Makes the driver roll back the store's own transaction before the connection is used
    /// again. Returns `false` if that is not safe: the connection is then closed.
    fn start_rollback(conn: &mut Self::Connection) -> bool {
        // A call that was dropped may have left its savepoint.
        for _ in 0..=Self::TransactionManager::get_transaction_depth(conn) {
            Self::TransactionManager::start_rollback(conn);
        }
        true
    }

    /// Ends the transaction on a connection of the store's own, if one is open. Returns whether
    /// both the database and the driver are known to have no open transaction.
    fn end_transaction(conn: &mut Self::Connection) -> impl Future<Output = bool> + Send;

    /// Returns how deeply the host's transaction is nested, or 0 if the driver counts none.
    ///
    /// # Errors
    ///
    /// If the database has ended the transaction. Later work of the host on the connection then
    /// cannot be committed.
    fn host_depth(conn: &mut Self::Connection) -> impl Future<Output = sqlx::Result<usize>> + Send {
        ready(Ok(Self::TransactionManager::get_transaction_depth(conn)))
    }

    /// Returns whether the host's transaction of this depth is still open after an error. If it
    /// is not, or if that is unknown, later work of the host on the connection cannot be
    /// committed.
    fn fail_closed(conn: &mut Self::Connection, depth: usize) -> impl Future<Output = bool> + Send;

    /// Writes rows of values to insert.
    #[doc(hidden)]
    fn push_rows(s: &mut Statement<Self>, rows: Vec<Vec<Value<'_>>>) {
        if rows.len() > 1 {
            s.one_off();
        }
        for (n, row) in rows.into_iter().enumerate() {
            s.sql(if n == 0 { "VALUES (" } else { ", (" }).values(row).sql(")");
        }
    }

    /// Runs an `INSERT` of one row. Returns `false` if the key of these columns is taken, or any
    /// key of the table if there are none. On MySQL and MariaDB, any key counts in both cases.
    #[doc(hidden)]
    fn run_unless_taken(
        mut s: Statement<Self>,
        on: &mut Session<'_, Self>,
        columns: Option<&str>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        s.sql(" ON CONFLICT ");
        if let Some(columns) = columns {
            s.sql(format_args!("({columns}) "));
        }
        s.sql("DO NOTHING");
        async move { Ok(s.run(on).await? == 1) }
    }

    /// Runs the guarded update of one invitation. Returns the invitation after it, if the update
    /// matched one.
    #[doc(hidden)]
    fn update_invitation(
        on: &mut Session<'_, Self>,
        transition: &Transition,
        mut update: Statement<Self>,
    ) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send {
        let _ = transition;
        update.sql(format_args!(" RETURNING {}", row::INVITATION));
        update.first(on, row::invitation)
    }

    /// Waits for this writer's turn, on a database that lets one writer in at a time. The store
    /// then queues its writers fairly, instead of letting them poll for the database's lock.
    #[doc(hidden)]
    fn writer_turn(queue: &Mutex<()>) -> impl Future<Output = Option<MutexGuard<'_, ()>>> + Send {
        let _ = queue;
        ready(None)
    }

    /// Returns the key of the redemptions that are sent together with one of this target. By
    /// default, redemptions of any codes are sent together.
    #[doc(hidden)]
    #[must_use]
    fn batch_key(_target: &Target) -> &[CodeDigest] {
        &[]
    }

    /// Returns the number of batches of one key that are in flight at a time.
    #[doc(hidden)]
    #[must_use]
    fn batch_slots(wanted: NonZeroUsize) -> NonZeroUsize {
        wanted
    }

    /// Runs one statement as a transaction of the store's own.
    #[doc(hidden)]
    fn run_as_transaction(
        on: &mut Session<'_, Self>,
        s: Statement<Self>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        async move {
            let mut step = on.begin().await?;
            s.run(&mut step).await?;
            step.commit().await
        }
    }

    /// Redeems in fewer round trips than the general path. Returns `None` if this database has no
    /// faster path for the transition, or if the general path has to explain the refusal.
    #[doc(hidden)]
    fn redeem(
        on: &mut Session<'_, Self>,
        transition: &Transition,
    ) -> impl Future<Output = Result<Option<Outcome>, StoreError>> + Send {
        let _ = (on, transition);
        ready(Ok(None))
    }

    /// Redeems for several callers at once, in transactions of the store's own. Each redemption
    /// is made as a whole or not at all, and each caller gets the same result as if the callers
    /// had run one after the other.
    ///
    /// Returns the facts after each redemption, in the order of the transitions. A caller with
    /// `None` redeems by itself: its redemption was not made, or it is not known whether it was.
    #[doc(hidden)]
    fn redeem_batch(
        on: &mut Session<'_, Self>,
        transitions: &[&Transition],
    ) -> impl Future<Output = Result<Vec<Option<Facts>>, StoreError>> + Send {
        let _ = on;
        ready(Ok(transitions.iter().map(|_| None).collect()))
    }

    /// Returns the events of the feed behind a position.
    #[doc(hidden)]
    fn feed(
        on: &mut Session<'_, Self>,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> impl Future<Output = Result<FeedPage, StoreError>> + Send {
        ops::feed::page_by_position(on, after, limit)
    }

    /// Commits the transaction that the store shares with a host, which the driver began with
    /// [`BEGIN`](Self::BEGIN).
    ///
    /// # Errors
    ///
    /// If the commit failed, or if the database can only roll back the transaction.
    fn commit_shared(
        conn: &mut Self::Connection,
        operation: &'static str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        async move {
            let committed = Self::TransactionManager::commit(conn).await;
            committed.map_err(|error| commit_error::<Self>(operation, error))
        }
    }

    /// Runs the migrations. Concurrent callers run each of them once, and a failure leaves no
    /// lock behind. The store records the migrations in `table`.
    fn migrate(
        conn: &mut Self::Connection,
        migrator: &Migrator,
        table: &str,
    ) -> impl Future<Output = Result<(), MigrateError>> + Send;
}
