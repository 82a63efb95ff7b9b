//! The links to the next and the previous page. A cursor leads to the next page; a trail
//! of earlier cursors leads back.

use askama::{Template, filters::HtmlSafe};
use invitation_core::{Cursor, Limits};
use url::form_urlencoded::Serializer;

use super::{Strings, page::PageContext};

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
