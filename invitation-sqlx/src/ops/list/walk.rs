//! Candidates in the list's order, so many at most.

use invitation_core::{InvitationId, Scope, Timestamp};

use crate::{dialect::Dialect, render, row, statement::Statement};

use super::{Question, Way, end_of, page_of};

/// How many candidates a walk looks at.
const WINDOW: u32 = 2_000;

/// The same, where each is asked for its words.
const SEARCHED: u32 = 1_000;

/// The index that a walk goes by, and what all candidates hold in its first columns. The
/// time of creation and the id come next.
struct Path<'a> {
    index: &'static str,
    common: Vec<Common<'a>>,
}

/// A column, and what it holds.
type Common<'a> = (&'static str, Value<'a>);

#[derive(Clone, Copy)]
enum Value<'a> {
    Text(&'a str),
    Blob(&'a [u8]),
    Time(i64),
    Standing(i64),
}

impl Value<'_> {
    fn write<DB: Dialect>(self, s: &mut Statement<DB>) {
        match self {
            Self::Text(text) => s.text(text),
            Self::Blob(bytes) => s.blob(bytes),
            Self::Time(micros) => s.int(micros),
            Self::Standing(number) => s.sql(number),
        };
    }
}

impl Path<'_> {
    /// What says the order in an index, but for the id. All candidates have the first columns
    /// in common, and only a planner that guesses has to be told that they are sorted by them.
    fn order<DB: Dialect>(&self) -> Vec<&'static str> {
        let common = self.common.iter().map(|(column, _)| *column).filter(|_| DB::GUESSES);
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
        self.window(s, way, &path);
        render::at_most(s, reach);
        s.sql(") c");
        let order = 0..path.order::<DB>().len();
        self.join(s, way, &order.map(|n| format!("c.at{n} DESC, ")).collect::<String>());
        // The database reads the second part only when the first leaves room for it.
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("(");
        self.window(s, way, &path);
        s.sql(" LIMIT 1");
        render::behind(s, reach - 1);
        s.sql(") z LIMIT ").sql(self.page_and_one());
    }

    /// Begins the question for the candidates of a walk; how many is to follow.
    fn window<DB: Dialect>(&self, s: &mut Statement<DB>, way: Way<'_>, path: &Path<'_>) {
        let order = path.order::<DB>();
        s.sql("SELECT ");
        for (n, column) in order.iter().enumerate() {
            s.sql(format_args!("i.{column} AS at{n}, "));
        }
        s.sql("i.created_at AS at, i.id AS which");
        if let Way::Of(_) = way {
            s.sql(format_args!(", i.expires_at AS valid_until FROM {} i", self.names.standings));
        } else {
            s.sql(format_args!(" FROM {} i", self.names.invitations));
        }
        render::go_by(s, self.names, path.index);
        // That index has no others, which a comparison of several columns does not tell.
        let is_of_batch = matches!(way, Way::Batch(_));
        s.sql(if is_of_batch { " WHERE i.batch IS NOT NULL" } else { " WHERE 1 = 1" });
        if DB::GUESSES {
            self.between(s, &path.common);
        } else {
            for (column, value) in &path.common {
                s.sql(format_args!(" AND i.{column} = "));
                value.write(s);
            }
            self.narrow(s, "i.created_at", "i.id");
        }
        s.sql(" ORDER BY ");
        for column in order {
            s.sql(format_args!("i.{column} DESC, "));
        }
        s.sql("i.id DESC");
    }

    fn path<'q>(&'q self, way: Way<'q>) -> Path<'q> {
        let division = match self.scope {
            Scope::All => None,
            Scope::Division(division) => Some(("division", Value::Text(division.as_str()))),
        };
        let within = |one, all| if division.is_some() { one } else { all };
        match way {
            Way::Of(status) => {
                let standing = ("standing", Value::Standing(row::standing_of(status)));
                let common = division.into_iter().chain([standing]).collect();
                Path { index: within("PRIMARY", "standings_anywhere"), common }
            }
            // Of a batch and of an inviter, other divisions' are looked at too and left out.
            Way::Batch(batch) => {
                let batch = ("batch", Value::Blob(batch.as_bytes()));
                Path { index: "codes_batch", common: vec![batch] }
            }
            Way::Inviter(inviter) => {
                let inviter = ("inviter", Value::Text(inviter.as_str()));
                Path { index: "codes_inviter", common: vec![inviter] }
            }
            Way::Role(role) => {
                let role = ("role", Value::Text(role.as_str()));
                Path { index: "codes_role", common: [role].into_iter().chain(division).collect() }
            }
            Way::Newest | Way::Word(_) | Way::Tag | Way::Valid(_) => {
                let index = within("codes_newest", "codes_newest_anywhere");
                Path { index, common: division.into_iter().collect() }
            }
        }
    }

    /// The candidates, as a stretch of what only their index has in this order. To a planner
    /// that guesses, rows that equal something are few until it has seen the table, and it
    /// would find them by any index and sort them.
    fn between<DB: Dialect>(&self, s: &mut Statement<DB>, common: &[Common<'_>]) {
        let created = self.filter.created;
        let [from, until] = [created.from, created.until].map(|t| t.map(Timestamp::as_micros));
        s.sql(" AND ");
        bound(s, common, " >= ", from.unwrap_or(i64::MIN), None);
        s.sql(" AND ");
        match &self.page.after {
            Some(after) if until.is_none_or(|until| after.at.as_micros() < until) => {
                bound(s, common, " < ", after.at.as_micros(), Some(&after.id));
            }
            _ => bound(s, common, " < ", until.unwrap_or(i64::MAX), None),
        }
    }
}

/// Compares what an index is sorted by with a time, and an id if it is given.
fn bound<DB: Dialect>(
    s: &mut Statement<DB>,
    common: &[Common<'_>],
    is: &str,
    at: i64,
    id: Option<&InvitationId>,
) {
    let id = id.map(|id| ("id", Value::Blob(id.as_bytes())));
    let columns = || common.iter().copied().chain([("created_at", Value::Time(at))]).chain(id);
    s.list(columns(), |s, (column, _)| {
        s.sql(format_args!("i.{column}"));
    });
    s.sql(is).list(columns(), |s, (_, value)| render::unseen(s, |s| value.write(s)));
}
