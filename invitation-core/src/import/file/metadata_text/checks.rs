//! What a tree of JSON values does not keep of its text.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

/// Returns whether a JSON text has an integer that fits neither 64 bits with a sign nor 64 bits
/// without one. A tree of values keeps it as a floating-point number, with 16 of its digits.
pub(super) fn has_wide_integer(json: &str) -> bool {
    let is_wide = |number: &str| {
        let is_integer = number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        is_integer && number.parse::<i64>().is_err() && number.parse::<u64>().is_err()
    };
    let is_apart = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
    let is_number = |word: &&str| word.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    outside_of_strings(json).any(|part| part.split(is_apart).filter(is_number).any(is_wide))
}

/// Returns the parts of a valid JSON text between its strings.
fn outside_of_strings(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(json);
    std::iter::from_fn(move || {
        let Some((part, string)) = rest?.split_once('"') else { return rest.take() };
        rest = end_of_string(string);
        Some(part)
    })
}

/// Returns the text behind the string whose opening quote is in front of `text`; none if the string
/// does not end.
fn end_of_string(text: &str) -> Option<&str> {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })?;
    text.get(end + 1..)
}

/// Returns whether an object of a valid JSON text has a key twice. A tree of values keeps the last
/// value of the key only.
pub(super) fn repeats_a_key(json: &str) -> bool {
    serde_json::from_str::<UniqueKeys>(json).is_err()
}

/// A JSON value without its content. Reading it fails if an object repeats a key.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = UniqueKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without repeated keys")
    }

    fn visit_unit<E: Error>(self) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<UniqueKeys, A::Error> {
        while items.next_element::<UniqueKeys>()?.is_some() {}
        Ok(UniqueKeys)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<UniqueKeys, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, UniqueKeys)) = fields.next_entry::<String, UniqueKeys>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a key is repeated"));
            }
        }
        Ok(UniqueKeys)
    }
}
