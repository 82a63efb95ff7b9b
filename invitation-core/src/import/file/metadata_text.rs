//! Metadata as a client sends it.

mod checks;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use self::checks::{has_wide_integer, repeats_a_key};
use crate::{field_error::FieldError, metadata::Metadata};

/// The longest metadata text that is parsed, in bytes. White space and escapes may make
/// it longer than the compact form that is stored.
const MAX_TEXT: usize = 16 * Metadata::MAX_BYTES;

/// Metadata from JSON, or its mistake.
///
/// The metadata is found as a slice of the body. A tree of JSON values is built only from
/// a text that is short enough: a tree of the whole body would take a hundred times its
/// memory.
#[derive(Clone, Debug)]
pub struct MetadataText(Result<Metadata, FieldError>);

impl MetadataText {
    pub(super) fn read(self) -> Result<Metadata, FieldError> {
        self.0
    }

    fn of_text(text: &str) -> Self {
        let invalid = |message: String| Err(FieldError::new("metadata", message));
        Self(if text.len() > MAX_TEXT {
            invalid(format!("must not be longer than {} bytes as JSON", Metadata::MAX_BYTES))
        } else if !text.starts_with('{') {
            invalid("must be a JSON object".to_owned())
        } else {
            match serde_json::from_str::<Value>(text) {
                // A tree of values would silently round the integer, or drop a value.
                Ok(_) if has_wide_integer(text) => {
                    invalid("must have no integer beyond 64 bits, except as a text".to_owned())
                }
                Ok(_) if repeats_a_key(text) => {
                    invalid("must have no key twice in one object".to_owned())
                }
                Ok(value) => Metadata::new(value),
                Err(_) => invalid(format!(
                    "must be a JSON object of at most {} levels, with numbers and texts in range",
                    Metadata::MAX_LEVELS
                )),
            }
        })
    }
}

impl<'de> Deserialize<'de> for MetadataText {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(json).map(|raw| Self::of_text(raw.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        metadata: Option<MetadataText>,
    }

    /// Reads metadata the way a body is read: through `serde_path_to_error`.
    fn read(metadata: &str) -> Result<Metadata, FieldError> {
        let json = format!("{{\"metadata\": {metadata}}}");
        let mut json = serde_json::Deserializer::from_str(&json);
        let sample: Sample = serde_path_to_error::deserialize(&mut json).unwrap();
        sample.metadata.unwrap().read()
    }

    #[test]
    fn what_is_kept_is_compact() {
        assert_eq!(read(" {\"a\" : [ 1 ,\n2 ]} ").unwrap().as_json(), "{\"a\":[1,2]}");
        let spaced = format!("{{{}\"a\":1}}", " ".repeat(10_000));
        assert_eq!(read(&spaced).unwrap().as_json(), "{\"a\":1}");
        let sample: Sample = serde_json::from_str("{\"metadata\": null}").unwrap();
        assert!(sample.metadata.is_none());
    }

    #[test]
    fn what_is_no_small_object_is_invalid() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let wide = format!("{{\"a\":[{}0]}}", "0,".repeat(400_000));
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(5_000));
        for json in
            ["1", "\"a\"", "[]", "{\"a\":1e999}", "{\"a\":\"\\ud800\"}", &deep, &wide, &large]
        {
            assert_eq!(read(json).unwrap_err().field(), "metadata", "{json:.30}");
        }
        assert!(read("{\"a\":{\"b\":[1]}}").is_ok());
        assert!(read("{\"a\":{\"b\":[[1]]}}").is_err());
    }

    #[test]
    fn what_a_tree_of_values_would_change_is_invalid() {
        for json in [
            "{\"a\":18446744073709551616}",
            "{\"a\":[0,-9223372036854775809]}",
            "{\"a\":123456789012345678901234567890}",
            "{\"a\":1,\"a\":2}",
            "{\"a\":{\"b\":1,\"c\":2,\"\\u0062\":1}}",
        ] {
            let error = read(json).unwrap_err();
            assert_eq!(error.field(), "metadata", "{json}");
        }
        for json in [
            "{\"a\":18446744073709551615,\"b\":-9223372036854775808}",
            "{\"a\":1.5,\"b\":-2.5e-8,\"c\":{\"a\":1}}",
            "{\"a\":\"18446744073709551616 \\\" 18446744073709551616\"}",
            "{\"18446744073709551616\":[{\"a\":1},{\"a\":1}]}",
        ] {
            assert_eq!(read(json).unwrap().as_json(), json);
        }
    }
}
