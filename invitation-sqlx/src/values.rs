//! The values of a row.

use std::{borrow::Cow, fmt};

use invitation_core::EventId;

/// A value in a statement.
#[derive(Clone)]
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub enum Value<'a> {
    /// An integer, or NULL.
    Int(Option<i64>),
    /// A text, or NULL.
    Text(Option<Cow<'a, str>>),
    /// Bytes, or NULL.
    Blob(Option<Cow<'a, [u8]>>),
    /// An SQL expression that stands in place of a value.
    Sql(Cow<'static, str>),
}

impl<'a> Value<'a> {
    pub(crate) fn int(value: impl Into<Option<i64>>) -> Self {
        Self::Int(value.into())
    }

    pub(crate) fn text(value: impl Into<Option<&'a str>>) -> Self {
        Self::Text(value.into().map(Cow::Borrowed))
    }

    pub(crate) fn blob(value: impl Into<Option<&'a [u8]>>) -> Self {
        Self::Blob(value.into().map(Cow::Borrowed))
    }

    pub(crate) fn id(value: Option<EventId>) -> Self {
        Self::Blob(value.map(|id| Cow::Owned(id.as_bytes().to_vec())))
    }

    pub(crate) fn sql(expression: impl Into<Cow<'static, str>>) -> Self {
        Self::Sql(expression.into())
    }
}

/// Does not show the value, because it may be secret.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int(_) => "Int",
            Self::Text(_) => "Text",
            Self::Blob(_) => "Blob",
            Self::Sql(_) => "Sql",
        })
    }
}

/// A value that can be written as a row of a table.
pub(crate) trait InputRow: Sync {
    /// Whether the row contains a code or an address.
    fn is_secret(&self) -> bool {
        false
    }

    /// Returns the values of all columns, in the order of the columns.
    fn values(&self) -> Vec<Value<'_>>;
}

impl<R: InputRow> InputRow for &R {
    fn is_secret(&self) -> bool {
        R::is_secret(self)
    }

    fn values(&self) -> Vec<Value<'_>> {
        R::values(self)
    }
}
