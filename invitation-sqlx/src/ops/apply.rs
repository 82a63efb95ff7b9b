//! Transitions: each is applied as a whole or not at all.

use invitation_core::{
    Event, EventId, Facts, InvitationId, Outcome, QuotaOf, StoreError, Transition,
};

use super::{
    Session, Step,
    lease::{self, Leases},
    ledger, quota, read, search_terms, state,
};
use crate::{
    dialect::Dialect, error::is_taken, render, row, statement::Statement, values::InputRow,
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
    on: &mut Session<'_, DB>,
    transition: &Transition,
    is_fast: bool,
) -> Result<Outcome, StoreError> {
    if is_fast && let Some(outcome) = DB::redeem(on, transition).await? {
        return Ok(outcome);
    }
    let mut step = begin_step(on, transition).await?;
    match attempt(&mut step, transition).await? {
        Attempt::Made(facts) => {
            step.commit().await?;
            Ok(Outcome::Applied(facts))
        }
        Attempt::Refused(full) => {
            let outcome = explain(&mut step, transition, full).await?;
            step.rollback().await?;
            Ok(outcome)
        }
        Attempt::Undo => {
            step.rollback().await?;
            let mut step = begin_step(on, transition).await?;
            let outcome = explain(&mut step, transition, None).await?;
            step.rollback().await?;
            Ok(outcome)
        }
        Attempt::CodeTaken => {
            step.rollback().await?;
            Ok(Outcome::CodeTaken)
        }
    }
}

async fn begin_step<'c, DB: Dialect>(
    on: &'c mut Session<'_, DB>,
    transition: &Transition,
) -> Result<Step<'c, DB>, StoreError> {
    let mut step = on.begin().await?;
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
    on: &mut Session<'_, DB>,
    transition: &Transition,
) -> Result<Attempt, StoreError> {
    let full = quota::first_full(on, transition.quotas()).await?;
    if let Some((of, _)) = full {
        return Ok(Attempt::Refused(Some(of)));
    }
    let mut s = Statement::new(format!("UPDATE {} AS i SET ", on.names.invitations));
    if carries_a_secret(transition) {
        s.keep_secret();
    }
    render::change(&mut s, transition.change(), on.names);
    s.sql(" WHERE ");
    render::target(&mut s, transition.target());
    render::scope(&mut s, transition.scope());
    render::guard(&mut s, transition.guard(), on.names);
    if let Some(digest) = transition.new_digest() {
        // The invitation's current digest counts as taken too, but no unique key would report it.
        s.sql(" AND i.digest <> ").blob(digest.as_bytes());
    }
    let changed = match DB::update_invitation(on, transition, s).await {
        Err(error) if is_taken(&error) => return Ok(Attempt::CodeTaken),
        changed => changed?,
    };
    let Some(invitation) = changed else { return Ok(Attempt::Refused(None)) };

    let ended = match lease::change(on, transition, &invitation).await? {
        Leases::Kept(ended) => ended,
        Leases::Moved => return Ok(Attempt::Undo),
    };
    let event = transition.evidence(&invitation, ended.as_ref());
    let is_new = write_event(on, &event).await?;
    if !is_new && !transition.change().shares_event() {
        return Ok(Attempt::Undo);
    }
    state::follow(on, transition.change(), &invitation).await?;
    let moved = transition.change().indexed();
    let mine = invitation.last_use.clone().filter(|_| moved.used_by);
    if mine.is_some() && invitation.max_uses.get() > 1 && !ledger::write(on, invitation.id).await? {
        return Ok(Attempt::Undo);
    }
    search_terms::follow(on, moved, &invitation).await?;
    // Before a change that begins a lease, no redemption had the mailbox.
    let mailbox_use = mine.clone().filter(|_| transition.mailbox_on(&invitation).is_some());
    let mut facts = Facts { mine, mailbox_use, ..Facts::of(invitation) };
    lease::add_leases(on, transition, &mut facts).await?;
    Ok(Attempt::Made(Box::new(facts)))
}

/// Returns what the store sees when a transition was not made: the facts, and whether it had been
/// made before.
async fn explain<DB: Dialect>(
    on: &mut Session<'_, DB>,
    transition: &Transition,
    full: Option<QuotaOf>,
) -> Result<Outcome, StoreError> {
    // The row stays locked until this transaction ends, so everything read next belongs to this
    // version of the row.
    let Some(invitation) = read::get_held(on, transition).await? else {
        return Ok(Outcome::Missing);
    };
    let mine = ledger::mine(on, transition, &invitation).await?;
    let mailbox_use = ledger::with_mailbox(on, transition, &invitation).await?;
    let mut facts = Facts { mine, mailbox_use, ..Facts::of(invitation) };
    lease::add_leases(on, transition, &mut facts).await?;

    let (event, id) = (&transition.event().id, facts.invitation.id);
    let on_record =
        !transition.change().shares_event() && is_on_record(on, event, Some(id)).await?;
    Ok(transition.not_made(facts, on_record, full))
}

/// Whether an event with this id exists, about this invitation or about any.
pub(super) async fn is_on_record<DB: Dialect>(
    on: &mut Session<'_, DB>,
    id: &EventId,
    about: Option<InvitationId>,
) -> Result<bool, StoreError> {
    let mut s = Statement::new(format!("SELECT 1 FROM {} e WHERE e.id = ", on.names.events));
    s.blob(id.as_bytes());
    if let Some(about) = about {
        s.sql(" AND e.invitation = ").blob(about.as_bytes());
    }
    // A missing event is not locked. The lock would cover the place of all new events.
    Ok(s.first(on, |_| Ok(())).await?.is_some())
}

/// Writes an event. Returns `false` if an event with this id exists.
pub(super) async fn write_event<DB: Dialect>(
    on: &mut Session<'_, DB>,
    event: &Event,
) -> Result<bool, StoreError> {
    let mut s =
        Statement::new(format!("INSERT INTO {} ({}) VALUES (", on.names.events, row::EVENT));
    s.values(event.values()).sql(")");
    s.run_unless_taken(on, "id").await
}
