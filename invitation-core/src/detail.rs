//! Further details of an event, and their JSON text.

use serde::{Deserialize, Serialize};

/// Further details of an event: a short list of names with short values.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Detail(Vec<(String, String)>);

impl Detail {
    /// The maximum length of a value, in bytes. Longer values are cut.
    pub const MAX_VALUE: usize = 500;

    /// The name of the value that says to whom a code is bound: a masked address, a domain, or
    /// `anyone`.
    pub const BOUND_TO: &str = "bound_to";

    /// Returns an empty detail.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a value under a name, cut to [`MAX_VALUE`](Self::MAX_VALUE) bytes.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let mut end = value.len().min(Self::MAX_VALUE);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        self.0.push((name.to_owned(), value[..end].to_owned()));
        self
    }

    /// Returns this detail with the values for which `value` returns another one.
    pub(crate) fn replaced<'v>(&self, value: impl Fn(&str, &str) -> Option<&'v str>) -> Self {
        let pairs = self
            .iter()
            .map(|(name, old)| (name.to_owned(), value(name, old).unwrap_or(old).to_owned()));
        Self(pairs.collect())
    }

    /// Returns the JSON text of this detail with one more pair, whose value is missing.
    pub(crate) fn template(&self, name: &str) -> DetailTemplate {
        let mut before = String::from("[");
        for (name, value) in self.iter() {
            before.push_str(&Self::json_pair(name, value));
            before.push(',');
        }
        let last = Self::json_pair(name, "");
        let (name, after) = last.split_at(last.len().saturating_sub(END_OF_VALUE.len()));
        DetailTemplate { before: before + name, after: format!("{after}]") }
    }

    /// Returns the text of one pair within the JSON text of a detail. The text of a detail has it
    /// only where it has this pair: within a name or a value, quotes are escaped.
    pub(crate) fn json_pair(name: &str, value: &str) -> String {
        serde_json::Value::from_iter([name, value]).to_string()
    }

    /// Returns whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names and values, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the first value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(own, value)| (own == name).then_some(value))
    }

    /// Returns the JSON text that a store keeps: a list of pairs.
    #[must_use]
    pub fn to_json(&self) -> String {
        let pairs = self.0.iter().map(|(name, value)| vec![name.clone(), value.clone()]);
        pairs.collect::<serde_json::Value>().to_string()
    }

    /// Reads the JSON text that a store kept; none when the text is not a list of pairs.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The end of a JSON pair after its value.
const END_OF_VALUE: &str = "\"]";

/// The JSON text of a detail in two parts, between which a store writes one value.
///
/// It is for stores that learn the value only within their atomic step, for example in a
/// script on the server. The value consists of ASCII letters, digits and hyphens, so that
/// it needs no escapes: a number or an id.
///
/// ```
/// # use invitation_core as invitation;
/// # use std::num::NonZeroU32;
/// # use invitation::{audit::Detail, store::Purge};
/// # fn of(purge: &Purge) {
/// let template = purge.evidence_template();
/// let json = [template.before(), "17", template.after()].concat();
/// assert_eq!(Detail::from_json(&json), Some(purge.evidence(17).detail));
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetailTemplate {
    before: String,
    after: String,
}

impl DetailTemplate {
    /// Returns the text before the value.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.before
    }

    /// Returns the text after the value.
    #[must_use]
    pub fn after(&self) -> &str {
        &self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_with_its_value_is_the_detail() {
        for detail in [
            Detail::none(),
            Detail::none().with("reason", "a \"quoted\" \\ text, [1]\n"),
            Detail::none().with("a", "1").with("b", ""),
        ] {
            for value in ["0", "17", "0197a3c0-0000-7000-8000-000000000001"] {
                let template = detail.template("re\"moved");
                let json = [template.before(), value, template.after()].concat();
                assert_eq!(json, detail.clone().with("re\"moved", value).to_json());
            }
        }
    }

    #[test]
    fn detail_keeps_order_and_is_bounded() {
        let long = "é".repeat(Detail::MAX_VALUE);
        let detail = Detail::none().with("b", "1").with("a", &long);
        assert_eq!(detail.get("a").unwrap().len(), Detail::MAX_VALUE);
        assert_eq!(detail.iter().next(), Some(("b", "1")));
        assert_eq!(Detail::from_json(&detail.to_json()), Some(detail));
        assert_eq!(Detail::from_json("{}"), None);
    }
}
