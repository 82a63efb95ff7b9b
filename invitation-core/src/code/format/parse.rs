//! Parsing codes as people type and paste them.

use zeroize::Zeroizing;

use super::CodeFormat;
use crate::{
    code::{
        InvitationCode, MAX_SYMBOLS, ParseCodeError, symbols,
        typed::{self, value_of},
    },
    unicode,
};

impl CodeFormat {
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
        let behind = self.behind_prefix(text, begins);
        let begins =
            behind.or_else(|| self.behind_separated_former_prefix(text, begins)).unwrap_or(begins);
        let mut beginning = Zeroizing::new(Vec::with_capacity(self.symbols()));
        for typed in typed::symbols(text, begins) {
            if beginning.len() == self.symbols() {
                return None;
            }
            beginning.push(symbols::symbol_of(value_of(typed.symbol)?));
        }
        (beginning.len() >= min).then_some(beginning)
    }

    fn read(
        &self,
        text: &str,
        begins: usize,
        values: &mut [u8; MAX_SYMBOLS],
    ) -> Result<(), ParseCodeError> {
        if self.prefixes().next().is_none() && self.read_plain(&text[begins..], values) {
            return Ok(());
        }
        let behind = self.behind_prefix(text, begins);
        let mut found = 0;
        for typed in typed::symbols(text, behind.unwrap_or(begins)) {
            let value = value_of(typed.symbol)
                .ok_or(ParseCodeError::Symbol { position: typed.position })?;
            if let Some(place) = values.get_mut(found) {
                *place = value;
            }
            found += 1;
        }
        match found {
            0 if behind.is_none() => Err(ParseCodeError::Empty),
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

    /// Returns the byte after the prefix, if the text begins with the prefix or a former one.
    ///
    /// The first symbols of a code may equal the prefix. They count as the prefix if a separator
    /// follows them, as where the prefix is shown, or if the text is too long for a code alone.
    /// Without the first condition, a code that lost its last group could read as another code
    /// that begins with the prefix.
    fn behind_prefix(&self, text: &str, begins: usize) -> Option<usize> {
        let behind = self.prefix.as_deref().and_then(|prefix| end_of(prefix, text, begins));
        behind
            .filter(|end| is_separated(text, *end))
            .or_else(|| self.behind_former_prefix(text, begins))
            .or(behind.filter(|_| self.is_beyond_symbols(text, begins)))
    }

    /// Returns the byte after a former prefix, if a whole code follows it.
    ///
    /// No code is shown with that prefix any more. So the first symbols of a code that stands alone
    /// never count as it: such a code could not be entered at all.
    fn behind_former_prefix(&self, text: &str, begins: usize) -> Option<usize> {
        let is_whole = |begins: &usize| typed::symbols(text, *begins).count() == self.symbols();
        let mut ends = self.former.iter().filter_map(|prefix| end_of(prefix, text, begins));
        ends.find(|end| is_whole(end) && !is_whole(&begins))
    }

    /// Returns the byte after a former prefix that a separator follows, in a text that is no whole
    /// code by itself.
    fn behind_separated_former_prefix(&self, text: &str, begins: usize) -> Option<usize> {
        let is_whole = typed::symbols(text, begins).count() == self.symbols();
        let mut ends = self.former.iter().filter_map(|prefix| end_of(prefix, text, begins));
        ends.find(|end| !is_whole && is_separated(text, *end))
    }

    /// Whether the text has more letters and digits than a code has symbols.
    fn is_beyond_symbols(&self, text: &str, begins: usize) -> bool {
        typed::symbols(text, begins).nth(self.symbols()).is_some()
    }
}

/// Whether a separator follows at this byte.
fn is_separated(text: &str, end: usize) -> bool {
    text[end..].chars().next().is_some_and(|c| !unicode::is_letter_or_digit(c))
}

/// Returns the byte after the prefix, if the letters and digits of the text begin with it.
fn end_of(prefix: &str, text: &str, begins: usize) -> Option<usize> {
    let mut typed = typed::symbols(text, begins);
    let mut behind = begins;
    for letter in prefix.chars() {
        let next = typed.next().filter(|next| typed::read_alike(next.symbol, letter))?;
        behind = next.ends;
    }
    Some(behind)
}
