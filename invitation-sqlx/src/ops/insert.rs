//! New rows: invitations with their events, and events alone.

use std::sync::LazyLock;

use invitation_core::{Event, EventId, Insert, Inserted, NewInvitation, StoreError};

use super::{Begin, Session, quota, request, search_terms};
use crate::{
    dialect::Dialect,
    error::is_taken,
    row::{self, InvitationRow, StateRow},
    statement::Statement,
    values::InputRow,
};

/// The number of values that the widest row binds: that of an invitation, with the id of the
/// request.
static BINDS_PER_ROW: LazyLock<usize> =
    LazyLock::new(|| row::INVITATION.split(',').count().saturating_add(1));

/// Stores new invitations, all or none.
pub(crate) async fn insert<DB: Dialect>(
    on: &mut Session<'_, DB>,
    insert: &Insert,
) -> Result<Inserted, StoreError> {
    let Insert { rows, quotas, request } = insert;
    let kept = insert.request_to_keep();
    if rows.is_empty() && kept.is_none() {
        let Some(request) = request else { return Ok(Inserted::Stored) };
        let known = request::prior(on, request).await?;
        return Ok(known.map_or(Inserted::Stored, Inserted::KeyKnown));
    }
    let mut step = on.begin().await?;
    step.expect_secrets().await?;
    if let Some(request) = kept {
        let forgotten_at = insert.forgotten_at();
        let known = request::write(&mut step, request, forgotten_at).await?;
        if let Some(known) = known {
            step.rollback().await?;
            return Ok(Inserted::KeyKnown(known));
        }
    }
    let full = quota::first_full(&mut step, quotas).await?;
    if let Some((of, pending)) = full {
        step.rollback().await?;
        return Ok(Inserted::QuotaFull { of, pending });
    }
    match write_all(&mut step, rows, kept.map(|request| request.id)).await {
        Ok(()) => {
            step.commit().await?;
            Ok(Inserted::Stored)
        }
        Err(error) if is_taken(&error) => {
            step.rollback().await?;
            Ok(Inserted::CodeTaken)
        }
        Err(error) => Err(error),
    }
}

async fn write_all<DB: Dialect>(
    on: &mut Session<'_, DB>,
    rows: &[NewInvitation],
    request: Option<EventId>,
) -> Result<(), StoreError> {
    let request = request.as_ref().map(|id| id.as_bytes().as_slice());
    let columns = format!("{}, request_id", row::INVITATION);
    let names = on.names;
    for chunk in rows.chunks(max_rows_per_statement::<DB>()) {
        let invitations = chunk.iter().map(|row| &row.invitation);
        let written = invitations.clone().map(|invitation| InvitationRow { invitation, request });
        let written: Vec<_> = written.collect();
        write_rows(on, &names.invitations, &columns, &written, "").await?;
        let events: Vec<_> = chunk.iter().map(|row| &row.event).collect();
        write_rows(on, &names.events, row::EVENT, &events, "").await?;
        let alive = invitations.filter(|row| row.deleted_at.is_none());
        let states: Vec<_> = alive.clone().map(StateRow).collect();
        write_rows(on, &names.states, row::STATE, &states, "").await?;
        let new: Vec<_> = alive.flat_map(search_terms::all_of).collect();
        search_terms::write(on, &new).await?;
    }
    Ok(())
}

/// Stores events. Events that exist stay as they are.
pub(crate) async fn record<DB: Dialect>(
    on: &mut Session<'_, DB>,
    events: &[Event],
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let (table, skip) = (&on.names.events, DB::skip_existing("id"));
    if on.mode == Begin::Own && events.len() <= max_rows_per_statement::<DB>() {
        let s = rows_added(table, row::EVENT, events, &skip);
        return DB::run_as_transaction(on, s).await;
    }
    let mut step = on.begin().await?;
    write_rows(&mut step, table, row::EVENT, events, &skip).await?;
    step.commit().await
}

/// Adds rows to a table, with as many statements as needed. The clause `end` decides what happens
/// to rows that exist.
pub(crate) async fn write_rows<DB: Dialect, R: InputRow>(
    on: &mut Session<'_, DB>,
    table: &str,
    columns: &str,
    rows: &[R],
    end: &str,
) -> Result<(), StoreError> {
    for chunk in rows.chunks(max_rows_per_statement::<DB>()) {
        rows_added::<DB, R>(table, columns, chunk, end).run(on).await?;
    }
    Ok(())
}

/// Returns the maximum number of rows that one statement adds.
fn max_rows_per_statement<DB: Dialect>() -> usize {
    DB::MAX_BINDS / *BINDS_PER_ROW
}

/// Returns the statement that adds these rows.
fn rows_added<DB: Dialect, R: InputRow>(
    table: &str,
    columns: &str,
    rows: &[R],
    end: &str,
) -> Statement<DB> {
    let mut s = Statement::new(format!("INSERT INTO {table} ({columns}) "));
    if rows.iter().any(InputRow::is_secret) {
        s.keep_secret();
    }
    DB::push_rows(&mut s, rows.iter().map(InputRow::values).collect());
    s.sql(end);
    s
}
