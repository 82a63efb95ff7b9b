//! The PostgreSQL dialect.

mod arrays;
mod by_validity_length;
mod entries;
mod errors;
mod feed;
mod migrating;
mod redeem;
mod statement;
mod step;
mod transaction;

use invitation_core::{StoreError, StoreErrorKind};
use sqlx::{
    PgConnection, Pool, Postgres, QueryBuilder, error::DatabaseError, postgres::PgQueryResult,
};

use crate::{
    Joined, SqlStore,
    dialect::{ByValidityLength, Dialect, Syntax},
    list::Index,
    names::Names,
    render,
    statement::Statement,
    values::Value,
};

/// A store in a PostgreSQL database, version 13 or later, whose encoding must be UTF-8.
///
/// The store's own transactions are `READ COMMITTED`, whatever the server's default. They never
/// loosen the server's durability.
///
/// A statement waits for a lock as long as the server's `lock_timeout` allows, which is unlimited by
/// default. Set it on the pool's connections, as in `PgConnectOptions::options([("lock_timeout",
/// "5s")])`.
///
/// A count by status reads entries of an index, up to one more than its cap for each status. A
/// count by anything but the status, the expiry and the division reads each invitation with that
/// property. A count of a search examines at most 10,000 candidates; with more, its numbers are
/// lower bounds.
///
/// ```no_run
/// # mod invitation {
/// #     pub use invitation_core::*;
/// #     pub use invitation_sqlx::{self as sql, PgStore};
/// # }
/// use invitation::{
///     Invitations, PgStore,
///     sql::sqlx::postgres::{PgConnectOptions, PgPoolOptions},
/// };
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// // The pool of the host, which its accounts use, too.
/// let options: PgConnectOptions = "postgres://app@localhost/app".parse()?;
/// let options = options.options([("lock_timeout", "5s")]);
/// let pool = PgPoolOptions::new().max_connections(20).connect_with(options).await?;
///
/// let store = PgStore::new(pool.clone());
/// store.migrate().await?;
/// let invitations = Invitations::new(store);
/// # Ok(())
/// # }
/// ```
pub type PgStore = SqlStore<Postgres>;

impl SqlStore<Postgres> {
    /// Connects to the database of this URL (`postgres://…`) with a pool of sqlx's default
    /// options, and brings the tables up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be reached or migrated.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::opened(Pool::connect(url)).await
    }
}

/// A store inside a host's PostgreSQL transaction, of any isolation level.
pub type PgJoined<'t> = Joined<'t, Postgres>;

impl Dialect for Postgres {
    type Int = i64;
    type OptInt = Option<i64>;
    type Text = String;
    type OptText = Option<String>;
    type OptBlob = Option<Vec<u8>>;
    type ColumnNumber = usize;
    type Exec<'c> = &'c mut PgConnection;
    type Sink = QueryBuilder<Self>;
    const BEGIN: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED";
    // The protocol counts the values in 16 bits:
    // https://www.postgresql.org/docs/current/protocol-message-formats.html
    const MAX_BINDS: usize = 65_535;

    fn exec(conn: &mut PgConnection) -> &mut PgConnection {
        conn
    }

    fn affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    fn classify(error: &dyn DatabaseError) -> StoreErrorKind {
        errors::kind(&error.code().unwrap_or_default(), error.message())
    }
}

impl Syntax for Postgres {
    const FOR_SHARE: &'static str = " FOR SHARE";
    const FOR_UPDATE: &'static str = " FOR UPDATE";

    fn each_by_key(invitations: &str, _: &str) -> String {
        // The lateral join reads one invitation at a time. A plain join might read the whole
        // table.
        format!(
            " CROSS JOIN LATERAL (SELECT * FROM {invitations} x WHERE x.id = c.which OFFSET 0) i"
        )
    }

    fn addresses_at_once() -> usize {
        // They are one value.
        10_000
    }

    fn invited_to(
        s: &mut Statement<Self>,
        names: &Names,
        addresses: &[&str],
        conditions: impl FnOnce(&mut Statement<Self>),
    ) {
        // The lateral join reads one address at a time. For a list of hundreds, a planner without
        // statistics reads the whole table, as in the transaction of a large import.
        s.sql("unnest(")
            .sink
            .push_bind(addresses.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        s.sql("::text[]) a (address) CROSS JOIN LATERAL (SELECT i.division, i.email_key FROM ");
        render::by_index(s, names, Index::CodesInvitee);
        s.sql(" WHERE i.email_key = a.address");
        conditions(s);
        s.sql(" OFFSET 0) i");
    }

    // PostgreSQL's planner chooses by statistics and accepts no index hints. For a subquery it
    // makes the same plan whatever the value is.
    fn hide_from_planner(s: &mut Statement<Self>, write: impl FnOnce(&mut Statement<Self>)) {
        s.sql("(SELECT ");
        write(s);
        s.sql(")");
    }

    fn scans_whole_key(fixed: usize) -> bool {
        // PostgreSQL expects few rows for an equality until it has statistics of the table. It
        // would then use any index and sort the rows. With a second fixed column, the range would
        // read all rows with the first value; so would a limit at its far end, which callers rule
        // out.
        fixed <= 1
    }

    fn by_validity_length() -> Option<ByValidityLength<Self>> {
        Some(by_validity_length::begin)
    }

    fn push_rows(s: &mut Statement<Self>, rows: Vec<Vec<Value<'_>>>) {
        if let [row] = &rows[..] {
            s.sql("VALUES (").values(row.iter().cloned()).sql(")");
            return;
        }
        // `UNNEST` stands in the select list, where PostgreSQL passes on one row at a time. In
        // FROM it would first store all rows.
        for (n, column) in arrays::of(rows).into_iter().enumerate() {
            s.sql(if n == 0 { "SELECT UNNEST(" } else { ", UNNEST(" });
            column.bind(s);
            s.sql(")");
        }
    }
}
