//! New rows: invitations with their events, and events alone.

use invitation_core::{
    Binding, Event, Inserted, InvitationId, NewInvitation, Redemption, StoreError, words,
};

use super::{
    Begin, Step,
    apply::{PART_ADDRESS, PART_USED_BY},
};
use crate::{
    dialect::Dialect,
    error::{commit_error, is_taken, store_error},
    names::Names,
    row,
    statement::Statement,
};

/// How many values the widest row binds, rounded up.
const BINDS_PER_ROW: usize = 32;

/// Stores new invitations, all or none.
pub(crate) async fn insert<DB: Dialect>(
    conn: &mut DB::Connection,
    begin: Begin,
    names: &Names,
    rows: &[NewInvitation],
) -> Result<Inserted, StoreError> {
    let failed = |error| store_error::<DB>("insert", error);
    if rows.is_empty() {
        return Ok(Inserted::Stored);
    }
    let mut step = Step::<DB>::begin(conn, begin).await.map_err(failed)?;
    match write_all::<DB>(step.conn(), names, rows).await {
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
) -> sqlx::Result<()> {
    for chunk in rows.chunks(DB::MAX_BINDS / BINDS_PER_ROW) {
        let table =
            format!("INSERT INTO {} ({}, email_key) VALUES ", names.invitations, row::INVITATION);
        let mut s = statement::<DB>(table, chunk.len());
        values(&mut s, chunk, |s, row| row::write_invitation(s, &row.invitation));
        s.run(conn).await?;

        let table = format!("INSERT INTO {} ({}) VALUES ", names.events, row::EVENT);
        let mut s = statement::<DB>(table, chunk.len());
        values(&mut s, chunk, |s, row| row::write_event(s, &row.event));
        s.run(conn).await?;

        let new: Vec<_> = chunk.iter().flat_map(words_of).collect();
        write_word_rows::<DB>(conn, names, &new).await?;
    }
    Ok(())
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
    let mut step = Step::<DB>::begin(conn, begin).await.map_err(failed)?;
    for chunk in events.chunks(DB::MAX_BINDS / BINDS_PER_ROW) {
        let table = format!("INSERT INTO {} ({}) VALUES ", names.events, row::EVENT);
        let mut s = statement::<DB>(table, chunk.len());
        values(&mut s, chunk, row::write_event);
        s.sql(" ON CONFLICT (id) DO NOTHING");
        s.run(step.conn()).await.map_err(failed)?;
    }
    step.commit().await.map_err(|error| commit_error::<DB>("record", error))
}

/// Adds words of one invitation.
pub(super) async fn write_words<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: InvitationId,
    part: i64,
    words: Vec<String>,
) -> sqlx::Result<()> {
    let rows: Vec<_> = words.into_iter().map(|word| (word, invitation, part)).collect();
    write_word_rows::<DB>(conn, names, &rows).await
}

async fn write_word_rows<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    rows: &[(String, InvitationId, i64)],
) -> sqlx::Result<()> {
    for chunk in rows.chunks(DB::MAX_BINDS / BINDS_PER_ROW) {
        let table = format!("INSERT INTO {} (word, invitation, part) VALUES ", names.words);
        let mut s = statement::<DB>(table, chunk.len());
        values(&mut s, chunk, |s, (word, invitation, part)| {
            s.text(word.as_str()).sql(", ").blob(invitation.as_bytes()).sql(", ").int(*part);
        });
        // The same word twice in one address.
        s.sql(" ON CONFLICT (word, invitation, part) DO NOTHING");
        s.run(conn).await?;
    }
    Ok(())
}

fn words_of(row: &NewInvitation) -> Vec<(String, InvitationId, i64)> {
    let invitation = &row.invitation;
    let address = match &invitation.binding {
        Binding::Address(email) => words(email.as_str()),
        Binding::Anyone | Binding::Domain(_) => Vec::new(),
    };
    let used_by = |last: &Redemption| words(last.username.as_str());
    let used_by = invitation.last_use.as_ref().map_or_else(Vec::new, used_by);
    let address = address.into_iter().map(|word| (word, invitation.id, PART_ADDRESS));
    address.chain(used_by.into_iter().map(|word| (word, invitation.id, PART_USED_BY))).collect()
}

fn statement<DB: Dialect>(sql: String, rows: usize) -> Statement<DB> {
    let s = Statement::new(sql);
    if rows == 1 { s } else { s.once() }
}

fn values<DB: Dialect, T>(
    s: &mut Statement<DB>,
    rows: &[T],
    mut write: impl FnMut(&mut Statement<DB>, &T),
) {
    for (n, row) in rows.iter().enumerate() {
        s.sql(if n == 0 { "(" } else { ", (" });
        write(s, row);
        s.sql(")");
    }
}
