//! The planning of each changing call of the port: its answer, and the changes to make.
//! This module only reads the state; the caller writes and applies the changes.
//!
//! The checks follow the order in the documentation of `Store`. Each check calls the
//! function of the library that specifies it, on facts that cannot change meanwhile. No
//! rule is defined here.

use std::collections::HashSet;

use invitation::{
    InvitationId, StoreError, StoreErrorKind,
    audit::{Event, EventId},
    store::{
        Facts, Insert, Inserted, NewInvitation, Outcome, PriorRequest, Purge, Purged, Quota,
        QuotaOf, Scope, Transition,
    },
};

use crate::state::{Kept, Made, Op, State};

/// The plan of a transition: an answer now, or changes whose resulting facts are the
/// answer.
#[derive(Debug)]
pub(crate) enum Planned {
    Answer(Outcome),
    Change(InvitationId, Vec<Op>),
}

pub(crate) fn insert(state: &State, insert: &Insert) -> Result<(Inserted, Vec<Op>), StoreError> {
    if let Some(request) = &insert.request
        && let Some(made) = state.requests.get(&request.key)
        && made.forgotten_at.is_none_or(|at| at > request.at)
    {
        let kept = made.invitations.iter().filter_map(|id| state.invitations.get(id));
        let mut invitations: Vec<_> = kept.map(|kept| kept.invitation.clone()).collect();
        invitations.sort_by_key(|invitation| invitation.id);
        let known =
            PriorRequest { fingerprint: made.asked, invitations, results: made.results.clone() };
        return Ok((Inserted::KeyKnown(known), Vec::new()));
    }
    if let Some((of, pending)) = first_full(state, &insert.quotas) {
        return Ok((Inserted::QuotaFull { of, pending }, Vec::new()));
    }
    let mut digests = HashSet::new();
    let taken = |row: &NewInvitation| {
        state.has_digest(&row.invitation.digest) || !digests.insert(row.invitation.digest)
    };
    if insert.rows.iter().any(taken) {
        return Ok((Inserted::CodeTaken, Vec::new()));
    }
    // Ids are random, so duplicates are not expected. Storing a duplicate would lose a row
    // or an event.
    let (mut ids, mut events) = (HashSet::new(), HashSet::new());
    let mut ops = Vec::new();
    for NewInvitation { invitation, event } in &insert.rows {
        if state.invitations.contains_key(&invitation.id) || !ids.insert(invitation.id) {
            return Err(other("insert", "the id of the invitation is taken"));
        }
        if !events.insert(event.id) {
            return Err(other("insert", "the id of the event occurs twice"));
        }
        free_event(state, event.id, "insert")?;
        ops.push(Op::Invitation(Box::new(invitation.clone())));
        if let Some(redemption) = &invitation.last_use {
            ops.push(Op::Redemption(invitation.id, redemption.clone()));
        }
        ops.push(Op::Event(Box::new(event.clone())));
    }
    if let Some(request) = insert.request_to_keep() {
        let made = Made {
            asked: request.fingerprint,
            invitations: insert.rows.iter().map(|row| row.invitation.id).collect(),
            results: request.results.clone(),
            forgotten_at: insert.forgotten_at(),
        };
        ops.push(Op::Request(request.key.clone(), Box::new(made)));
    }
    Ok((Inserted::Stored, ops))
}

pub(crate) fn transition(state: &State, step: &Transition) -> Result<Planned, StoreError> {
    let found = state.find(step.target());
    let Some(kept) = found.filter(|kept| step.scope().contains(&kept.invitation.division)) else {
        return Ok(Planned::Answer(Outcome::Missing));
    };
    let facts = kept.facts_for(step);
    let id = facts.invitation.id;
    let shares_event = step.change().shares_event();
    let on_record = state.events.get(&step.event().id).filter(|_| !shares_event);
    if on_record.is_some_and(|event| event.invitation == Some(id)) {
        return Ok(Planned::Answer(Outcome::Replayed(Box::new(facts))));
    }
    if !step.target().finds(&facts.invitation, facts.mine.as_ref()) {
        return Ok(Planned::Answer(Outcome::Missing));
    }
    if step.guard().first_refusal(&facts).is_some() {
        return Ok(Planned::Answer(Outcome::Refused(Box::new(facts))));
    }
    if let Some((full, _)) = first_full(state, step.quotas()) {
        return Ok(Planned::Answer(Outcome::QuotaFull(full)));
    }
    if let Some(digest) = step.new_digest()
        && state.has_digest(digest)
    {
        return Ok(Planned::Answer(Outcome::CodeTaken));
    }
    if !shares_event {
        free_event(state, step.event().id, "apply")?;
    }
    let mut ops = change(step, &facts);
    if state.events.contains_key(&step.event().id) {
        // Another change of the same page has written the event that they share.
        ops.retain(|op| !matches!(op, Op::Event(_)));
    }
    Ok(Planned::Change(id, ops))
}

/// Returns the changes of a transition whose guard holds.
fn change(step: &Transition, before: &Facts) -> Vec<Op> {
    let mut after = before.clone();
    let ended = step.change().apply_to(&mut after);
    let id = after.invitation.id;
    let mut ops = vec![Op::Invitation(Box::new(after.invitation.clone()))];
    // Ending leases comes before adding one: a lease may be replaced by a longer one of the
    // same user, and even of the same id.
    if step.change().ends_all_leases() {
        ops.push(Op::LeasesEnded(id));
    }
    let released = before.lease.as_ref().filter(|_| after.lease.is_none());
    for lease in ended.iter().chain(released) {
        ops.push(Op::LeaseEnded(id, lease.user.clone()));
    }
    if let Some(lease) = after.lease {
        ops.push(Op::Lease(id, lease));
    }
    if let Some(redemption) = after.mine {
        ops.push(Op::Redemption(id, redemption));
    }
    ops.push(Op::Event(Box::new(step.evidence(&after.invitation, ended.as_ref()))));
    ops
}

/// Returns a change for each event that is not stored yet. Of events with the same id, the
/// first stays.
pub(crate) fn record(state: &State, events: &[Event]) -> Vec<Op> {
    let mut ids = HashSet::new();
    let new = |event: &&Event| !state.events.contains_key(&event.id) && ids.insert(event.id);
    events.iter().filter(new).map(|event| Op::Event(Box::new(event.clone()))).collect()
}

pub(crate) fn purge(state: &State, purge: &Purge) -> (Purged, Vec<Op>) {
    // The purge was already made, and its answer may have been lost: the caller continues
    // with the next purge.
    if state.events.contains_key(&purge.event.id) {
        return (Purged::BEFORE, Vec::new());
    }
    let taken = |kept: &&Kept| {
        purge.scope.contains(&kept.invitation.division) && purge.takes(&kept.invitation)
    };
    let mut over = state.invitations.values().filter(taken).map(|kept| kept.invitation.id);
    let mut ops = Vec::new();
    let mut removed = 0;
    while removed < purge.max.get()
        && let Some(id) = over.next()
    {
        ops.push(Op::Forgotten(id));
        removed += 1;
    }
    if removed > 0 {
        ops.push(Op::Event(Box::new(purge.evidence(removed))));
    }
    let more = over.next().is_some();
    let mut forgotten = Vec::new();
    if purge.scope == Scope::All {
        let is_over = |made: &Made| made.forgotten_at.is_some_and(|at| at < purge.before);
        let keys = state.requests.iter().filter(|(_, made)| is_over(made));
        let max = usize::try_from(purge.max.get()).unwrap_or(usize::MAX);
        forgotten = keys.map(|(key, _)| Op::RequestForgotten(key.clone())).take(max).collect();
    }
    let is_full = u32::try_from(forgotten.len()) == Ok(purge.max.get());
    ops.extend(forgotten);
    (Purged { removed, more: more || is_full }, ops)
}

/// Returns the first quota without room, and its current count.
fn first_full(state: &State, quotas: &[Quota]) -> Option<(QuotaOf, u32)> {
    let pending = |quota: &Quota| {
        let counted = state.invitations.values().filter(|kept| quota.counts(&kept.invitation));
        u32::try_from(counted.count()).unwrap_or(u32::MAX)
    };
    let mut counted = quotas.iter().map(|quota| (quota, pending(quota)));
    let full = counted.find(|(quota, pending)| !quota.has_room(*pending));
    full.map(|(quota, pending)| (quota.of.clone(), pending))
}

/// Fails if the id belongs to an event about something else, because a change must not be
/// made without its event.
fn free_event(state: &State, id: EventId, operation: &'static str) -> Result<(), StoreError> {
    if state.events.contains_key(&id) {
        return Err(other(operation, "the id of the event is taken"));
    }
    Ok(())
}

fn other(operation: &'static str, why: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Other, operation).because(why)
}
