//! Several statements that are sent as one message, with one round trip.

use std::mem;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Either, Executor, MySql, MySqlConnection, mysql::MySqlRow, raw_sql};

use invitation_core::StoreError;

use super::COMMIT;
use crate::{
    dialect::Dialect,
    error::{commit_error, is_unique_violation, store_error},
    statement::Statement,
};

/// Statements that are sent together. The server runs them in order and stops at the first one
/// that fails.
#[derive(Default)]
pub(super) struct Message {
    text: String,
    statements: usize,
    /// The number of statements before the commit, if there is one.
    before_commit: Option<usize>,
    /// Whether a statement carries a secret. The driver logs the text, so it is not sent.
    has_secret: bool,
}

/// The rows that the server returned for each statement.
pub(super) type ResultSets = Vec<Vec<MySqlRow>>;

/// The error of a message whose statements did not all run.
pub(super) struct MessageError {
    error: sqlx::Error,
    /// Whether no statement of the message can have been committed.
    uncommitted: bool,
}

impl MessageError {
    /// Whether a unique key was taken. The transaction or the savepoint is then still open.
    pub(super) fn is_taken(&self) -> bool {
        self.uncommitted && is_unique_violation(&self.error)
    }

    pub(super) fn into_store_error(self, operation: &'static str) -> StoreError {
        if self.uncommitted {
            store_error::<MySql>(operation, self.error)
        } else {
            commit_error::<MySql>(operation, self.error)
        }
    }
}

impl Message {
    pub(super) fn add(&mut self, statement: Statement<MySql>) {
        match statement.sink.into_inlined() {
            Some(sql) => self.add_sql(&sql),
            None => self.has_secret = true,
        }
    }

    /// Adds statements without values, such as those that begin or end transactions.
    pub(super) fn add_sql(&mut self, sql: &str) {
        if !self.text.is_empty() {
            self.text.push_str("; ");
        }
        self.text.push_str(sql);
        // Values are numbers and hexadecimal literals, so no value contains a semicolon.
        self.statements += sql.split(';').count();
    }

    /// Creates a message that begins a transaction of the store's own.
    pub(super) fn beginning() -> Self {
        let mut message = Self::default();
        message.add_sql(MySql::BEGIN);
        message
    }

    /// Adds the commit. It runs only if all statements before it succeed.
    pub(super) fn commit(&mut self) {
        self.before_commit = Some(self.statements);
        self.add_sql(COMMIT);
    }

    /// Returns the number of statements.
    pub(super) fn len(&self) -> usize {
        self.statements
    }

    /// Sends the message and waits for all results.
    pub(super) async fn send(self, conn: &mut MySqlConnection) -> Result<ResultSets, MessageError> {
        let (statements, before_commit) = (self.statements, self.before_commit);
        let mut answers = Vec::with_capacity(statements);
        let mut rows = Vec::new();
        let mut results = conn.fetch_many(raw_sql(AssertSqlSafe(self.into_text()?)));
        loop {
            match results.try_next().await {
                Ok(Some(Either::Right(row))) => rows.push(row),
                Ok(Some(Either::Left(_))) => answers.push(mem::take(&mut rows)),
                Ok(None) => return Ok(answers),
                Err(error) => {
                    // If the connection was lost, the server may have run any number of the
                    // statements.
                    let is_said = error.as_database_error().is_some();
                    let uncommitted =
                        before_commit.is_none_or(|before| is_said && answers.len() < before);
                    return Err(MessageError { error, uncommitted });
                }
            }
        }
    }

    fn into_text(self) -> Result<String, MessageError> {
        if self.has_secret {
            let error = sqlx::Error::Encode("a message must not contain a secret".into());
            return Err(MessageError { error, uncommitted: true });
        }
        Ok(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_with_a_secret_is_not_sent() {
        let mut statement = Statement::new("SELECT ");
        statement.text("anna@example.com");
        let mut message = Message::default();
        message.add(statement);
        assert_eq!(message.statements, 1);
        let mut secret = Statement::new("SELECT ");
        secret.text("anna@example.com").keep_secret();
        message.add(secret);
        let error = message.into_text().err().unwrap();
        let error = error.into_store_error("apply");
        assert_eq!(error.kind(), invitation_core::StoreErrorKind::Other);
    }
}
