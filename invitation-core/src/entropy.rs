//! Randomness as something that is handed in.

use std::{error::Error as StdError, fmt, sync::Arc};

use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "the one source that gets injected")]
use rand::rngs::SysRng;

/// Where the randomness of codes and ids comes from.
///
/// An implementation MUST be a cryptographically secure generator of at least
/// 112 bits of strength (NIST SP 800-63B, 3.2.12), and MUST fail rather than
/// hand out bytes that are not.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    ///
    /// When the source cannot deliver; `bytes` are then not used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

impl<E: Entropy + ?Sized> Entropy for Arc<E> {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        (**self).fill(bytes)
    }
}

/// The source of randomness failed. Nothing was done.
#[derive(Debug)]
pub struct EntropyError(Box<dyn StdError + Send + Sync>);

impl EntropyError {
    /// Wraps the cause.
    pub fn new(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for EntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of randomness failed")
    }
}

impl StdError for EntropyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// The operating system's generator, asked anew each time: nothing is buffered
/// in the process, so a fork cannot hand out the same bytes twice.
#[derive(Clone, Copy, Default, Debug)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        SysRng.try_fill_bytes(bytes).map_err(EntropyError::new)
    }
}

/// Reproducible bytes from a seed, for tests and benches only: whoever knows
/// the seed knows every code.
#[cfg(feature = "testing")]
#[derive(Debug)]
pub struct SeededEntropy(std::sync::Mutex<rand::rngs::ChaCha12Rng>);

#[cfg(feature = "testing")]
impl SeededEntropy {
    /// The sequence of bytes that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        use rand::SeedableRng;
        Self(std::sync::Mutex::new(rand::rngs::ChaCha12Rng::seed_from_u64(seed)))
    }
}

#[cfg(feature = "testing")]
impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut rng = self.0.lock().map_err(|_| EntropyError::new("a test thread panicked"))?;
        rand::Rng::fill_bytes(&mut *rng, bytes);
        Ok(())
    }
}
