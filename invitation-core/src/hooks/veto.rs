//! Vetoes and their reasons.

use std::{error::Error as StdError, fmt, sync::Arc};

use super::Lapse;
use crate::unicode;

/// The refusal of a command by a hook of the host.
///
/// Any error of the host becomes one by `?`. It refuses the command as well, but its text is
/// logged and not shown.
pub struct Veto(Cause);

#[derive(Debug)]
enum Cause {
    Reason(VetoReason),
    Lapse(Lapse),
}

impl Veto {
    /// Refuses the command with a text that the caller reads, such as "Sales is frozen until Monday."
    /// The text becomes a [`VetoReason`].
    #[must_use]
    pub fn because(reason: impl AsRef<str>) -> Self {
        Self(Cause::Reason(VetoReason::new(reason)))
    }

    pub(super) fn lapsed(lapse: Lapse) -> Self {
        Self(Cause::Lapse(lapse))
    }

    /// Returns the reason that the host gave.
    pub(crate) fn into_reason(self) -> Result<VetoReason, Lapse> {
        match self.0 {
            Cause::Reason(reason) => Ok(reason),
            Cause::Lapse(lapse) => Err(lapse),
        }
    }
}

impl fmt::Debug for Veto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Veto").field(&self.0).finish()
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for Veto {
    fn from(error: E) -> Self {
        Self::lapsed(Lapse::Failed(error.into()))
    }
}

/// The reason of a veto: one line for the caller of the command.
///
/// It has at most [`MAX_BYTES`](Self::MAX_BYTES) bytes. Characters that cannot be seen, such as
/// control characters and those that change the direction of text, are replaced by spaces, and
/// white space is made single. A reason without any other character is *the host does not allow
/// this*.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::decide::hooks::VetoReason;
///
/// let reason = VetoReason::new("  No invitations\r\nbefore\tMonday. ");
/// assert_eq!(reason.as_str(), "No invitations before Monday.");
/// assert_eq!(VetoReason::new("\n").as_str(), "the host does not allow this");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VetoReason(Arc<str>);

impl VetoReason {
    /// The maximum length, in bytes of UTF-8: 200. A text that does not fit is cut, and ends with
    /// an ellipsis.
    pub const MAX_BYTES: usize = 200;

    /// Creates the reason from a text of the host.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        const ELLIPSIS: char = '…';
        let text = text.as_ref();
        let (mut kept, mut is_spaced) = (String::new(), false);
        // The bound on the characters keeps the work small, however long the text is.
        for (at, c) in text.char_indices().take(Self::MAX_BYTES * 4) {
            let is_hidden = unicode::hidden(c).is_some() && !unicode::joins(text, at);
            if is_hidden || unicode::is_space(c) || c.is_whitespace() {
                is_spaced = !kept.is_empty();
                continue;
            }
            let room = Self::MAX_BYTES - kept.len() - ELLIPSIS.len_utf8();
            if usize::from(is_spaced) + c.len_utf8() > room {
                kept.push(ELLIPSIS);
                break;
            }
            if is_spaced {
                kept.push(' ');
            }
            kept.push(c);
            is_spaced = false;
        }
        if kept.is_empty() {
            return Self(Arc::from("the host does not allow this"));
        }
        Self(Arc::from(kept))
    }

    /// Returns the reason that the caller reads if the host gave no answer.
    pub(crate) fn unknown() -> Self {
        Self(Arc::from("it could not be found out whether this is allowed, try again later"))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VetoReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_one_visible_line_of_bounded_length() {
        for (given, expected) in [
            ("closed", "closed"),
            (" a\u{7}b\u{202e}c\u{2028}d\u{200b}\u{a0} e ", "a b c d e"),
            ("", "the host does not allow this"),
            ("\u{0}\u{202e} \n", "the host does not allow this"),
        ] {
            assert_eq!(VetoReason::new(given).as_str(), expected, "{given:?}");
        }
        for (given, length) in [
            ("x".repeat(197), 197),
            ("x".repeat(198), 200),
            ("ä".repeat(1_000), 199),
            (" ".repeat(100_000) + "x", "the host does not allow this".len()),
        ] {
            let reason = VetoReason::new(&given);
            assert_eq!(reason.as_str().len(), length);
            assert!(!reason.as_str().chars().any(char::is_control));
        }
    }

    #[test]
    fn error_of_the_host_is_a_veto_without_a_text_for_the_caller() {
        let fail = || -> Result<(), Veto> {
            "eleven".parse::<u8>()?;
            Ok(())
        };
        let lapse = fail().unwrap_err().into_reason().unwrap_err();
        assert!(matches!(lapse, Lapse::Failed(error) if error.to_string().contains("digit")));
    }
}
