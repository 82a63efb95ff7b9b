//! The order of a list, and the part of the order that a page covers.

use invitation_core::{
    Filter, InvitationId, ListOrder, PageRequest, Position, TimeRange, Timestamp,
};

use crate::{dialect::Dialect, render, statement::Statement, values::Value};

/// A column of an index, and the value that all candidates have in it.
pub(super) type Fixed<'a> = (&'static str, Value<'a>);

/// The order of a list: by a time, then by the id, both in the same direction.
///
/// The part of it that a page covers has one limit at each end, because a planner with two at one
/// end might enter an index at the wrong one.
pub(super) struct Sort<'a> {
    /// The column of the time.
    pub(super) at: &'static str,
    /// The direction of the order in an `ORDER BY`.
    pub(super) direction: &'static str,
    is_ascending: bool,
    /// The first time within the page's part, unless it begins behind a position.
    from: Option<i64>,
    /// The first time after that part, unless it ends before a position.
    until: Option<i64>,
    /// The position that the page begins behind.
    after: Option<&'a Position<InvitationId>>,
}

impl<'a> Sort<'a> {
    pub(super) fn of(filter: &Filter, page: &'a PageRequest<InvitationId>) -> Self {
        let ends = |span: TimeRange| [span.from, span.until].map(|at| at.map(Timestamp::as_micros));
        match filter.order {
            ListOrder::NewestFirst => {
                let [from, until] = ends(filter.created);
                let is_before = |at: i64| until.is_none_or(|until| at < until);
                let after = page.after.as_ref().filter(|after| is_before(after.at.as_micros()));
                let until = until.filter(|_| after.is_none());
                let (at, direction) = ("created_at", " DESC");
                Self { at, direction, is_ascending: false, from, until, after }
            }
            ListOrder::SoonestExpiryFirst => {
                let [from, until] = ends(filter.expires);
                // Only active invitations come in this order, so no scan begins in the past.
                let from = from.max(Some(filter.now.as_micros()));
                let is_within = |at: i64| from.is_none_or(|from| from <= at);
                let after = page.after.as_ref().filter(|after| is_within(after.at.as_micros()));
                let from = from.filter(|_| after.is_none());
                Self { at: "expires_at", direction: "", is_ascending: true, from, until, after }
            }
        }
    }

    /// Whether a scan in this order can be written as a range over the whole key of its index. The
    /// range has no limit at its far end, because PostgreSQL stops a scan early by no other column
    /// of a row comparison than the first.
    pub(super) fn can_be_range(&self) -> bool {
        !self.is_ascending && self.from.is_none()
    }

    /// Restricts the candidates to the part of the list that the page may cover.
    pub(super) fn restrict<DB: Dialect>(&self, s: &mut Statement<DB>, at: &str, id: &str) {
        if let Some(from) = self.from {
            s.sql(format_args!(" AND {at} >= ")).int(from);
        }
        if let Some(until) = self.until {
            s.sql(format_args!(" AND {at} < ")).int(until);
        }
        let is = if self.is_ascending { ">" } else { "<" };
        render::beyond(s, is, at, id, self.after, InvitationId::as_bytes);
    }

    /// Writes the same restriction as a range over the whole key of an index.
    pub(super) fn between<DB: Dialect>(&self, s: &mut Statement<DB>, fixed: &[Fixed<'_>]) {
        let time = |at: i64| (self.at, Value::int(at));
        let end = match self.after {
            Some(after) => {
                let id = Value::blob(after.id.as_bytes().as_slice());
                vec![time(after.at.as_micros()), ("id", id)]
            }
            None => self.until.map(time).into_iter().collect(),
        };
        compare(s, ">=", fixed);
        let is_before = if end.is_empty() { "<=" } else { "<" };
        compare(s, is_before, &[fixed, &end].concat());
    }
}

/// Compares columns of the index with values, if there are any. PostgreSQL plans a query without
/// values once.
fn compare<DB: Dialect>(s: &mut Statement<DB>, is: &str, key: &[Fixed<'_>]) {
    if key.is_empty() {
        return;
    }
    s.sql(" AND ").list(key, |s, (column, _)| {
        s.sql(format_args!("i.{column}"));
    });
    s.sql(format_args!(" {is} ")).list(key, |s, (_, value)| {
        DB::hide_from_planner(s, |s| {
            s.value(value.clone());
        });
    });
}
