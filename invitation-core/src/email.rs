//! E-mail addresses, their one comparison form, and the proof of owning one.

use std::{fmt, str::FromStr, sync::Arc};

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// The longest address, in bytes (RFC 5321, 4.5.3.1.3, less the two brackets).
const MAX_BYTES: usize = 254;

/// An e-mail address, kept exactly as it was given.
///
/// Accepted is one bare address: a local part of ASCII without quotes, and a
/// domain name of two labels or more, in ASCII or international. Refused are
/// display names, lists, quoted local parts, address literals, comments, white
/// space and control characters anywhere. A local part beyond ASCII is refused
/// too: two of them may look or fold alike and be two people's mailboxes.
///
/// Two addresses are the same when their [keys](Self::key) are.
///
/// ```
/// use invitation_core::Email;
///
/// let given = Email::parse("Anna.Lind+hr@Exämple.com")?;
/// assert_eq!(given.as_str(), "Anna.Lind+hr@Exämple.com");
/// assert_eq!(given.key().as_str(), "anna.lind+hr@xn--exmple-cua.com");
/// assert_ne!(given.key(), Email::parse("anna.lind@exämple.com")?.key());
/// assert!(Email::parse("Anna <anna@example.com>").is_err());
/// # Ok::<_, invitation_core::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email {
    given: Arc<str>,
    key: EmailKey,
}

impl Email {
    /// The longest address that is accepted, in bytes, as given and as key.
    pub const MAX_BYTES: usize = MAX_BYTES;

    /// Reads one address.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when it is not a bare address as described above.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = |message: &str| Err(Invalid::new("email", message));
        if text.len() > MAX_BYTES {
            return invalid("must not be longer than 254 bytes");
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return invalid("must not contain white space or control characters");
        }
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
        let domain = EmailDomain::parse(domain)
            .map_err(|_| Invalid::new("email", "must have a domain name behind the @"))?;
        let options =
            Options::default().without_display_text().without_domain_literal().with_required_tld();
        if EmailAddress::parse_with_options(&format!("{local}@{domain}"), options).is_err() {
            return invalid(bare);
        }
        let key = format!("{}@{domain}", local.to_ascii_lowercase());
        if key.len() > MAX_BYTES {
            return invalid("must not be longer than 254 bytes with its domain in ASCII");
        }
        Ok(Self { given: Arc::from(text), key: EmailKey(Arc::from(key)) })
    }

    /// The address as it was given: what is shown, and where mail is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// The comparison form.
    #[must_use]
    pub fn key(&self) -> &EmailKey {
        &self.key
    }

    /// The domain, in its comparison form.
    #[must_use]
    pub fn domain(&self) -> EmailDomain {
        EmailDomain(Arc::from(self.key.domain()))
    }

    /// The address with most of its local part hidden, for logs and event
    /// details: `a***@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let first = self.key.as_str().chars().next().unwrap_or('*');
        format!("{first}***@{}", self.key.domain())
    }
}

impl fmt::Debug for Email {
    /// Masked: addresses do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.masked())
    }
}

impl FromStr for Email {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Email {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.given.as_ref().to_owned()
    }
}

/// The one comparison form of an address: the local part in lower case, the
/// domain as its ASCII (IDNA, UTS 46) name in lower case.
///
/// Nothing else is folded: dots and `+tags` distinguish, because only the
/// mailbox's own provider knows whether they do. Stores compare it byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailKey(Arc<str>);

impl EmailKey {
    /// The text, ASCII only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the `@`.
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

/// A domain that addresses belong to, in its comparison form. A subdomain is
/// another domain.
///
/// ```
/// use invitation_core::{Email, EmailDomain};
///
/// let domain = EmailDomain::parse("Example.COM")?;
/// assert_eq!(domain.as_str(), "example.com");
/// assert_eq!(Email::parse("anna@example.com")?.domain(), domain);
/// assert_ne!(Email::parse("anna@mail.example.com")?.domain(), domain);
/// # Ok::<_, invitation_core::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailDomain(Arc<str>);

impl EmailDomain {
    /// Reads a domain name of two labels or more.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when it is not one.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("email_domain", "must be a domain name, as in example.com");
        if text.len() > MAX_BYTES {
            return Err(invalid());
        }
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| invalid())?;
        let labels: Vec<&str> = ascii.split('.').collect();
        let named = labels.last().is_some_and(|top| !top.bytes().all(|b| b.is_ascii_digit()));
        if labels.len() < 2 || labels.iter().any(|label| label.is_empty()) || !named {
            return Err(invalid());
        }
        Ok(Self(Arc::from(ascii)))
    }

    /// The domain in ASCII and lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for EmailDomain {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<EmailDomain> for String {
    fn from(domain: EmailDomain) -> Self {
        domain.as_str().to_owned()
    }
}

/// An address that the host has proved to be the redeemer's, by a mail that
/// was answered or by a trusted identity provider.
///
/// No deserialiser makes one: that an address is somebody's is a finding of the
/// host, never an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedEmail(Email);

impl VerifiedEmail {
    /// The host vouches that `email` belongs to the redeemer.
    #[must_use]
    pub fn vouched_by_host(email: Email) -> Self {
        Self(email)
    }

    /// The address.
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
        // NFC and NFD of the domain, full width, and punycode are one domain.
        let names =
            ["a@exämple.com", "a@exa\u{308}mple.com", "a@EXÄMPLE.com", "a@xn--exmple-cua.com"];
        for text in names {
            assert_eq!(key(text), "a@xn--exmple-cua.com", "{text}");
        }
        // A homoglyph is another domain: Cyrillic а.
        assert_ne!(key("a@example.com"), key("a@ex\u{430}mple.com"));
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
