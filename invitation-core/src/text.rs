//! The newtypes around a host's words: who, where, and as what.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// A word of the host is taken as it is, or not at all: nothing is trimmed,
/// folded or normalised, so two words are the same only byte for byte.
fn check(field: &'static str, max: usize, text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::new(field, "must not be empty"));
    }
    if text.len() > max {
        return Err(Invalid::new(field, format!("must not be longer than {max} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(field, "must not contain control characters"));
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err(Invalid::new(field, "must not begin or end with white space"));
    }
    Ok(())
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal) => {
        $(#[$doc])*
        ///
        /// Compared byte for byte. Cloning is cheap: the text is shared.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("The longest that is accepted, in bytes of UTF-8: ", $max, ".")]
            pub const MAX_BYTES: usize = $max;

            /// Takes the text as it is.
            ///
            /// # Errors
            ///
            /// [`Invalid`] when it is empty, longer than
            /// [`MAX_BYTES`](Self::MAX_BYTES), contains a control character, or
            /// begins or ends with white space.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Invalid> {
                let text = text.as_ref();
                check($field, Self::MAX_BYTES, text)?;
                Ok(Self(Arc::from(text)))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }
    };
}

text! {
    /// The host's key of a user: an id, never shown.
    UserId, "user_id", 128
}

text! {
    /// A user's name as people know it; what *Used By* shows.
    Username, "username", 128
}

text! {
    /// A role of the host, as in `staff`. Roles mean something only through a
    /// [`Policy`](crate::Policy): `Staff` and `staff` are two roles, and one
    /// that the policy does not know cannot be granted.
    Role, "role", 64
}

text! {
    /// The part of the organisation that an invitation belongs to.
    Division, "division", 64
}

text! {
    /// What ties an event to a request of the host, as a request id does.
    CorrelationId, "correlation_id", 128
}

text! {
    /// Where a call came from, as the host wants it in the audit trail: an
    /// address, a device, a worker's name.
    Source, "source", 128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_up_to_its_limit_and_no_byte_more() {
        assert!(Division::new("d".repeat(Division::MAX_BYTES)).is_ok());
        assert!(Division::new("d".repeat(Division::MAX_BYTES + 1)).is_err());
        // Bytes, not characters: a store's column is measured in bytes.
        assert!(Division::new("é".repeat(Division::MAX_BYTES / 2 + 1)).is_err());
    }

    #[test]
    fn refuses_what_would_not_survive_a_store_or_a_log_line() {
        for text in ["", " a", "a ", "a\u{a0}", "a\0b", "a\nb", "a\u{85}b"] {
            assert!(Username::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn keeps_the_text_byte_for_byte() {
        for text in ["Staff", "staff,manager", "équipe", "e\u{301}quipe", "{a}:b"] {
            assert_eq!(Role::new(text).unwrap().as_str(), text);
        }
        assert_ne!(Role::new("Staff").unwrap(), Role::new("staff").unwrap());
    }

    #[test]
    fn checks_when_deserialised() {
        assert!(serde_json::from_str::<Role>("\"staff\"").is_ok());
        let refused = serde_json::from_str::<Role>("\" staff\"").unwrap_err();
        assert!(refused.to_string().contains("role: must not begin"));
    }
}
