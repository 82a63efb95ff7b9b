//! The links to the next and the previous page. A cursor leads to the next page; a trail
//! of earlier cursors leads back.

use askama::{Template, filters::HtmlSafe};
use invitation_core::{Cursor, Limits, Paging};
use url::form_urlencoded::Serializer;

use super::{Strings, form::Input, page::PageContext};
use crate::{
    problem::Problem,
    query::{PageQuery, QueryErrors, QueryParams},
};

/// The number of pages that the trail remembers. From further on, the previous page is
/// the first page.
const TRAIL: usize = 20;

/// The first page, in a trail of cursors.
const FIRST: &str = "-";

/// Links to the pages before and after.
#[derive(Template, Debug)]
#[template(path = "pager.html")]
pub(super) struct Pager<'a> {
    t: &'a Strings,
    previous: Option<Step<'a>>,
    next: Option<Step<'a>>,
}

impl HtmlSafe for Pager<'_> {}

#[derive(Template, Debug)]
#[template(path = "step.html")]
struct Step<'a> {
    rel: &'static str,
    label: &'a str,
    target: LinkTarget,
}

impl HtmlSafe for Step<'_> {}

#[derive(Debug)]
enum LinkTarget {
    Link(String),
    /// A form, for a value that resembles a code and must not appear in a URL.
    Form {
        action: String,
        hidden: Vec<(&'static str, String)>,
    },
}

/// The filters of a list, and the paths of its pages.
#[derive(Debug)]
pub(super) struct ListLinks<'a> {
    /// The path of the list.
    pub(super) list: &'a str,
    /// The path that accepts searches.
    pub(super) search: String,
    /// The values that may appear in a URL. Empty ones are left out.
    pub(super) in_url: Vec<(&'static str, String)>,
    /// The values that must not appear in a URL.
    pub(super) form_only: Vec<(&'static str, String)>,
    /// The cursor of this page; empty on the first.
    pub(super) cursor: &'a str,
    /// The trail of the cursors before it.
    pub(super) back: &'a str,
}

/// The page parameters of a list without filters, as the user typed them.
#[derive(Default)]
pub(super) struct PageForm {
    page: PageQuery,
    /// The cursors of the pages before this one.
    back: String,
}

impl PageForm {
    pub(super) fn of(input: &Input) -> Self {
        let given = &mut input.given();
        let page = QueryParams::take(given);
        Self { page, back: given.take("back").unwrap_or_default() }
    }

    /// Returns the page. `length` is its number of rows by default. Refuses mistakes (422).
    pub(super) fn parse(&self, length: &str) -> Result<Paging, Problem> {
        let limit = self.page.limit.as_deref().unwrap_or(length).to_owned();
        let page = PageQuery { limit: Some(limit), cursor: self.page.cursor.clone() };
        let mut errors = QueryErrors::default();
        let paging = page.parse(&mut errors);
        errors.into_result()?;
        Ok(paging)
    }

    /// Returns the links of the list at `list`.
    pub(super) fn links<'a>(&'a self, list: &'a str, length: &str) -> ListLinks<'a> {
        let limit = self.page.limit.as_deref().filter(|limit| *limit != length);
        ListLinks {
            list,
            search: list.to_owned(),
            in_url: vec![("limit", limit.unwrap_or_default().to_owned())],
            form_only: Vec::new(),
            cursor: self.page.cursor.as_deref().unwrap_or_default(),
            back: &self.back,
        }
    }
}

/// Names of fields with their values.
type Fields = Vec<(&'static str, String)>;

/// Splits filter values into those that may appear in a URL, and those that resemble a code or are
/// too long for any filter: such a text is refused, and may have a code in it.
pub(super) fn split_off_codes(
    context: &PageContext,
    values: &[(&'static str, &str)],
) -> (Fields, Fields) {
    let format = context.service().code_format();
    let values = values.iter().map(|(name, value)| (*name, (*value).to_owned()));
    values.partition(|(_, value)| value.len() <= Limits::MAX_SEARCH && !format.resembles(value))
}

impl ListLinks<'_> {
    /// Returns the URL of the first page, or `None` if a value must not appear in it.
    pub(super) fn link(&self) -> Option<String> {
        self.has_url().then(|| self.url(&[]))
    }

    fn has_url(&self) -> bool {
        self.form_only.iter().all(|(_, value)| value.is_empty())
    }

    fn url(&self, more: &[(&'static str, String)]) -> String {
        let given = self.in_url.iter().chain(more).filter(|(_, value)| !value.is_empty());
        let mut query = Serializer::new(String::new());
        query.extend_pairs(given.map(|(name, value)| (*name, value)));
        match query.finish() {
            query if query.is_empty() => self.list.to_owned(),
            query => format!("{}?{query}", self.list),
        }
    }

    fn target(&self, cursor: String, back: String) -> LinkTarget {
        let place = [("cursor", cursor), ("back", back)];
        if self.has_url() {
            return LinkTarget::Link(self.url(&place));
        }
        let hidden = self.in_url.iter().chain(&self.form_only).cloned().chain(place);
        let hidden = hidden.filter(|(_, value)| !value.is_empty()).collect();
        LinkTarget::Form { action: self.search.clone(), hidden }
    }

    /// Returns the title and the advice in place of an empty page, if the list has other pages: it
    /// may have something all the same.
    pub(super) fn nothing_here<'t>(
        &self,
        t: &'t Strings,
        has_next: bool,
    ) -> Option<(&'t str, &'t str)> {
        let advice = match (has_next, self.cursor.is_empty()) {
            (true, _) => &t.nothing_here_advice,
            (false, false) => &t.nothing_follows_advice,
            (false, true) => return None,
        };
        Some((&t.nothing_here, advice))
    }

    pub(super) fn pager<'t>(&self, t: &'t Strings, next: Option<Cursor>) -> Pager<'t> {
        let trail = trail(self.back);
        let next = next.map(|next| {
            let here = if self.cursor.is_empty() { FIRST } else { self.cursor };
            let mut trail = trail.clone();
            trail.push(here);
            let back = trail[trail.len().saturating_sub(TRAIL)..].join(".");
            Step { rel: "next", label: &t.next_page, target: self.target(next.to_string(), back) }
        });
        let previous = (!self.cursor.is_empty()).then(|| match trail.split_last() {
            Some((&last, rest)) if last != FIRST => Step {
                rel: "prev",
                label: &t.previous_page,
                target: self.target(last.to_owned(), rest.join(".")),
            },
            found => {
                let label = if found.is_some() { &t.previous_page } else { &t.first_page };
                Step { rel: "prev", label, target: self.target(String::new(), String::new()) }
            }
        });
        Pager { t, previous, next }
    }
}

/// Returns the cursors of earlier pages, oldest first. A trail that this page did not
/// make is empty.
fn trail(back: &str) -> Vec<&str> {
    let steps: Vec<_> = back.split('.').filter(|step| !step.is_empty()).collect();
    let is_ours = |step: &&str| *step == FIRST || step.parse::<Cursor>().is_ok();
    if steps.len() <= TRAIL && steps.iter().all(is_ours) { steps } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_page_says_that_there_is_nothing_only_if_it_is_the_whole_list() {
        let t = Strings::english();
        let of = |cursor, has_next| {
            let (in_url, form_only) = (Vec::new(), Vec::new());
            let (list, search, back) = ("/", String::new(), "");
            let links = ListLinks { list, search, in_url, form_only, cursor, back };
            links.nothing_here(&t, has_next).map(|(_, advice)| advice.to_owned())
        };
        assert_eq!(of("", false), None);
        assert_eq!(of("01", false).as_deref(), Some(&*t.nothing_follows_advice));
        // A page may be short of rows, although the list goes on.
        assert_eq!(of("", true).as_deref(), Some(&*t.nothing_here_advice));
        assert_eq!(of("01", true).as_deref(), Some(&*t.nothing_here_advice));
    }
}
