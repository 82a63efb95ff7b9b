//! Those that have expired, or have not, in the list's order, wherever in it they are.
//!
//! The list's order says nothing of expiry: a walk may meet thousands of the others first.
//! But of those that are valid for equally long, whatever was created up to some time has
//! expired, and nothing later. So each length of time is looked at by itself, in whole days:
//! most invitations are valid for one of a few. Within a length, only those that were created
//! in the last of its days may be either; they are asked one by one, so many at most.

use invitation_core::{InvitationId, Status, Timestamp};

use crate::{dialect::Dialect, render};

use super::{Question, Statement, end_of, page_of};

/// For how many whole days an invitation is valid from its creation: the column of an index.
const DAYS: &str = "((i.expires_at - i.created_at) / 86400000000)";

/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

/// How many lengths are looked at. Where there are more, this tells nothing.
const LENGTHS: u32 = 64;

/// How many candidates of each length are asked. Where one has more, and not a page's worth
/// among these, this tells nothing.
const EACH: u32 = 200;

impl Question<'_> {
    /// All or nothing: the page, or that there is more to look at than is looked at.
    pub(super) fn lasting<DB: Dialect>(&self, s: &mut Statement<DB>, status: Status) {
        s.sql("WITH RECURSIVE k (days, nth) AS ((SELECT ").sql(DAYS).sql(", 1");
        self.open(s);
        s.sql(" ORDER BY ").sql(DAYS).sql(" LIMIT 1) UNION ALL SELECT (SELECT ").sql(DAYS);
        self.open(s);
        s.sql(format_args!(" AND {DAYS} > k.days ORDER BY {DAYS} LIMIT 1), nth + 1 FROM k "));
        s.sql(format_args!("WHERE k.days IS NOT NULL AND nth <= {LENGTHS}), "));

        s.sql("f AS MATERIALIZED (SELECT v.at, v.which, v.nth FROM k CROSS JOIN LATERAL (");
        s.sql("SELECT * FROM (SELECT i.created_at AS at, i.id AS which, i.expires_at, ");
        s.sql("ROW_NUMBER() OVER (ORDER BY i.created_at DESC, i.id DESC) AS nth");
        self.open(s);
        s.sql(format_args!(" AND {DAYS} = k.days"));
        self.stretch(s, status);
        s.sql(" ORDER BY i.created_at DESC, i.id DESC LIMIT ").sql(EACH + 1);
        s.sql(format_args!(") i WHERE i.nth > {EACH} OR (1 = 1"));
        render::validity(s, status, self.filter);
        render::span(s, "i.expires_at", &self.filter.expires);
        s.sql(") LIMIT ").sql(self.page_and_one());
        s.sql(") v WHERE k.days IS NOT NULL), ");

        s.sql(format_args!("z AS (SELECT at, which FROM f WHERE nth > {EACH} UNION ALL "));
        s.sql("SELECT ").int(0).sql(", ").blob(&[0; 16]);
        s.sql(format_args!(" FROM k WHERE k.days IS NOT NULL AND k.nth > {LENGTHS} LIMIT 1) "));

        s.sql("SELECT * FROM (");
        page_of(s);
        s.sql("(SELECT at, which FROM f WHERE (SELECT COUNT(*) FROM z) = 0 ");
        s.sql("ORDER BY at DESC, which DESC LIMIT ").sql(self.page_and_one()).sql(") c");
        self.join(s, None, "c.at DESC, ");
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("z");
    }

    /// Those with uses left that are not revoked. The comparison is that of the index only:
    /// by an equation the planner might take another one, and read on in that for long.
    fn open<DB: Dialect>(&self, s: &mut Statement<DB>) {
        s.sql(format_args!(" FROM {} i WHERE i.standing < 1", self.names.standings));
        render::scope(s, self.scope);
    }

    /// When those of a length were created that may have the status and lie on the page or
    /// behind it. The earliest and the latest time are said once each: of two bounds, an
    /// index begins at either.
    fn stretch<DB: Dialect>(&self, s: &mut Statement<DB>, status: Status) {
        let (now, created) = (self.filter.now.as_micros(), self.filter.created);
        let least = created.from.map(Timestamp::as_micros);
        let until = created.until.map(|until| until.as_micros().saturating_sub(1));
        let after = self.page.after.as_ref().map(|after| after.at.as_micros());
        let most = until.into_iter().chain(after).min();
        // What is valid for less than a day may be so for no time at all, or less.
        if status == Status::Expired {
            s.sql(" AND i.created_at <= LEAST(").opt_int(most).sql(", ").int(now);
            s.sql(format_args!(" - {DAY} * CASE WHEN k.days > 0 THEN k.days ELSE k.days - 1 END)"));
            if let Some(least) = least {
                s.sql(" AND i.created_at >= ").int(least);
            }
        } else {
            s.sql(" AND i.created_at > GREATEST(").opt_int(least.map(|least| least - 1));
            s.sql(", ").int(now).sql(format_args!(" - {DAY} * (k.days + 1))"));
            if let Some(most) = most {
                s.sql(" AND i.created_at <= ").int(most);
            }
        }
        render::after(s, "i.created_at", "i.id", self.page.after.as_ref(), InvitationId::as_bytes);
    }
}
