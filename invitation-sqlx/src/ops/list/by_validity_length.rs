//! Those that have expired, or have not, in the list's order, wherever in it they are.
//!
//! The list's order says nothing of expiry: a walk may meet thousands of the others first.
//! But of those that are valid for equally long, whatever was created up to some time has
//! expired, and nothing later. So each length of time is looked at by itself, in whole days:
//! most invitations are valid for one of a few. Within a length, only those that were created
//! in the last of its days may be either; they are asked one by one, so many at most.

use invitation_core::{Status, Timestamp};

use crate::{dialect::Dialect, render};

use super::{ListQuery, Statement, end_of, page_of};

/// For how many whole days an invitation is valid from its creation: the column of an index.
/// What is less than a day, or less than nothing, is none: the division leaves out the rest.
const DAYS: &str = "((i.expires_at - i.created_at) / 86400000000)";

/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

/// How many lengths are looked at. Where there are more, this tells nothing.
const MAX_LENGTHS: u32 = 64;

/// How many candidates of each length are asked for nothing. Where it has more, and not a
/// page's worth among them, this tells nothing.
const MAX_PER_LENGTH: u64 = 200;

impl ListQuery<'_> {
    /// All or nothing: the page, or that there is more to look at than is looked at.
    pub(super) fn by_validity_length<DB: Dialect>(&self, s: &mut Statement<DB>, status: Status) {
        let each = MAX_PER_LENGTH + self.page_and_one();
        s.sql("WITH RECURSIVE k (days, nth) AS ((SELECT ").sql(DAYS).sql(", 1");
        self.open(s);
        s.sql(" ORDER BY ").sql(DAYS).sql(" LIMIT 1) UNION ALL SELECT (SELECT ").sql(DAYS);
        self.open(s);
        s.sql(format_args!(" AND {DAYS} > k.days ORDER BY {DAYS} LIMIT 1), nth + 1 FROM k "));
        s.sql(format_args!("WHERE k.days IS NOT NULL AND nth <= {MAX_LENGTHS}), "));

        s.sql("f AS MATERIALIZED (SELECT v.at, v.which, v.nth FROM k CROSS JOIN LATERAL (");
        s.sql("SELECT * FROM (SELECT i.created_at AS at, i.id AS which, i.expires_at, ");
        s.sql("ROW_NUMBER() OVER (ORDER BY i.created_at DESC, i.id DESC) AS nth");
        self.open(s);
        s.sql(format_args!(" AND {DAYS} = k.days"));
        self.range(s, status);
        s.sql(" ORDER BY i.created_at DESC, i.id DESC LIMIT ").sql(each + 1);
        s.sql(format_args!(") i WHERE i.nth > {each} OR (1 = 1"));
        render::validity(s, status, self.filter);
        render::span(s, "i.expires_at", &self.filter.expires);
        s.sql(") LIMIT ").sql(self.page_and_one());
        s.sql(") v WHERE k.days IS NOT NULL), ");

        // Too many lengths are seen before any of them is looked at.
        s.sql("z AS (SELECT ").int(0).sql(" AS at, ").blob(&[0; 16]).sql(" AS which FROM k ");
        s.sql(format_args!("WHERE k.days IS NOT NULL AND k.nth > {MAX_LENGTHS} "));
        s.sql(format_args!("UNION ALL SELECT at, which FROM f WHERE nth > {each} LIMIT 1) "));

        s.sql("SELECT * FROM (");
        page_of(s);
        s.sql("(SELECT at, which FROM f WHERE (SELECT COUNT(*) FROM z) = 0 ");
        s.sql("ORDER BY at DESC, which DESC LIMIT ").sql(self.page_and_one()).sql(") c");
        self.join_and_filter(s, None, "c.at DESC, ");
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("z");
    }

    /// Those with uses left that are not revoked, in the words of the index: by `= 0` the
    /// planner might take another one, and read on in that for long.
    fn open<DB: Dialect>(&self, s: &mut Statement<DB>) {
        s.sql(format_args!(" FROM {} i WHERE i.state < 1", self.names.states));
        render::scope(s, self.scope);
    }

    /// When those of a length were created that may expire when they should, and lie on the
    /// page or behind it. Each end is said by one comparison: of two, the index might be
    /// entered at the wrong one, and read through up to the other.
    fn range<DB: Dialect>(&self, s: &mut Statement<DB>, status: Status) {
        let (earliest, end) = self.expiry(status);
        let created = self.filter.created;
        let from = created.from.map(Timestamp::as_micros);
        if from.is_some() || earliest.is_some() {
            s.sql(" AND i.created_at >= GREATEST(").opt_int(from).sql(", ");
            s.opt_int(earliest).sql(format_args!(" - {DAY} * (k.days + 1))"));
        }
        let until = created.until.map(Timestamp::as_micros);
        // Behind it, and so within the span.
        let after = self.page.after.as_ref();
        let after = after.filter(|after| until.is_none_or(|until| after.at.as_micros() < until));
        // The first instant that is too late for those of the least length.
        let too_late = |s: &mut Statement<DB>| {
            s.sql("(").opt_int(end).sql(format_args!(" - {DAY} * "));
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
                s.sql(" AND i.created_at < LEAST(").opt_int(until).sql(", ");
                too_late(s);
                s.sql(")");
            }
            None => {}
        }
    }

    /// The first instant at which those expire that are meant, and the first at which no
    /// more of them do.
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
