//! Statements whose values can be a part of the text.
//!
//! sqlx's MySQL driver does not survive that a call is dropped while it prepares a statement. It
//! expects one answer to each statement that it sends. A new statement has two: one to its
//! preparation, and one to its execution. After the drop, the driver takes the first packet of
//! the first answer for all of it, and the connection is out of sync. Therefore:
//!
//! - A call that is dropped closes its connection, if the connection is the store's own.
//! - A host's connection gets statements with inlined values, which need no preparation.
//! - If such a text would contain a secret, the statement is prepared behind a guard
//!   (see [`arm_drop_guard`](super::step::arm_drop_guard)).

use std::fmt::{self, Display, Write};

use sha2::{Digest, Sha256};
use sqlx::{
    AssertSqlSafe, MySql, MySqlConnection, QueryBuilder, SqlSafeStr, SqlStr,
    error::BoxDynError,
    mysql::{MySqlArguments, MySqlTransactionManager},
};
use sqlx_core::transaction::TransactionManager;

use crate::{statement::StatementSink, values::Value};

/// A statement in two forms: to be prepared, and with its values in the text.
#[expect(unnameable_types, reason = "an associated type of a sealed trait")]
#[derive(Default)]
pub struct MySqlSink {
    prepared: QueryBuilder<MySql>,
    /// The text with its values. All of them are numbers and hexadecimal literals.
    inlined: String,
    is_secret: bool,
    sends_inlined: bool,
}

impl MySqlSink {
    /// Returns the text with its values, to be sent together with other statements.
    pub(super) fn into_inlined(self) -> String {
        debug_assert!(!self.is_secret, "a secret is never in the text");
        self.inlined
    }

    fn inline(&mut self, part: impl Display) {
        // Writing to a string cannot fail.
        write!(self.inlined, "{part}").ok();
    }
}

impl StatementSink<MySql> for MySqlSink {
    fn push_sql(&mut self, part: impl Display) {
        self.inline(&part);
        self.prepared.push_sql(part);
    }

    fn push_value(&mut self, value: Value<'_>) {
        match &value {
            Value::Int(Some(number)) => self.inline(number),
            Value::Text(Some(text)) => self.inline(Hex(text.as_bytes())),
            Value::Blob(Some(bytes)) => self.inline(Hex(bytes)),
            Value::Int(None) | Value::Text(None) | Value::Blob(None) => self.inline("NULL"),
            Value::Sql(expression) => self.inline(expression),
        }
        self.prepared.push_value(value);
    }

    /// Compares the digests of the addresses in the inlined text, because the driver logs it.
    fn push_is_address(&mut self, column: &str, address: &str) {
        let digest = Sha256::digest(address);
        self.inline(format_args!("UNHEX(SHA2({column}, 256)) = {}", Hex(&digest)));
        self.prepared.push_is_address(column, address);
    }

    fn keep_secret(&mut self) {
        self.is_secret = true;
    }

    fn choose_form(&mut self, conn: &MySqlConnection) {
        let is_hosts = MySqlTransactionManager::get_transaction_depth(conn) > 0;
        self.sends_inlined = is_hosts && !self.is_secret;
    }

    fn take_arguments(&mut self) -> Result<Option<MySqlArguments>, BoxDynError> {
        if self.sends_inlined { Ok(None) } else { self.prepared.take_arguments() }
    }

    fn into_text(self) -> SqlStr {
        if self.sends_inlined {
            AssertSqlSafe(self.inlined).into_sql_str()
        } else {
            self.prepared.into_text()
        }
    }
}

/// Shows no values, because they may be secret.
impl fmt::Debug for MySqlSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlSink").finish_non_exhaustive()
    }
}

/// A hexadecimal literal of bytes.
struct Hex<'v>(&'v [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("x'")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("'")
    }
}
