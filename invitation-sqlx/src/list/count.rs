//! The number of invitations of each status.

use invitation_core::{
    Filter, Limits, ListOrder, PageRequest, Scope, Search, State, Status, StatusCounts, StoreError,
};

use super::{
    Index,
    all_terms::ChosenTerms,
    candidates::{Candidates, ListQuery, valid},
    plan::{self, Plan},
};
use crate::{dialect::Dialect, names::Names, ops::Session, render, statement::Statement};

/// The maximum number of candidates of a search. Beyond it, the numbers are lower bounds.
const MAX_COUNTED: u32 = Limits::COUNT_CANDIDATES;

pub(crate) async fn count<DB: Dialect>(
    on: &mut Session<'_, DB>,
    scope: &Scope,
    filter: &Filter,
    cap: u32,
) -> Result<StatusCounts, StoreError> {
    // The number of matches depends on no order. The plans for the order of creation reach every
    // status.
    let filter = &Filter { order: ListOrder::NewestFirst, ..filter.clone() };
    if let Some(search) = &filter.search {
        let page = PageRequest { after: None, limit: 1 };
        let query = ListQuery { names: on.names, scope, filter, page: &page };
        let mut step = on.begin_to_read(true).await?;
        let counted = query.count(&mut step, search, cap).await?;
        step.end_read().await?;
        return Ok(counted);
    }
    let mut s = Statement::new("");
    for (n, status) in Status::ALL.iter().copied().enumerate() {
        s.sql(if n == 0 { "SELECT " } else { ", " });
        rows_up_to(&mut s, cap.saturating_add(1), |s| {
            of_status(s, on.names, scope, filter, status);
        });
    }
    let numbers = numbers(on, s, Status::ALL.len()).await?;
    Ok(counts(cap, &numbers))
}

fn counts(cap: u32, numbers: &[i64]) -> StatusCounts {
    let mut counts = StatusCounts::up_to(cap);
    for (status, number) in Status::ALL.iter().zip(numbers) {
        counts.add(*status, u32::try_from(*number).unwrap_or(u32::MAX));
    }
    counts
}

impl ListQuery<'_> {
    /// Counts the matches of a search among the candidates of its rarest term. If there are too
    /// many of those, counts among all invitations within the scope, if these are few.
    async fn count<DB: Dialect>(
        &self,
        on: &mut Session<'_, DB>,
        search: &Search,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        let terms = plan::leading_terms(on, search, MAX_COUNTED).await?;
        let (mut first, all) = (None, Filter::all(self.filter.now));
        let found = Plan::Found(terms.first().map(|(_, term)| *term), search);
        for plan in [found].into_iter().chain(plan::plans(self.scope, &all, ChosenTerms::default()))
        {
            let mut s = Statement::new("");
            self.numbers(&mut s, &plan);
            let numbers = numbers(on, s, Status::ALL.len() + 1).await?;
            let counts = counts(cap, &numbers);
            if numbers.last() == Some(&0) {
                return Ok(counts);
            }
            first.get_or_insert(counts);
        }
        let mut counts = first.unwrap_or_else(|| StatusCounts::up_to(cap));
        counts.mark_lower_bounds(self.filter);
        Ok(counts)
    }

    /// Writes the query for the number of matches of each status among the candidates, and for
    /// the number of candidates after the last one that counts, 0 or 1.
    fn numbers<DB: Dialect>(&self, s: &mut Statement<DB>, plan: &Plan<'_, DB>) {
        self.end(s, plan, MAX_COUNTED);
        s.sql("SELECT ");
        for status in Status::ALL {
            s.sql("COUNT(CASE WHEN 1 = 1");
            render::status(s, *status, self.filter);
            s.sql(" THEN 1 END), ");
        }
        s.sql("(SELECT COUNT(*) FROM z) FROM (SELECT DISTINCT at, which FROM (");
        self.candidates(s, plan, MAX_COUNTED, Candidates::Checked);
        s.sql(") f WHERE 1 = 1");
        if !plan.is_scan() {
            render::scope_of(s, "f", self.scope);
        }
        // The rows of candidates in the order of their creation are close to each other.
        s.sql(" ORDER BY at) c");
        self.join_and_filter(s, plan);
    }
}

/// Writes the number of rows, up to `most`.
pub(super) fn rows_up_to<DB: Dialect>(
    s: &mut Statement<DB>,
    most: u32,
    write: impl FnOnce(&mut Statement<DB>),
) {
    s.sql("(SELECT COUNT(*) FROM (SELECT 1 AS one FROM ");
    write(s);
    render::at_most(s, most);
    s.sql(") AS n)");
}

/// Returns the numbers in the only row of a query.
pub(super) async fn numbers<DB: Dialect>(
    on: &mut Session<'_, DB>,
    s: Statement<DB>,
    columns: usize,
) -> Result<Vec<i64>, StoreError> {
    s.only(on, |c| (0..columns).map(|_| c.int("count")).collect()).await
}

/// Writes the table and the conditions of the invitations of a status.
fn of_status<DB: Dialect>(
    s: &mut Statement<DB>,
    names: &Names,
    scope: &Scope,
    filter: &Filter,
    status: Status,
) {
    let Filter { created, expires, .. } = filter;
    if !filter.statuses().contains(&status) {
        s.sql(format_args!("{} i WHERE 1 = 0", names.states));
    } else if !is_told_by_states(filter) {
        s.sql(format_args!("{} i WHERE 1 = 1", names.invitations));
        render::scope(s, scope);
        render::filter(s, &Filter { status: Some(status), ..filter.clone() }, names);
    } else {
        // The order makes the planner use the index that has it. In the order of another index, the
        // matching rows might be the last of the table.
        let (index, order) = match (status, scope) {
            (Status::Active | Status::Expired, _) => (valid(scope), "expires_at"),
            (_, Scope::Division(_)) => (Index::StatesKey, "created_at"),
            (_, Scope::All) => (Index::StatesAnywhere, "created_at"),
        };
        render::by_index(s, names, index);
        match status.state() {
            State::Open => s.sql(" WHERE i.state ").sql(DB::is_open()),
            state => s.sql(" WHERE i.state = ").sql(render::state(state)),
        };
        render::scope(s, scope);
        render::validity(s, "i.expires_at", status, filter);
        render::span(s, "i.created_at", created);
        render::span(s, "i.expires_at", expires);
        s.sql(format_args!(" ORDER BY i.{order}"));
    }
}

/// Whether the table of states holds all columns that the filter needs.
pub(super) fn is_told_by_states(filter: &Filter) -> bool {
    let Filter {
        now: _,
        status: _,
        role,
        inviter,
        batch,
        created: _,
        expires: _,
        search,
        order: _,
    } = filter;
    role.is_none() && inviter.is_none() && batch.is_none() && search.is_none()
}
