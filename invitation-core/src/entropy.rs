//! The source of randomness, which the caller injects.

use std::{error::Error as StdError, fmt, sync::Arc};

use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "the one source that gets injected")]
use rand::rngs::SysRng;

/// The source of the randomness in codes and ids.
///
/// An implementation MUST be a cryptographically secure generator of at least 112 bits of
/// strength (NIST SP 800-63B, 3.2.12). It MUST return an error rather than bytes of lower
/// quality.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills `bytes` with random bytes.
    ///
    /// # Errors
    ///
    /// Fails when the source cannot deliver. The caller then does not use `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

impl<E: Entropy + ?Sized> Entropy for Arc<E> {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        (**self).fill(bytes)
    }
}

/// An error of the source of randomness. The call that needed it has changed nothing.
#[derive(Debug)]
pub struct EntropyError(Box<dyn StdError + Send + Sync>);

impl EntropyError {
    /// Wraps the cause of the failure.
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

/// The operating system's generator. Each call reads from it anew and nothing is buffered
/// in the process, so a forked process cannot return the same bytes again.
#[derive(Clone, Copy, Default, Debug)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        SysRng.try_fill_bytes(bytes).map_err(EntropyError::new)
    }
}
