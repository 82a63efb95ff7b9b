//! The subject and the text of a mail.

use std::fmt;

use zeroize::Zeroizing;

/// The subject and the text of a mail, as plain text and as HTML.
///
/// Both texts contain the code, so `Debug` does not show them. They are wiped from memory when
/// they are dropped.
#[derive(Clone)]
pub struct Content {
    subject: String,
    text: Zeroizing<String>,
    html: Option<Zeroizing<String>>,
}

/// The error of a mail whose text cannot be made. It contains nothing of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The subject has a control character, such as a line break. It could begin another header.
    #[error("the subject has a control character")]
    ControlInSubject,
    /// The subject is longer than [`Content::MAX_SUBJECT`] bytes.
    #[error("the subject is too long")]
    SubjectTooLong,
    /// A text is longer than [`Content::MAX_TEXT`] bytes.
    #[error("the text is too long")]
    TextTooLong,
    /// The template failed.
    #[error("the template failed")]
    Template,
}

impl Content {
    /// The maximum length of a subject, in bytes.
    pub const MAX_SUBJECT: usize = 500;

    /// The maximum length of each text, in bytes.
    pub const MAX_TEXT: usize = 256 * 1024;

    /// Creates the content of a mail in plain text.
    ///
    /// # Errors
    ///
    /// [`ContentError`] when the subject has a control character, or when a text is too long.
    pub fn new(
        subject: impl Into<String>,
        text: impl Into<Zeroizing<String>>,
    ) -> Result<Self, ContentError> {
        let (subject, text) = (subject.into(), bounded(text.into())?);
        if subject.chars().any(char::is_control) {
            return Err(ContentError::ControlInSubject);
        }
        if subject.len() > Self::MAX_SUBJECT {
            return Err(ContentError::SubjectTooLong);
        }
        Ok(Self { subject, text, html: None })
    }

    /// Adds the same text as HTML. The template escapes what it inserts.
    ///
    /// # Errors
    ///
    /// [`ContentError`] when the text is too long.
    pub fn with_html(self, html: impl Into<Zeroizing<String>>) -> Result<Self, ContentError> {
        Ok(Self { html: Some(bounded(html.into())?), ..self })
    }

    /// Returns the subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the plain text. It contains the code.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the text as HTML, if there is one. It contains the code.
    #[must_use]
    pub fn html(&self) -> Option<&str> {
        self.html.as_ref().map(|html| html.as_str())
    }
}

fn bounded(text: Zeroizing<String>) -> Result<Zeroizing<String>, ContentError> {
    if text.len() > Content::MAX_TEXT { Err(ContentError::TextTooLong) } else { Ok(text) }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A template may put the code into the subject, too.
        f.write_str("Content(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_with_a_line_break_is_refused() {
        for subject in ["Hello\r\nBcc: b@example.com", "a\nb", "a\u{0}b", "a\u{85}b"] {
            let refused = Content::new(subject, "text".to_owned()).unwrap_err();
            assert_eq!(refused, ContentError::ControlInSubject, "{subject:?}");
        }
        let long = "s".repeat(Content::MAX_SUBJECT + 1);
        assert_eq!(Content::new(long, String::new()).unwrap_err(), ContentError::SubjectTooLong);
        let long = "t".repeat(Content::MAX_TEXT + 1);
        assert_eq!(Content::new("s", long).unwrap_err(), ContentError::TextTooLong);
    }
}
