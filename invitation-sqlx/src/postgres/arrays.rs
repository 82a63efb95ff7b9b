//! The values of many rows, as one array for each column.

use sqlx::Postgres;

use crate::{statement::Statement, values::Value};

/// The values of one column.
pub(super) enum Array {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Blobs(Vec<Option<Vec<u8>>>),
}

impl Array {
    pub(super) fn bind(self, s: &mut Statement<Postgres>) {
        match self {
            Self::Ints(values) => s.sink.push_bind(values),
            Self::Texts(values) => s.sink.push_bind(values),
            Self::Blobs(values) => s.sink.push_bind(values),
        };
    }
}

/// Returns the columns of these rows, which all have the same columns.
pub(super) fn of(rows: Vec<Vec<Value<'_>>>) -> Vec<Array> {
    let mut columns: Vec<Array> = Vec::new();
    for row in rows {
        for (n, value) in row.into_iter().enumerate() {
            if n == columns.len() {
                columns.push(match value {
                    Value::Int(_) => Array::Ints(Vec::new()),
                    Value::Text(_) | Value::Sql(_) => Array::Texts(Vec::new()),
                    Value::Blob(_) => Array::Blobs(Vec::new()),
                });
            }
            // A value of another type becomes NULL, so that the values behind it stay in their
            // rows. No row contains an expression.
            match (columns.get_mut(n), value) {
                (Some(Array::Ints(column)), Value::Int(value)) => column.push(value),
                (Some(Array::Ints(column)), _) => column.push(None),
                (Some(Array::Texts(column)), Value::Text(value)) => {
                    column.push(value.map(Into::into));
                }
                (Some(Array::Texts(column)), _) => column.push(None),
                (Some(Array::Blobs(column)), Value::Blob(value)) => {
                    column.push(value.map(Into::into));
                }
                (Some(Array::Blobs(column)), _) => column.push(None),
                (None, _) => {}
            }
        }
    }
    columns
}
