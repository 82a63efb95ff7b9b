//! One key: its subkeys, and what they compute.

use chacha20poly1305::{AeadInOut, KeyInit as _, XChaCha20Poly1305};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{KeyId, KeySecret};
use crate::{
    code::{
        CodeDigest, CodeTag, InvitationCode, SealedCode,
        sealed::{encrypted_header, hashed_header},
        sealing::tag_of,
    },
    entropy::{Entropy, EntropyError},
    id::InvitationId,
};

/// The labels of HKDF: one subkey for each purpose.
const LOOKUP: &[u8] = b"invitation/keyring/v1/lookup";
const TAG: &[u8] = b"invitation/keyring/v1/tag";
const SEAL: &[u8] = b"invitation/keyring/v1/seal";
const ENVELOPE: &[u8] = b"invitation/keyring/v1/envelope";

/// The length of the nonce and of the authentication tag of XChaCha20-Poly1305.
const NONCE: usize = 24;
const MAC: usize = 16;

/// A key with its subkeys, which are wiped on drop: the feature `keyring` enables `zeroize` of
/// `sha2`, whose states hold the keys of both HMACs.
pub(in crate::code) struct Key {
    id: KeyId,
    lookup: Hmac<Sha256>,
    tag: Hmac<Sha256>,
    seal: XChaCha20Poly1305,
    envelope: XChaCha20Poly1305,
}

impl Key {
    pub(super) fn derive(id: KeyId, secret: &KeySecret) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, secret.bytes());
        let subkey = |label: &[u8]| {
            let mut bytes = Zeroizing::new([0; 32]);
            hkdf.expand(label, &mut *bytes).expect("HKDF gives up to 255 times 32 bytes");
            bytes
        };
        let hmac = |label| {
            // HMAC fills a key up to the length of a block with zeros.
            let mut block = Zeroizing::new([0; 64]);
            block[..32].copy_from_slice(&*subkey(label));
            Hmac::new((&*block).into())
        };
        let cipher = |label| XChaCha20Poly1305::new((&*subkey(label)).into());
        let (seal, envelope) = (cipher(SEAL), cipher(ENVELOPE));
        Self { id, lookup: hmac(LOOKUP), tag: hmac(TAG), seal, envelope }
    }

    pub(super) fn id(&self) -> &KeyId {
        &self.id
    }

    /// Returns the cipher of secrets other than codes.
    pub(super) fn envelope(&self) -> &XChaCha20Poly1305 {
        &self.envelope
    }

    /// Whether the other key was derived from the same secret.
    pub(super) fn has_secret_of(&self, other: &Self) -> bool {
        let probe = |key: &Self| mac(&key.lookup, b"");
        bool::from(probe(self).ct_eq(&probe(other)))
    }

    pub(in crate::code) fn digest(&self, symbols: &[u8]) -> CodeDigest {
        CodeDigest::from_bytes(mac(&self.lookup, symbols))
    }

    pub(in crate::code) fn tag(&self, first: &[u8]) -> CodeTag {
        tag_of(&mac(&self.tag, first))
    }

    /// Returns the first bytes of each code that is stored under this key.
    pub(in crate::code) fn header(&self, keeps_codes: bool) -> Vec<u8> {
        let id = self.id.as_str();
        if keeps_codes { encrypted_header(id) } else { hashed_header(Some(id)) }
    }

    /// Returns the header, a random nonce, the encrypted code, and the authentication tag.
    pub(in crate::code) fn seal(
        &self,
        header: &[u8],
        id: InvitationId,
        code: &InvitationCode,
        entropy: &dyn Entropy,
    ) -> Result<SealedCode, EntropyError> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce)?;
        let associated = associated(header, id);
        let mut body = Zeroizing::new(code.symbols().to_vec());
        let encrypted = self.seal.encrypt_inout_detached(
            &nonce.into(),
            &associated,
            body.as_mut_slice().into(),
        );
        // The cipher fails for texts of many gigabytes only.
        let mac = encrypted.map_err(EntropyError::new)?;
        Ok(SealedCode::from_bytes([header, &nonce, &body, &mac].concat()))
    }

    /// Returns the symbols of the code that was sealed for invitation `id`; none if the bytes
    /// were changed, or sealed for another invitation or under another secret.
    pub(in crate::code) fn open(
        &self,
        header: &[u8],
        id: InvitationId,
        body: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = body.split_first_chunk::<NONCE>()?;
        let (encrypted, mac) = rest.split_last_chunk::<MAC>()?;
        let mut symbols = Zeroizing::new(encrypted.to_vec());
        let opened = self.seal.decrypt_inout_detached(
            nonce.into(),
            &associated(header, id),
            symbols.as_mut_slice().into(),
            mac.into(),
        );
        opened.ok().map(|()| symbols)
    }
}

/// Returns the data that is authenticated with a code: the version and the id of the key,
/// which the header contains, and the id of the invitation.
fn associated(header: &[u8], id: InvitationId) -> Vec<u8> {
    [header, id.as_bytes()].concat()
}

fn mac(key: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    key.clone().chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use sha2::Sha256;
    use zeroize::ZeroizeOnDrop;

    use super::XChaCha20Poly1305;

    fn is_wiped<T: ZeroizeOnDrop>() {}

    // Without the features, this does not compile.
    #[test]
    fn hash_states_and_cipher_keys_are_wiped_on_drop() {
        is_wiped::<Sha256>();
        is_wiped::<XChaCha20Poly1305>();
    }
}
