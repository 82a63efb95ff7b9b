//! The errors of a typed code that are found without a call to the store.

/// The error of a text that cannot be a code, whatever the store contains: it was
/// mistyped.
///
/// Found without a call to the store, and never written to the audit trail. Safe to show:
/// it contains the position of the mistake, not the typed text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseCodeError {
    /// The text has no letter or digit.
    #[error("the code is empty")]
    Empty,
    /// The text has more than [`CodeFormat::MAX_INPUT`](super::CodeFormat::MAX_INPUT)
    /// bytes.
    #[error("the code is too long")]
    TooLong,
    /// The text has too few or too many symbols.
    #[error("the code has {found} symbols instead of {expected}")]
    Length {
        /// The number of symbols of a code.
        expected: usize,
        /// The number of symbols in the text.
        found: usize,
    },
    /// The text has a letter or digit that is not a symbol.
    #[error("the character at position {position} occurs in no code")]
    Symbol {
        /// The position of the character in the text as typed, in characters (Unicode
        /// scalar values) counted from 1. Skipped characters count, and so does the text
        /// before the fragment of a link.
        position: usize,
    },
    /// The check symbol does not match: a symbol is wrong, or two are swapped.
    #[error("the code has a typing mistake")]
    Check,
}
