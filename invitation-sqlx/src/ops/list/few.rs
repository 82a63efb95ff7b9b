//! Candidates that may be few: all that match some part of the filter.

use invitation_core::Scope;

use crate::{dialect::Dialect, names::Names, render, statement::Statement};

use super::{FEW, FEW_VALID, Question, Way, end_of, page_of};

impl Question<'_> {
    pub(super) fn few<DB: Dialect>(&self, s: &mut Statement<DB>, way: Way<'_>) {
        // The first that is one too many tells that they are not few.
        s.sql("WITH z AS (SELECT at, which FROM (");
        self.set(s, way);
        let few = if let Way::Valid(_) = way { FEW_VALID } else { FEW };
        s.sql(") m LIMIT 1 OFFSET ").sql(few);
        s.sql(") SELECT * FROM (");
        page_of(s);
        s.sql("(SELECT DISTINCT at, which FROM (");
        self.set(s, way);
        s.sql(") f WHERE (SELECT COUNT(*) FROM z) = 0");
        render::scope_of(s, "f", self.scope);
        self.narrow(s, "f.at", "f.which");
        s.sql(" ORDER BY at DESC, which DESC) c");
        self.join(s, None, "c.at DESC, ");
        s.sql(") found UNION ALL ");
        end_of(s);
        s.sql("z");
    }

    /// The candidates, up to one too many.
    fn set<DB: Dialect>(&self, s: &mut Statement<DB>, way: Way<'_>) {
        let Names { states, .. } = self.names;
        if let Way::Valid(status) = way {
            s.sql("SELECT i.created_at AS at, i.id AS which, i.division ");
            s.sql(format_args!("FROM {states} i"));
            let is_of_one = matches!(self.scope, Scope::Division(_));
            render::go_by(
                s,
                self.names,
                if is_of_one { "states_valid" } else { "states_valid_anywhere" },
            );
            s.sql(" WHERE i.state = ").sql(render::state(status.state()));
            render::scope(s, self.scope);
            render::validity(s, status, self.filter);
            s.sql(" ORDER BY i.expires_at");
            render::at_most(s, FEW_VALID + 1);
            return;
        }
        if let Way::Word(term) = way {
            s.sql(
                "SELECT * FROM (SELECT w.created_at AS at, w.invitation AS which, w.division FROM ",
            );
            render::words(s, self.names, ">=", term);
            // By its index, even where so many begin like this that any rows would do.
            s.sql(" ORDER BY w.word");
            render::at_most(s, FEW + 1);
            s.sql(") v");
        }
        if let Some(search) = &self.filter.search
            && !search.tags().is_empty()
        {
            s.sql(if matches!(way, Way::Word(_)) { " UNION ALL " } else { "" });
            s.sql("SELECT * FROM (SELECT i.created_at AS at, i.id AS which, i.division FROM ");
            render::tagged(s, self.names, search);
            s.sql(" LIMIT ").sql(FEW + 1).sql(") t");
        }
    }
}
