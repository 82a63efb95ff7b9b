//! What can be wrong with a typed code before any store is asked.

/// The text cannot be a code, whatever is stored: it was mistyped.
///
/// Found without a call to the store, and never written to the audit trail.
/// Safe to show: it says where the mistake is, not what was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Mistyped {
    /// Not one letter or digit.
    #[error("the code is empty")]
    Empty,
    /// More than [`CodeFormat::MAX_INPUT`](super::CodeFormat::MAX_INPUT) bytes.
    #[error("the code is too long")]
    TooLong,
    /// Too few or too many symbols.
    #[error("the code has {found} symbols instead of {expected}")]
    Length {
        /// How many symbols a code has.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// A letter or digit that occurs in no code.
    #[error("the character at position {position} occurs in no code")]
    Symbol {
        /// Its position in the text as it was typed, in characters (Unicode scalar values)
        /// counted from 1. Skipped characters count, and so does what comes before the
        /// fragment of a link.
        position: usize,
    },
    /// The check symbol disagrees: a symbol is wrong, or two are swapped.
    #[error("the code has a typing mistake")]
    Check,
}
