//! PostgreSQL.

use std::borrow::Cow;

use invitation_core::StoreErrorKind;
use sqlx::{
    Connection, PgConnection, Postgres,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
    postgres::PgQueryResult,
};
use sqlx_core::transaction::TransactionManager;

use crate::{
    Joined, SqlStore,
    dialect::Dialect,
    ops,
    values::{Column, PushColumn},
};

/// A store in a PostgreSQL database, version 13 or later, whose encoding must be UTF-8.
///
/// Its own transactions are `READ COMMITTED`, whatever the server's default, and
/// never loosen the server's durability.
///
/// How long a call waits for a lock that somebody else holds is the server's
/// `lock_timeout`, which is unlimited by default: set it on the pool's connections,
/// as in `PgConnectOptions::options([("lock_timeout", "5s")])`.
///
/// That there are more invitations of a status than it is to count, it tells by one in 32 of
/// them, drawn at random when they are created: a number is taken for greater than it is with
/// a chance below 2⁻¹²⁸. Counts by anything but the status, the expiry and the division look
/// at what has it one by one, and those of a search at all that has its words.
pub type PgStore = SqlStore<Postgres>;

/// A store inside a host's PostgreSQL transaction, of any isolation level.
pub type PgJoined<'t> = Joined<'t, Postgres>;

/// What is locked while the tables are brought up to date: the first eight bytes of
/// "invitati", as PostgreSQL wants a number.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7597139816716792937)";

impl Dialect for Postgres {
    type Int = i64;
    type OptInt = Option<i64>;
    type Text = String;
    type OptText = Option<String>;
    type Blob = Vec<u8>;
    type OptBlob = Option<Vec<u8>>;
    type ColumnNumber = usize;
    type Exec<'c> = &'c mut PgConnection;

    const BEGIN: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED";
    const CANCEL_SAFE_SAVEPOINTS: bool = false;
    const CANCEL_SAFE: bool = true;
    // One that is dropped before the server has said that it began stays open.
    const CANCEL_ROLLS_BACK: bool = false;
    const SINGLE_WRITER: bool = false;
    const RETURNING: bool = true;
    const ROW_COMPARISON: bool = true;
    const INDEX_HINTS: bool = false;
    const STATS_SENSITIVE_PLANNER: bool = true;
    const LATERAL_JOINS: bool = true;
    const SAMPLED_COUNTS: bool = true;
    const ON_CONFLICT: bool = true;
    const SKIP_EXISTING_EVENT: &'static str = " ON CONFLICT (id) DO NOTHING";
    const LOCK_BY_UPDATE: &'static str = "held = held";
    // An update of the row that is there locks it; doing nothing would not.
    const LOCK_QUOTA: &'static str = " ON CONFLICT (kind, name) DO UPDATE SET kind = excluded.kind";
    const FOR_SHARE: &'static str = " FOR SHARE";
    const FOR_UPDATE: &'static str = " FOR UPDATE";
    const WRITING_CTES: bool = true;
    const MULTI_STATEMENTS: bool = false;
    const PUSH_COLUMN: Option<PushColumn<Self>> = Some(|builder, column| {
        match column {
            Column::Ints(values) => builder.push_bind(values),
            Column::Texts(values) => builder.push_bind(values),
            Column::Blobs(values) => builder.push_bind(values),
        };
    });
    // The protocol counts them in 16 bits:
    // https://www.postgresql.org/docs/current/protocol-message-formats.html
    const MAX_BINDS: usize = 65_535;
    const MIGRATIONS: &'static [&'static str] = &[include_str!("../schema/postgres/0001_init.sql")];

    fn exec(conn: &mut PgConnection) -> &mut PgConnection {
        conn
    }

    fn affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    fn locking_read(_: &PgConnection) -> &'static str {
        ""
    }

    fn classify(error: &dyn DatabaseError) -> StoreErrorKind {
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        let code = error.code().unwrap_or(Cow::Borrowed(""));
        match (&*code, code.get(..2)) {
            // serialization failure, deadlock, lock not available
            ("40001" | "40P01" | "55P03", _) => StoreErrorKind::Conflict,
            // connection, resources, operator intervention, system error
            (_, Some("08" | "53" | "57" | "58")) => StoreErrorKind::Unavailable,
            // data or index corrupted
            ("XX001" | "XX002", _) => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Other,
        }
    }

    async fn end_transaction(conn: &mut PgConnection) -> bool {
        // Outside of a transaction it does nothing, with a warning.
        ops::unprepared::<Self>(conn, Self::ROLLBACK).await.is_ok()
            && Self::TransactionManager::get_transaction_depth(conn) == 0
    }

    async fn fail_closed(conn: &mut PgConnection, depth: usize) -> bool {
        // When a savepoint cannot be set, the driver undoes one level of the host's own.
        let is_undone = Self::TransactionManager::get_transaction_depth(conn) < depth;
        // A failed transaction refuses everything until it is rolled back, or until a
        // savepoint is returned to.
        if !is_undone && ops::unprepared::<Self>(conn, "SELECT 1").await.is_ok() {
            return true;
        }
        // The driver's commit does nothing, and succeeds, when it counts no transaction.
        while Self::TransactionManager::get_transaction_depth(conn) < depth {
            if Self::TransactionManager::begin(conn, None).await.is_err() {
                break;
            }
        }
        // The host's commit of a failed transaction would look like success: the server rolls
        // it back and reports no error, and the driver does not look at what it reports.
        if is_undone || depth == 1 {
            const END: &str = "ROLLBACK; SELECT pg_terminate_backend(pg_backend_pid())";
            // The answer is that the connection has ended.
            ops::unprepared::<Self>(conn, END).await.ok();
        }
        false
    }

    async fn migrate(
        conn: &mut PgConnection,
        migrator: &Migrator,
        _: &str,
    ) -> Result<(), MigrateError> {
        // One transaction around all of it, with a lock that ends with it, however it
        // ends: whoever comes second waits, and then finds everything done.
        let mut tx = conn.begin_with(Self::BEGIN).await?;
        sqlx::query(MIGRATION_LOCK).execute(&mut *tx).await?;
        if let Err(error) = migrator.run_direct(None, &mut *tx, false).await {
            // At once, so that the lock is free when this returns.
            tx.rollback().await?;
            return Err(error);
        }
        tx.commit().await?;
        Ok(())
    }
}
