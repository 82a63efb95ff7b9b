//! Text search, with the same meaning on every store.

mod query;
mod terms;

use std::fmt;

pub(crate) use self::query::Query;
use crate::{
    binding::Binding,
    code::{CodeFormat, CodeTag, Sealing},
    field_error::FieldError,
    record::Record,
    text::Username,
};

/// A parsed search as a store gets it: search terms, and tags of codes.
///
/// It finds an invitation on any of these conditions:
///
/// - the address matches all terms;
/// - the name of one redeemer matches all terms;
/// - one of the tags is the invitation's.
#[derive(Clone, PartialEq, Eq)]
pub struct Search {
    terms: Vec<SearchTerm>,
    tags: Vec<CodeTag>,
}

impl Search {
    /// The maximum number of bytes of an invitation's term; a store's column must hold
    /// them.
    pub const MAX_TERM_BYTES: usize = 768;

    /// Parses the text of a search as a store gets it, for codes of `format` that are stored
    /// without a key.
    ///
    /// [`Invitations`](crate::Invitations) parses the text of
    /// [`Criteria`](crate::Criteria) itself. Authors of stores call this in their tests.
    ///
    /// # Errors
    ///
    /// Fails if the text is longer than [`Limits::MAX_SEARCH`](crate::Limits::MAX_SEARCH)
    /// bytes, or contains neither a letter nor a digit.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{code::CodeFormat, store::Search};
    ///
    /// let search = Search::parse("Anna Lind", &CodeFormat::default())?;
    /// assert_eq!(search.terms().len(), 2);
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    pub fn parse(text: &str, format: &CodeFormat) -> Result<Self, FieldError> {
        Query::parse(text, format, &Sealing::readable()).map(|query| query.search)
    }

    /// The terms that must match, the longest first, because these are likely the most
    /// selective. If there are none, only the tags count.
    ///
    /// Their number is bounded only by the
    /// [`Limits::MAX_SEARCH`](crate::Limits::MAX_SEARCH) bytes of the text. A store looks
    /// for candidates by some of them, and checks all of them on each candidate.
    #[must_use]
    pub fn terms(&self) -> &[SearchTerm] {
        &self.terms
    }

    /// The tags of codes; if there are none, only the terms count.
    #[must_use]
    pub fn tags(&self) -> &[CodeTag] {
        &self.tags
    }

    /// Whether the search finds the invitation: the specification. `earlier` are the names of
    /// the redeemers before the latest.
    #[must_use]
    pub fn matches<'n>(
        &self,
        invitation: &Record,
        earlier: impl IntoIterator<Item = &'n Username>,
    ) -> bool {
        self.tags.contains(&invitation.tag)
            || self.matches_latest(invitation)
            || earlier.into_iter().any(|name| self.matches_name(name))
    }

    /// Whether one name meets all terms: the specification.
    #[must_use]
    pub fn matches_name(&self, name: &Username) -> bool {
        self.is_met_by(&name.search_terms())
    }

    /// Whether the address meets all terms, or the name of the latest redeemer does.
    fn matches_latest(&self, invitation: &Record) -> bool {
        let StoredTerms { address, used_by } = invitation.search_terms();
        self.is_met_by(&address) || self.is_met_by(&used_by)
    }

    fn is_met_by(&self, own: &[String]) -> bool {
        let is_met = |term: &SearchTerm| own.iter().any(|own| term.is_met_by(own));
        !self.terms.is_empty() && self.terms.iter().all(is_met)
    }
}

impl fmt::Debug for Search {
    /// Shows the numbers of terms and tags only: the terms may be pieces of a code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Search({} terms, {} tags)", self.terms.len(), self.tags.len())
    }
}

/// A search term.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchTerm {
    text: String,
    is_whole: bool,
}

impl SearchTerm {
    /// The text, in the form of [`Binding::search_terms`].
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether only an equal term matches. Otherwise every term that begins with the text
    /// matches.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether a term of an invitation matches: the specification.
    #[must_use]
    pub fn is_met_by(&self, term: &str) -> bool {
        if self.is_whole { self.text == term } else { term.starts_with(&self.text) }
    }
}

impl fmt::Debug for SearchTerm {
    /// Hides the text: it may be a piece of a code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchTerm(…)")
    }
}

/// The terms of an invitation's record, in two groups. A search must meet all its terms in one
/// group, or in the terms of an earlier redeemer's name.
#[derive(Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a group")]
pub struct StoredTerms {
    /// The terms of the bound address, as [`Binding::search_terms`] returns them.
    pub address: Vec<String>,
    /// The terms of the latest redeemer's name; none before the first redemption.
    pub used_by: Vec<String>,
}

impl fmt::Debug for StoredTerms {
    /// Hides the terms: they are pieces of addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredTerms(…)")
    }
}

impl Record {
    /// Returns the terms by which a search finds the invitation, besides those of the names of
    /// earlier redeemers. A store keeps the latter from the redemptions.
    ///
    /// They move when [`Change::indexed`](crate::Change::indexed) says so.
    #[must_use]
    pub fn search_terms(&self) -> StoredTerms {
        let used_by = self.last_use.as_ref().map(|last| last.username.search_terms());
        StoredTerms { address: self.binding.search_terms(), used_by: used_by.unwrap_or_default() }
    }
}

impl Binding {
    /// Returns the terms by which a search finds the bound address; other bindings have
    /// none, and neither has an address that was [erased](crate::erasure).
    ///
    /// The terms are, each once:
    ///
    /// - the runs of letters, digits and combining marks, without regard to case,
    ///   compatibility form and normal form;
    /// - `@` and the whole address in its comparison form.
    ///
    /// No term is longer than [`Search::MAX_TERM_BYTES`].
    #[must_use]
    pub fn search_terms(&self) -> Vec<String> {
        match self {
            Self::Address(email) if !email.is_erased() => {
                terms::stored(email.as_str(), Some(email.key()))
            }
            Self::Address(_) | Self::Anyone | Self::Domain(_) => Vec::new(),
        }
    }
}

impl Username {
    /// Returns the terms by which a search finds the name in *Used By*; if it is an
    /// address, those of an address.
    ///
    /// They are created as [`Binding::search_terms`] says. No term contains a space.
    #[must_use]
    pub fn search_terms(&self) -> Vec<String> {
        let address = terms::address(self.as_str());
        terms::stored(self.as_str(), address.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::Email;

    fn finds(search: &str, terms: &[String]) -> bool {
        let query = Query::parse(search, &CodeFormat::default(), &Sealing::default()).unwrap();
        let wanted = query.search().terms();
        wanted.iter().all(|term| terms.iter().any(|own| term.is_met_by(own)))
    }

    #[test]
    fn search_finds_a_name_as_it_is_shown() {
        for (name, hits, misses) in [
            ("李", &["李"][..], &["李小"][..]),
            ("李小龙", &["李小龙", "李小"], &["李", "小龙"]),
            ("O'Neil", &["o'neil", "O\u{2019}NEIL", "neil", "o", "neil o"], &["oneil", "eil"]),
            ("Jean-Luc", &["jean-luc", "jean luc", "LUC", "je"], &["jeanluc", "j", "uc"]),
            ("J. Smith", &["j", "j.", "j smith", "J. Sm"], &["js", "x smith"]),
            ("Zoë", &["zoë", "zoe\u{308}", "ZOË", "zo"], &["zoe", "z"]),
            ("Straße", &["straße", "STRASSE", "strasse", "stra"], &["strase"]),
            ("Işıl", &["ışıl", "IŞIL", "işil", "İŞİL"], &["isil"]),
            ("สมชาย", &["สมชาย", "สมช"], &["ชาย"]),
            ("हिन्दी", &["हिन्दी", "हिन्"], &["न्दी"]),
            ("Ａｎｎａ Ⅳ", &["anna iv", "ａｎｎａ"], &["nna"]),
            ("C3PO-7", &["c3po", "7", "c3po 7"], &["3po"]),
        ] {
            let terms = Username::new(name).unwrap().search_terms();
            for search in hits {
                assert!(finds(search, &terms), "{search:?} finds {name:?}");
            }
            for search in misses {
                assert!(!finds(search, &terms), "{search:?} does not find {name:?}");
            }
        }
    }

    #[test]
    fn an_address_is_found_whole_or_by_its_terms() {
        let terms = |text| Binding::Address(Email::parse(text).unwrap()).search_terms();
        let own = terms("J.Smith+hr@Exämple.com");
        for search in [
            "j.smith+hr@exämple.com",
            " J.SMITH+HR@XN--EXMPLE-CUA.COM ",
            "j.smith",
            "smith hr",
            "@exämple",
            "j.smith@",
            "smi exä",
        ] {
            assert!(finds(search, &own), "{search:?}");
        }
        for search in ["smith+hr@exämple.com", "j.smith@exämple.com", "xn", "mith"] {
            assert!(!finds(search, &own), "{search:?}");
        }
        let name = Username::new("Anna@Example.com").unwrap().search_terms();
        assert!(finds("anna@example.COM", &name) && finds("anna", &name));
        assert!(!finds("nna@example.com", &name));
        let stored = Email::from_stored("anna@example.com\u{200b}", "anna@example.com");
        assert!(finds("anna@example.com", &Binding::Address(stored).search_terms()));
    }
}
