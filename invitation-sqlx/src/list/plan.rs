//! A bounded number of candidates in the list's order.

use invitation_core::{InvitationId, Scope, Timestamp};

use crate::{dialect::Dialect, render, statement::Statement};

use super::{ListQuery, Plan, end_of, page_of};

/// The maximum number of candidates of a scan.
const WINDOW: u32 = 2_000;

/// The maximum number of candidates of a scan that checks the search terms of each.
pub(super) const SEARCH_WINDOW: u32 = 1_000;

/// The index of a scan. All candidates have the same values in its first columns. The time of
/// creation and the id are its next columns.
pub(super) struct IndexScan<'a> {
    pub(super) table: &'a str,
    pub(super) index: &'static str,
    pub(super) prefix: Vec<Prefix<'a>>,
    pub(super) id: &'static str,
    /// Whether the list has an earliest time of creation.
    pub(super) has_oldest: bool,
}

/// A column of the index, and the value that all candidates have in it.
pub(super) type Prefix<'a> = (&'static str, Value<'a>);

#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Blob(&'a [u8]),
    Time(i64),
    State(i64),
}

impl Value<'_> {
    fn write<DB: Dialect>(self, s: &mut Statement<DB>) {
        match self {
            Self::Text(text) => s.text(text),
            Self::Blob(bytes) => s.blob(bytes),
            Self::Time(micros) => s.int(micros),
            Self::State(number) => s.sql(number),
        };
    }
}

impl IndexScan<'_> {
    /// Whether the scan is written as a range over the whole index key. Only its first column may
    /// be fixed: with a second fixed column, the range would read all rows with the first value.
    fn is_range<DB: Dialect>(&self) -> bool {
        DB::STATS_SENSITIVE_PLANNER && self.prefix.len() <= 1 && !self.has_oldest
    }

    /// Returns the columns that order the scan, without the id. All candidates have the same
    /// values in the first columns, so only a planner that chooses by statistics needs them in
    /// the order.
    fn order<DB: Dialect>(&self) -> Vec<&'static str> {
        let is_range = self.is_range::<DB>();
        let prefix = self.prefix.iter().map(|(column, _)| *column).filter(|_| is_range);
        prefix.chain(["created_at"]).collect()
    }
}

impl ListQuery<'_> {
    pub(super) fn keyset_scan<DB: Dialect>(&self, s: &mut Statement<DB>, plan: Plan<'_>) {
        let scan = self.index_scan(plan);
        let reach = if self.filter.search.is_some() { SEARCH_WINDOW } else { WINDOW };
        s.sql("SELECT * FROM (");
        page_of(s);
        s.sql("(");
        self.window(s, &scan);
        render::at_most(s, reach);
        s.sql(") c");
        let order = 0..scan.order::<DB>().len();
        let order: Vec<_> = order.map(|n| format!("c.at{n} DESC, ")).collect();
        let of = if let Plan::Status(status) = plan { Some(status) } else { None };
        self.join_and_filter(s, of, &order.concat());
        // The database reads the second part only if the first part leaves room for it.
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("(");
        self.window(s, &scan);
        s.sql(" LIMIT 1");
        render::behind(s, reach - 1);
        s.sql(") z LIMIT ").sql(self.page_and_one());
    }

    /// Begins the query for the candidates of a scan. The caller adds the limit.
    pub(super) fn window<DB: Dialect>(&self, s: &mut Statement<DB>, scan: &IndexScan<'_>) {
        let order = scan.order::<DB>();
        s.sql("SELECT ");
        for (n, column) in order.iter().enumerate() {
            s.sql(format_args!("i.{column} AS at{n}, "));
        }
        let IndexScan { table, index, prefix, id, .. } = scan;
        s.sql(format_args!("i.created_at AS at, i.{id} AS which"));
        let tells_validity = *table == &*self.names.states;
        s.sql(if tells_validity { ", i.expires_at AS valid_until" } else { "" });
        s.sql(format_args!(" FROM {table} i"));
        render::index_hint(s, self.names, index);
        // The index contains only rows with a batch. The planner does not derive that from the
        // row comparison.
        let is_of_batch = *index == "codes_batch";
        s.sql(if is_of_batch { " WHERE i.batch IS NOT NULL" } else { " WHERE 1 = 1" });
        if scan.is_range::<DB>() {
            self.between(s, scan);
        } else {
            for (column, value) in prefix {
                s.sql(format_args!(" AND i.{column} = "));
                value.write(s);
            }
            self.restrict_range(s, "i.created_at", &format!("i.{id}"));
        }
        s.sql(" ORDER BY ");
        for column in order {
            s.sql(format_args!("i.{column} DESC, "));
        }
        s.sql(format_args!("i.{id} DESC"));
    }

    fn index_scan<'q>(&'q self, plan: Plan<'q>) -> IndexScan<'q> {
        let division = match self.scope {
            Scope::All => None,
            Scope::Division(division) => Some(("division", Value::Text(division.as_str()))),
        };
        let within = |one, all| if division.is_some() { one } else { all };
        let has_oldest = self.filter.created.from.is_some();
        let table = &self.names.invitations;
        let of_codes = |index, prefix| IndexScan { table, index, prefix, id: "id", has_oldest };
        match plan {
            Plan::Status(status) => {
                let state = ("state", Value::State(render::state(status.state())));
                IndexScan {
                    table: &self.names.states,
                    index: within("PRIMARY", "states_anywhere"),
                    prefix: division.into_iter().chain([state]).collect(),
                    id: "id",
                    has_oldest,
                }
            }
            // The indexes of a batch and of an inviter span all divisions, so the filter drops
            // candidates of other divisions.
            Plan::Batch(batch) => {
                of_codes("codes_batch", vec![("batch", Value::Blob(batch.as_bytes()))])
            }
            Plan::Inviter(inviter) => {
                of_codes("codes_inviter", vec![("inviter", Value::Text(inviter.as_str()))])
            }
            Plan::Role(role) => {
                let role = ("role", Value::Text(role.as_str()));
                of_codes("codes_role", [role].into_iter().chain(division).collect())
            }
            _ => of_codes(
                within("codes_newest", "codes_newest_anywhere"),
                division.into_iter().collect(),
            ),
        }
    }

    /// Writes the candidates as a range that only their index can satisfy. PostgreSQL expects few
    /// rows for an equality until it has statistics of the table. It would then use any index and
    /// sort the rows.
    fn between<DB: Dialect>(&self, s: &mut Statement<DB>, scan: &IndexScan<'_>) {
        let created = self.filter.created;
        let until = created.until.map(Timestamp::as_micros);
        bound(s, scan, ">=", None, None);
        match &self.page.after {
            Some(after) if until.is_none_or(|until| after.at.as_micros() < until) => {
                bound(s, scan, "<", Some(after.at.as_micros()), Some(&after.id));
            }
            _ => bound(s, scan, if until.is_some() { "<" } else { "<=" }, until, None),
        }
    }
}

/// Compares the key of the index with the given values, if there are any. A query without values
/// is planned once.
fn bound<DB: Dialect>(
    s: &mut Statement<DB>,
    scan: &IndexScan<'_>,
    is: &str,
    at: Option<i64>,
    id: Option<&InvitationId>,
) {
    let at = at.map(|at| ("created_at", Value::Time(at)));
    let id = id.map(|id| (scan.id, Value::Blob(id.as_bytes())));
    let columns = || scan.prefix.iter().copied().chain(at).chain(id);
    if columns().next().is_none() {
        return;
    }
    s.sql(" AND ").list(columns(), |s, (column, _)| {
        s.sql(format_args!("i.{column}"));
    });
    s.sql(format_args!(" {is} "))
        .list(columns(), |s, (_, value)| render::hidden_from_planner(s, |s| value.write(s)));
}
