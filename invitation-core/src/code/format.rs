//! The format of codes: generating, writing and parsing them.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{InvitationCode, MAX_SYMBOLS, ParseCodeError, TAG_SYMBOLS, symbols, typed};
use crate::{
    entropy::{Entropy, EntropyError},
    field_error::FieldError,
    unicode,
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
/// assert_eq!(format.parse("ACME-XXXX"), Err(ParseCodeError::Length { expected: 16, found: 8 }));
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeFormat {
    length: u8,
    group: u8,
    prefix: Option<Arc<str>>,
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

    /// Creates a format of `symbols` symbols, in groups of four, without a prefix.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if `symbols` is outside [`MIN_SYMBOLS`](Self::MIN_SYMBOLS) to
    /// [`MAX_SYMBOLS`](Self::MAX_SYMBOLS).
    pub fn new(symbols: u8) -> Result<Self, FieldError> {
        if (Self::MIN_SYMBOLS..=Self::MAX_SYMBOLS).contains(&symbols) {
            Ok(Self { length: symbols, group: 4, prefix: None })
        } else {
            let (min, max) = (Self::MIN_SYMBOLS, Self::MAX_SYMBOLS);
            Err(FieldError::new("symbols", format!("must be {min} to {max}")))
        }
    }

    /// Sets the number of symbols in a group; the last group may be shorter.
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
    /// # Errors
    ///
    /// [`FieldError`] unless `prefix` consists of 1 to 12 characters `A`–`Z` and `0`–`9`.
    pub fn with_prefix(self, prefix: &str) -> Result<Self, FieldError> {
        let fits = (1..=Self::MAX_PREFIX).contains(&prefix.len());
        if fits && prefix.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            Ok(Self { prefix: Some(Arc::from(prefix)), ..self })
        } else {
            let max = Self::MAX_PREFIX;
            Err(FieldError::new("prefix", format!("must be 1 to {max} of A-Z and 0-9")))
        }
    }

    /// The number of symbols of a code, the check symbol included.
    #[must_use]
    pub fn symbols(&self) -> usize {
        usize::from(self.length)
    }

    /// The number of symbols in a group; the last group may be shorter.
    pub(super) fn group(&self) -> usize {
        usize::from(self.group)
    }

    pub(super) fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
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

    /// Parses a code as a person typed or pasted it.
    ///
    /// - Letters count in either case, O as 0, I and L as 1. Compatibility forms, such as
    ///   full-width or circled letters, count as the letters that they stand for.
    /// - Every character that is neither letter nor digit is skipped: spaces, line
    ///   breaks, hyphens, quotes, punctuation, invisible characters.
    /// - Of a link, only the text after `#` counts: the library's own links carry the
    ///   code there.
    ///
    /// # Errors
    ///
    /// [`ParseCodeError`] when the text cannot be a code. The check finds every single wrong
    /// symbol and every swap of two symbols; of other mistakes, it finds 31 in 32.
    pub fn parse(&self, text: &str) -> Result<InvitationCode, ParseCodeError> {
        if text.len() > Self::MAX_INPUT {
            return Err(ParseCodeError::TooLong);
        }
        let whole = self.parse_from(text, 0);
        let Some((begins, is_link)) = typed::fragment(text).filter(|_| whole.is_err()) else {
            return whole;
        };
        // A number sign may also stand before a code in ordinary text, as in "Code
        // #7KQ2-…".
        match self.parse_from(text, begins) {
            Err(_) if !is_link => whole,
            read => read,
        }
    }

    /// Parses the text from byte `begins` on as a code.
    fn parse_from(&self, text: &str, begins: usize) -> Result<InvitationCode, ParseCodeError> {
        let mut values = Zeroizing::new([0; MAX_SYMBOLS]);
        self.read(text, begins, &mut values)?;
        let values = &values[..self.symbols()];
        if symbols::well_formed(values.iter().copied()) {
            Ok(self.code(values))
        } else {
            Err(ParseCodeError::Check)
        }
    }

    /// Reads `text` as the beginning of a code. Returns its canonical symbols if there
    /// are at least `min` and at most all of them, and every letter or digit is a symbol.
    pub(crate) fn read_beginning(&self, text: &str, min: usize) -> Option<Zeroizing<Vec<u8>>> {
        if text.len() > Self::MAX_INPUT {
            return None;
        }
        let begins =
            typed::fragment(text).filter(|(_, is_link)| *is_link).map_or(0, |found| found.0);
        let prefix = self.behind_prefix(text, begins).filter(|behind| {
            let next = text[*behind..].chars().next();
            next.is_some_and(|c| !unicode::is_letter_or_digit(c))
                || self.is_beyond_symbols(text, begins)
        });
        let begins = prefix.unwrap_or(begins);
        let mut beginning = Zeroizing::new(Vec::with_capacity(self.symbols()));
        for typed in typed::symbols(text, begins) {
            if beginning.len() == self.symbols() {
                return None;
            }
            beginning.push(symbols::symbol_of(value_of(typed.symbol)?));
        }
        (beginning.len() >= min).then_some(beginning)
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

    fn read(
        &self,
        text: &str,
        begins: usize,
        values: &mut [u8; MAX_SYMBOLS],
    ) -> Result<(), ParseCodeError> {
        if self.prefix.is_none() && self.read_plain(&text[begins..], values) {
            return Ok(());
        }
        // The first letters of a code may equal the prefix, so they count as the prefix
        // only if the text has too many symbols for a code alone.
        let prefix = self.behind_prefix(text, begins);
        let prefix = prefix.filter(|_| self.is_beyond_symbols(text, begins));
        let begins = prefix.unwrap_or(begins);
        let mut found = 0;
        for typed in typed::symbols(text, begins) {
            let value = value_of(typed.symbol)
                .ok_or(ParseCodeError::Symbol { position: typed.position })?;
            if let Some(place) = values.get_mut(found) {
                *place = value;
            }
            found += 1;
        }
        match found {
            0 => Err(ParseCodeError::Empty),
            _ if found == self.symbols() => Ok(()),
            _ => Err(ParseCodeError::Length { expected: self.symbols(), found }),
        }
    }

    /// Fast path for the usual input: symbols, hyphens and spaces, with the right number
    /// of symbols. Returns `false` for any other text, which the caller then parses in
    /// full.
    fn read_plain(&self, text: &str, values: &mut [u8; MAX_SYMBOLS]) -> bool {
        let mut found = 0;
        for byte in text.bytes() {
            if byte == b'-' || byte == b' ' {
                continue;
            }
            let (Some(value), Some(place)) = (symbols::value_of(byte), values.get_mut(found))
            else {
                return false;
            };
            *place = value;
            found += 1;
        }
        found == self.symbols()
    }

    /// Returns the byte after the prefix, if the text begins with the prefix.
    fn behind_prefix(&self, text: &str, begins: usize) -> Option<usize> {
        let prefix = self.prefix.as_deref()?;
        let mut typed = typed::symbols(text, begins);
        let mut behind = begins;
        for letter in prefix.chars() {
            let next = typed.next().filter(|next| next.symbol.to_ascii_uppercase() == letter)?;
            behind = next.ends;
        }
        Some(behind)
    }

    /// Whether the text has more letters and digits than a code has symbols.
    fn is_beyond_symbols(&self, text: &str, begins: usize) -> bool {
        typed::symbols(text, begins).nth(self.symbols()).is_some()
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

impl Default for CodeFormat {
    /// The default format: 24 symbols, groups of four, no prefix: 115 bits.
    fn default() -> Self {
        Self { length: 24, group: 4, prefix: None }
    }
}

/// Returns the value of a typed character, if it reads as a symbol.
pub(super) fn value_of(c: char) -> Option<u8> {
    u8::try_from(c).ok().and_then(symbols::value_of)
}
