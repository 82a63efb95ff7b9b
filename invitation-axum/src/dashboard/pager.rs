//! Next and previous: a cursor leads onwards, and the trail of earlier ones back.

use askama::{Template, filters::HtmlSafe};
use invitation_core::Cursor;
use url::form_urlencoded::Serializer;

use super::{Strings, frame::Visitor};

/// How many pages back are remembered; from further on, the way back is the first page.
const TRAIL: usize = 20;

/// The first page, in a trail.
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
    way: Way,
}

impl HtmlSafe for Step<'_> {}

#[derive(Debug)]
enum Way {
    Link(String),
    /// What was typed resembles a code, and does not get into an address.
    Form {
        action: String,
        hidden: Vec<(&'static str, String)>,
    },
}

/// What a list was asked for, and where its pages are.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    /// The path of the list.
    pub(super) list: &'a str,
    /// The path that takes searches.
    pub(super) search: String,
    /// What may stand in an address; empty ones are left out.
    pub(super) plain: Vec<(&'static str, String)>,
    /// What may not.
    pub(super) typed: Vec<(&'static str, String)>,
    pub(super) cursor: &'a str,
    pub(super) back: &'a str,
}

/// Names of fields, and what stands in them.
type Fields = Vec<(&'static str, String)>;

/// Divides values that were typed into those that may stand in an address and those that
/// resemble a code.
pub(super) fn apart(visitor: &Visitor, typed: &[(&'static str, &str)]) -> (Fields, Fields) {
    let format = visitor.service().code_format();
    let values = typed.iter().map(|(name, value)| (*name, (*value).to_owned()));
    values.partition(|(_, value)| !format.resembles(value))
}

impl Asking<'_> {
    /// The address of the first page; none when something may not stand in it.
    pub(super) fn link(&self) -> Option<String> {
        self.has_address().then(|| self.address(&[]))
    }

    fn has_address(&self) -> bool {
        self.typed.iter().all(|(_, value)| value.is_empty())
    }

    fn address(&self, more: &[(&'static str, String)]) -> String {
        let given = self.plain.iter().chain(more).filter(|(_, value)| !value.is_empty());
        let mut query = Serializer::new(String::new());
        query.extend_pairs(given.map(|(name, value)| (*name, value)));
        match query.finish() {
            query if query.is_empty() => self.list.to_owned(),
            query => format!("{}?{query}", self.list),
        }
    }

    fn way(&self, cursor: String, back: String) -> Way {
        let place = [("cursor", cursor), ("back", back)];
        if self.has_address() {
            return Way::Link(self.address(&place));
        }
        let hidden = self.plain.iter().chain(&self.typed).cloned().chain(place);
        let hidden = hidden.filter(|(_, value)| !value.is_empty()).collect();
        Way::Form { action: self.search.clone(), hidden }
    }

    pub(super) fn pager<'t>(&self, t: &'t Strings, next: Option<Cursor>) -> Pager<'t> {
        let trail = trail(self.back);
        let next = next.map(|next| {
            let here = if self.cursor.is_empty() { FIRST } else { self.cursor };
            let mut trail = trail.clone();
            trail.push(here);
            let back = trail[trail.len().saturating_sub(TRAIL)..].join(".");
            Step { rel: "next", label: &t.next_page, way: self.way(next.to_string(), back) }
        });
        let previous = (!self.cursor.is_empty()).then(|| match trail.split_last() {
            Some((&last, rest)) if last != FIRST => Step {
                rel: "prev",
                label: &t.previous_page,
                way: self.way(last.to_owned(), rest.join(".")),
            },
            found => {
                let label = if found.is_some() { &t.previous_page } else { &t.first_page };
                Step { rel: "prev", label, way: self.way(String::new(), String::new()) }
            }
        });
        Pager { t, previous, next }
    }
}

/// The cursors of earlier pages, oldest first; what is none of ours is no trail.
fn trail(back: &str) -> Vec<&str> {
    let steps: Vec<_> = back.split('.').filter(|step| !step.is_empty()).collect();
    let is_ours = |step: &&str| *step == FIRST || step.parse::<Cursor>().is_ok();
    if steps.len() <= TRAIL && steps.iter().all(is_ours) { steps } else { Vec::new() }
}
