//! The format of codes: generating, writing and parsing them.

mod parse;

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{InvitationCode, MAX_SYMBOLS, TAG_SYMBOLS, symbols};
use crate::{
    entropy::{Entropy, EntropyError},
    field_error::FieldError,
};

/// The format of a code: the number of symbols, the size of the groups, and the prefix.
///
/// A symbol is one of 32 ([Crockford's base 32][crockford]). The last is the check symbol;
/// all others are random and carry 5 bits each. The default is 24 symbols in groups of
/// four: 115 random bits. NIST SP 800-63B, 3.1.2, requires 112 bits of a look-up secret
/// that is stored under a plain hash.
///
/// [crockford]: https://www.crockford.com/base32.html
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::code::{CodeFormat, OsEntropy, ParseCodeError};
///
/// let format = CodeFormat::new(16)?.with_prefix("ACME")?;
/// assert_eq!(format.bits(), 75);
///
/// let text = format.generate(&OsEntropy).unwrap().reveal();
/// assert!(text.starts_with("ACME-") && text.len() == "ACME-XXXX-XXXX-XXXX-XXXX".len());
/// assert!(format.parse(&text).is_ok());
/// assert!(format.parse(&text[5..]).is_ok(), "the prefix may be left out");
/// assert_eq!(format.parse("ACME-XXXX"), Err(ParseCodeError::Length { expected: 16, found: 4 }));
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeFormat {
    length: u8,
    group: u8,
    prefix: Option<Arc<str>>,
    /// Prefixes of earlier formats, which are read and never written.
    former: Vec<Arc<str>>,
}

impl CodeFormat {
    /// The maximum length of text that is parsed, in bytes.
    pub const MAX_INPUT: usize = 1_024;
    /// The maximum number of symbols: the check symbol protects no longer codes.
    pub const MAX_SYMBOLS: u8 = 31;
    /// The minimum number of symbols: 55 random bits. At 10,000 active codes and 100
    /// guesses a second, the odds of one hit within a month are below 1 in 10,000. A service
    /// with fewer than 17 symbols, which is below 80 bits, needs a
    /// [throttle](crate::Invitations::with_throttle).
    pub const MIN_SYMBOLS: u8 = 12;

    const MAX_PREFIX: usize = 12;
    /// The maximum number of former prefixes. Each one is compared with every code.
    const MAX_FORMER: usize = 8;

    /// Creates a format of `symbols` symbols, in groups of four, without a prefix.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if `symbols` is outside [`MIN_SYMBOLS`](Self::MIN_SYMBOLS) to
    /// [`MAX_SYMBOLS`](Self::MAX_SYMBOLS).
    pub fn new(symbols: u8) -> Result<Self, FieldError> {
        if (Self::MIN_SYMBOLS..=Self::MAX_SYMBOLS).contains(&symbols) {
            Ok(Self { length: symbols, ..Self::default() })
        } else {
            let (min, max) = (Self::MIN_SYMBOLS, Self::MAX_SYMBOLS);
            Err(FieldError::new("symbols", format!("must be {min} to {max}")))
        }
    }

    /// Sets the number of symbols in a group; the last group may be shorter. A search finds a code
    /// by its first group; with groups of three, by the first four symbols.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if `group` is outside 3 to 8.
    pub fn with_groups_of(self, group: u8) -> Result<Self, FieldError> {
        if (3..=8).contains(&group) {
            Ok(Self { group, ..self })
        } else {
            Err(FieldError::new("group", "must be 3 to 8"))
        }
    }

    /// Sets a prefix, which is written with a hyphen before the first group. A typed code
    /// may omit the prefix; it adds no entropy, and the check symbol does not cover it.
    ///
    /// A code that was sent with another prefix is a typing mistake from then on, although it is
    /// stored without one: a prefix that was in use stays readable as a
    /// [former prefix](Self::with_former_prefix).
    ///
    /// If a code happens to begin with the symbols of the prefix, and a separator follows them,
    /// they are read as the prefix. Such a code has to be typed with the prefix. Of `n`
    /// characters, this happens to one code in 32ⁿ: to one in a million with four.
    ///
    /// # Errors
    ///
    /// [`FieldError`] unless `prefix` consists of 1 to 12 characters `A`–`Z` and `0`–`9`.
    pub fn with_prefix(self, prefix: &str) -> Result<Self, FieldError> {
        Ok(Self { prefix: Some(checked(prefix)?), ..self })
    }

    /// Adds the prefix of an earlier format: codes that were sent with it are read, and no code is
    /// written with it. A format has at most eight former prefixes.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::code::{CodeFormat, OsEntropy};
    ///
    /// let code = CodeFormat::default().with_prefix("ACME")?.generate(&OsEntropy).unwrap();
    /// let renamed = CodeFormat::default().with_prefix("NOVA")?;
    /// assert!(renamed.parse(&code.reveal()).is_err());
    /// assert_eq!(renamed.with_former_prefix("ACME")?.parse(&code.reveal()), Ok(code));
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FieldError`] as for [`with_prefix`](Self::with_prefix), and for a ninth former prefix.
    pub fn with_former_prefix(self, prefix: &str) -> Result<Self, FieldError> {
        if self.former.len() == Self::MAX_FORMER {
            let message = format!("must not have more than {} former ones", Self::MAX_FORMER);
            return Err(FieldError::new("prefix", message));
        }
        let mut former = self.former;
        former.push(checked(prefix)?);
        Ok(Self { former, ..self })
    }

    /// The number of symbols of a code, the check symbol included.
    #[must_use]
    pub fn symbols(&self) -> usize {
        usize::from(self.length)
    }

    /// The number of symbols in a group; the last group may be shorter.
    pub(crate) fn group(&self) -> usize {
        usize::from(self.group)
    }

    /// The prefix that is written, and the former ones.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.prefix.iter().chain(&self.former).map(AsRef::as_ref)
    }

    /// The number of random bits of a code.
    #[must_use]
    pub fn bits(&self) -> u32 {
        5 * (u32::from(self.length) - 1)
    }

    /// Draws a code, with one call to `entropy`.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source of randomness fails.
    pub fn generate(&self, entropy: &dyn Entropy) -> Result<InvitationCode, EntropyError> {
        let mut random = Zeroizing::new([0; MAX_SYMBOLS]);
        let random = &mut random[..self.symbols() - 1];
        entropy.fill(random)?;
        Ok(self.complete(random))
    }

    /// Draws `count` codes, with one call to `entropy` for each 4 kB of randomness.
    /// Randomness left over is discarded, never kept for the next call.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source of randomness fails.
    pub fn generate_many(
        &self,
        count: usize,
        entropy: &dyn Entropy,
    ) -> Result<Vec<InvitationCode>, EntropyError> {
        let each = self.symbols() - 1;
        let mut block = Zeroizing::new([0; 4_096]);
        let mut codes = Vec::with_capacity(count);
        while codes.len() < count {
            let missing = (count - codes.len()).min(block.len() / each);
            let random = &mut block[..missing * each];
            entropy.fill(random)?;
            codes.extend(random.chunks_exact(each).map(|random| self.complete(random)));
        }
        Ok(codes)
    }

    /// Returns the code of these random bytes, one for each symbol but the last.
    pub(super) fn complete(&self, random: &[u8]) -> InvitationCode {
        let mut values = Zeroizing::new([0; MAX_SYMBOLS]);
        for (value, byte) in values.iter_mut().zip(random) {
            // 32 symbols: the low five bits of a uniform byte are uniform.
            *value = byte & 0b1_1111;
        }
        values[random.len()] = symbols::check_value(values[..random.len()].iter().copied());
        self.code(&values[..=random.len()])
    }

    /// Returns the code of these canonical symbols, written in this format. It may have
    /// been created in an earlier format with another number of symbols.
    pub(crate) fn code_of(&self, symbols: &[u8]) -> Option<InvitationCode> {
        let length = u8::try_from(symbols.len()).ok()?;
        let mut values = Zeroizing::new([0; MAX_SYMBOLS]);
        for (value, symbol) in values.get_mut(..symbols.len())?.iter_mut().zip(symbols) {
            *value = symbols::value_of(*symbol)?;
        }
        let values = &values[..symbols.len()];
        let fits = symbols.len() >= TAG_SYMBOLS && symbols::well_formed(values.iter().copied());
        fits.then(|| Self { length, ..self.clone() }.code(values))
    }

    fn code(&self, values: &[u8]) -> InvitationCode {
        let mut code = InvitationCode {
            symbols: [0; MAX_SYMBOLS],
            length: self.length,
            group: self.group,
            prefix: self.prefix.clone(),
        };
        for (place, value) in code.symbols.iter_mut().zip(values) {
            *place = symbols::symbol_of(*value);
        }
        code
    }
}

fn checked(prefix: &str) -> Result<Arc<str>, FieldError> {
    let max = CodeFormat::MAX_PREFIX;
    let fits = (1..=max).contains(&prefix.len());
    if fits && prefix.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        Ok(Arc::from(prefix))
    } else {
        Err(FieldError::new("prefix", format!("must be 1 to {max} of A-Z and 0-9")))
    }
}

impl Default for CodeFormat {
    /// The default format: 24 symbols, groups of four, no prefix: 115 bits.
    fn default() -> Self {
        Self { length: 24, group: 4, prefix: None, former: Vec::new() }
    }
}
