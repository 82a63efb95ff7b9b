//! E-mail addresses, their comparison form, and the proof of owning one.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

use crate::{field_error::FieldError, unicode};

/// The maximum length of an address, in bytes (RFC 5321, 4.5.3.1.3, less the two
/// brackets).
const MAX_BYTES: usize = 254;

/// An e-mail address, stored as it was given.
///
/// One bare address is accepted. Its local part is ASCII without quotes. Its domain name
/// has two labels or more, in ASCII or international form. Refused are:
///
/// - display names, lists and comments;
/// - quoted local parts and address literals;
/// - white space, control characters and hidden characters, at any position;
/// - local parts with characters beyond ASCII, because two that look or fold alike may be
///   the mailboxes of two people.
///
/// Mail is sent to the stored form. Input methods write full-width letters and dots in
/// the domain, which mail servers do not know. They are stored as the plain characters
/// that they stand for.
///
/// Two addresses are the same if their [keys](Self::key) are equal.
///
/// ```
/// use invitation_core::Email;
///
/// let given = Email::parse("Anna.Lind+hr@Exämple.com")?;
/// assert_eq!(given.as_str(), "Anna.Lind+hr@Exämple.com");
/// assert_eq!(given.key().as_str(), "anna.lind+hr@xn--exmple-cua.com");
/// assert_ne!(given.key(), Email::parse("anna.lind@exämple.com")?.key());
/// assert!(Email::parse("Anna <anna@example.com>").is_err());
/// # Ok::<_, invitation_core::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email {
    given: Arc<str>,
    key: EmailKey,
}

impl Email {
    /// The maximum length in bytes, of the address as given and of its key.
    pub const MAX_BYTES: usize = MAX_BYTES;

    /// Parses one address.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] when the text is not a bare address as described above.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let invalid = |message: &str| Err(FieldError::new("email", message));
        if text.len() > MAX_BYTES {
            return invalid("must not be longer than 254 bytes");
        }
        check_seen("email", text)?;
        let bare = "must be one e-mail address, as in anna@example.com";
        let Some((local, domain)) = text.rsplit_once('@') else {
            return invalid(bare);
        };
        if local.starts_with('"') {
            return invalid("must not have a quoted part before the @");
        }
        if !local.is_ascii() {
            return invalid("must have only ASCII characters before the @");
        }
        let written = plain_domain(domain);
        let domain = EmailDomain::parse(&written)
            .map_err(|_| FieldError::new("email", "must have a domain name behind the @"))?;
        let options =
            Options::default().without_display_text().without_domain_literal().with_required_tld();
        if EmailAddress::parse_with_options(&format!("{local}@{domain}"), options).is_err() {
            return invalid(bare);
        }
        let key = format!("{}@{domain}", local.to_ascii_lowercase());
        if key.len() > MAX_BYTES {
            return invalid("must not be longer than 254 bytes with its domain in ASCII");
        }
        let given = format!("{local}@{written}");
        if given.len() > MAX_BYTES {
            return invalid("must not be longer than 254 bytes");
        }
        Ok(Self { given: Arc::from(given), key: EmailKey(Arc::from(key)) })
    }

    /// Restores an address and its comparison form from a store, as they were written
    /// there. They are not checked, so that values that an earlier release accepted stay
    /// readable.
    #[must_use]
    pub fn from_stored(given: impl AsRef<str>, key: impl AsRef<str>) -> Self {
        Self { given: Arc::from(given.as_ref()), key: EmailKey(Arc::from(key.as_ref())) }
    }

    /// Returns the address, as it is shown and as mail is sent to it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// Returns the comparison form.
    #[must_use]
    pub fn key(&self) -> &EmailKey {
        &self.key
    }

    /// Returns the domain, in its comparison form.
    #[must_use]
    pub fn domain(&self) -> EmailDomain {
        EmailDomain(Arc::from(self.key.domain()))
    }

    /// Returns the address with most of its local part hidden, for logs and event
    /// details: `a***@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let first = self.key.as_str().chars().next().unwrap_or('*');
        format!("{first}***@{}", self.key.domain())
    }
}

impl fmt::Debug for Email {
    /// Writes the masked address, because addresses do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.masked())
    }
}

impl FromStr for Email {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Email {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.given.as_ref().to_owned()
    }
}

/// The comparison form of an address: the local part in lower case, and the domain as its
/// ASCII name (IDNA, UTS 46) in lower case.
///
/// Nothing else is folded. Dots and `+tags` make a difference, because only the provider
/// of the mailbox knows whether they matter. Stores compare this form byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailKey(Arc<str>);

impl EmailKey {
    /// Returns the text, which is ASCII only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.0.chars().next().unwrap_or('*');
        write!(f, "EmailKey({first}***@{})", self.domain())
    }
}

/// The domain of e-mail addresses, in its comparison form. A subdomain is a different
/// domain.
///
/// ```
/// use invitation_core::{Email, EmailDomain};
///
/// let domain = EmailDomain::parse("Example.COM")?;
/// assert_eq!(domain.as_str(), "example.com");
/// assert_eq!(Email::parse("anna@example.com")?.domain(), domain);
/// assert_ne!(Email::parse("anna@mail.example.com")?.domain(), domain);
/// # Ok::<_, invitation_core::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailDomain(Arc<str>);

impl EmailDomain {
    /// Parses a domain name of two labels or more.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] when the text is not such a name.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let invalid =
            || FieldError::new("email_domain", "must be a domain name, as in example.com");
        if text.len() > MAX_BYTES {
            return Err(invalid());
        }
        check_seen("email_domain", text)?;
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| invalid())?;
        let labels: Vec<&str> = ascii.split('.').collect();
        let named = labels.last().is_some_and(|top| !top.bytes().all(|b| b.is_ascii_digit()));
        if labels.len() < 2 || labels.iter().any(|label| label.is_empty()) || !named {
            return Err(invalid());
        }
        Ok(Self(Arc::from(ascii)))
    }

    /// Restores a domain from a store, as it was written there. It is not checked, so
    /// that values that an earlier release accepted stay readable.
    #[must_use]
    pub fn from_stored(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }

    /// Returns the domain in ASCII and lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Refuses white space and hidden characters. The mapping of domain names (UTS 46) would
/// drop some of them. Mail would then be sent to a different address than the one
/// compared.
fn check_seen(field: &'static str, text: &str) -> Result<(), FieldError> {
    for (position, c) in (1..).zip(text.chars()) {
        let what = match unicode::hidden(c) {
            Some(flaw) => flaw.describe(),
            None if unicode::is_space(c) => "white space",
            None => continue,
        };
        return Err(FieldError::new(
            field,
            format!("must not contain {what} (position {position})"),
        ));
    }
    Ok(())
}

/// Replaces compatibility forms in the domain by the plain characters that they stand
/// for. UTS 46 has three more dots that separate labels. The ideographic full stop of
/// Chinese and Japanese has no compatibility form, so it is replaced separately.
fn plain_domain(domain: &str) -> Cow<'_, str> {
    if domain.is_ascii() {
        return Cow::Borrowed(domain);
    }
    Cow::Owned(unicode::nfkc(domain).replace('\u{3002}', "."))
}

impl fmt::Display for EmailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for EmailDomain {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        Self::parse(&text)
    }
}

impl From<EmailDomain> for String {
    fn from(domain: EmailDomain) -> Self {
        domain.as_str().to_owned()
    }
}

/// An address that the host has proved to belong to the redeemer, by a mail that was
/// answered or by a trusted identity provider.
///
/// It has no deserialiser, because ownership is a finding of the host and never an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedEmail(Email);

impl VerifiedEmail {
    /// Returns `email` as proved: the host vouches that it belongs to the redeemer.
    #[must_use]
    pub fn vouched_by_host(email: Email) -> Self {
        Self(email)
    }

    /// Returns the address.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        Email::parse(text).unwrap().key().as_str().to_owned()
    }

    #[test]
    fn compares_by_case_and_international_domain_only() {
        assert_eq!(key("Bob.X+y@Example.COM"), "bob.x+y@example.com");
        assert_ne!(key("bob@example.com"), key("bo.b@example.com"));
        // NFC and NFD of the domain, full width and punycode are one domain.
        let names =
            ["a@exämple.com", "a@exa\u{308}mple.com", "a@EXÄMPLE.com", "a@xn--exmple-cua.com"];
        for text in names {
            assert_eq!(key(text), "a@xn--exmple-cua.com", "{text}");
        }
        // A homoglyph, here the Cyrillic а, makes a different domain.
        assert_ne!(key("a@example.com"), key("a@ex\u{430}mple.com"));
    }

    #[test]
    fn refuses_what_nobody_sees_and_names_its_position() {
        for (text, expected) in [
            ("anna@example.com\u{200b}", "invisible characters (position 17)"),
            ("\u{feff}anna@example.com", "invisible characters (position 1)"),
            ("an\u{ad}na@example.com", "invisible characters (position 3)"),
            ("anna@exam\u{ad}ple.com", "invisible characters (position 10)"),
            ("anna@exam\u{200d}ple.com", "invisible characters (position 10)"),
            ("anna@exam\u{200c}ple.com", "invisible characters (position 10)"),
            ("anna@\u{2060}example.com", "invisible characters (position 6)"),
            ("anna@example.c\u{34f}om", "invisible characters (position 15)"),
            ("anna@example.com\u{fe0f}", "invisible characters (position 17)"),
            ("anna@exämple\u{3164}.com", "invisible characters (position 13)"),
            ("anna@example.com\u{e0020}", "invisible characters (position 17)"),
            (
                "\u{200e}anna@example.com",
                "characters that change the direction of text (position 1)",
            ),
            (
                "anna@\u{202e}moc.example",
                "characters that change the direction of text (position 6)",
            ),
            (
                "anna@example.com\u{2069}",
                "characters that change the direction of text (position 17)",
            ),
            ("anna@example.com\u{2028}", "line separators (position 17)"),
            ("anna@example.com\n", "control characters (position 17)"),
            ("anna@example.com\u{85}", "control characters (position 17)"),
            ("anna@exa\u{a0}mple.com", "white space (position 9)"),
            ("anna@example.com ", "white space (position 17)"),
        ] {
            let refused = Email::parse(text).unwrap_err();
            assert_eq!(refused.message(), format!("must not contain {expected}"), "{text:?}");
            assert_eq!(refused.field(), "email");
        }
        let refused = EmailDomain::parse("exam\u{ad}ple.com").unwrap_err();
        assert_eq!(refused.message(), "must not contain invisible characters (position 5)");
        assert_eq!(refused.field(), "email_domain");
    }

    #[test]
    fn keeps_what_mail_is_sent_to() {
        for (text, kept) in [
            ("Anna@Exämple.com", "Anna@Exämple.com"),
            ("anna@xn--exmple-cua.com", "anna@xn--exmple-cua.com"),
            ("anna@ｅｘａｍｐｌｅ．ｃｏｍ", "anna@example.com"),
            ("anna@example。com", "anna@example.com"),
            ("anna@example｡com", "anna@example.com"),
            ("anna@exa\u{308}mple.com", "anna@exämple.com"),
            ("anna@ex\u{430}mple.com", "anna@ex\u{430}mple.com"),
            ("anna@例え。jp", "anna@例え.jp"),
        ] {
            let email = Email::parse(text).unwrap();
            assert_eq!(email.as_str(), kept);
            assert_eq!(Email::parse(kept).unwrap().key(), email.key(), "{text}");
        }
        // The address of one mailbox is never read as a longer or different one.
        for text in ["anna＠example.com", "anna@example.com．", "anna@exam／ple.com", "a@b＠c.com"]
        {
            assert!(Email::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn restores_what_an_earlier_release_stored() {
        let stored = Email::from_stored("anna@example.com\u{200b}", "anna@example.com");
        assert_eq!(stored.as_str(), "anna@example.com\u{200b}");
        assert_eq!(stored.key(), Email::parse("anna@example.com").unwrap().key());
        assert_eq!(EmailDomain::from_stored("localhost").as_str(), "localhost");
    }

    #[test]
    fn refuses_local_parts_that_fold_onto_others() {
        for local in
            ["\u{212a}im", "ad\u{131}n", "\u{fb01}n", "\u{ff41}nna", "\u{430}nna", "anna\u{301}"]
        {
            assert!(Email::parse(&format!("{local}@example.com")).is_err(), "{local}");
        }
    }

    #[test]
    fn never_yields_more_than_one_recipient() {
        let long = format!("{}@example.com", "a".repeat(10_000));
        let abuse = [
            "",
            " ",
            "@",
            "a",
            "a@",
            "@example.com",
            "a@localhost",
            "a@example.com ",
            " a@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com\0",
            "a@example.com,b@example.com",
            "a@example.com;b@example.com",
            "a@b@example.com",
            "Anna <a@example.com>",
            "<a@example.com>",
            "\"a b\"@example.com",
            "\"a\"@example.com",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "[a@example.com]",
            "a%0a@exa mple.com",
            "a@example..com",
            "a@.example.com",
            "a@example.com.",
            "a(x)@example.com",
            "a..b@example.com",
            ".a@example.com",
            "a.@example.com",
            "a@-example.com",
            "a@ex_ample.com",
            &long,
        ];
        for text in abuse {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn shows_itself_masked_to_the_debugger() {
        let shown = format!("{:?}", Email::parse("anna@example.com").unwrap());
        assert_eq!(shown, "Email(a***@example.com)");
    }

    #[test]
    fn keeps_the_given_spelling_through_serde() {
        let email = Email::parse("Anna@Example.com").unwrap();
        let json = serde_json::to_string(&email).unwrap();
        assert_eq!(json, "\"Anna@Example.com\"");
        assert_eq!(serde_json::from_str::<Email>(&json).unwrap(), email);
        assert!(serde_json::from_str::<Email>("\"anna\"").is_err());
    }
}
