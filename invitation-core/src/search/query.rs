//! Parsing the text of a search.

use zeroize::Zeroizing;

use super::{Search, SearchTerm, terms};
use crate::{
    code::{CodeDigest, CodeFormat, InvitationCode, Sealing, TAG_SYMBOLS},
    field_error::FieldError,
    limits::Limits,
    record::Record,
    unicode,
};

/// A parsed search: the search for the store, and the check of the candidates that it
/// returns.
pub(crate) struct Query {
    pub(super) search: Search,
    beginning: Option<Zeroizing<Vec<u8>>>,
    /// The number of symbols of the shortest beginning that is searched for.
    shortest: usize,
    /// The digests of a complete code.
    digests: Vec<CodeDigest>,
}

impl Query {
    /// Parses `text` as an address, as a code, or as terms and perhaps the beginning of a
    /// code.
    pub(crate) fn parse(
        text: &str,
        format: &CodeFormat,
        sealing: &Sealing,
    ) -> Result<Self, FieldError> {
        let invalid = |message: String| Err(FieldError::new("search", message));
        if text.len() > Limits::MAX_SEARCH {
            return invalid(format!("must not be longer than {} bytes", Limits::MAX_SEARCH));
        }
        // A beginning that is shorter than the tag finds no candidates.
        let shortest = TAG_SYMBOLS.max(format.group());
        // Pasted text may be full-width, or have invisible direction marks around it. Control
        // characters stay: a tab stands between two cells.
        let shown = text.chars().filter(|c| !unicode::is_dropped(*c)).collect::<String>();
        if let Some(key) = terms::address(&unicode::nfkc(&shown)) {
            let whole = SearchTerm { text: terms::whole_address(&key), is_whole: true };
            let search = Search { terms: vec![whole], tags: Vec::new() };
            return Ok(Self { search, beginning: None, shortest, digests: Vec::new() });
        }
        let code = format.parse(text).ok();
        let beginning = match &code {
            Some(code) => Some(Zeroizing::new(code.symbols().to_vec())),
            None => format.read_beginning(text, shortest),
        };
        let tags = beginning.as_ref().map_or_else(Vec::new, |symbols| sealing.tags(symbols));
        let digests = code.as_ref().map_or_else(Vec::new, |code| sealing.digests(code));
        // A complete code is searched for as a code only: no term of it reaches the store. Letters
        // that only read as a code may be a name, so they are searched for as both.
        let is_code = code.is_some() && format.is_unmistakable(text);
        let terms = if is_code { Vec::new() } else { wanted(text) };
        if terms.is_empty() && beginning.is_none() {
            return invalid("must contain a letter or digit".to_owned());
        }
        Ok(Self { search: Search { terms, tags }, beginning, shortest, digests })
    }

    /// Returns the same search by terms alone, for an actor who may not see codes: each
    /// symbol that a search confirms would disclose a part of a code.
    pub(crate) fn without_codes(self) -> Self {
        let search = Search { tags: Vec::new(), ..self.search };
        Self { search, beginning: None, digests: Vec::new(), ..self }
    }

    pub(crate) fn search(&self) -> &Search {
        &self.search
    }

    /// Returns the search by terms alone.
    pub(crate) fn by_terms(&self) -> Search {
        Search { tags: Vec::new(), ..self.search.clone() }
    }

    /// Whether the search means an invitation that the store found. None if only the store can
    /// say it, because only the store knows the names of earlier redeemers.
    pub(crate) fn finds(&self, invitation: &Record, code: Option<&InvitationCode>) -> Option<bool> {
        // The store finds an invitation with another tag by its terms.
        let is_by_terms = !self.search.tags.contains(&invitation.tag);
        if is_by_terms
            || self.finds_code(invitation, code)
            || self.search.matches_latest(invitation)
        {
            return Some(true);
        }
        (!self.has_earlier_names(invitation)).then_some(false)
    }

    /// Whether an earlier redeemer's name may meet the terms.
    fn has_earlier_names(&self, invitation: &Record) -> bool {
        invitation.uses > 1 && !self.search.terms.is_empty()
    }

    /// Splits the search in two: by terms, which the store decides alone, and by the
    /// code's tag, whose candidates are still to be checked. `None` if the store decides
    /// all of it.
    pub(crate) fn split(&self) -> Option<(Option<Search>, Search)> {
        let longer = self.beginning.as_ref().is_some_and(|symbols| symbols.len() > TAG_SYMBOLS);
        longer.then(|| {
            let Search { terms, tags } = self.search.clone();
            let by_terms = (!terms.is_empty()).then(|| Search { terms, tags: Vec::new() });
            (by_terms, Search { terms: Vec::new(), tags })
        })
    }

    /// Whether only the code, not a term, shows that the search means the invitation. None if only
    /// the store can say it.
    pub(crate) fn finds_by_code_alone(
        &self,
        invitation: &Record,
        code: Option<&InvitationCode>,
    ) -> Option<bool> {
        if !self.finds_code(invitation, code) || self.search.matches_latest(invitation) {
            return Some(false);
        }
        (!self.has_earlier_names(invitation)).then_some(true)
    }

    /// Whether the search means the code of the invitation. If the store has only its digest, a
    /// complete code can be compared. Of a longer group than four symbols, the first four can.
    fn finds_code(&self, invitation: &Record, code: Option<&InvitationCode>) -> bool {
        let Some(beginning) = &self.beginning else { return false };
        match code {
            Some(code) => code.starts_with(beginning),
            None if invitation.sealed.holds_code() => false,
            None => {
                let is_first_group = beginning.len() == self.shortest;
                is_first_group && self.search.tags.contains(&invitation.tag)
                    || self.digests.contains(&invitation.digest)
            }
        }
    }
}

/// Returns the search terms, the longest first.
fn wanted(text: &str) -> Vec<SearchTerm> {
    let mut texts = terms::split(text);
    texts.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let mut wanted: Vec<SearchTerm> = Vec::new();
    for text in texts {
        // Very many terms begin with any single character, so a term of one character
        // must match as a whole.
        let is_whole = text.chars().nth(1).is_none();
        // A text that begins with a longer search term also begins with this one.
        let is_implied = |longer: &SearchTerm| {
            longer.text == text || !is_whole && longer.text.starts_with(&text)
        };
        if !wanted.iter().any(is_implied) {
            wanted.push(SearchTerm { text, is_whole });
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Query, FieldError> {
        Query::parse(text, &CodeFormat::default(), &Sealing::default())
    }

    /// Returns the terms of a search; a term that must match as a whole gets an `=`.
    fn read(text: &str) -> Vec<String> {
        let terms = parse(text).unwrap().search.terms;
        let shown = |term: SearchTerm| {
            if term.is_whole { format!("={}", term.text) } else { term.text }
        };
        terms.into_iter().map(shown).collect()
    }

    #[test]
    fn refuses_only_what_has_no_letter_or_digit() {
        for text in ["", " ", "@", "%_-", "\u{301}", "🦊", "\u{200b}", &"um ".repeat(100)] {
            assert_eq!(parse(text).err().map(|e| e.field()), Some("search"), "{text:?}");
        }
        for text in ["a", "李", "7", "é", "a b c d e f g h", "an a", "%a", &"u ".repeat(100)] {
            assert!(parse(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn reads_terms_of_any_length_the_longest_first() {
        for (text, expected) in [
            ("an anna", &["anna"][..]),
            ("Lind anna LIND", &["anna", "lind"]),
            ("a an", &["an", "=a"]),
            ("j.smith@example", &["example", "smith", "=j"]),
            ("李", &["=李"]),
            ("e\u{301}", &["=é"]),
            ("ß", &["ss"]),
            ("j.smith@example.com", &["=@j.smith@example.com"]),
            (" anna+1@EXAMPLE.com\t", &["=@anna+1@example.com"]),
            ("ｊ＠ｅｘａｍｐｌｅ．ｃｏｍ", &["=@j@example.com"]),
            ("\u{2068}j@example.com\u{2069}", &["=@j@example.com"]),
            ("j@exam\u{ad}ple.com\u{200b}", &["=@j@example.com"]),
            ("anna@exämple.com", &["=@anna@xn--exmple-cua.com"]),
            ("anna\tanna@example.com", &["example", "anna", "com"]),
            ("anna\u{85}lind\nanna@example.com", &["example", "anna", "lind", "com"]),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        assert_eq!(read(&"ab cd ef gh ".repeat(16)).len(), 4);
        assert_eq!(read("a b c d e f g h i j k l m n o p q r s t").len(), 20);
    }

    #[test]
    fn reads_the_beginning_of_a_code() {
        let with_tags = |text| !parse(text).unwrap().search.tags.is_empty();
        assert!(with_tags("7kq2"));
        assert!(with_tags("7KQ2-M"));
        assert!(with_tags("o1il 7"));
        assert!(with_tags("７ｋｑ２."));
        assert!(with_tags("https://example.com/register#7KQ2"));
        assert!(with_tags("anna"), "may be both");
        assert!(!with_tags("7kq"), "the first group is not complete");
        assert!(!with_tags("7kq2u"), "no code has a U");
        assert!(!with_tags("anna@example.com"), "an address");
        assert!(!with_tags(&"7".repeat(25)), "longer than a code");
    }

    #[test]
    fn beginning_of_a_code_needs_its_first_group_and_four_symbols() {
        for (group, needed) in [(3, 4), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8)] {
            let format = CodeFormat::default().with_groups_of(group).unwrap();
            for length in 1..24 {
                let text = "7".repeat(length);
                let query = Query::parse(&text, &format, &Sealing::default()).unwrap();
                let is_code = !query.search.tags.is_empty();
                assert_eq!(is_code, length >= needed, "{length} of groups of {group}");
            }
        }
    }

    #[test]
    fn looks_for_a_whole_code_as_a_code_only() {
        let code = CodeFormat::default().generate(&crate::entropy::OsEntropy).unwrap();
        let code = code.reveal();
        for text in [
            code.to_string(),
            format!("https://example.com/register#{}", *code),
            format!("Nr. #{}", *code),
        ] {
            let query = parse(&text).unwrap();
            assert!(query.search.terms.is_empty() && !query.search.tags.is_empty());
            assert_eq!(query.digests.len(), 1);
            assert!(query.without_codes().search.tags.is_empty());
        }
        // A name may read as a code: its last letter is the correct check symbol.
        for name in ["Johann Isabella Zimmermann", "Hans Christopher Friedrich"] {
            let query = parse(name).unwrap();
            assert!(!query.search.tags.is_empty() && query.digests.len() == 1, "{name}");
            assert_eq!(query.search.terms.len(), 3, "{name}");
            assert_eq!(query.without_codes().search.terms.len(), 3, "{name}");
        }
        // As many letters as a code has symbols are not yet a code.
        let name = "Alexander Hamann Becker 3";
        assert_eq!(read(name).len(), 4, "{name}");
    }
}
