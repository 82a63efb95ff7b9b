//! Metadata that a host attaches to an invitation.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field_error::FieldError;

/// A small JSON object that a host attaches to an invitation, such as a start date, a
/// team or a note. The library stores and returns it, and never interprets it.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::Metadata;
/// use serde_json::json;
///
/// let metadata = Metadata::new(json!({"starts": "2027-01-04"}))?;
/// assert_eq!(metadata.as_json(), r#"{"starts":"2027-01-04"}"#);
/// assert!(Metadata::new(json!("a string")).is_err());
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Metadata(Arc<str>);

impl Metadata {
    /// The maximum length of the JSON text, in bytes.
    pub const MAX_BYTES: usize = 4_096;
    /// The maximum nesting depth of objects and lists, the outermost object included.
    pub const MAX_LEVELS: usize = 3;

    /// Creates metadata from a JSON object.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] when the value is not an object, or exceeds the maximum length
    /// or depth.
    // The argument is taken by value, like that of every constructor that keeps its
    // input.
    #[expect(clippy::needless_pass_by_value)]
    pub fn new(value: Value) -> Result<Self, FieldError> {
        let text = value.to_string();
        Self::check(&value, &text)?;
        Ok(Self(Arc::from(text)))
    }

    /// Reads metadata from the JSON text that a store kept.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] when the text is not JSON, or is not accepted by
    /// [`new`](Self::new).
    pub fn from_json(text: &str) -> Result<Self, FieldError> {
        // The length is checked before parsing, because a parsed tree takes many times
        // the memory of its text.
        Self::check_length(text)?;
        match serde_json::from_str(text) {
            // The text is stored unchanged, because serialising a number again may write
            // it differently.
            Ok(value) => Self::check(&value, text).map(|()| Self(Arc::from(text))),
            Err(_) => Err(FieldError::new("metadata", "must be a JSON object")),
        }
    }

    fn check(value: &Value, text: &str) -> Result<(), FieldError> {
        let invalid = |message: String| Err(FieldError::new("metadata", message));
        if !value.is_object() {
            return invalid("must be a JSON object".to_owned());
        }
        if !fits(value, Self::MAX_LEVELS) {
            return invalid(format!("must not nest deeper than {} levels", Self::MAX_LEVELS));
        }
        Self::check_length(text)
    }

    fn check_length(text: &str) -> Result<(), FieldError> {
        if text.len() > Self::MAX_BYTES {
            let message = format!("must not be longer than {} bytes as JSON", Self::MAX_BYTES);
            return Err(FieldError::new("metadata", message));
        }
        Ok(())
    }

    /// Returns the JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Returns the JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        // The text is valid JSON, because it was made from a value or parsed before.
        serde_json::from_str(&self.0).unwrap_or(Value::Null)
    }
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(fields) => levels > 0 && fields.values().all(|field| fits(field, levels - 1)),
        _ => true,
    }
}

impl fmt::Debug for Metadata {
    /// Writes only the size, because metadata may contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metadata({} bytes)", self.0.len())
    }
}

impl TryFrom<Value> for Metadata {
    type Error = FieldError;

    fn try_from(value: Value) -> Result<Self, FieldError> {
        Self::new(value)
    }
}

impl From<Metadata> for Value {
    fn from(metadata: Metadata) -> Self {
        metadata.to_value()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn is_bounded_in_depth_and_size() {
        assert!(Metadata::new(json!({"a": {"b": [1]}})).is_ok());
        assert!(Metadata::new(json!({"a": {"b": [[1]]}})).is_err());
        let fill = |n: usize| json!({ "a": "x".repeat(n) });
        assert!(Metadata::new(fill(Metadata::MAX_BYTES - 8)).is_ok());
        assert!(Metadata::new(fill(Metadata::MAX_BYTES - 7)).is_err());
        let long = format!("{{\"a\":[{}0]}}", "0,".repeat(100_000));
        assert!(Metadata::from_json(&long).unwrap_err().message().contains("longer"));
    }

    #[test]
    fn comes_back_as_it_was() {
        let value = json!({"nul": "\u{0}", "big": u64::MAX, "text": "a\u{301}", "none": null, "f": 31.245_270_191_439_438});
        let kept = Metadata::new(value.clone()).unwrap();
        assert_eq!(Metadata::from_json(kept.as_json()).unwrap().to_value(), value);
        assert!(!kept.as_json().contains('\0'));
    }

    #[test]
    fn refuses_text_that_is_not_an_object() {
        for text in ["", "null", "[]", "{", "{\"a\":1}{}"] {
            assert_eq!(Metadata::from_json(text).unwrap_err().field(), "metadata");
        }
    }
}
