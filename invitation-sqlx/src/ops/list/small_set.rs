//! A small set of candidates: all rows that match one part of the filter.

use invitation_core::Scope;

use crate::{dialect::Dialect, names::Names, render, statement::Statement};

use super::{ListQuery, Plan, SMALL_SET, SMALL_VALIDITY_SET, end_of, page_of};

impl ListQuery<'_> {
    pub(super) fn small_set<DB: Dialect>(&self, s: &mut Statement<DB>, plan: Plan<'_>) {
        // The row after the maximum shows that the set is not small.
        s.sql("WITH z AS (SELECT at, which FROM (");
        self.candidates(s, plan);
        let max = if let Plan::Validity(_) = plan { SMALL_VALIDITY_SET } else { SMALL_SET };
        s.sql(") m LIMIT 1 OFFSET ").sql(max);
        s.sql(") SELECT * FROM (");
        page_of(s);
        s.sql("(SELECT DISTINCT at, which FROM (");
        self.candidates(s, plan);
        s.sql(") f WHERE (SELECT COUNT(*) FROM z) = 0");
        render::scope_of(s, "f", self.scope);
        self.restrict_range(s, "f.at", "f.which");
        s.sql(" ORDER BY at DESC, which DESC) c");
        self.join_and_filter(s, None, "c.at DESC, ");
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("z");
    }

    /// Writes the candidates, up to one more than the maximum.
    fn candidates<DB: Dialect>(&self, s: &mut Statement<DB>, plan: Plan<'_>) {
        let Names { states, .. } = self.names;
        if let Plan::Validity(status) = plan {
            s.sql("SELECT i.created_at AS at, i.id AS which, i.division ");
            s.sql(format_args!("FROM {states} i"));
            let is_of_one = matches!(self.scope, Scope::Division(_));
            render::index_hint(
                s,
                self.names,
                if is_of_one { "states_valid" } else { "states_valid_anywhere" },
            );
            s.sql(" WHERE i.state = ").sql(render::state(status.state()));
            render::scope(s, self.scope);
            render::validity(s, status, self.filter);
            s.sql(" ORDER BY i.expires_at");
            render::at_most(s, SMALL_VALIDITY_SET + 1);
            return;
        }
        if let Plan::Term(term) = plan {
            s.sql(
                "SELECT * FROM (SELECT w.created_at AS at, w.invitation AS which, w.division FROM ",
            );
            render::search_terms(s, self.names, ">=", term);
            // The order makes the planner use the index of terms, even if most rows match the
            // term.
            s.sql(" ORDER BY w.term");
            render::at_most(s, SMALL_SET + 1);
            s.sql(") v");
        }
        if let Some(search) = &self.filter.search
            && !search.tags().is_empty()
        {
            s.sql(if matches!(plan, Plan::Term(_)) { " UNION ALL " } else { "" });
            s.sql("SELECT * FROM (SELECT i.created_at AS at, i.id AS which, i.division FROM ");
            render::tagged(s, self.names, search);
            s.sql(" LIMIT ").sql(SMALL_SET + 1).sql(") t");
        }
    }
}
