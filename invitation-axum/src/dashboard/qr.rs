//! The QR code of a registration link, as a picture within the page.

use std::fmt::{self, Write};

use askama::{Template, filters::HtmlSafe};
use fast_qr::{ECL, QRBuilder};
use invitation_core::RegistrationLink;
use zeroize::Zeroizing;

use super::Strings;

/// The light border that readers need around the code, in modules.
const QUIET_ZONE: usize = 4;

/// The picture, with the link as text beside it. It needs no script, no style attribute and no
/// request, so the content policy of pages allows it.
#[derive(Template)]
#[template(path = "qr.html")]
pub(super) struct QrCode<'a> {
    t: &'a Strings,
    /// The length of a side in modules, with the quiet zone.
    side: usize,
    /// The path of the dark modules, as SVG writes it.
    dark: Zeroizing<String>,
    link: RegistrationLink,
}

impl HtmlSafe for QrCode<'_> {}

impl fmt::Debug for QrCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrCode").field("side", &self.side).finish_non_exhaustive()
    }
}

impl<'a> QrCode<'a> {
    /// Returns the picture of a link; none if the link is longer than a QR code can be.
    pub(super) fn new(t: &'a Strings, link: RegistrationLink) -> Option<Self> {
        // Medium error correction: a screen is clean, and fewer modules are easier to scan.
        let code = QRBuilder::new(link.reveal()).ecl(ECL::M).build().ok()?;
        let mut dark = Zeroizing::new(String::new());
        for y in 0..code.size {
            let mut row = code[y].iter().map(|module| module.value()).enumerate().peekable();
            while let Some((x, is_dark)) = row.next() {
                if !is_dark {
                    continue;
                }
                let mut length = 1;
                while row.next_if(|(_, is_dark)| *is_dark).is_some() {
                    length += 1;
                }
                let (x, y) = (x + QUIET_ZONE, y + QUIET_ZONE);
                // Writing to a string cannot fail.
                let _ = write!(dark, "M{x} {y}h{length}v1h-{length}z");
            }
        }
        Some(Self { t, side: code.size + 2 * QUIET_ZONE, dark, link })
    }
}

#[cfg(test)]
mod tests {
    use invitation_core::{BaseUrl, CodeFormat, OsEntropy, RegistrationPage};

    use super::*;

    #[test]
    fn link_that_is_too_long_has_no_picture() {
        let base = BaseUrl::parse("https://example.com").unwrap();
        let code = CodeFormat::default().generate(&OsEntropy).unwrap();
        for (length, has_picture) in [(1_000, true), (4_000, false)] {
            let page = RegistrationPage::new(base.clone()).with_path(&"x".repeat(length));
            let picture = QrCode::new(&Strings::english(), page.link(&code)).is_some();
            assert_eq!(picture, has_picture, "{length}");
        }
    }

    #[test]
    fn debug_output_contains_no_code() {
        let page = RegistrationPage::new(BaseUrl::parse("https://example.com").unwrap());
        let code = CodeFormat::default().generate(&OsEntropy).unwrap();
        let strings = Strings::english();
        let shown = format!("{:?}", QrCode::new(&strings, page.link(&code)).unwrap());
        let canary = invitation_testkit::Canary::new(&code.reveal());
        assert_eq!(canary.trace_in(shown.as_bytes()), None, "{shown}");
    }
}
