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
//!   (see `expect_secrets` in [`step`](super::step)).

use std::{
    borrow::Cow,
    fmt::{self, Display, Write},
};

use sha2::{Digest, Sha256};
use sqlx::{
    Arguments, AssertSqlSafe, MySql, MySqlConnection, SqlSafeStr, SqlStr,
    error::BoxDynError,
    mysql::{MySqlArguments, MySqlTransactionManager},
};
use sqlx_core::transaction::TransactionManager;

use crate::{statement::StatementSink, values::Value};

/// A statement that can be sent in two forms: to be prepared, or with its values in the text.
#[expect(unnameable_types, reason = "an associated type of a sealed trait")]
#[derive(Default)]
pub struct MySqlSink {
    /// The text without its values.
    text: String,
    /// The values, each with its place in the text.
    values: Vec<(usize, Part)>,
    is_secret: bool,
    sends_inlined: bool,
}

/// What a statement has in the place of a value.
enum Part {
    Int(Option<i64>),
    /// Bytes, or a text. The columns of texts are binary, and the driver reads none as text.
    Bytes(Option<Vec<u8>>),
    /// The comparison of a column with an address.
    IsAddress {
        column: String,
        address: String,
    },
}

impl MySqlSink {
    /// Returns the text with its values, to be sent together with other statements. Returns `None`
    /// for a statement with a secret, which must not be in the text.
    pub(super) fn into_inlined(self) -> Option<String> {
        (!self.is_secret).then(|| self.text_with(Part::inline))
    }

    fn text_with(&self, write: impl Fn(&Part, &mut String)) -> String {
        let mut sql = String::with_capacity(self.text.len() + 64 * self.values.len());
        let mut begin = 0;
        for (end, value) in &self.values {
            sql.push_str(self.text.get(begin..*end).unwrap_or_default());
            write(value, &mut sql);
            begin = *end;
        }
        sql.push_str(self.text.get(begin..).unwrap_or_default());
        sql
    }

    fn push(&mut self, value: Part) {
        self.values.push((self.text.len(), value));
    }
}

impl StatementSink<MySql> for MySqlSink {
    fn push_sql(&mut self, part: impl Display) {
        // Writing to a string cannot fail.
        write!(self.text, "{part}").ok();
    }

    fn push_value(&mut self, value: Value<'_>) {
        match value {
            Value::Int(number) => self.push(Part::Int(number)),
            Value::Text(text) => {
                self.push(Part::Bytes(text.map(|text| text.into_owned().into_bytes())));
            }
            Value::Blob(bytes) => self.push(Part::Bytes(bytes.map(Cow::into_owned))),
            Value::Sql(expression) => self.text.push_str(&expression),
        }
    }

    fn push_is_address(&mut self, column: &str, address: &str) {
        let (column, address) = (column.to_owned(), address.to_owned());
        self.push(Part::IsAddress { column, address });
    }

    fn keep_secret(&mut self) {
        self.is_secret = true;
    }

    fn choose_form(&mut self, conn: &MySqlConnection) {
        let is_hosts = MySqlTransactionManager::get_transaction_depth(conn) > 0;
        self.sends_inlined = is_hosts && !self.is_secret;
    }

    fn take_arguments(&mut self) -> Result<Option<MySqlArguments>, BoxDynError> {
        if self.sends_inlined {
            return Ok(None);
        }
        let mut arguments = MySqlArguments::default();
        for (_, value) in &self.values {
            match value {
                Part::Int(number) => arguments.add(*number)?,
                Part::Bytes(bytes) => arguments.add(bytes.as_deref())?,
                Part::IsAddress { address, .. } => arguments.add(address.as_bytes())?,
            }
        }
        Ok(Some(arguments))
    }

    fn into_text(self) -> SqlStr {
        let write = if self.sends_inlined { Part::inline } else { Part::bind };
        AssertSqlSafe(self.text_with(write)).into_sql_str()
    }
}

impl Part {
    /// Writes the place of a value that is sent beside the text.
    fn bind(&self, sql: &mut String) {
        if let Self::IsAddress { column, .. } = self {
            sql.push_str(column);
            sql.push_str(" = ");
        }
        sql.push('?');
    }

    /// Writes the value itself, as a number or a hexadecimal literal. The text of an address is not
    /// written, because the driver logs the text of a statement: digests are compared instead.
    fn inline(&self, sql: &mut String) {
        match self {
            // Writing to a string cannot fail.
            Self::Int(Some(number)) => {
                write!(sql, "{number}").ok();
            }
            Self::Bytes(Some(bytes)) => push_hex(sql, bytes),
            Self::Int(None) | Self::Bytes(None) => sql.push_str("NULL"),
            Self::IsAddress { column, address } => {
                write!(sql, "UNHEX(SHA2({column}, 256)) = ").ok();
                push_hex(sql, &Sha256::digest(address));
            }
        }
    }
}

fn push_hex(sql: &mut String, bytes: &[u8]) {
    sql.push_str("x'");
    for half in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        sql.extend(char::from_digit(half.into(), 16));
    }
    sql.push('\'');
}

/// Shows no values, because they may be secret.
impl fmt::Debug for MySqlSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlSink").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_beside_the_text_or_in_it() {
        let mut sink = MySqlSink::default();
        sink.push_sql("SELECT ");
        sink.push_value(Value::int(-7));
        sink.push_sql(", ");
        sink.push_value(Value::text("a?\u{e9}"));
        sink.push_sql(", ");
        sink.push_value(Value::blob([0, 255].as_slice()));
        sink.push_sql(", ");
        sink.push_value(Value::text(None));
        sink.push_sql(", ");
        sink.push_value(Value::sql("1"));
        sink.push_sql(" FROM t WHERE ");
        sink.push_is_address("key", "anna@example.com");
        sink.push_sql(" LIMIT 1");
        let arguments = sink.take_arguments().unwrap().unwrap();
        assert_eq!(arguments.len(), 5);
        assert_eq!(sink.text_with(Part::bind), "SELECT ?, ?, ?, ?, 1 FROM t WHERE key = ? LIMIT 1");
        assert_eq!(
            sink.into_inlined().unwrap(),
            "SELECT -7, x'613fc3a9', x'00ff', NULL, 1 FROM t WHERE UNHEX(SHA2(key, 256)) = \
             x'f7d54c22dda5b1780276601cd005909b70543fc4a6ba72d735b4cb9bbb611f01' LIMIT 1"
        );
    }
}
