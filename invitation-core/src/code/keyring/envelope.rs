//! Secrets other than codes, encrypted under a keyring.

use chacha20poly1305::AeadInOut;
use zeroize::Zeroizing;

use super::{KeyId, Keyring, key::Key};
use crate::{
    code::UnsealCause,
    entropy::{Entropy, EntropyError},
};

/// The first byte of the format: version 1.
const VERSION: u8 = 1;

/// The length of the nonce and of the authentication tag of XChaCha20-Poly1305.
const NONCE: usize = 24;
const MAC: usize = 16;

impl Keyring {
    /// Encrypts a secret other than a code, such as one that signs webhooks, under the active
    /// key. `context` says what the secret belongs to; [`decrypt`](Self::decrypt) needs the same.
    ///
    /// The cipher is XChaCha20-Poly1305, under a subkey that encrypts no codes.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::code::{
    ///     OsEntropy,
    ///     keyring::{KeyId, KeySecret, Keyring},
    /// };
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ring = Keyring::new(KeyId::new("2026-01")?, &KeySecret::generate(&OsEntropy)?);
    /// let encrypted = ring.encrypt(b"webhook/crm", b"a secret", &OsEntropy)?;
    /// assert_eq!(ring.decrypt(b"webhook/crm", &encrypted).as_deref(), Ok(&b"a secret".to_vec()));
    /// assert!(ring.decrypt(b"webhook/erp", &encrypted).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source of randomness fails.
    pub fn encrypt(
        &self,
        context: &[u8],
        secret: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, EntropyError> {
        let key = self.active();
        let header = header(key.id());
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce)?;
        let mut body = Zeroizing::new(secret.to_vec());
        let mac = key.envelope().encrypt_inout_detached(
            &nonce.into(),
            &associated(&header, context),
            body.as_mut_slice().into(),
        );
        // The cipher fails for texts of many gigabytes only.
        let mac = mac.map_err(EntropyError::new)?;
        Ok([&*header, &nonce, &body, &mac].concat())
    }

    /// Decrypts what [`encrypt`](Self::encrypt) returned for the same context.
    ///
    /// # Errors
    ///
    /// [`UnsealCause`]: the key is unknown or retired, or the bytes were changed or encrypted
    /// for another context.
    pub fn decrypt(
        &self,
        context: &[u8],
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnsealCause> {
        let parts = || {
            let (start, _) = encrypted.split_first_chunk::<2>()?;
            let [version, length] = *start;
            let (header, rest) = encrypted.split_at_checked(2 + usize::from(length))?;
            let id = std::str::from_utf8(&header[2..]).ok()?;
            (version == VERSION).then_some((header, id, rest))
        };
        let (header, id, rest) = parts().ok_or(UnsealCause::Damaged)?;
        let key = self.find(id)?;
        open(key, &associated(header, context), rest).ok_or(UnsealCause::Damaged)
    }
}

fn open(key: &Key, associated: &[u8], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = bytes.split_first_chunk::<NONCE>()?;
    let (encrypted, mac) = rest.split_last_chunk::<MAC>()?;
    let mut secret = Zeroizing::new(encrypted.to_vec());
    let opened = key.envelope().decrypt_inout_detached(
        nonce.into(),
        associated,
        secret.as_mut_slice().into(),
        mac.into(),
    );
    opened.ok().map(|()| secret)
}

/// Returns the version, the length of the key's id, and the id.
fn header(id: &KeyId) -> Vec<u8> {
    let id = id.as_str().as_bytes();
    let length = u8::try_from(id.len()).expect("an id is shorter than 256 bytes");
    [&[VERSION, length], id].concat()
}

/// Returns the data that is authenticated with a secret. The header contains its own length, so
/// that the end of the header and the beginning of the context are certain.
fn associated(header: &[u8], context: &[u8]) -> Vec<u8> {
    [header, context].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OsEntropy, code::keyring::KeySecret};

    fn id(text: &str) -> KeyId {
        KeyId::new(text).unwrap()
    }

    #[test]
    fn changed_bytes_at_any_place_are_damaged_or_name_another_key() {
        let ring = Keyring::new(id("a"), &KeySecret::generate(&OsEntropy).unwrap());
        let encrypted = ring.encrypt(b"c", b"secret", &OsEntropy).unwrap();
        assert_eq!(**ring.decrypt(b"c", &encrypted).as_ref().unwrap(), b"secret");
        for place in 0..encrypted.len() {
            let mut changed = encrypted.clone();
            changed[place] ^= 1;
            assert!(ring.decrypt(b"c", &changed).is_err(), "{place}");
            assert!(ring.decrypt(b"c", &encrypted[..place]).is_err(), "{place}");
        }
        assert_eq!(ring.decrypt(b"d", &encrypted), Err(UnsealCause::Damaged));
        assert_eq!(ring.decrypt(b"c", &[]), Err(UnsealCause::Damaged));
    }

    #[test]
    fn secret_of_an_older_key_opens_until_the_key_is_retired() {
        let first = KeySecret::generate(&OsEntropy).unwrap();
        let second = KeySecret::generate(&OsEntropy).unwrap();
        let encrypted = Keyring::new(id("a"), &first).encrypt(b"c", b"secret", &OsEntropy).unwrap();
        let both = Keyring::new(id("b"), &second).with_older(id("a"), &first).unwrap();
        assert_eq!(**both.decrypt(b"c", &encrypted).as_ref().unwrap(), b"secret");
        let without = Keyring::new(id("b"), &second);
        assert_eq!(without.decrypt(b"c", &encrypted), Err(UnsealCause::UnknownKey("a".into())));
        let retired = without.with_retired(id("a")).unwrap();
        assert_eq!(retired.decrypt(b"c", &encrypted), Err(UnsealCause::RetiredKey("a".into())));
    }
}
