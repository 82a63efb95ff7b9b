//! The dialect of MySQL and MariaDB.

mod errors;
mod feed;
mod message;
mod migrating;
mod redeem;
mod sink;
mod step;
mod text;
mod transaction;

use invitation_core::{StoreError, StoreErrorKind};
use sqlx::{
    MySql, MySqlConnection,
    error::DatabaseError,
    mysql::{MySqlDatabaseError, MySqlPoolOptions, MySqlQueryResult},
};
use sqlx_core::transaction::TransactionManager;

use self::{sink::MySqlSink, text::Utf8};
use crate::{
    Joined, SqlStore,
    dialect::{Dialect, Syntax},
    names::names_a_table,
    ops::unprepared,
};

/// A store in a MySQL (8.0.16 or later) or MariaDB (10.5 or later) database, of any character set
/// and collation. Its tables use `InnoDB`. The tests run on MariaDB, alone and as a Galera cluster;
/// `scripts/matrix` of the repository runs them on a newer MariaDB and on MySQL.
///
/// The store's own transactions are `READ COMMITTED`, whatever the server's default. They never
/// loosen the server's durability. A statement waits for the lock of a row no longer than the server's
/// `innodb_lock_wait_timeout`, 50 seconds by default. It waits for a table that another session
/// alters or locks no longer than `lock_wait_timeout`, a day or more by default. Set both lower in
/// the pool's `after_connect`.
///
/// A dropped call closes its connection, so that no part of the call stays open there.
///
/// # Round trips
///
/// These databases cannot return the row of an update or make several changes with one statement.
/// But they accept several statements as one message. So a redemption takes one round trip. Its
/// message begins the transaction, makes the guarded update, writes the event, the state, the
/// ledger and the search terms, queries the row, and commits.
///
/// If the update changed nothing, a second message asks for the reason and a third one records
/// the refusal. A redemption of a code with a reserved use, or of one that is bound to a domain,
/// takes a round trip for each statement, like all other changes. A lookup takes one round trip.
///
/// Callers who redeem a code while another redemption of it is in flight share the next message.
/// One update counts all of them, and each has its event. The message redeems for all of them or
/// for none, and then each caller redeems by itself.
///
/// The pool's own test of a connection adds a round trip to each call, unless
/// `test_before_acquire(false)` is set. A statement that is new to a connection takes one more
/// round trip, once, to be prepared.
///
/// The values of such a message are part of its text, in hexadecimal. sqlx logs the text at the
/// level `debug`, or `warn` if the message was slow. The text contains the ids and names of
/// users, the digest of the code, and the digest and domain of a proven address. It never
/// contains the code or the address.
///
/// # Clusters
///
/// On a Galera cluster, migrate from one process, because schema changes on two nodes conflict.
/// Concurrent changes on two nodes are conflicts, which the store retries like any other. A read
/// sees what another node has committed only with `wsrep_sync_wait`.
///
/// ```no_run
/// # mod invitation {
/// #     pub use invitation_core::*;
/// #     pub use invitation_sqlx::{self as sql, MySqlStore};
/// # }
/// use invitation::{
///     Invitations, MySqlStore,
///     sql::sqlx::{self, mysql::MySqlPoolOptions},
/// };
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = MySqlPoolOptions::new()
///     .test_before_acquire(false) // saves a round trip for each call
///     .after_connect(|connection, _| {
///         Box::pin(async move {
///             let limits = "SET SESSION innodb_lock_wait_timeout = 5, lock_wait_timeout = 5";
///             sqlx::raw_sql(limits).execute(connection).await.map(drop)
///         })
///     })
///     .connect("mysql://app@localhost/app")
///     .await?;
///
/// let store = MySqlStore::new(pool);
/// store.migrate().await?;
/// let invitations = Invitations::new(store);
/// # Ok(())
/// # }
/// ```
pub type MySqlStore = SqlStore<MySql>;

/// The settings of the library's own connections. They bound the wait for a table that another
/// session alters or locks: the servers' own bound is a day (MariaDB) or a year (MySQL).
const SETTINGS: &str = "SET SESSION autocommit = 1, \
     SESSION lock_wait_timeout = LEAST(@@innodb_lock_wait_timeout, 31536000)";

impl SqlStore<MySql> {
    /// Connects to the database of this URL (`mysql://…`) with a pool of sqlx's default options and
    /// with `autocommit = 1`, and brings the tables up to date.
    ///
    /// A statement waits for a table that another session alters or locks as long as for the lock of a
    /// row: `lock_wait_timeout` is set to the server's `innodb_lock_wait_timeout`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be reached or migrated.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let pool = MySqlPoolOptions::new()
            .after_connect(|conn, _| Box::pin(async { unprepared::<MySql>(conn, SETTINGS).await }));
        Self::opened(pool.connect(url)).await
    }
}

/// A store inside a host's MySQL or MariaDB transaction, of any isolation level.
///
/// A deadlock ends the whole transaction on these servers, with the host's work, and later
/// statements would commit by themselves. So the store then ends the connection: all later
/// statements of the host on it fail, and the server keeps none of the work. A lock wait timeout
/// undoes this call only.
///
/// A dropped call leaves the host's work as it was, and the transaction stays open. If the call
/// carried a code or an address (creating, rotating, changing the address, searching, importing
/// addresses), the next statement fails. The driver cannot continue after an interruption while it
/// prepares a statement.
///
/// On a Galera cluster, the server may end a transaction at any time, because of a commit on
/// another node. A statement that is being prepared at that moment reports no error, and later
/// statements commit by themselves. So on a cluster:
///
/// 1. Begin with `SET autocommit = 0; START TRANSACTION; SAVEPOINT host`.
/// 2. Run `RELEASE SAVEPOINT host` just before the commit. It fails if the transaction is not the
///    same any more.
/// 3. Run `SET autocommit = 1` after the end.
///
/// A redemption takes three round trips: a savepoint, one message with all changes, and a
/// rollback to the end of that message. The rollback is sent together with the next statement on
/// the connection. A refusal takes four. A search takes three more than outside of a transaction,
/// so that no searched text is in the log.
pub type MySqlJoined<'t> = Joined<'t, MySql>;

/// The statements that commit the store's own transaction.
const COMMIT: &str = "RELEASE SAVEPOINT invitation; COMMIT; SET autocommit = 1";
/// The statements that roll back the store's own transaction.
const ROLLBACK: &str = "ROLLBACK; SET autocommit = 1";

impl Dialect for MySql {
    type Int = i64;
    type OptInt = Option<i64>;
    type Text = Utf8;
    type OptText = Option<String>;
    type OptBlob = Option<Vec<u8>>;
    type ColumnNumber = usize;
    type Exec<'c> = &'c mut MySqlConnection;
    type Sink = MySqlSink;
    // The ROLLBACK undoes a transaction that is still open on the connection, because beginning a
    // new one would commit it.
    //
    // A cluster may end a transaction at any time because of another node, and not every answer
    // reports that. With `autocommit = 0` later statements do not commit by themselves, and the
    // missing savepoint reveals the end.
    const BEGIN: &'static str = "ROLLBACK; SET autocommit = 0; \
         SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; SAVEPOINT invitation";
    // The protocol counts the values in 16 bits. A quarter of that limit keeps a statement with
    // the longest rows within MariaDB's default max_allowed_packet, 16 MB.
    const MAX_BINDS: usize = 16_384;

    fn exec(conn: &mut MySqlConnection) -> &mut MySqlConnection {
        conn
    }

    fn affected(result: &MySqlQueryResult) -> u64 {
        // The driver sets CLIENT_FOUND_ROWS, so this is the number of rows that matched.
        result.rows_affected()
    }

    fn classify(error: &dyn DatabaseError) -> StoreErrorKind {
        let error = error.try_downcast_ref::<MySqlDatabaseError>();
        match error.map(|error| (error.number(), error.message())) {
            // no such table
            Some((1146, message)) if names_a_table(message) => StoreErrorKind::NotMigrated,
            Some((number, _)) => errors::kind(number),
            None => StoreErrorKind::Other,
        }
    }
}

impl Syntax for MySql {
    // Two nodes of a cluster conflict only if a row really changes.
    const LOCK_BY_UPDATE: &'static str = "touched = touched + 1";
    // MariaDB has no FOR SHARE.
    const FOR_SHARE: &'static str = " LOCK IN SHARE MODE";
    const FOR_UPDATE: &'static str = " FOR UPDATE";

    fn use_index(index: &str) -> String {
        // The planner's own choice may read far more rows than the query needs.
        format!(" FORCE INDEX ({index})")
    }

    fn is_open() -> &'static str {
        // There are no partial indexes, so the state is the first column of these.
        "= 0"
    }

    fn on_conflict(_: &str) -> String {
        " ON DUPLICATE KEY UPDATE ".to_owned()
    }

    fn new_value(column: &str) -> String {
        // MariaDB has no alias for the new row.
        format!("VALUES({column})")
    }

    fn skip_existing(key: &str) -> String {
        // `INSERT IGNORE` would also hide other errors. An assignment of the old value changes
        // nothing.
        let column = key.split(", ").next().unwrap_or(key);
        format!("{}{column} = {column}", Self::on_conflict(key))
    }

    fn lock_quota() -> String {
        // Two nodes of a cluster conflict only if a row really changes.
        Self::on_conflict("") + "counted = counted + 1"
    }

    fn locking_read(conn: &MySqlConnection) -> &'static str {
        // A host's transaction may be REPEATABLE READ. Its plain reads see the state at its
        // beginning, and its locking reads see the current state. The store's own transactions do
        // not need this.
        let is_hosts = Self::TransactionManager::get_transaction_depth(conn) > 0;
        if is_hosts { Self::FOR_SHARE } else { "" }
    }
}
