//! What a search means, the same on every store.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    code::{CodeFormat, CodeTag, InvitationCode, Sealing, TAG_SYMBOLS},
    invalid::Invalid,
    invitation::{Binding, Invitation},
    limits::Limits,
    unicode,
};

/// The fewest characters of a word that is searched for.
const MIN_WORD: usize = 2;

/// The most words that are searched for.
const MAX_WORDS: usize = 5;

/// A search as a store sees it: words that must all begin a word of the
/// invitation, or tags of which one must be the invitation's.
#[derive(Clone, PartialEq, Eq)]
pub struct Search {
    words: Vec<String>,
    tags: Vec<CodeTag>,
}

impl Search {
    /// The words, in lower case; when there are none, only the tags count.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The tags; when there are none, only the words count.
    #[must_use]
    pub fn tags(&self) -> &[CodeTag] {
        &self.tags
    }

    /// Whether the search finds the invitation: the specification.
    #[must_use]
    pub fn matches(&self, invitation: &Invitation) -> bool {
        self.tags.contains(&invitation.tag) || self.matches_words(invitation)
    }

    fn matches_words(&self, invitation: &Invitation) -> bool {
        let own = invitation.words();
        !self.words.is_empty()
            && self.words.iter().all(|wanted| own.iter().any(|word| word.starts_with(wanted)))
    }
}

impl fmt::Debug for Search {
    /// How much, not what: the words may be pieces of a code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Search({} words, {} tags)", self.words.len(), self.tags.len())
    }
}

/// The words of a text: in lower case (NFC), split at everything that is not a
/// letter or digit. A combining mark belongs to its letter.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    unicode::search_form(text)
        .split(|c: char| !unicode::is_letter_or_digit(c) && !unicode::is_mark(c))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

impl Invitation {
    /// The words by which a search finds it: those of the e-mail address that it
    /// is bound to, and those of *Used By*.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = match &self.binding {
            Binding::Address(email) => self::words(email.as_str()),
            Binding::Anyone | Binding::Domain(_) => Vec::new(),
        };
        if let Some(last) = &self.last_use {
            words.extend(self::words(last.username.as_str()));
        }
        words
    }
}

/// A search as a person typed it, understood: what to ask the store, and how to
/// tell among what it finds.
pub(crate) struct Query {
    search: Search,
    beginning: Option<Zeroizing<Vec<u8>>>,
}

impl Query {
    /// Understands `text`: as words, as the beginning of a code, or as both.
    pub(crate) fn parse(text: &str, format: &CodeFormat) -> Result<Self, Invalid> {
        let invalid = |message: String| Err(Invalid::new("search", message));
        if text.len() > Limits::MAX_SEARCH {
            return invalid(format!("must not be longer than {} bytes", Limits::MAX_SEARCH));
        }
        let beginning = format.read_beginning(text, TAG_SYMBOLS);
        let tags = beginning.as_ref().map_or_else(Vec::new, |symbols| Sealing::tags(symbols));
        // A whole code is looked for as a code only: not a word of it goes further.
        let whole = beginning.as_ref().is_some_and(|symbols| symbols.len() == format.symbols());
        let found = if whole { Vec::new() } else { words(text) };
        let words = if found.is_empty() {
            Err("must contain a letter or digit".to_owned())
        } else if found.len() > MAX_WORDS {
            Err(format!("must not have more than {MAX_WORDS} words"))
        } else if found.iter().any(|word| word.chars().count() < MIN_WORD) {
            Err(format!("must not have words shorter than {MIN_WORD} characters"))
        } else {
            Ok(found)
        };
        match words {
            Ok(words) => Ok(Self { search: Search { words, tags }, beginning }),
            Err(_) if beginning.is_some() => {
                Ok(Self { search: Search { words: Vec::new(), tags }, beginning })
            }
            Err(message) => invalid(message),
        }
    }

    /// The same search for somebody who is not to see codes, by words alone: each
    /// symbol that a search confirms would be one that is given away.
    pub(crate) fn without_codes(self) -> Self {
        Self { search: Search { tags: Vec::new(), ..self.search }, beginning: None }
    }

    pub(crate) fn search(&self) -> &Search {
        &self.search
    }

    /// Whether an invitation that the store found by its tag is really meant.
    pub(crate) fn finds(&self, invitation: &Invitation, code: Option<&InvitationCode>) -> bool {
        self.search.matches_words(invitation) || self.finds_code(code)
    }

    /// The search in two: by words, which the store decides alone, and by the
    /// code's tag, whose findings are still to be looked at. None when the store
    /// decides it all.
    pub(crate) fn split(&self) -> Option<(Option<Search>, Search)> {
        let longer = self.beginning.as_ref().is_some_and(|symbols| symbols.len() > TAG_SYMBOLS);
        longer.then(|| {
            let Search { words, tags } = self.search.clone();
            let by_words = (!words.is_empty()).then(|| Search { words, tags: Vec::new() });
            (by_words, Search { words: Vec::new(), tags })
        })
    }

    /// Whether only the code tells that an invitation is meant.
    pub(crate) fn finds_by_code_alone(
        &self,
        invitation: &Invitation,
        code: Option<&InvitationCode>,
    ) -> bool {
        !self.search.matches_words(invitation) && self.finds_code(code)
    }

    fn finds_code(&self, code: Option<&InvitationCode>) -> bool {
        let begins = |code: &InvitationCode| {
            self.beginning.as_ref().is_some_and(|symbols| code.starts_with(symbols))
        };
        code.is_some_and(begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Query, Invalid> {
        Query::parse(text, &CodeFormat::default())
    }

    #[test]
    fn splits_at_everything_that_is_not_a_letter_or_digit() {
        assert_eq!(words("Anna.Lind+hr@Example.com"), ["anna", "lind", "hr", "example", "com"]);
        assert_eq!(words("  _-@ "), [""; 0]);
        assert_eq!(words("E\u{301}cole"), words("\u{c9}COLE"));
        assert_eq!(words("\u{130}stanbul").len(), 1, "its dot is a mark in lower case");
        assert_eq!(words("हिन्दी").len(), 1);
    }

    #[test]
    fn refuses_rather_than_ignores() {
        for text in ["", " ", "@", "a", "an a", "um cd ef gh ij kl", &"um ".repeat(100)] {
            assert_eq!(parse(text).err().map(|e| e.field()), Some("search"), "{text:?}");
        }
    }

    #[test]
    fn reads_the_beginning_of_a_code() {
        let with_tags = |text| !parse(text).unwrap().search.tags.is_empty();
        assert!(with_tags("7kq2"));
        assert!(with_tags("7KQ2-M"), "a short word is no obstacle to a code");
        assert!(with_tags("o1il 7"));
        assert!(with_tags("anna"), "may be both");
        assert!(!with_tags("7kq"), "the first group is not complete");
        assert!(!with_tags("7kq2u"), "no code has a U");
        assert!(!with_tags(&"7".repeat(25)), "longer than a code");
    }
}
