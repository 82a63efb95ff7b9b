//! Several statements as one message: one round trip for all of them.

use std::mem;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Either, Executor, raw_sql};

use invitation_core::StoreError;

use crate::{
    dialect::Dialect,
    error::{commit_error, is_taken, store_error},
    statement::Statement,
};

/// Statements that are sent together. The server takes them in turn, and none of those
/// behind one that fails.
#[derive(Default)]
pub(crate) struct Message {
    text: String,
    statements: usize,
    /// How many of them come before the commit, if there is one.
    before_commit: Option<usize>,
}

/// What the server gave back: the rows of each statement.
pub(crate) type ResultSets<DB> = Vec<Vec<<DB as sqlx::Database>::Row>>;

/// A message that was not taken to its end.
pub(crate) struct MessageError {
    error: sqlx::Error,
    /// Whether nothing of it can have been committed.
    uncommitted: bool,
}

impl MessageError {
    /// Whether a unique key was hit: the transaction, or the savepoint, is still open.
    pub(crate) fn is_taken(&self) -> bool {
        self.uncommitted && is_taken(&self.error)
    }

    pub(crate) fn into_store_error<DB: Dialect>(self, operation: &'static str) -> StoreError {
        if self.uncommitted {
            store_error::<DB>(operation, self.error)
        } else {
            commit_error::<DB>(operation, self.error)
        }
    }
}

impl Message {
    pub(crate) fn add<DB: Dialect>(&mut self, statement: Statement<DB>) {
        self.add_sql(&statement.into_inlined());
    }

    /// Adds statements without values, such as those about transactions.
    pub(crate) fn add_sql(&mut self, sql: &str) {
        if !self.text.is_empty() {
            self.text.push_str("; ");
        }
        self.text.push_str(sql);
        // No value has a semicolon in it: they are numbers and hexadecimal.
        self.statements += sql.split(';').count();
    }

    /// Begins a transaction of the store's own.
    pub(crate) fn beginning<DB: Dialect>() -> Self {
        let mut message = Self::default();
        message.add_sql(DB::BEGIN);
        message
    }

    /// Ends it well, if all went well before.
    pub(crate) fn commit<DB: Dialect>(&mut self) {
        self.before_commit = Some(self.statements);
        self.add_sql(DB::COMMIT);
    }

    /// How many statements there are.
    pub(crate) fn len(&self) -> usize {
        self.statements
    }

    /// Sends it, and waits for all of the answers.
    pub(crate) async fn send<DB: Dialect>(
        self,
        conn: &mut DB::Connection,
    ) -> Result<ResultSets<DB>, MessageError> {
        let mut answers = Vec::with_capacity(self.statements);
        let mut rows = Vec::new();
        let mut told = DB::exec(conn).fetch_many(raw_sql(AssertSqlSafe(self.text)));
        loop {
            match told.try_next().await {
                Ok(Some(Either::Right(row))) => rows.push(row),
                Ok(Some(Either::Left(_))) => answers.push(mem::take(&mut rows)),
                Ok(None) => return Ok(answers),
                Err(error) => {
                    // Of a connection that was lost, nobody knows how far the server went on.
                    let is_said = error.as_database_error().is_some();
                    let uncommitted =
                        self.before_commit.is_none_or(|before| is_said && answers.len() < before);
                    return Err(MessageError { error, uncommitted });
                }
            }
        }
    }
}
