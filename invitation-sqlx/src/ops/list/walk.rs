//! Candidates in the list's order, so many at most.

use invitation_core::{InvitationId, Scope, Timestamp};

use crate::{dialect::Dialect, render, statement::Statement};

use super::{Question, Way, end_of, page_of};

/// How many candidates a walk looks at.
const WINDOW: u32 = 2_000;

/// The same, where each is asked for its words.
pub(super) const SEARCHED: u32 = 1_000;

/// The index that a walk goes by, and what all candidates hold in its first columns. The
/// time of creation and the id come next.
pub(super) struct Path<'a> {
    pub(super) table: &'a str,
    pub(super) index: &'static str,
    pub(super) common: Vec<Common<'a>>,
    pub(super) id: &'static str,
    /// Whether those before some time are not wanted.
    pub(super) has_oldest: bool,
}

/// A column, and what it holds.
pub(super) type Common<'a> = (&'static str, Value<'a>);

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

impl Path<'_> {
    /// Whether the candidates are asked for as a stretch. It ends by its first column only:
    /// behind another one, all that has the first in common would be read through.
    fn is_stretch<DB: Dialect>(&self) -> bool {
        DB::GUESSES && self.common.len() <= 1 && !self.has_oldest
    }

    /// What says the order in an index, but for the id. All candidates have the first columns
    /// in common, and only a planner that guesses has to be told that they are sorted by them.
    fn order<DB: Dialect>(&self) -> Vec<&'static str> {
        let is_stretch = self.is_stretch::<DB>();
        let common = self.common.iter().map(|(column, _)| *column).filter(|_| is_stretch);
        common.chain(["created_at"]).collect()
    }
}

impl Question<'_> {
    pub(super) fn walk<DB: Dialect>(&self, s: &mut Statement<DB>, way: Way<'_>) {
        let path = self.path(way);
        let reach = if self.filter.search.is_some() { SEARCHED } else { WINDOW };
        s.sql("SELECT * FROM (");
        page_of(s);
        s.sql("(");
        self.window(s, &path);
        render::at_most(s, reach);
        s.sql(") c");
        let order = 0..path.order::<DB>().len();
        let order: Vec<_> = order.map(|n| format!("c.at{n} DESC, ")).collect();
        let of = if let Way::Of(status) = way { Some(status) } else { None };
        self.join(s, of, &order.concat());
        // The database reads the second part only when the first leaves room for it.
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("(");
        self.window(s, &path);
        s.sql(" LIMIT 1");
        render::behind(s, reach - 1);
        s.sql(") z LIMIT ").sql(self.page_and_one());
    }

    /// Begins the question for the candidates of a walk; how many is to follow.
    pub(super) fn window<DB: Dialect>(&self, s: &mut Statement<DB>, path: &Path<'_>) {
        let order = path.order::<DB>();
        s.sql("SELECT ");
        for (n, column) in order.iter().enumerate() {
            s.sql(format_args!("i.{column} AS at{n}, "));
        }
        let Path { table, index, common, id, .. } = path;
        s.sql(format_args!("i.created_at AS at, i.{id} AS which"));
        let tells_validity = *table == &*self.names.states;
        s.sql(if tells_validity { ", i.expires_at AS valid_until" } else { "" });
        s.sql(format_args!(" FROM {table} i"));
        render::go_by(s, self.names, index);
        // That index has no others, which a comparison of several columns does not tell.
        let is_of_batch = *index == "codes_batch";
        s.sql(if is_of_batch { " WHERE i.batch IS NOT NULL" } else { " WHERE 1 = 1" });
        if path.is_stretch::<DB>() {
            self.between(s, path);
        } else {
            for (column, value) in common {
                s.sql(format_args!(" AND i.{column} = "));
                value.write(s);
            }
            self.narrow(s, "i.created_at", &format!("i.{id}"));
        }
        s.sql(" ORDER BY ");
        for column in order {
            s.sql(format_args!("i.{column} DESC, "));
        }
        s.sql(format_args!("i.{id} DESC"));
    }

    fn path<'q>(&'q self, way: Way<'q>) -> Path<'q> {
        let division = match self.scope {
            Scope::All => None,
            Scope::Division(division) => Some(("division", Value::Text(division.as_str()))),
        };
        let within = |one, all| if division.is_some() { one } else { all };
        let has_oldest = self.filter.created.from.is_some();
        let table = &self.names.invitations;
        let of_codes = |index, common| Path { table, index, common, id: "id", has_oldest };
        match way {
            Way::Of(status) => {
                let state = ("state", Value::State(render::state(status.state())));
                Path {
                    table: &self.names.states,
                    index: within("PRIMARY", "states_anywhere"),
                    common: division.into_iter().chain([state]).collect(),
                    id: "id",
                    has_oldest,
                }
            }
            // Of a batch and of an inviter, other divisions' are looked at too and left out.
            Way::Batch(batch) => {
                of_codes("codes_batch", vec![("batch", Value::Blob(batch.as_bytes()))])
            }
            Way::Inviter(inviter) => {
                of_codes("codes_inviter", vec![("inviter", Value::Text(inviter.as_str()))])
            }
            Way::Role(role) => {
                let role = ("role", Value::Text(role.as_str()));
                of_codes("codes_role", [role].into_iter().chain(division).collect())
            }
            _ => of_codes(
                within("codes_newest", "codes_newest_anywhere"),
                division.into_iter().collect(),
            ),
        }
    }

    /// The candidates, as a stretch of what only their index has in this order. To a planner
    /// that guesses, rows that equal something are few until it has seen the table, and it
    /// would find them by any index and sort them.
    fn between<DB: Dialect>(&self, s: &mut Statement<DB>, path: &Path<'_>) {
        let created = self.filter.created;
        let until = created.until.map(Timestamp::as_micros);
        bound(s, path, ">=", None, None);
        match &self.page.after {
            Some(after) if until.is_none_or(|until| after.at.as_micros() < until) => {
                bound(s, path, "<", Some(after.at.as_micros()), Some(&after.id));
            }
            _ => bound(s, path, if until.is_some() { "<" } else { "<=" }, until, None),
        }
    }
}

/// Compares what an index is sorted by, as far as there is something to compare it with. A
/// question without values is planned once.
fn bound<DB: Dialect>(
    s: &mut Statement<DB>,
    path: &Path<'_>,
    is: &str,
    at: Option<i64>,
    id: Option<&InvitationId>,
) {
    let at = at.map(|at| ("created_at", Value::Time(at)));
    let id = id.map(|id| (path.id, Value::Blob(id.as_bytes())));
    let columns = || path.common.iter().copied().chain(at).chain(id);
    if columns().next().is_none() {
        return;
    }
    s.sql(" AND ").list(columns(), |s, (column, _)| {
        s.sql(format_args!("i.{column}"));
    });
    s.sql(format_args!(" {is} "))
        .list(columns(), |s, (_, value)| render::unseen(s, |s| value.write(s)));
}
