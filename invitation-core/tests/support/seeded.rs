//! Reproducible randomness.

use std::sync::Mutex;

use invitation_core::{Entropy, EntropyError};
use rand::{Rng, SeedableRng, rngs::ChaCha12Rng};

/// A source whose bytes follow from a seed.
#[derive(Debug)]
pub(crate) struct SeededEntropy(Mutex<ChaCha12Rng>);

impl SeededEntropy {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha12Rng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut rng = self.0.lock().map_err(|_| EntropyError::new("a test thread panicked"))?;
        rng.fill_bytes(bytes);
        Ok(())
    }
}
