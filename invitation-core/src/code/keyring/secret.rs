//! The secret of a key, and where a host reads it from.

use std::{
    env, fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use super::{KeyError, text};
use crate::entropy::{Entropy, EntropyError};

/// The secret of a key: 32 random bytes, wiped on drop and never shown by `Debug`.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::code::{OsEntropy, keyring::KeySecret};
///
/// let secret = KeySecret::generate(&OsEntropy)?;
/// let text = secret.reveal_hex(); // for a file that only the host can read
/// assert_eq!(text.len(), 64);
/// assert!(KeySecret::parse(&text).is_ok());
/// assert!(KeySecret::parse("not a key").is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct KeySecret(Zeroizing<[u8; Self::BYTES]>);

impl KeySecret {
    /// The length of a secret, in bytes.
    pub const BYTES: usize = 32;

    /// The maximum number of bytes that are read of a file.
    const MAX_TEXT: usize = 1_024;

    /// Uses these bytes. They must be random: a passphrase is not.
    ///
    /// # Errors
    ///
    /// [`KeyError::Placeholder`] if all bytes are equal.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Result<Self, KeyError> {
        let secret = Self(Zeroizing::new(bytes));
        let is_placeholder = secret.0.iter().all(|byte| *byte == secret.0[0]);
        if is_placeholder { Err(KeyError::Placeholder) } else { Ok(secret) }
    }

    /// Parses 64 hexadecimal digits, or 43 characters of base64 in the usual or the URL
    /// alphabet, with or without padding. White space around the text is ignored.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`], [`KeyError::Placeholder`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let bytes = text::from_hex(text).or_else(|| text::from_base64(text));
        Self::from_bytes(*bytes.ok_or(KeyError::Malformed)?)
    }

    /// Reads the environment variable `variable`, and [parses](Self::parse) it.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotSet`], [`KeyError::Malformed`], [`KeyError::Placeholder`].
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        let value = env::var_os(variable);
        let value = value.ok_or_else(|| KeyError::NotSet { variable: variable.to_owned() })?;
        let value = Zeroizing::new(value.into_string().map_err(|_| KeyError::Malformed)?);
        Self::parse(&value)
    }

    /// Reads the first 1,024 bytes of a file, and [parses](Self::parse) them. The call blocks
    /// the thread meanwhile.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unreadable`], [`KeyError::Malformed`], [`KeyError::Placeholder`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let text =
            read(path).map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(std::str::from_utf8(&text).map_err(|_| KeyError::Malformed)?)
    }

    /// Draws a new secret.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source of randomness fails.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        entropy.fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    /// Returns the secret as 64 hexadecimal digits, to write it where only the host can read
    /// it. The text is wiped on drop.
    #[must_use]
    pub fn reveal_hex(&self) -> Zeroizing<String> {
        text::to_hex(&self.0)
    }

    pub(super) fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// Reads the beginning of a file, and ignores the rest.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut file = File::open(path)?;
    // One allocation of the full size: a growing one would leave copies of the secret behind.
    let mut text = Zeroizing::new(vec![0; KeySecret::MAX_TEXT]);
    let mut length = 0;
    while length < text.len() {
        match file.read(&mut text[length..])? {
            0 => break,
            more => length += more,
        }
    }
    text.truncate(length);
    Ok(text)
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HEX: &str = "000120616e206578616d706c65206b6579206f6620323820627974657320aabb";

    #[test]
    fn every_notation_gives_the_same_secret() {
        let upper = HEX.to_uppercase();
        let base64 = "AAEgYW4gZXhhbXBsZSBrZXkgb2YgMjggYnl0ZXMgqrs";
        let padded = format!(" {base64}=\n");
        for text in [HEX, &upper, base64, &padded] {
            let secret = KeySecret::parse(text).unwrap();
            assert_eq!(*secret.reveal_hex(), HEX, "{text}");
            assert_eq!(secret.bytes()[..5], *b"\x00\x01 an");
            assert_eq!(secret.bytes()[29..], *b" \xaa\xbb");
        }
        let url = "-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8";
        let usual = url.replace('-', "+").replace('_', "/");
        let read = |text: &str| KeySecret::parse(text).unwrap().reveal_hex();
        assert_eq!(read(url), read(&usual));
    }

    #[test]
    fn other_text_is_refused_without_being_repeated() {
        let short = &HEX[2..];
        let long = format!("{HEX}00");
        let not_zero_at_the_end = "AAEgYW4gZXhhbXBsZSBrZXkgb2YgMjggYnl0ZXMgqrt";
        let wrong = ["", "secret", short, &long, not_zero_at_the_end, &HEX.replace('a', "g")];
        for text in wrong {
            let refused = KeySecret::parse(text).unwrap_err();
            assert!(matches!(refused, KeyError::Malformed), "{text:?}");
            assert!(text.is_empty() || !refused.to_string().contains(text), "{refused}");
        }
        for placeholder in ["0".repeat(64), "ff".repeat(32)] {
            assert!(matches!(KeySecret::parse(&placeholder), Err(KeyError::Placeholder)));
        }
    }

    #[test]
    fn file_is_read_up_to_a_bound_and_named_in_errors() {
        let folder = env::temp_dir().join(format!("invitation-keyring-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("key");
        fs::write(&path, format!("{HEX}\n")).unwrap();
        assert_eq!(*KeySecret::from_file(&path).unwrap().reveal_hex(), HEX);
        fs::write(&path, format!("{HEX}{}", " ".repeat(2_000_000))).unwrap();
        assert!(KeySecret::from_file(&path).is_ok(), "only the beginning is read");
        fs::write(&path, [0xff; 64]).unwrap();
        assert!(matches!(KeySecret::from_file(&path), Err(KeyError::Malformed)));
        fs::remove_dir_all(&folder).unwrap();
        let refused = KeySecret::from_file(&path).unwrap_err();
        assert!(matches!(refused, KeyError::Unreadable { .. }));
        assert!(refused.to_string().contains(&path.display().to_string()));
        let refused = KeySecret::from_env("INVITATION_TEST_KEY_THAT_IS_NOT_SET").unwrap_err();
        assert!(matches!(refused, KeyError::NotSet { .. }));
    }
}
