//! New rows: invitations with their events, and events alone.

use invitation_core::{
    Event, EventId, Insert, Inserted, Known, NewInvitation, Request, StoreError, StoreErrorKind,
    UserId,
};

use super::{Begin, Step, quota, words};
use crate::{
    dialect::Dialect,
    error::{commit_error, is_taken, store_error},
    message::Message,
    names::Names,
    row::{self, Standing, Written},
    statement::Statement,
    values::{Columns, Listed, Record},
};

/// How many values the widest row binds, rounded up.
const BINDS_PER_ROW: usize = 32;

/// Stores new invitations, all or none.
pub(crate) async fn insert<DB: Dialect>(
    conn: &mut DB::Connection,
    begin: Begin,
    names: &Names,
    insert: &Insert,
) -> Result<Inserted, StoreError> {
    let failed = |error| store_error::<DB>("insert", error);
    let Insert { rows, quotas, request } = insert;
    let Some(first) = rows.first() else {
        return match request {
            Some(request) => {
                let known = known::<DB>(conn, names, request).await?;
                Ok(known.map_or(Inserted::Stored, Inserted::Known))
            }
            None => Ok(Inserted::Stored),
        };
    };
    let mut step = Step::<DB>::begin(conn, begin).await.map_err(failed)?;
    step.brace().await.map_err(failed)?;
    // Under the id of something that is unique anyway.
    let request = request.as_ref().map(|request| (request, first.event.id));
    if let Some((request, id)) = request
        && !write_request::<DB>(step.conn(), names, request, id).await.map_err(failed)?
    {
        let known = known::<DB>(step.conn(), names, request).await?;
        step.rollback().await.map_err(failed)?;
        // Purged just now: whoever asks again creates anew.
        let purged = || StoreError::new(StoreErrorKind::Conflict, "insert");
        return known.map(Inserted::Known).ok_or_else(purged);
    }
    let full = quota::first_full::<DB>(step.conn(), names, quotas).await.map_err(failed)?;
    if let Some(full) = full {
        step.rollback().await.map_err(failed)?;
        return Ok(Inserted::QuotaFull(full));
    }
    match write_all::<DB>(step.conn(), names, rows, request.map(|(_, id)| id)).await {
        Ok(()) => {
            step.commit().await.map_err(|error| commit_error::<DB>("insert", error))?;
            Ok(Inserted::Stored)
        }
        Err(error) if is_taken(&error) => {
            step.rollback().await.map_err(failed)?;
            Ok(Inserted::CodeTaken)
        }
        Err(error) => Err(failed(error)),
    }
}

async fn write_all<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    rows: &[NewInvitation],
    request: Option<EventId>,
) -> sqlx::Result<()> {
    let request = request.as_ref().map(|id| id.as_bytes().as_slice());
    let columns = format!("{}, request_id", row::INVITATION);
    for chunk in rows.chunks(rows_at_once::<DB>()) {
        let invitations = chunk.iter().map(|row| &row.invitation);
        let written = invitations.clone().map(|invitation| Written { invitation, request });
        let written: Vec<_> = written.collect();
        write_rows::<DB, _>(conn, &names.invitations, &columns, &written, "").await?;
        let events: Vec<_> = chunk.iter().map(|row| &row.event).collect();
        write_rows::<DB, _>(conn, &names.events, row::EVENT, &events, "").await?;
        let alive = invitations.filter(|row| row.deleted_at.is_none());
        let standings: Vec<_> = alive.clone().map(Standing).collect();
        write_rows::<DB, _>(conn, &names.standings, row::STANDING, &standings, "").await?;
        let new: Vec<_> = alive.flat_map(words::all_of).collect();
        words::write::<DB>(conn, names, &new).await?;
    }
    Ok(())
}

/// False when something was created under the key already: the key arbitrates.
async fn write_request<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    request: &Request,
    id: EventId,
) -> sqlx::Result<bool> {
    let mut s = Statement::<DB>::new(format!(
        "INSERT INTO {} (owner, request_key, id, fingerprint) VALUES (",
        names.requests
    ));
    s.text(owner(request)).sql(", ").text(request.key.key.as_str());
    s.sql(", ").blob(id.as_bytes()).sql(", ").blob(request.fingerprint.as_bytes());
    s.sql(")");
    s.run_unless_taken(conn, "owner, request_key").await
}

/// The column of the owner: no user has an empty id.
fn owner(request: &Request) -> &str {
    request.key.owner.as_ref().map_or("", UserId::as_str)
}

/// What was created under the key, if anything was.
async fn known<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    request: &Request,
) -> Result<Option<Known>, StoreError> {
    let failed = |error| store_error::<DB>("insert", error);
    // One statement, so that a purge is seen by all of it or by none.
    let mut s = Statement::<DB>::new(format!(
        "SELECT {}, (SELECT fingerprint FROM {} WHERE ",
        row::INVITATION,
        names.requests
    ));
    let fresh = DB::fresh(conn);
    by_key(&mut s, request).sql(fresh);
    s.sql(format_args!(
        ") FROM {} WHERE request_id = (SELECT id FROM {} WHERE ",
        names.invitations, names.requests
    ));
    by_key(&mut s, request).sql(fresh).sql(") ORDER BY id").sql(fresh);
    let found = s.all(conn).await.map_err(failed)?;
    let mut known: Option<Known> = None;
    for row in &found {
        let (invitation, fingerprint) = row::known::<DB>(row)?;
        let empty = || Known { fingerprint, invitations: Vec::with_capacity(found.len()) };
        known.get_or_insert_with(empty).invitations.push(invitation);
    }
    Ok(known)
}

fn by_key<'s, DB: Dialect>(s: &'s mut Statement<DB>, request: &Request) -> &'s mut Statement<DB> {
    s.sql("owner = ").text(owner(request)).sql(" AND request_key = ");
    s.text(request.key.key.as_str())
}

/// Stores events; those that are there already stay as they are.
pub(crate) async fn record<DB: Dialect>(
    conn: &mut DB::Connection,
    begin: Begin,
    names: &Names,
    events: &[Event],
) -> Result<(), StoreError> {
    let failed = |error| store_error::<DB>("record", error);
    if events.is_empty() {
        return Ok(());
    }
    if DB::TAKES_MESSAGES && begin == Begin::Own && events.len() <= rows_at_once::<DB>() {
        let mut message = Message::beginning::<DB>();
        message.add(rows_added::<DB, _>(&names.events, row::EVENT, events, DB::KEEP_KNOWN_EVENT));
        message.commit::<DB>();
        let sent = message.send::<DB>(conn).await;
        return sent.map(|_| ()).map_err(|broken| broken.told::<DB>("record"));
    }
    let mut step = Step::<DB>::begin(conn, begin).await.map_err(failed)?;
    write_events::<DB>(step.conn(), names, events).await.map_err(failed)?;
    step.commit().await.map_err(|error| commit_error::<DB>("record", error))
}

async fn write_events<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    events: &[Event],
) -> sqlx::Result<()> {
    write_rows::<DB, _>(conn, &names.events, row::EVENT, events, DB::KEEP_KNOWN_EVENT).await
}

/// Adds rows to a table, as many statements as it takes; what is said at their end tells
/// what becomes of those that are there already.
pub(super) async fn write_rows<DB: Dialect, R: Record>(
    conn: &mut DB::Connection,
    table: &str,
    columns: &str,
    rows: &[R],
    end: &str,
) -> sqlx::Result<()> {
    for chunk in rows.chunks(rows_at_once::<DB>()) {
        rows_added::<DB, R>(table, columns, chunk, end).run(conn).await?;
    }
    Ok(())
}

/// The most rows that one statement adds.
const fn rows_at_once<DB: Dialect>() -> usize {
    DB::MAX_BINDS / BINDS_PER_ROW
}

/// Adds these rows, in one statement.
fn rows_added<DB: Dialect, R: Record>(
    table: &str,
    columns: &str,
    rows: &[R],
    end: &str,
) -> Statement<DB> {
    let mut s = Statement::<DB>::new(format!("INSERT INTO {table} ({columns}) "));
    match DB::PUSH_COLUMN {
        Some(push) if rows.len() > 1 => {
            // Each row is handed on as it comes: in FROM, all would be put aside first.
            for (n, column) in Columns::of(rows).into_iter().enumerate() {
                s.sql(if n == 0 { "SELECT UNNEST(" } else { ", UNNEST(" });
                s.column(push, column);
                s.sql(")");
            }
        }
        _ => {
            if rows.len() > 1 {
                s = s.once();
            }
            if rows.iter().any(Record::is_secret) {
                s.keep_secret();
            }
            for (n, row) in rows.iter().enumerate() {
                s.sql(if n == 0 { "VALUES (" } else { ", (" });
                row.write(&mut Listed::new(&mut s));
                s.sql(")");
            }
        }
    }
    s.sql(end);
    s
}
