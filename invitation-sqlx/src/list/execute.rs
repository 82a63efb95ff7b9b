//! Runs the plans of a list.

use invitation_core::{
    Filter, InvitationId, ListOrder, PageRequest, Position, Record, Scope, StoreError, StorePage,
};

use super::{
    all_terms::{self, ChosenTerms},
    candidates::{Candidates, ListQuery},
    plan::{self, Plan},
};
use crate::{dialect::Dialect, ops::Session, render, row, statement::Statement};

pub(crate) async fn list<DB: Dialect>(
    on: &mut Session<'_, DB>,
    scope: &Scope,
    filter: &Filter,
    page: &PageRequest<InvitationId>,
) -> Result<StorePage<Record, InvitationId>, StoreError> {
    let mut step = on.begin_to_read(filter.search.is_some()).await?;
    let query = ListQuery { names: step.names, scope, filter, page };
    let listed = list_on(&mut step, query).await?;
    step.end_read().await?;
    Ok(listed)
}

async fn list_on<DB: Dialect>(
    on: &mut Session<'_, DB>,
    query: ListQuery<'_>,
) -> Result<StorePage<Record, InvitationId>, StoreError> {
    let ListQuery { scope, filter, page, .. } = query;
    let chosen = match &filter.search {
        Some(search) => all_terms::choose(on, scope, search).await?,
        None => ChosenTerms::default(),
    };
    let mut short = StorePage { items: Vec::new(), next: None };
    for plan in plan::plans(scope, filter, chosen) {
        let (items, end) = query.run(on, &plan).await?;
        let is_full = items.len() > usize::try_from(page.limit).unwrap_or(usize::MAX);
        let position = |last: &Record| filter.order.position(last);
        let found = StorePage::from_one_more(items, page.limit, position);
        if is_full || end.is_none() {
            return Ok(found);
        }
        if plan.is_scan() && short.next.is_none() {
            short = StorePage { next: end, ..found };
        }
    }
    // Each filter has a scan among its plans, except a search that finds nothing.
    Ok(short)
}

impl ListQuery<'_> {
    /// Runs one plan. Returns the matches, up to one more than the page holds. Also returns the
    /// position where the candidates ended, unless the plan saw all of them.
    async fn run<DB: Dialect>(
        &self,
        on: &mut Session<'_, DB>,
        plan: &Plan<'_, DB>,
    ) -> Result<(Vec<Record>, Option<Position<InvitationId>>), StoreError> {
        let mut s = Statement::new("");
        self.page(&mut s, plan);
        let found = s.all(on, row::listed).await?;
        let (mut items, mut end) = (Vec::with_capacity(found.len()), None);
        for row in found {
            match row {
                row::ListedRow::Invitation(invitation) => items.push(*invitation),
                row::ListedRow::End(position) => end = Some(position),
            }
        }
        Ok((items, end))
    }

    /// Writes the query for the matches among the candidates, followed by the position where the
    /// candidates ended. The database reads the second part only if the first leaves room for it.
    fn page<DB: Dialect>(&self, s: &mut Statement<DB>, plan: &Plan<'_, DB>) {
        let max = plan.max(self.filter);
        let page_and_one = self.page_and_one();
        // Candidates of a small set have no expiry, so that only their rows can be sorted by it.
        let sorts_rows = !plan.is_scan() && self.filter.order == ListOrder::SoonestExpiryFirst;
        let order = if sorts_rows { "i.expires_at, i.id".to_owned() } else { self.order(plan) };
        self.end(s, plan, max);
        let columns = &row::INVITATION;
        s.sql(format_args!(
            "SELECT * FROM (SELECT {columns}, c.at AS end_at, c.which AS end_id FROM ("
        ));
        if plan.is_scan() {
            self.candidates(s, plan, max, Candidates::Checked);
        } else {
            s.sql("SELECT DISTINCT at, which FROM (");
            self.candidates(s, plan, max, Candidates::Checked);
            s.sql(") f WHERE (SELECT COUNT(*) FROM z) = 0");
            if !matches!(plan, Plan::ByValidityLength(..)) {
                render::scope_of(s, "f", self.scope);
                if !sorts_rows {
                    self.sort().restrict(s, "f.at", "f.which");
                }
            }
            s.sql(" ORDER BY ").sql(self.order(plan));
        }
        s.sql(") c");
        self.join_and_filter(s, plan);
        if sorts_rows {
            self.sort().restrict(s, "i.expires_at", "i.id");
        }
        s.sql(format_args!(" ORDER BY {order} LIMIT {page_and_one}) found UNION ALL SELECT "));
        for _ in columns.split(',') {
            s.sql("NULL, ");
        }
        s.sql(format_args!("z.at, z.which FROM z LIMIT {page_and_one}"));
    }
}
