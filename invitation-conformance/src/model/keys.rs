//! The keys under which the codes of a sequence are stored.

use invitation_core::{
    Entropy, EntropyError, Sealing,
    code::keyring::{KeyId, KeySecret, Keyring},
};

use crate::SeededEntropy;

/// The active key. Each keyring has both keys, so that all codes are found at all times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KeyChoice {
    /// No keyring: codes are stored readable.
    None,
    First,
    Second,
}

impl KeyChoice {
    /// Returns the id of the active key.
    pub(super) fn id(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::First => Some("first"),
            Self::Second => Some("second"),
        }
    }

    pub(super) fn sealing(self) -> Sealing {
        let other = match self {
            Self::None => return Sealing::readable(),
            Self::First => Self::Second,
            Self::Second => Self::First,
        };
        let key = |choice: Self| {
            let name = choice.id().unwrap_or_default();
            let mut bytes = [0x33; KeySecret::BYTES];
            bytes[..name.len()].copy_from_slice(name.as_bytes());
            (KeyId::new(name).expect("an id"), KeySecret::from_bytes(bytes).expect("a secret"))
        };
        let ((id, secret), (older, old)) = (key(self), key(other));
        Sealing::keyring(Keyring::new(id, &secret).with_older(older, &old).expect("another key"))
    }
}

/// Reproducible bytes, with the same nonce for each sealed code, so that the model can
/// predict the sealed bytes.
#[derive(Debug)]
pub(super) struct ConstantNonces(SeededEntropy);

impl ConstantNonces {
    /// The length of a nonce. Neither a code nor an id is drawn with as many bytes.
    const NONCE: usize = 24;

    pub(super) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }
}

impl Entropy for ConstantNonces {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        match bytes.len() {
            Self::NONCE => {
                bytes.fill(0x77);
                Ok(())
            }
            _ => self.0.fill(bytes),
        }
    }
}
