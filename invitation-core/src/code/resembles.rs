//! Tells texts that may hold a code from those that may be written into an address.

use super::{CodeFormat, InvitationCode, typed};

impl CodeFormat {
    /// Whether `text` may be a code, with mistakes in it or not, two groups of one or
    /// more, or a link whose fragment is one.
    ///
    /// People paste codes into search fields. What resembles a code must not be written
    /// into an address or a log. One group is let through: it tells 20 of 115 bits.
    /// A name of letters alone resembles a code only where it is written in groups.
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
        // Not readable: a code with a wrong symbol, or with some too few or too many.
        let tolerance = self.group() + self.prefix().map_or(0, str::len);
        has_digits && characters.abs_diff(self.symbols()) <= tolerance
    }

    /// Whether `code` begins with what `text` spells, of two groups or more.
    #[must_use]
    pub fn spells(&self, text: &str, code: &InvitationCode) -> bool {
        self.read_beginning(part(text), 2 * self.group())
            .is_some_and(|beginning| code.starts_with(&beginning))
    }

    /// Whether the text is written as codes are: two groups or more, of which only the
    /// last may be short.
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

/// The part that may hold a code: what stands behind a number sign, as in a link.
fn part(text: &str) -> &str {
    typed::fragment(text).map_or(text, |(begins, _)| &text[begins..])
}

/// Whether the text is the whole or the middle of an e-mail address.
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
