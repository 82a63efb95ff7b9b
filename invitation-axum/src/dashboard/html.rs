//! Texts in HTML.

use std::fmt;

use askama::filters::{Escaper, Html};

/// A text for a page. `Display` writes it escaped, so that it may stand between tags and in
/// a quoted attribute.
///
/// ```
/// # mod invitation { pub use invitation_axum as web; }
/// use invitation::web::HtmlText;
///
/// let title = HtmlText::new("Staff & guests");
/// assert_eq!(format!("<title>{title}</title>"), "<title>Staff &#38; guests</title>");
/// assert_eq!(title.as_str(), "Staff & guests");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HtmlText<'a>(&'a str);

impl<'a> HtmlText<'a> {
    /// Wraps a plain text of the host, for its own parts of a layout.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// Returns the plain text, which is not escaped.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.0
    }
}

impl fmt::Display for HtmlText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Html.write_escaped_str(f, self.0)
    }
}
