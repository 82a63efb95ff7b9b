//! Transitions: each is applied as a whole or not at all.

use invitation_core::{
    Event, EventId, Facts, InvitationId, Outcome, QuotaOf, StoreError, Transition,
};

use super::{
    Begin, Step,
    lease::{self, Leases},
    ledger, quota, read, search_terms, state,
};
use crate::{
    dialect::Dialect,
    error::{commit_error, is_taken, store_error},
    names::Names,
    render, row,
    statement::Statement,
    values::InputRow,
};

/// The result of an attempt, inside the transaction.
enum Attempt {
    /// The change and its event were written, and have to be committed.
    Made(Box<Facts>),
    /// The guarded update matched no row, or this quota has no room. There is nothing to undo.
    Refused(Option<QuotaOf>),
    /// The work has to be undone, because the redeemer, the mailbox or the event exists already or
    /// a lease has changed.
    Undo,
    /// The new code's digest is taken.
    CodeTaken,
}

/// Applies one transition: by the dialect's faster path, if it has one, or statement by statement.
pub(crate) async fn apply<DB: Dialect>(
    conn: &mut DB::Connection,
    begin: Begin,
    names: &Names,
    transition: &Transition,
    is_fast: bool,
) -> Result<Outcome, StoreError> {
    if is_fast && let Some(outcome) = DB::redeem(conn, begin, names, transition).await? {
        return Ok(outcome);
    }
    let failed = |error| store_error::<DB>("apply", error);
    let mut step = begin_step::<DB>(conn, begin, transition).await.map_err(failed)?;
    match attempt::<DB>(step.conn(), names, transition).await? {
        Attempt::Made(facts) => {
            step.commit().await.map_err(|error| commit_error::<DB>("apply", error))?;
            Ok(Outcome::Applied(facts))
        }
        Attempt::Refused(full) => {
            let outcome = explain::<DB>(step.conn(), names, transition, full).await?;
            step.rollback().await.map_err(failed)?;
            Ok(outcome)
        }
        Attempt::Undo => {
            step.rollback().await.map_err(failed)?;
            let mut step = begin_step::<DB>(conn, begin, transition).await.map_err(failed)?;
            let outcome = explain::<DB>(step.conn(), names, transition, None).await?;
            step.rollback().await.map_err(failed)?;
            Ok(outcome)
        }
        Attempt::CodeTaken => {
            step.rollback().await.map_err(failed)?;
            Ok(Outcome::CodeTaken)
        }
    }
}

async fn begin_step<'c, DB: Dialect>(
    conn: &'c mut DB::Connection,
    begin: Begin,
    transition: &Transition,
) -> sqlx::Result<Step<'c, DB>> {
    let mut step = Step::<DB>::begin(conn, begin).await?;
    if carries_a_secret(transition) {
        step.expect_secrets().await?;
    }
    Ok(step)
}

/// Whether the transition writes a code or an address into the tables, or looks for one.
fn carries_a_secret(transition: &Transition) -> bool {
    let change = transition.change();
    let moved = change.indexed();
    moved.code || moved.address || change.address().is_some()
}

async fn attempt<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transition: &Transition,
) -> Result<Attempt, StoreError> {
    let failed = |error| store_error::<DB>("apply", error);
    let full = quota::first_full::<DB>(conn, names, transition.quotas()).await.map_err(failed)?;
    if let Some((of, _)) = full {
        return Ok(Attempt::Refused(Some(of)));
    }
    let mut s = Statement::<DB>::new(format!("UPDATE {} AS i SET ", names.invitations));
    if carries_a_secret(transition) {
        s.keep_secret();
    }
    render::change(&mut s, transition.change(), names);
    s.sql(" WHERE ");
    render::target(&mut s, transition.target());
    render::scope(&mut s, transition.scope());
    render::guard(&mut s, transition.guard(), names);
    if let Some(digest) = transition.new_digest() {
        // The invitation's current digest counts as taken too, but no unique key would report it.
        s.sql(" AND i.digest <> ").blob(digest.as_bytes());
    }
    let changed = match DB::update_invitation(conn, names, transition, s).await {
        Err(error) if is_taken(&error) => return Ok(Attempt::CodeTaken),
        changed => changed.map_err(failed)?,
    };
    let Some(changed) = changed else { return Ok(Attempt::Refused(None)) };
    let invitation = row::invitation::<DB>(&changed)?;

    let ended = match lease::change::<DB>(conn, names, transition, &invitation).await? {
        Leases::Kept(ended) => ended,
        Leases::Moved => return Ok(Attempt::Undo),
    };
    let event = transition.evidence(&invitation, ended.as_ref());
    let is_new = write_event::<DB>(conn, names, &event).await.map_err(failed)?;
    if !is_new && !transition.change().shares_event() {
        return Ok(Attempt::Undo);
    }
    state::follow::<DB>(conn, names, transition.change(), &invitation).await.map_err(failed)?;
    let moved = transition.change().indexed();
    let mine = invitation.last_use.clone().filter(|_| moved.used_by);
    if mine.is_some()
        && invitation.max_uses.get() > 1
        && !ledger::write::<DB>(conn, names, invitation.id).await.map_err(failed)?
    {
        return Ok(Attempt::Undo);
    }
    search_terms::follow::<DB>(conn, names, moved, &invitation).await.map_err(failed)?;
    // Before a change that begins a lease, no redemption had the mailbox.
    let mailbox_use = mine.clone().filter(|_| transition.mailbox_on(&invitation).is_some());
    let mut facts = Facts { mine, mailbox_use, ..Facts::of(invitation) };
    lease::add_leases::<DB>(conn, names, transition, &mut facts).await?;
    Ok(Attempt::Made(Box::new(facts)))
}

/// Returns what the store sees when a transition was not made: the facts, and whether it had been
/// made before.
async fn explain<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transition: &Transition,
    full: Option<QuotaOf>,
) -> Result<Outcome, StoreError> {
    let failed = |error| store_error::<DB>("apply", error);
    // The row stays locked until this transaction ends, so everything read next belongs to this
    // version of the row.
    let Some(invitation) = read::get_held::<DB>(conn, names, transition).await? else {
        return Ok(Outcome::Missing);
    };
    let mine = ledger::mine::<DB>(conn, names, transition, &invitation).await?;
    let mailbox_use = ledger::with_mailbox::<DB>(conn, names, transition, &invitation).await?;
    let mut facts = Facts { mine, mailbox_use, ..Facts::of(invitation) };
    lease::add_leases::<DB>(conn, names, transition, &mut facts).await?;

    let (event, id) = (&transition.event().id, facts.invitation.id);
    let on_record = !transition.change().shares_event()
        && is_on_record::<DB>(conn, names, event, Some(id)).await.map_err(failed)?;
    Ok(transition.not_made(facts, on_record, full))
}

/// Whether an event with this id exists, about this invitation or about any.
pub(super) async fn is_on_record<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    id: &EventId,
    about: Option<InvitationId>,
) -> sqlx::Result<bool> {
    let mut s = Statement::<DB>::new(format!("SELECT 1 FROM {} e WHERE e.id = ", names.events));
    s.blob(id.as_bytes());
    if let Some(about) = about {
        s.sql(" AND e.invitation = ").blob(about.as_bytes());
    }
    // A missing event is not locked. The lock would cover the place of all new events.
    Ok(s.first(conn).await?.is_some())
}

/// Writes an event. Returns `false` if an event with this id exists.
pub(super) async fn write_event<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    event: &Event,
) -> sqlx::Result<bool> {
    let mut s =
        Statement::<DB>::new(format!("INSERT INTO {} ({}) VALUES (", names.events, row::EVENT));
    s.values(event.values()).sql(")");
    s.run_unless_taken(conn, "id").await
}
