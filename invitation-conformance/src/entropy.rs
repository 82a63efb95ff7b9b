//! Reproducible randomness.

use std::sync::Mutex;

use invitation_core::{Entropy, EntropyError};
use rand::{Rng, SeedableRng, rngs::ChaCha12Rng};

/// Reproducible bytes from a seed, for tests and benches only: a reader of the seed can
/// compute every code.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<ChaCha12Rng>);

impl SeededEntropy {
    /// Returns the source whose bytes follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
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
