//! Recognizing texts that may contain a code and so must not be written into an address
//! (URL).

use super::{CodeFormat, InvitationCode, typed};

impl CodeFormat {
    /// Whether `text` may be a code (correct or with mistakes), at least two groups of
    /// one, or a link whose fragment is a code.
    ///
    /// People paste codes into search fields. Text that resembles a code must not be
    /// written into a URL or a log. A single group is allowed: it discloses 20 of 115
    /// bits. A name of letters alone resembles a code only if it is written in groups.
    #[must_use]
    pub fn resembles(&self, text: &str) -> bool {
        let text = part(text);
        if is_address(text) {
            return false;
        }
        let characters = typed::symbols(text, 0).count();
        let has_digits = text.chars().any(char::is_numeric);
        let two_groups = 2 * self.group();
        if self.read_beginning(text, two_groups).is_some() {
            return has_digits || characters >= self.symbols() || self.is_grouped(text);
        }
        // The text is not a valid code: it may have a wrong symbol, or a few symbols too
        // few or too many.
        let tolerance = self.group() + self.prefix().map_or(0, str::len);
        has_digits && characters.abs_diff(self.symbols()) <= tolerance
    }

    /// Whether `code` begins with the symbols in `text`, which has at least two groups.
    #[must_use]
    pub fn spells(&self, text: &str, code: &InvitationCode) -> bool {
        self.read_beginning(part(text), 2 * self.group())
            .is_some_and(|beginning| code.starts_with(&beginning))
    }

    /// Returns whether the text is written in the groups of a code: at least two, and each but the
    /// last has the full length.
    fn is_grouped(&self, text: &str) -> bool {
        let mut groups: Vec<_> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|group| !group.is_empty()).collect();
        let is_prefix = |group: &&str| self.prefix().is_some_and(|p| p.eq_ignore_ascii_case(group));
        if groups.first().is_some_and(is_prefix) {
            groups.remove(0);
        }
        let Some((last, whole)) = groups.split_last() else { return false };
        !whole.is_empty()
            && whole.iter().all(|group| group.chars().count() == self.group())
            && last.chars().count() <= self.group()
    }
}

/// Returns the part that may contain a code: the text after a number sign, as in a link.
fn part(text: &str) -> &str {
    typed::fragment(text).map_or(text, |(begins, _)| &text[begins..])
}

/// Whether the text is an e-mail address or the middle of one.
fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        local.ends_with(char::is_alphanumeric) && domain.starts_with(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_their_beginnings_resemble_a_code() {
        let format = CodeFormat::default();
        let code = format.complete(&[7; 23]);
        let text = code.reveal();
        let link = format!("https://example.com/register#{}", text.as_str());
        let wrong = text.replacen('7', "U", 1);
        let bare = text.replace('-', "");
        for text in [
            text.as_str(),
            &text[..9],
            &text[..14],
            &text.to_lowercase(),
            &bare,
            &bare[..8],
            &link,
            &wrong,
            &text[..28],
            &format!("{}7", text.as_str()),
            "ABCD-EFGH",
            "abcd efgh j",
            "7KQ2 ABCD",
        ] {
            assert!(format.resembles(text), "{text}");
        }
        for text in [text.as_str(), &text[..9], &bare[..8], &link] {
            assert!(format.spells(text, &code), "{text}");
        }
        assert!(!format.spells("7777", &code) && !format.spells("7777-7778", &code));
    }

    #[test]
    fn names_addresses_and_ids_resemble_none() {
        let format = CodeFormat::default();
        for text in [
            "",
            "anna",
            "Alexander Hamilton",
            "alexander",
            "李",
            "7KQ2",
            "7KQ2-ABC",
            "anna1990@example.com",
            "anna.1990.smith.of.sales@example.com",
            "user-123456",
            "#1",
            "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f5a6",
        ] {
            assert!(!format.resembles(text), "{text}");
        }
    }

    #[test]
    fn a_prefix_is_no_group() {
        let format = CodeFormat::default().with_prefix("ACMECORP").unwrap();
        assert!(format.resembles("ACMECORP-ABCD-EFGH"));
        assert!(!format.resembles("ACMECORP-ABCD"));
        assert!(format.resembles(&format.complete(&[1; 23]).reveal()));
    }
}
