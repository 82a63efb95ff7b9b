//! Newtypes around texts of a host: ids, names, roles and divisions.

mod check;
#[cfg(test)]
pub(crate) mod hidden_texts;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use self::check::{check, readable};
use crate::{field_error::FieldError, unicode};

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal) => {
        $(#[$doc])*
        ///
        /// Values are compared byte for byte. Cloning is cheap, because clones share the
        /// text.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("The longest that is kept, in bytes of UTF-8: ", $max, ".")]
            pub const MAX_BYTES: usize = $max;

            /// Restores a text from a store, as it was written there. The text is not
            /// checked, so that values that an earlier release accepted stay readable.
            #[must_use]
            pub fn from_stored(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// Returns the text.
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
            type Error = FieldError;

            fn try_from(text: String) -> Result<Self, FieldError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.as_str().to_owned()
            }
        }
    };
}

/// Declares a text that programs compare. It is stored unchanged, or refused.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal) => {
        text! { $(#[$doc])* $name, $field, $max }

        impl $name {
            /// Creates the value from the text, without changing it.
            ///
            /// # Errors
            ///
            /// Returns [`FieldError`] when the text
            ///
            /// - is empty, or longer than [`MAX_BYTES`](Self::MAX_BYTES);
            /// - begins or ends with white space;
            /// - contains a character that cannot be seen: a control character, a line
            ///   separator, an invisible character, or one that changes the direction of
            ///   text.
            pub fn new(text: impl AsRef<str>) -> Result<Self, FieldError> {
                let text = text.as_ref();
                check($field, Self::MAX_BYTES, text)?;
                Ok(Self(Arc::from(text)))
            }
        }
    };
}

/// Declares a text that people read. It is stored in one normal form.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal) => {
        text! {
            $(#[$doc])*
            ///
            /// The name consists of letters, marks, digits, punctuation and symbols of
            /// any script, with single spaces between them. It is stored in Unicode's
            /// Normalization Form C.
            $name, $field, $max
        }

        impl $name {
            /// Creates the value from the text, in NFC and with U+0020 for every kind of
            /// space.
            ///
            /// # Errors
            ///
            /// Returns [`FieldError`] when the text
            ///
            /// - is empty, or longer than [`MAX_BYTES`](Self::MAX_BYTES) in NFC;
            /// - begins or ends with white space, or contains two spaces in a row;
            /// - begins with a combining mark;
            /// - contains a control character, a line separator, an invisible character, or
            ///   one that changes the direction of text;
            /// - contains a code point that Unicode assigns to no character or leaves to
            ///   private use.
            ///
            /// ZWJ and ZWNJ are accepted where RFC 5892 (A.1, A.2) allows them. The message
            /// names the position, in characters counted from 1.
            pub fn new(text: impl AsRef<str>) -> Result<Self, FieldError> {
                Ok(Self(Arc::from(readable($field, Self::MAX_BYTES, text.as_ref())?)))
            }
        }
    };
}

identifier! {
    /// The id of a user in the host's system.
    ///
    /// Managers and the audit trail show it beside the name. It is kept as long as the events
    /// are. So never put an e-mail address or a secret into it.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::UserId;
    ///
    /// let number: u64 = 7; // the key of the host's table
    /// let user = UserId::new(format!("u-{number}"))?;
    /// assert_eq!(user.as_str(), "u-7");
    ///
    /// // An id is kept as it is, or refused: here for its length.
    /// let refused = UserId::new("u".repeat(UserId::MAX_BYTES + 1)).unwrap_err();
    /// assert_eq!(refused.to_string(), "user_id: must not be longer than 128 bytes");
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    UserId, "user_id", 128
}

name! {
    /// The name of a user as people know it, which the column *Used By* shows.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::Username;
    ///
    /// assert_eq!(Username::new("山田\u{3000}太郎")?.as_str(), "山田 太郎");
    ///
    /// // An invisible character would make the name look like that of another user.
    /// let refused = Username::new("an\u{200b}na").unwrap_err();
    /// assert_eq!(refused.field(), "username");
    /// assert!(refused.message().ends_with("(position 3)"));
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    Username, "username", 128
}

impl Username {
    /// Returns the form by which hosts keep usernames unique.
    ///
    /// It follows the nickname profile of PRECIS (RFC 8266): it ignores case,
    /// compatibility forms such as full-width letters, and the kind and number of spaces.
    ///
    /// The key has at most 11 times as many bytes as the name, which is 1,408: one character
    /// may stand for a phrase, as U+FDFA does. A column for the key needs that length, or holds a
    /// digest of the key.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::Username;
    ///
    /// let (given, other) = (Username::new("Jürgen")?, Username::new("ju\u{308}RGEN")?);
    /// assert_ne!(given, other);
    /// assert_eq!(given.comparison_key(), other.comparison_key());
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    #[must_use]
    pub fn comparison_key(&self) -> String {
        // A compatibility form may contain a capital letter, which only the next round
        // folds. RFC 8264 (section 7) therefore applies the rules until nothing changes,
        // at most three times.
        let mut key = self.as_str().to_owned();
        for _ in 0..3 {
            let words: Vec<&str> = key.split(unicode::is_space).filter(|w| !w.is_empty()).collect();
            let next = unicode::nfkc(&words.join(" ").to_lowercase()).into_owned();
            if next == key {
                break;
            }
            key = next;
        }
        key
    }
}

name! {
    /// The name of a job of the host that acts as the system, as the audit trail shows it.
    SystemName, "system_name", 64
}

name! {
    /// A role of the host, such as `staff`.
    ///
    /// Only a [`Policy`](crate::Policy) gives a role its meaning. `Staff` and `staff` are
    /// two roles, and a role that the policy does not know cannot be granted.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{Policy, Right, Role};
    ///
    /// let policy = Policy::default();
    /// let manager = Role::new("manager")?;
    /// assert!(policy.allows(&manager, Right::Create) && !policy.allows(&manager, Right::Revoke));
    /// assert!(!policy.knows(&Role::new("Manager")?));
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    Role, "role", 64
}

name! {
    /// The part of the organisation that an invitation belongs to.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::Division;
    ///
    /// let sales = Division::new("Vertrieb Süd")?;
    /// assert_eq!(sales.as_str(), "Vertrieb Süd");
    ///
    /// let refused = Division::new("sales ").unwrap_err();
    /// assert_eq!(refused.to_string(), "division: must not begin or end with white space");
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    Division, "division", 64
}

identifier! {
    /// An id that links an event to a request of the host, such as a request id.
    CorrelationId, "correlation_id", 128
}

identifier! {
    /// The source of a call, as the host wants it in the audit trail: an address, a
    /// device, or the name of a worker.
    Source, "source", 128
}

identifier! {
    /// The name of a [cursor](crate::feed::FeedCursor) in the feed, such as `mail`.
    CursorName, "cursor", 64
}

identifier! {
    /// The process that [holds](crate::feed::CursorLease) a cursor, such as a host's name with a
    /// process id.
    CursorHolder, "holder", 128
}

identifier! {
    /// The kind of a [document](crate::documents::Document), such as `mail`.
    DocumentKind, "kind", 32
}

identifier! {
    /// The name of a [document](crate::documents::Document) within its kind.
    DocumentName, "name", 200
}

identifier! {
    /// The state of a [document](crate::documents::Document), such as `queued`.
    DocumentState, "state", 32
}

#[cfg(test)]
mod tests {
    use super::{hidden_texts::HIDDEN, *};

    #[test]
    fn accepts_up_to_its_limit_and_no_byte_more() {
        assert!(Division::new("d".repeat(Division::MAX_BYTES)).is_ok());
        assert!(Division::new("d".repeat(Division::MAX_BYTES + 1)).is_err());
        // The limit counts bytes rather than characters, because a store's column does.
        assert!(Division::new("é".repeat(Division::MAX_BYTES / 2 + 1)).is_err());
        // The limit applies to the stored form, not to the form that was sent.
        assert!(Division::new("e\u{301}".repeat(Division::MAX_BYTES / 2)).is_ok());
        assert!(Division::new("e\u{301}".repeat(Division::MAX_BYTES / 2 + 1)).is_err());
        assert!(Division::new("\u{958}".repeat(Division::MAX_BYTES / 3)).is_err());
        assert!(UserId::new("u".repeat(UserId::MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn refuses_what_nobody_sees_and_names_its_position() {
        for (text, expected) in HIDDEN {
            for refused in [
                Username::new(text).map(|_| ()),
                Role::new(text).map(|_| ()),
                Division::new(text).map(|_| ()),
                UserId::new(text).map(|_| ()),
                CorrelationId::new(text).map(|_| ()),
                Source::new(text).map(|_| ()),
            ] {
                let message = refused.map_err(|invalid| invalid.message().to_owned());
                assert_eq!(message, Err(format!("must not contain {expected}")), "{text:?}");
            }
        }
    }

    #[test]
    fn refuses_space_around_a_text_and_doubled_space_within_a_name() {
        for text in ["", " ", " a", "a ", "a\u{a0}", "\u{3000}a", "a\u{2003}"] {
            assert!(Username::new(text).is_err() && UserId::new(text).is_err(), "{text:?}");
        }
        for text in ["a  b", "a \u{a0}b", "a\u{3000}\u{3000}b"] {
            let refused = Username::new(text).unwrap_err();
            assert_eq!(refused.message(), "must not contain two spaces in a row (position 3)");
            assert!(UserId::new(text).is_ok(), "an id is no text to read: {text:?}");
        }
    }

    #[test]
    fn a_name_consists_of_assigned_characters_and_begins_with_a_visible_one() {
        for text in ["a\u{378}", "\u{e000}", "a\u{ffff}", "\u{301}a", "\u{301}", "\u{93f}क"] {
            assert!(Username::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn accepts_the_names_of_people_in_any_script() {
        for text in [
            "O'Neil",
            "Jean-Luc",
            "Müller, Jörg (ext.)",
            "李",
            "李小龙",
            "김철수",
            "山田 太郎",
            "Ñandú",
            "हिन्दी",
            "क्\u{200d}ष",
            "สมชาย",
            "نامه\u{200c}ای",
            "שָׁלוֹם",
            "Ὀδυσσεύς",
            "Đặng Thị",
            "🦊",
            "C++ & C#",
            "№ 7",
            "½",
            "ﬁnn",
            "\u{1f978}",
            "\u{10d40}1",
        ] {
            assert_eq!(Username::new(text).map(String::from).as_deref(), Ok(text), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_kept_in_one_form_and_an_id_as_it_is() {
        for (text, kept) in [
            ("ju\u{308}rgen", "jürgen"),
            ("\u{212b}sa", "Åsa"),
            ("山田\u{3000}太郎", "山田 太郎"),
            ("a\u{a0}b", "a b"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
        ] {
            assert_eq!(Role::new(text).unwrap().as_str(), kept);
            assert_eq!(UserId::new(text).unwrap().as_str(), text);
        }
        for text in ["Staff", "staff,manager", "équipe", "{a}:b"] {
            assert_eq!(Role::new(text).unwrap().as_str(), text);
        }
        assert_ne!(Role::new("Staff").unwrap(), Role::new("staff").unwrap());
    }

    #[test]
    fn comparison_key_is_at_most_eleven_times_as_long_as_the_name() {
        let key = |text: &str| Username::from_stored(text).comparison_key();
        for c in '\0'..=char::MAX {
            let name = c.to_string();
            assert!(key(&name).len() <= 11 * name.len(), "{c:?}");
        }
        let longest = "\u{fdfa}".repeat(42);
        assert_eq!((longest.len(), key(&longest).len()), (126, 1_386));
        assert!(Username::new(&longest).is_ok());
    }

    #[test]
    fn comparison_key_ignores_case_form_and_kind_of_space() {
        let key = |text| Username::from_stored(text).comparison_key();
        // The cases include those of RFC 8266, section 3.
        for (text, expected) in [
            ("Foo", "foo"),
            ("foo", "foo"),
            ("Foo Bar", "foo bar"),
            ("  foo   bar\u{3000}", "foo bar"),
            ("Σ", "σ"),
            ("ς", "ς"),
            ("♚", "♚"),
            ("Richard Ⅳ", "richard iv"),
            ("Admin", "admin"),
            ("ＡＤＭＩＮ", "admin"),
            ("ℌans", "hans"),
            ("ju\u{308}rgen", "jürgen"),
            ("JÜRGEN", "jürgen"),
            ("ﬁnn", "finn"),
        ] {
            assert_eq!(key(text), expected, "{text:?}");
            assert_eq!(key(expected), expected, "stable: {text:?}");
        }
        assert_ne!(key("jurgen"), key("jürgen"));
        assert_ne!(key("o'neil"), key("oneil"));
    }

    #[test]
    fn checks_when_deserialised_and_not_when_restored_from_a_store() {
        assert!(serde_json::from_str::<Role>("\"staff\"").is_ok());
        let refused = serde_json::from_str::<Role>("\" staff\"").unwrap_err();
        assert!(refused.to_string().contains("role: must not begin"));
        assert!(serde_json::from_str::<Username>("\"admin\u{200b}\"").is_err());
        for text in ["admin\u{200b}", "ju\u{308}rgen", "a  b", " a"] {
            assert_eq!(Username::from_stored(text).as_str(), text);
        }
    }
}
