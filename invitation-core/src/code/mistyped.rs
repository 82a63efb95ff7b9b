//! What can be wrong with a typed code before any store is asked.

/// The text cannot be a code, whatever is stored: it was mistyped.
///
/// Found without a call to the store, and never written to the audit trail.
/// Safe to show: it says where the mistake is, not what was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Mistyped {
    /// Nothing but spaces and hyphens, or nothing at all.
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
    /// A character that occurs in no code.
    #[error("the character at position {position} occurs in no code")]
    Symbol {
        /// Its position in the text, in characters counted from 1.
        position: usize,
    },
    /// The check symbol disagrees: a symbol is wrong, or two are swapped.
    #[error("the code has a typing mistake")]
    Check,
}
