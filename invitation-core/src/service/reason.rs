//! The reason of a revocation, as an administrator types it.

use crate::{field_error::FieldError, limits::Limits, unicode};

/// Returns the reason with its line breaks as `\n`: browsers and other systems send `\r\n`. None
/// if it is blank, as from a field of a form that was left empty.
///
/// # Errors
///
/// [`FieldError`] if the reason is too long, or has a hidden character other than a line break.
pub(super) fn checked_reason(reason: Option<&str>) -> Result<Option<String>, FieldError> {
    let Some(reason) = reason else { return Ok(None) };
    let reason = reason.replace("\r\n", "\n").replace('\r', "\n");
    if reason.len() > Limits::MAX_REASON {
        let message = format!("must not be longer than {} bytes", Limits::MAX_REASON);
        return Err(FieldError::new("reason", message));
    }
    for (position, (at, c)) in (1..).zip(reason.char_indices()) {
        if let Some(flaw) = unicode::hidden(c)
            && c != '\n'
            && !unicode::joins(&reason, at)
        {
            return Err(FieldError::new("reason", flaw.message(position)));
        }
    }
    Ok((!reason.trim().is_empty()).then_some(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hidden_texts::HIDDEN;

    #[test]
    fn reason_refuses_what_nobody_sees_and_names_its_position() {
        for (text, expected) in HIDDEN.into_iter().filter(|(text, _)| !text.contains('\n')) {
            let message = checked_reason(Some(text)).map_err(|error| error.message().to_owned());
            assert_eq!(message, Err(format!("must not contain {expected}")), "{text:?}");
        }
        let refused = checked_reason(Some("a\r\nb\u{202e}c")).unwrap_err();
        assert!(refused.message().ends_with("(position 4)"), "a line break is one character");
    }

    #[test]
    fn reason_keeps_lines_and_every_script() {
        for (text, kept) in [
            ("left\r\n\rearly\n", "left\n\nearly\n"),
            ("نامه\u{200c}ای", "نامه\u{200c}ای"),
            ("क्\u{200d}ष 🦊", "क्\u{200d}ष 🦊"),
            ("a  b\u{a0}", "a  b\u{a0}"),
        ] {
            assert_eq!(checked_reason(Some(text)).unwrap().as_deref(), Some(kept), "{text:?}");
        }
    }

    #[test]
    fn blank_reason_is_none() {
        for reason in [None, Some(""), Some(" "), Some("\r\n \u{3000}\n")] {
            assert_eq!(checked_reason(reason), Ok(None), "{reason:?}");
        }
    }

    #[test]
    fn reason_is_bounded_in_bytes() {
        assert!(checked_reason(Some(&"x".repeat(Limits::MAX_REASON))).is_ok());
        assert!(checked_reason(Some(&"x".repeat(Limits::MAX_REASON + 1))).is_err());
    }
}
