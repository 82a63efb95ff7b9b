//! E-mail addresses, their comparison form, and the proof of owning one.

mod domain;
mod key;
mod verified;

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

pub use self::{domain::EmailDomain, key::EmailKey, verified::VerifiedEmail};
use crate::{erasure::ERASED, field_error::FieldError, unicode};

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
/// - local parts with percent-encoded characters, as in `a%0abcc@example.com`: software that
///   decodes them would read a line break, and so a further recipient;
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
/// # use invitation_core as invitation;
/// use invitation::Email;
///
/// let given = Email::parse("Anna.Lind+hr@Exämple.com")?;
/// assert_eq!(given.as_str(), "Anna.Lind+hr@Exämple.com");
/// assert_eq!(given.key().as_str(), "anna.lind+hr@xn--exmple-cua.com");
/// assert_ne!(given.key(), Email::parse("anna.lind@exämple.com")?.key());
/// assert!(Email::parse("Anna <anna@example.com>").is_err());
/// # Ok::<_, invitation::FieldError>(())
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
        if has_percent_encoding(local) {
            return invalid("must not have percent-encoded characters before the @");
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
        Ok(Self { given: Arc::from(given), key: EmailKey::new(key) })
    }

    /// Restores an address and its comparison form from a store, as they were written
    /// there. They are not checked, so that values that an earlier release accepted stay
    /// readable.
    #[must_use]
    pub fn from_stored(given: impl AsRef<str>, key: impl AsRef<str>) -> Self {
        Self { given: Arc::from(given.as_ref()), key: EmailKey::new(key) }
    }

    /// Returns the text that stands in place of an address that was
    /// [erased](crate::erasure). It is no address, so no user can prove it, and no mail is sent to
    /// it.
    #[must_use]
    pub fn erased() -> Self {
        Self::from_stored(ERASED, ERASED)
    }

    /// Returns whether the address was erased.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.key.as_str() == ERASED
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
        EmailDomain::from_stored(self.key.domain())
    }

    /// Returns the address with most of its local part hidden, for logs and event
    /// details: `a***@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        if self.is_erased() {
            return ERASED.to_owned();
        }
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

/// Returns whether the text has a percent sign and two hexadecimal digits.
fn has_percent_encoding(text: &str) -> bool {
    let is_encoded =
        |part: &[u8]| matches!(part, [b'%', code @ ..] if code.iter().all(u8::is_ascii_hexdigit));
    text.as_bytes().windows(3).any(is_encoded)
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

#[cfg(test)]
mod tests;
