//! Ids for redeemers who have no account yet.

use std::{fmt, path::Path};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Builder;
use zeroize::Zeroizing;

use crate::{
    admit::secret_file::{self, SecretFileError},
    code::InvitationCode,
    email::Email,
    entropy::{Entropy as _, EntropyError, OsEntropy},
    field_error::FieldError,
    text::{UserId, Username},
};

/// Derives the id of an account that a registration is about to create.
///
/// A host that makes up a new id for each request cannot recognise a repeated one: after a
/// double click, the second request finds the code used. Ids derived from what the newcomer
/// sent are the same for the same request. So the repeated request
/// [is a replay](crate::Redeemed::is_replayed), and gets the same account.
///
/// [The module](crate::admit#choosing-the-redeemers-id) compares ways to choose the id.
///
/// The ids are HMACs under a secret of the host. Without the secret, an attacker who has
/// an id cannot test whether a guessed code belongs to it. Choose the secret once, keep it beside
/// the database, and never change it: with another secret, a repeated request is another person.
/// [`from_file_or_create`](Self::from_file_or_create) keeps it in a file.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Username, admit::RedeemerIds, code::CodeFormat};
/// # use invitation::code::OsEntropy;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ids = RedeemerIds::new("a secret of at least 32 bytes, read from a file")?;
/// let code = CodeFormat::default().generate(&OsEntropy)?;
/// let (anna, ben) = (Username::new("anna")?, Username::new("ben")?);
///
/// let id = ids.derive(&code, &anna, None, "");
/// assert_eq!(ids.derive(&code, &anna, None, ""), id);
/// assert_ne!(ids.derive(&code, &ben, None, ""), id);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedeemerIds(Hmac<Sha256>);

impl RedeemerIds {
    /// The minimum length of a secret, in bytes: the output length of SHA-256
    /// ([RFC 2104, section 3](https://www.rfc-editor.org/rfc/rfc2104#section-3)).
    pub const MIN_SECRET: usize = 32;

    /// Uses a secret of the host.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the secret is shorter than [`MIN_SECRET`](Self::MIN_SECRET).
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, FieldError> {
        let secret = secret.as_ref();
        if secret.len() < Self::MIN_SECRET {
            return Err(FieldError::new("secret", "must have at least 32 bytes"));
        }
        match Hmac::new_from_slice(secret) {
            Ok(hmac) => Ok(Self(hmac)),
            Err(_) => Err(FieldError::new("secret", "has an invalid length")),
        }
    }

    /// Reads the secret from a file. If there is no file, makes one with a new secret.
    ///
    /// The file holds 64 hexadecimal digits in lower case, which are 256 random bits. White space
    /// around them is ignored. [`secret_file`] says how the file is read and made: a new one is
    /// complete or not there, an existing one is never overwritten, and on Unix only its owner
    /// has access.
    ///
    /// All processes of one database need the same file. The call blocks the thread; a host calls
    /// it once, at its start.
    ///
    /// # Errors
    ///
    /// [`SecretFileError`], which names the path, and nothing of the secret.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{Username, admit::RedeemerIds, code::CodeFormat};
    /// # use invitation::code::OsEntropy;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("redeemer-ids-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// let path = folder.join("redeemer-ids.secret");
    /// let first_start = RedeemerIds::from_file_or_create(&path)?;
    /// let next_start = RedeemerIds::from_file_or_create(&path)?;
    ///
    /// let (code, anna) = (CodeFormat::default().generate(&OsEntropy)?, Username::new("anna")?);
    /// let id = first_start.derive(&code, &anna, None, "");
    /// assert_eq!(next_start.derive(&code, &anna, None, ""), id);
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_file_or_create(path: impl AsRef<Path>) -> Result<Self, SecretFileError> {
        let path = path.as_ref();
        let text = secret_file::read_or_create(path, new_secret)?;
        let digits = text.trim();
        let is_secret = digits.len() == SECRET_DIGITS
            && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if !is_secret {
            let message = format!("must be {SECRET_DIGITS} hexadecimal digits in lower case");
            return Err(SecretFileError::new(path, FieldError::new("secret", message)));
        }
        Self::new(digits).map_err(|error| SecretFileError::new(path, error))
    }

    /// Derives the id of the person who sent this registration. It has the form of a UUID
    /// (version 8, RFC 9562).
    ///
    /// `form_key` distinguishes two registrations with the same content: the value of a
    /// hidden field that the host makes up for each form it shows, or the idempotency key of
    /// an API call. It may be empty.
    #[must_use]
    pub fn derive(
        &self,
        code: &InvitationCode,
        username: &Username,
        email: Option<&Email>,
        form_key: &str,
    ) -> UserId {
        let code = code.reveal();
        let email = email.map_or("", |email| email.key().as_str());
        let mut hmac = self.0.clone();
        // The lengths keep different parts with the same concatenation apart.
        for part in ["redeemer id", &code, username.as_str(), email, form_key] {
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part.as_bytes());
        }
        let digest: [u8; 32] = hmac.finalize().into_bytes().into();
        let (half, _) = digest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        UserId::from_stored(Builder::from_custom_bytes(*half).into_uuid().to_string())
    }
}

/// The number of hexadecimal digits of a secret in a file.
const SECRET_DIGITS: usize = 64;

/// Returns 256 random bits of the operating system as a line of hexadecimal digits.
fn new_secret() -> Result<Zeroizing<String>, EntropyError> {
    let mut bytes = Zeroizing::new([0; SECRET_DIGITS / 2]);
    OsEntropy.fill(&mut *bytes)?;
    // The capacity keeps the text from being moved, which would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(SECRET_DIGITS + 1));
    for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]) {
        text.extend(char::from_digit(u32::from(nibble), 16));
    }
    text.push('\n');
    Ok(text)
}

impl fmt::Debug for RedeemerIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemerIds").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{CodeFormat, OsEntropy};

    fn ids(secret: u8) -> RedeemerIds {
        RedeemerIds::new([secret; RedeemerIds::MIN_SECRET]).unwrap()
    }

    #[test]
    fn each_part_changes_the_id_and_a_repetition_does_not() {
        let format = CodeFormat::default();
        let codes = [(); 2].map(|()| format.generate(&OsEntropy).unwrap());
        let name = |name| Username::new(name).unwrap();
        let mail = Email::parse("Anna@Example.com").unwrap();
        let (anna, other) = (name("anna"), name("annA"));
        let derive = |code: usize, name, email, key| ids(1).derive(&codes[code], name, email, key);
        let first = derive(0, &anna, Some(&mail), "k");
        let variants = [
            derive(1, &anna, Some(&mail), "k"),
            derive(0, &other, Some(&mail), "k"),
            derive(0, &anna, None, "k"),
            derive(0, &anna, Some(&mail), ""),
            ids(2).derive(&codes[0], &anna, Some(&mail), "k"),
        ];
        for (n, variant) in variants.iter().enumerate() {
            assert_ne!(*variant, first, "variant {n}");
        }
        // Another spelling of the same mailbox and of the same code.
        let same = Email::parse("anna@example.COM").unwrap();
        let code = format.parse(&codes[0].reveal().to_lowercase()).unwrap();
        assert_eq!(ids(1).derive(&code, &anna, Some(&same), "k"), first);
        assert!(UserId::new(first.as_str()).is_ok(), "{first}");
        assert_eq!(first.as_str().len(), 36);
    }

    #[test]
    fn parts_that_concatenate_alike_differ() {
        let code = CodeFormat::default().generate(&OsEntropy).unwrap();
        let (a, b) = (Username::new("anna").unwrap(), Username::new("annak").unwrap());
        assert_ne!(ids(1).derive(&code, &a, None, "k"), ids(1).derive(&code, &b, None, ""));
    }

    #[test]
    fn file_without_a_secret_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ids.secret");
        let code = CodeFormat::default().generate(&OsEntropy).unwrap();
        let anna = Username::new("anna").unwrap();
        let first = RedeemerIds::from_file_or_create(&path).unwrap();
        let made = std::fs::read_to_string(&path).unwrap();
        assert_eq!(made.trim_end().len(), SECRET_DIGITS);
        // An editor may add white space.
        std::fs::write(&path, format!(" {made}\r\n")).unwrap();
        let again = RedeemerIds::from_file_or_create(&path).unwrap();
        assert_eq!(again.derive(&code, &anna, None, ""), first.derive(&code, &anna, None, ""));
        let other = made.replace(|c: char| c.is_ascii_hexdigit(), "e").to_uppercase();
        for wrong in ["", "\n", &made[1..], &format!("{}{made}", &made[..1]), &other, "secret"] {
            std::fs::write(&path, wrong).unwrap();
            let refused = RedeemerIds::from_file_or_create(&path).unwrap_err().to_string();
            assert!(refused.contains("ids.secret") && refused.contains("64 hex"), "{refused}");
            let digits = wrong.trim();
            assert!(digits.is_empty() || digits == "secret" || !refused.contains(digits));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), wrong, "nothing is overwritten");
        }
    }

    #[test]
    fn short_secret_is_refused_and_no_secret_is_shown() {
        let error = RedeemerIds::new([b'x'; 31]).unwrap_err();
        assert_eq!(error.field(), "secret");
        assert_eq!(format!("{:?}", ids(7)), "RedeemerIds { .. }");
    }
}
