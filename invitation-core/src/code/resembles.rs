//! Recognizing texts that may contain a code and so must not be written into an address
//! (URL).

use uuid::Uuid;

use super::{
    CodeFormat, InvitationCode,
    typed::{self, value_of},
};

impl CodeFormat {
    /// Whether `text` may contain a code: correct or with mistakes, at least two groups of
    /// one, or a link whose fragment is a code, alone or among other text.
    ///
    /// People paste codes into search fields, often with the words around them. Text that
    /// resembles a code must not be written into a URL or a log. A single group is allowed: it
    /// discloses 20 of 115 bits. Addresses and UUIDs are allowed. Words of letters alone
    /// resemble a code only if the text consists of nothing but groups, or if they have the
    /// lengths of all groups of a code.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::code::{CodeFormat, OsEntropy};
    ///
    /// let format = CodeFormat::default();
    /// let code = format.generate(&OsEntropy)?.reveal();
    /// assert!(format.resembles(&code));
    /// assert!(format.resembles(&format!("{}\tanna@example.com", *code)));
    /// assert!(!format.resembles("anna.1990@example.com in sales"));
    /// # Ok::<_, invitation::code::EntropyError>(())
    /// ```
    #[must_use]
    pub fn resembles(&self, text: &str) -> bool {
        let text = without(text, |c| c.is_alphanumeric() || c == '-', is_uuid);
        // An address may contain a code too: a separator that is a part of addresses, such as
        // a hyphen, may stand between them.
        if self.is_written_out(&words(&text)) {
            return true;
        }
        let text = without(&text, |c| c.is_alphanumeric() || "._%+-@".contains(c), is_address);
        self.is_like_a_code(part(&text)) || self.is_among(&words(&text))
    }

    /// Whether `code` begins with the symbols in `text`, which has at least two groups.
    #[must_use]
    pub fn spells(&self, text: &str, code: &InvitationCode) -> bool {
        self.read_beginning(part(text), 2 * self.group())
            .is_some_and(|beginning| code.starts_with(&beginning))
    }

    /// Returns whether a text that reads as a complete code is one for certain. The name of a
    /// person may read as a code too: if it has the right number of letters, the check symbol is
    /// correct by chance in one of 32 cases. A code has digits, or groups, or is one word.
    pub(crate) fn is_unmistakable(&self, text: &str) -> bool {
        let is_link = typed::fragment(text).is_some_and(|(_, is_link)| is_link);
        let text = part(text);
        is_link || has_digit(text) || words(text).len() == 1 || self.is_grouped(text)
    }

    /// Returns whether the whole text may be a code or the beginning of one.
    fn is_like_a_code(&self, text: &str) -> bool {
        let characters = typed::symbols(text, 0).count();
        let has_digits = has_digit(text);
        if self.read_beginning(text, 2 * self.group()).is_some() {
            return has_digits || characters >= self.symbols() || self.is_grouped(text);
        }
        // The text is not a valid code: it may have a wrong symbol, or a few symbols too
        // few or too many.
        let tolerance = self.group() + self.prefixes().map(str::len).max().unwrap_or(0);
        has_digits && characters.abs_diff(self.symbols()) <= tolerance
    }

    /// Returns whether some of the words resemble a code or a part of one.
    fn is_among(&self, words: &[String]) -> bool {
        words.iter().any(|word| self.is_like_a_code(word) || self.is_within(word))
            || self.has_groups(words)
            || self.is_spread_over(words)
    }

    /// Returns whether successive words are all groups of a code, or one word is a code.
    fn is_written_out(&self, words: &[String]) -> bool {
        let groups = self.symbols().div_ceil(self.group());
        let last = self.symbols() - (groups - 1) * self.group();
        let is_code = |run: &[String]| {
            run.iter().enumerate().all(|(n, word)| {
                let length = if n + 1 < groups { self.group() } else { last };
                is_of_symbols(word) && word.len() == length
            })
        };
        words.windows(groups).any(is_code) || words.iter().any(|word| self.parse(word).is_ok())
    }

    /// Returns whether two successive words are whole groups, and one has a digit.
    fn has_groups(&self, words: &[String]) -> bool {
        let is_group = |word: &String| is_of_symbols(word) && word.len() == self.group();
        words
            .split(|word| !is_group(word))
            .any(|run| run.len() > 1 && run.iter().any(|group| has_digit(group)))
    }

    /// Returns whether successive words, of whatever lengths, have the symbols of a code. The
    /// check symbol is correct by chance in one of 32 cases, so words of letters alone do not
    /// count.
    fn is_spread_over(&self, words: &[String]) -> bool {
        let longest = self.symbols() + self.prefixes().map(str::len).max().unwrap_or(0);
        (0..words.len()).any(|first| {
            let mut joined = String::new();
            let mut runs = words[first..].iter().map_while(|word| {
                joined.push_str(word);
                (joined.len() <= longest).then(|| has_digit(&joined) && self.parse(&joined).is_ok())
            });
            runs.any(|is_code| is_code)
        })
    }

    /// Returns whether a part of a word that is longer than a code is one.
    fn is_within(&self, word: &str) -> bool {
        word.is_ascii()
            && word.as_bytes().windows(self.symbols()).any(|part| {
                let part = str::from_utf8(part).unwrap_or_default();
                has_digit(part) && self.parse(part).is_ok()
            })
    }

    /// Returns whether the text is written in the groups of a code: at least two, and each but the
    /// last has the full length.
    fn is_grouped(&self, text: &str) -> bool {
        let mut groups: Vec<_> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|group| !group.is_empty()).collect();
        let is_prefix = |group: &&str| {
            self.prefixes().any(|prefix| {
                prefix.len() == group.chars().count()
                    && prefix.chars().zip(group.chars()).all(|(a, b)| typed::read_alike(a, b))
            })
        };
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

/// Returns the words of a text: its unbroken sequences of letters and digits, in the forms
/// that these stand for.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut behind = 0;
    for typed in typed::symbols(text, 0) {
        match words.last_mut() {
            Some(word) if typed.position <= behind => word.push(typed.symbol),
            _ => words.push(typed.symbol.into()),
        }
        behind = typed.position + 1;
    }
    words
}

/// Returns the text without those of its parts that `is_left_out`. A part is an unbroken
/// sequence of characters that `belongs`.
fn without(
    text: &str,
    belongs: impl Fn(char) -> bool,
    is_left_out: impl Fn(&str) -> bool,
) -> String {
    let parts = text.split_inclusive(|c| !belongs(c));
    let kept = parts.map(|part| match part.trim_end_matches(|c| !belongs(c)) {
        own if is_left_out(own) => &part[own.len()..],
        _ => part,
    });
    kept.collect()
}

fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok()
}

/// Whether the text is an e-mail address or the middle of one.
fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        local.ends_with(char::is_alphanumeric) && domain.starts_with(char::is_alphanumeric)
    })
}

fn has_digit(text: &str) -> bool {
    text.chars().any(char::is_numeric)
}

fn is_of_symbols(word: &str) -> bool {
    word.chars().all(|c| value_of(c).is_some())
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
    fn a_code_among_other_text_resembles_one() {
        let format = CodeFormat::default();
        let random: Vec<u8> = (0..23).map(|n| 5 * n).collect();
        let code = format.complete(&random).reveal();
        let code = code.as_str();
        let bare = code.replace('-', "");
        let uneven = format!("{} {} {}", &bare[..7], &bare[7..13], &bare[13..]);
        for text in [
            format!("Code is {code}"),
            format!("Code is {bare}, thanks"),
            format!("Code is {uneven}"),
            format!("Code is {}", &code[..9]),
            format!("{code} anna@example.com"),
            format!("{code},anna@example.com,staff"),
            format!("{code}-anna@example.com"),
            format!("anna@example.com\t{}", code.to_lowercase()),
            format!("https://example.com/register#{code} thanks"),
            format!("https://example.com/register%23{code}"),
            format!("{code} {code}"),
            format!("{bare}{bare}"),
            format!("please{bare}"),
            format!("{code} see #1"),
            format!("mistyped: {}", code.replacen('F', "U", 1)),
            format!("0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f5a6 {code}"),
            "call ABCD-EFGH-JKMN-PQRS-TVWX-YZAB now".to_owned(),
        ] {
            assert!(format.resembles(&text), "{text}");
        }
        let format = format.with_prefix("WELCOME").unwrap();
        let code = format.complete(&[1; 23]).reveal();
        let bare = code.replace('-', "");
        for text in [format!("Code is {}!", *code), format!("Code is {bare}!")] {
            assert!(format.resembles(&text), "{text}");
        }
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
            "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f5a6 anna.1990@example.com",
            "batch 0192f3a45b6c7d8e9fa0b1c2d3e4f5a6 of Lars John, Ohio",
            "from anna1990@example.com, ross2024@example.com",
            "see issue #1",
        ] {
            assert!(!format.resembles(text), "{text}");
        }
    }

    #[test]
    fn name_that_reads_as_a_code_is_told_from_a_code() {
        let format = CodeFormat::default();
        for name in [
            "Johann Isabella Zimmermann",
            "Hans Christopher Friedrich",
            "Johann Nathaniel Patterson",
        ] {
            assert!(format.parse(name).is_ok() && !format.is_unmistakable(name), "{name}");
        }
        let lettered = format.complete(&[10; 23]).reveal();
        let bare = lettered.replace('-', "");
        assert!(!has_digit(&bare[..23]), "a code of letters");
        for text in [
            lettered.to_string(),
            lettered.replace('-', " ").to_lowercase(),
            bare.clone(),
            format!("Code #{}", *lettered),
            format!("https://example.com/register#{} {}", &bare[..11], &bare[11..]),
            format.complete(&[7; 23]).reveal().replace('-', "").replacen("777", "777 ", 1),
        ] {
            assert!(format.is_unmistakable(&text), "{text}");
        }
    }

    #[test]
    fn a_prefix_is_no_group() {
        let format = CodeFormat::default().with_prefix("ACMECORP").unwrap();
        assert!(format.resembles("ACMECORP-ABCD-EFGH"));
        assert!(!format.resembles("ACMECORP-ABCD"));
        let format = CodeFormat::default().with_prefix("P10").unwrap();
        assert!(format.resembles("plo-ABCD-EFGH"), "typed with look-alikes");
        assert!(format.resembles(&format.complete(&[1; 23]).reveal()));
    }
}
