//! The numbers above the list: how many invitations have each status.

use askama::{Template, filters::HtmlSafe};
use invitation_core::{BatchId, Status, StatusCounts};

use super::{
    Strings,
    filters::statuses,
    page::PageContext,
    pager::{ListLinks, split_off_codes},
};

/// The numbers above the list, and the bar that draws them.
#[derive(Template)]
#[template(path = "figures.html")]
pub(super) struct Figures<'a> {
    t: &'a Strings,
    each: Vec<Figure>,
    /// The text equivalent of the bar.
    text: String,
}

impl HtmlSafe for Figures<'_> {}

struct Figure {
    status: Status,
    /// The path of the list of these invitations.
    href: String,
    label: String,
    /// The number, with a plus sign if it is a lower bound.
    number: String,
    x: u32,
    width: u32,
}

impl<'a> Figures<'a> {
    /// The bar's width, in the units of its view box.
    const WIDTH: u64 = 1_000;

    /// Returns the numbers of a batch and a division, or of all if `division` is empty.
    pub(super) fn of(
        counts: &StatusCounts,
        batch: Option<BatchId>,
        division: &str,
        context: &'a PageContext,
    ) -> Self {
        let t = context.t();
        let total: u64 = statuses(context).map(|status| u64::from(counts.of(status))).sum();
        let mut before = 0;
        let each = statuses(context).map(|status| {
            let number = counts.of(status);
            let at = |n: u64| u32::try_from(n * Self::WIDTH / total.max(1)).unwrap_or_default();
            let (x, end) = (at(before), at(before + u64::from(number)));
            before += u64::from(number);
            let label = t.status(status).to_owned();
            let more = if counts.is_exact(status) { "" } else { "+" };
            let href = link(context, batch, division, status);
            Figure { status, href, label, number: format!("{number}{more}"), x, width: end - x }
        });
        let each: Vec<_> = each.collect();
        let text: Vec<_> = each.iter().map(|one| format!("{} {}", one.label, one.number)).collect();
        Self { t, text: text.join(", "), each }
    }
}

/// Returns the path of the list of one status. A division that resembles a code is left out.
fn link(context: &PageContext, batch: Option<BatchId>, division: &str, status: Status) -> String {
    let home = context.home();
    let (mut in_url, _) = split_off_codes(context, &[("division", division)]);
    in_url.extend(batch.map(|batch| ("batch", batch.to_string())));
    in_url.push(("status", status.as_str().to_owned()));
    let search = String::new();
    let links =
        ListLinks { list: home, search, in_url, form_only: Vec::new(), cursor: "", back: "" };
    links.link().unwrap_or_else(|| home.to_owned())
}
