//! The comparison form of addresses.

use std::{fmt, sync::Arc};

/// The comparison form of an address: the local part in lower case, and the domain as its
/// ASCII name (IDNA, UTS 46) in lower case.
///
/// Nothing else is folded. Dots and `+tags` make a difference, because only the provider
/// of the mailbox knows whether they matter. Stores compare this form byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailKey(Arc<str>);

impl EmailKey {
    /// Wraps a text that is in comparison form.
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }

    /// Restores a comparison form from a store, as it was written there. It is not checked.
    #[must_use]
    pub fn from_stored(text: impl AsRef<str>) -> Self {
        Self::new(text)
    }

    /// Returns the text, which is ASCII only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.0.chars().next().unwrap_or('*');
        write!(f, "EmailKey({first}***@{})", self.domain())
    }
}
