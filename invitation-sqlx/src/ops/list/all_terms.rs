//! Candidates with several common search terms, in the list's order.
//!
//! The index of terms returns exact matches of a term in the list's order. The query takes a
//! bounded run of matches of each term, and keeps the candidates that all runs share. The page
//! ends where the shortest run ends, because matches after that are not all known. Longer terms
//! that begin with a search term come in another order. So the query takes all of those, and the
//! plan is chosen only if there are few.

use invitation_core::{Division, SearchTerm};

use crate::{dialect::Dialect, render, statement::Statement};

use super::{
    ListQuery, end_of,
    keyset_scan::{IndexScan, SEARCH_WINDOW, Value},
    page_of,
};

impl ListQuery<'_> {
    pub(super) fn all_terms<DB: Dialect>(
        &self,
        s: &mut Statement<DB>,
        division: &Division,
        terms: &[SearchTerm],
    ) {
        let exactly = |s: &mut Statement<DB>, term: &SearchTerm| {
            let division = ("division", Value::Text(division.as_str()));
            let prefix = vec![("term", Value::Text(term.as_str())), division];
            let table = &self.names.search_terms;
            self.window(
                s,
                &IndexScan { table, index: "PRIMARY", prefix, id: "invitation", has_oldest: false },
            );
        };
        s.sql("WITH z AS (SELECT at, which FROM (");
        for (n, term) in terms.iter().enumerate() {
            s.sql(if n == 0 { "" } else { " UNION ALL " });
            s.sql("SELECT * FROM (");
            exactly(s, term);
            s.sql(" LIMIT 1");
            render::behind(s, SEARCH_WINDOW - 1);
            s.sql(format_args!(") e{n}"));
        }
        s.sql(") e ORDER BY at DESC, which DESC LIMIT 1) SELECT * FROM (");
        page_of(s);
        s.sql("(SELECT h.at, h.which FROM (SELECT at, which FROM (");
        for (n, term) in terms.iter().enumerate() {
            s.sql(if n == 0 { "" } else { " UNION ALL " });
            s.sql(format_args!("SELECT at, which, {n} AS n FROM ("));
            exactly(s, term);
            render::at_most(s, SEARCH_WINDOW);
            s.sql(format_args!(") w{n} UNION ALL SELECT w.created_at, w.invitation, {n} FROM "));
            render::search_terms(s, self.names, ">", term);
            s.sql(" AND w.division = ").text(division.as_str());
            self.restrict_range(s, "w.created_at", "w.invitation");
        }
        s.sql(") a GROUP BY at, which HAVING 1 = 1");
        for n in 0..terms.len() {
            s.sql(format_args!(" AND MAX(CASE n WHEN {n} THEN 1 ELSE 0 END) = 1"));
        }
        if let Some(search) = &self.filter.search {
            s.sql(" UNION SELECT i.created_at, i.id FROM ");
            render::tagged(s, self.names, search);
            self.restrict_range(s, "i.created_at", "i.id");
        }
        // This is a join and not a subquery, because some releases of MariaDB do not find `h` in
        // a subquery.
        s.sql(") h LEFT JOIN z ON 1 = 1 WHERE z.at IS NULL OR h.at > z.at ");
        s.sql("OR (h.at = z.at AND h.which >= z.which) ORDER BY h.at DESC, h.which DESC) c");
        self.join_and_filter(s, None, "c.at DESC, ");
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("z");
    }
}
