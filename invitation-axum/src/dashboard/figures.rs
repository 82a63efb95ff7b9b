//! The numbers above the list: how many invitations have each status.

use askama::{Template, filters::HtmlSafe};
use invitation_core::{BatchId, Status, StatusCounts};

use super::{Strings, list::statuses, page::PageContext};

/// The numbers above the list, and the bar that draws them.
#[derive(Template)]
#[template(path = "figures.html")]
pub(super) struct Figures<'a> {
    t: &'a Strings,
    home: &'a str,
    /// The batch that the numbers are about, if they are not about all invitations.
    batch: Option<BatchId>,
    each: Vec<Figure>,
    /// The text equivalent of the bar.
    text: String,
}

impl HtmlSafe for Figures<'_> {}

struct Figure {
    status: Status,
    label: String,
    /// The number, with a plus sign if it is a lower bound.
    number: String,
    x: u32,
    width: u32,
}

impl<'a> Figures<'a> {
    /// The bar's width, in the units of its view box.
    const WIDTH: u64 = 1_000;

    pub(super) fn of(
        counts: &StatusCounts,
        batch: Option<BatchId>,
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
            Figure { status, label, number: format!("{number}{more}"), x, width: end - x }
        });
        let each: Vec<_> = each.collect();
        let text: Vec<_> = each.iter().map(|one| format!("{} {}", one.label, one.number)).collect();
        Self { t, home: context.home(), batch, text: text.join(", "), each }
    }
}
