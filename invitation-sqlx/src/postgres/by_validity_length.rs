//! Expired or active invitations in the list's order, wherever they are in the list.
//!
//! The list's order is the order of creation, so a keyset scan may read thousands of invitations
//! with another status first. Among invitations with the same length of validity, all that were
//! created before some instant have expired, and no later one has. So the query reads each length
//! by itself, in whole days, because most invitations have one of a few lengths. Within a length,
//! only invitations created within one day are undecided. The query checks a bounded number of
//! those one by one.
//!
//! Without this plan, the first page of expired invitations of a division of a
//! million took 18 ms instead of 1.5 ms and came back empty (`benches/postgres/lists.rs`, mixed
//! data): the newest expired invitation is behind more candidates than all calls for a page read.

use invitation_core::{Status, Timestamp};

use sqlx::Postgres;

use crate::{list::ListQuery, render, statement::Statement};

/// The length of validity in whole days, an indexed expression. Integer division drops the
/// remainder, so lengths of less than a day, positive or negative, count as 0.
const DAYS: &str = "((i.expires_at - i.created_at) / 86400000000)";

/// The length of a day in microseconds.
const DAY: i64 = 86_400_000_000;

/// The maximum number of lengths. With more lengths the plan has no answer.
const MAX_LENGTHS: u32 = 64;

/// The maximum number of undecided candidates of each length. If a length has more of them and
/// less than a page of matches among them, the plan has no answer.
const MAX_PER_LENGTH: u64 = 200;

/// Begins a statement with the table `f`, the matches of the page, and the table `z`, which has a
/// row if the plan would have to read too much.
pub(super) fn begin(s: &mut Statement<Postgres>, query: &ListQuery<'_>, status: Status) {
    let each = MAX_PER_LENGTH + query.page_and_one();
    s.sql("WITH RECURSIVE k (days, number) AS ((SELECT ").sql(DAYS).sql(", 1");
    query.open(s);
    s.sql(" ORDER BY ").sql(DAYS).sql(" LIMIT 1) UNION ALL SELECT (SELECT ").sql(DAYS);
    query.open(s);
    s.sql(format_args!(" AND {DAYS} > k.days ORDER BY {DAYS} LIMIT 1), number + 1 FROM k "));
    s.sql(format_args!("WHERE k.days IS NOT NULL AND number <= {MAX_LENGTHS}), "));

    s.sql("f AS MATERIALIZED (SELECT v.at, v.which, v.number FROM k CROSS JOIN LATERAL (");
    s.sql("SELECT * FROM (SELECT i.created_at AS at, i.id AS which, i.expires_at, ");
    s.sql("ROW_NUMBER() OVER (ORDER BY i.created_at DESC, i.id DESC) AS number");
    query.open(s);
    s.sql(format_args!(" AND {DAYS} = k.days"));
    query.range(s, status);
    s.sql(" ORDER BY i.created_at DESC, i.id DESC LIMIT ").sql(each + 1);
    s.sql(format_args!(") i WHERE i.number > {each} OR (1 = 1"));
    render::validity(s, "i.expires_at", status, query.filter);
    render::span(s, "i.expires_at", &query.filter.expires);
    s.sql(") LIMIT ").sql(query.page_and_one());
    s.sql(") v WHERE k.days IS NOT NULL), ");

    // The query detects too many lengths before it reads any of them.
    s.sql("z AS (SELECT ").int(0).sql(" AS at, ").blob(&[0; 16]).sql(" AS which FROM k ");
    s.sql(format_args!("WHERE k.days IS NOT NULL AND k.number > {MAX_LENGTHS} "));
    s.sql(format_args!("UNION ALL SELECT at, which FROM f WHERE number > {each} LIMIT 1) "));
}

impl ListQuery<'_> {
    /// Writes the rows that are neither used up nor revoked, with the condition of the index. With
    /// another condition, the planner might choose another index and read a long part of it.
    fn open(&self, s: &mut Statement<Postgres>) {
        s.sql(format_args!(" FROM {} i WHERE i.state + 0 < 1", self.names.states));
        render::scope(s, self.scope);
    }

    /// Restricts the creation times of a length to invitations that may have the status and that
    /// are on the page or after it. Each end of the range is one comparison. With two
    /// comparisons, the planner might enter the index at the wrong one and read up to the other.
    fn range(&self, s: &mut Statement<Postgres>, status: Status) {
        let (earliest, end) = self.expiry(status);
        let created = self.filter.created;
        let from = created.from.map(Timestamp::as_micros);
        if from.is_some() || earliest.is_some() {
            s.sql(" AND i.created_at >= GREATEST(").int(from).sql(", ");
            s.int(earliest).sql(format_args!(" - {DAY} * (k.days + 1))"));
        }
        let until = created.until.map(Timestamp::as_micros);
        // The cursor counts only if it lies within the requested range.
        let after = self.page.after.as_ref();
        let after = after.filter(|after| until.is_none_or(|until| after.at.as_micros() < until));
        // Writes the first instant that is too late even for the shortest validity of this
        // length.
        let too_late = |s: &mut Statement<Postgres>| {
            s.sql("(").int(end).sql(format_args!(" - {DAY} * "));
            s.sql("CASE WHEN k.days > 0 THEN k.days ELSE k.days - 1 END)");
        };
        match after {
            Some(after) => {
                let at = after.at.as_micros();
                s.sql(" AND (i.created_at, i.id) < (LEAST(").int(at).sql(", ");
                too_late(s);
                s.sql("), CASE WHEN ").int(at).sql(" >= ");
                too_late(s);
                s.sql(" THEN ").blob(&[]).sql(" ELSE ").blob(after.id.as_bytes()).sql(" END)");
            }
            None if until.is_some() || end.is_some() => {
                s.sql(" AND i.created_at < LEAST(").int(until).sql(", ");
                too_late(s);
                s.sql(")");
            }
            None => {}
        }
    }

    /// Returns the first expiry that matches, and the first expiry after it that no longer does.
    fn expiry(&self, status: Status) -> (Option<i64>, Option<i64>) {
        let [from, until] = [self.filter.expires.from, self.filter.expires.until]
            .map(|at| at.map(Timestamp::as_micros));
        let later = self.filter.now.as_micros() + 1;
        if status == Status::Expired {
            (from, Some(until.map_or(later, |until| until.min(later))))
        } else {
            (Some(from.map_or(later, |from| from.max(later))), until)
        }
    }
}
