//! The number of invitations of each status.

mod searched;

use invitation_core::{Filter, Scope, Status, StatusCounts, StoreError};

use crate::{
    dialect::Dialect, error::store_error, names::Names, render, row, statement::Statement,
};

pub(crate) async fn count<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    scope: &Scope,
    filter: &Filter,
    cap: u32,
) -> Result<StatusCounts, StoreError> {
    let mut s = Statement::<DB>::new("");
    match &filter.search {
        Some(search) => searched::write(&mut s, names, scope, filter, search),
        None => by_status(&mut s, names, scope, filter, cap),
    }
    let mut counts = StatusCounts::up_to(cap);
    let numbers = numbers(conn, "count", s, Status::ALL.len()).await?;
    for (status, number) in Status::ALL.iter().zip(numbers) {
        counts.add(*status, u32::try_from(number).unwrap_or(u32::MAX));
    }
    Ok(counts)
}

fn by_status<DB: Dialect>(
    s: &mut Statement<DB>,
    names: &Names,
    scope: &Scope,
    filter: &Filter,
    cap: u32,
) {
    let most = cap.saturating_add(1);
    for (n, status) in Status::ALL.iter().copied().enumerate() {
        s.sql(if n == 0 { "SELECT " } else { ", " });
        rows_up_to(s, most, |s| of_status(s, names, scope, filter, status));
    }
}

/// Counts the rows of several tables, each up to one more than its cap. `write` writes the query
/// for the rows of a table, from the table's name on.
pub(super) async fn up_to<DB: Dialect>(
    conn: &mut DB::Connection,
    operation: &'static str,
    caps: &[u32],
    mut write: impl FnMut(&mut Statement<DB>, usize) + Send,
) -> Result<Vec<i64>, StoreError> {
    let mut s = Statement::<DB>::new("SELECT ");
    for (n, cap) in caps.iter().enumerate() {
        s.sql(if n == 0 { "" } else { ", " });
        rows_up_to(&mut s, cap.saturating_add(1), |s| write(s, n));
    }
    numbers(conn, operation, s, caps.len()).await
}

/// Writes the number of rows, up to `most`.
fn rows_up_to<DB: Dialect>(
    s: &mut Statement<DB>,
    most: u32,
    write: impl FnOnce(&mut Statement<DB>),
) {
    s.sql("(SELECT COUNT(*) FROM (SELECT 1 AS one FROM ");
    write(s);
    render::at_most(s, most);
    s.sql(") AS n)");
}

async fn numbers<DB: Dialect>(
    conn: &mut DB::Connection,
    operation: &'static str,
    s: Statement<DB>,
    columns: usize,
) -> Result<Vec<i64>, StoreError> {
    let found = s.only(conn).await.map_err(|error| store_error::<DB>(operation, error))?;
    row::counts::<DB>(&found, columns)
}

fn of_status<DB: Dialect>(
    s: &mut Statement<DB>,
    names: &Names,
    scope: &Scope,
    filter: &Filter,
    status: Status,
) {
    if filter.status.is_some_and(|only| only != status) {
        s.sql(format_args!("{} i WHERE 1 = 0", names.states));
    } else if is_told_by_states(filter) {
        let is_of_one = matches!(scope, Scope::Division(_));
        let index = match status {
            Status::Active | Status::Expired if is_of_one => "states_valid",
            Status::Active | Status::Expired => "states_valid_anywhere",
            Status::Used | Status::Revoked if is_of_one => "PRIMARY",
            Status::Used | Status::Revoked => "states_anywhere",
        };
        s.sql(format_args!("{} i", names.states));
        render::index_hint(s, names, index);
        s.sql(" WHERE i.state = ").sql(render::state(status.state()));
        render::scope(s, scope);
        render::validity(s, status, filter);
        render::span(s, "i.created_at", &filter.created);
        render::span(s, "i.expires_at", &filter.expires);
        // The order makes the planner use the index that has it. In the order of another index,
        // the matching rows might be the last of the table.
        s.sql(match status {
            Status::Used | Status::Revoked => " ORDER BY i.created_at",
            Status::Active | Status::Expired => " ORDER BY i.expires_at",
        });
    } else {
        s.sql(format_args!("{} i WHERE 1 = 1", names.invitations));
        render::scope(s, scope);
        let of_one = Filter { status: Some(status), ..filter.clone() };
        render::filter(s, &of_one, names);
    }
}

/// Whether the table of states holds all columns that the filter needs.
pub(super) fn is_told_by_states(filter: &Filter) -> bool {
    let Filter { now: _, status: _, role, inviter, batch, created: _, expires: _, search } = filter;
    role.is_none() && inviter.is_none() && batch.is_none() && search.is_none()
}
