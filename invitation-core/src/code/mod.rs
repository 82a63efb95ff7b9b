//! Invitation codes: the secret, how it is written, and the form in which it is stored.
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::code::{CodeFormat, OsEntropy, ParseCodeError};
//!
//! // The default has 24 symbols: 115 random bits and one check symbol.
//! let format = CodeFormat::new(20)?.with_prefix("ACME")?;
//! assert_eq!(format.bits(), 95);
//! let code = format.generate(&OsEntropy)?;
//! let text = code.reveal();
//! assert!(text.starts_with("ACME-") && text.len() == 29);
//!
//! // What people type: lower case, without hyphens, without the prefix.
//! let typed = text.trim_start_matches("ACME-").replace('-', " ").to_lowercase();
//! assert_eq!(format.parse(&typed)?, code);
//!
//! // A typing mistake is found before any store is asked.
//! let short: Result<_, ParseCodeError> = format.parse("7KQ2-9F");
//! assert!(short.is_err());
//! assert_eq!(format!("{code:?}"), "InvitationCode(…)");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! - **The secret**: an [`InvitationCode`]; only [`reveal`](InvitationCode::reveal) shows it.
//! - **Its spelling**: a [`CodeFormat`] draws codes from [`Entropy`] and reads typed text;
//!   [`ParseCodeError`] says what is wrong with the text.
//! - **In a store**: a code is found by its [`CodeDigest`] and searched by its [`CodeTag`].
//!   [`Sealing`] makes the [`SealedCode`], from which the code can be shown again;
//!   [`UnsealError`] reports one that cannot be opened, with its [`UnsealCause`].
//! - **What a refusal tells the holder of a code**: [`Disclosure`].
//! - **Against a stolen store**: the module `keyring` (feature `keyring`), and
//!   [`Invitations::reseal`](crate::Invitations::reseal), which returns a [`ResealPage`].
//! - **Against guessing**: the module [`throttle`].

mod format;
#[cfg(feature = "keyring")]
pub mod keyring;
mod parse_error;
mod resembles;
mod sealed;
mod sealing;
mod symbols;
mod typed;
mod unseal_error;

use std::{fmt, sync::Arc};

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

pub use self::{
    format::CodeFormat,
    parse_error::ParseCodeError,
    sealed::{CodeDigest, CodeTag, SealedCode},
    sealing::Sealing,
    unseal_error::{UnsealCause, UnsealError},
};
pub use crate::{
    entropy::{Entropy, EntropyError, OsEntropy},
    service::{Disclosure, ResealPage},
    throttle,
};

/// The number of symbols of the longest code.
const MAX_SYMBOLS: usize = CodeFormat::MAX_SYMBOLS as usize;

/// The number of leading symbols that make the [`CodeTag`], by which a list is searched.
pub(crate) const TAG_SYMBOLS: usize = 4;

/// An invitation code: the secret that lets its holder redeem the invitation.
///
/// The code is a bearer credential: `Debug` shows nothing of it, there is no `Display`,
/// and comparison takes constant time. Its own memory is wiped on drop; the [sealed
/// form](SealedCode) that a store keeps is not, and neither are the buffers of a driver.
/// [`reveal`](Self::reveal) is the only way to its text.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::code::{CodeFormat, OsEntropy};
///
/// let format = CodeFormat::default();
/// let code = format.generate(&OsEntropy).unwrap();
///
/// assert_eq!(code.reveal().len(), 29); // six groups of four, five hyphens
/// assert_eq!(format!("{code:?}"), "InvitationCode(…)");
/// assert_eq!(format.parse(&code.reveal().to_lowercase()).unwrap(), code);
/// ```
pub struct InvitationCode {
    /// The canonical symbols; only the first `length` count, the rest are zero.
    symbols: [u8; MAX_SYMBOLS],
    length: u8,
    group: u8,
    prefix: Option<Arc<str>>,
}

impl InvitationCode {
    /// The canonical symbols: upper case, no prefix, no hyphens.
    pub(crate) fn symbols(&self) -> &[u8] {
        &self.symbols[..usize::from(self.length)]
    }

    /// Returns the code as people see, share and type it: prefix and groups, joined by
    /// hyphens. The text is wiped on drop.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        let groups = self.symbols().len().div_ceil(usize::from(self.group));
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let mut text =
            Zeroizing::new(String::with_capacity(prefix.len() + 1 + self.symbols().len() + groups));
        text.push_str(prefix);
        for group in self.symbols().chunks(usize::from(self.group)) {
            if !text.is_empty() {
                text.push('-');
            }
            text.extend(group.iter().map(|&symbol| char::from(symbol)));
        }
        text
    }

    /// Whether the code begins with these canonical symbols.
    pub(crate) fn starts_with(&self, symbols: &[u8]) -> bool {
        self.symbols().get(..symbols.len()).is_some_and(|own| bool::from(own.ct_eq(symbols)))
    }
}

impl PartialEq for InvitationCode {
    /// Compares the symbols in constant time. Prefix and groups are only presentation, so
    /// they do not count.
    fn eq(&self, other: &Self) -> bool {
        bool::from(self.symbols().ct_eq(other.symbols()))
    }
}

impl Eq for InvitationCode {}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode(…)")
    }
}

impl Drop for InvitationCode {
    fn drop(&mut self) {
        self.symbols.zeroize();
    }
}
