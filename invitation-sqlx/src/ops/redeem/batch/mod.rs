//! Redemptions of many callers as one statement: its costs, the round trip and the wait
//! for the disk are shared. For each caller it is as if the callers had come one after
//! the other.
//!
//! Those who want different codes get a plain statement first, which serves codes of one
//! use. Whoever is left, and all who want the same code, get the one that serves every
//! code. A caller for whom that does nothing is told none, and goes the general way, which
//! does it or finds out why not. That so happens to all who want the same code when one of
//! them may not have it, or when it has not enough uses left for all of them.

mod entries;
mod statement;

use std::num::NonZeroUsize;

use invitation_core::{Facts, Invitation, StoreError, StoreErrorKind, Transition};

use self::entries::BatchEntry;
use super::multi_statement;
use crate::{
    dialect::Dialect,
    error::{is_taken, lone_statement_error},
    names::Names,
    row,
};

/// How many callers share a statement at most: what bounds its memory, and for how long it
/// holds the rows that it has changed.
pub(crate) const MAX_BATCH_SIZE: NonZeroUsize = NonZeroUsize::new(128).expect("it is not 0");

/// Whether a transition may share a statement with others.
pub(crate) fn can_be_batched<DB: Dialect>(transition: &Transition) -> bool {
    (DB::MULTI_STATEMENTS || (DB::WRITING_CTES && DB::PUSH_COLUMN.is_some()))
        && transition.as_plain_redemption().is_some()
}

/// Redeems for all of them that it can, each with its evidence, in one round trip or two;
/// the facts after each, in the order of the transitions, and none where nothing was done.
pub(crate) async fn redeem_batch<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transitions: &[&Transition],
) -> Result<Vec<Option<Facts>>, StoreError> {
    let mut facts: Vec<_> = transitions.iter().map(|_| None).collect();
    if DB::MULTI_STATEMENTS {
        redeem_same_code::<DB>(conn, names, transitions, &mut facts).await?;
        return Ok(facts);
    }
    let mut entries = entries::by_digest(transitions);
    if entries.iter().all(|entry| entry.group_size == 1) {
        if !redeem_by_statement::<DB>(conn, names, &entries, &mut facts, true).await? {
            return Ok(facts);
        }
        entries.retain(|entry| facts.get(entry.caller).is_some_and(Option::is_none));
        entries::assign_positions(&mut entries);
    }
    if entries.is_empty() {
        return Ok(facts);
    }
    match redeem_by_statement::<DB>(conn, names, &entries, &mut facts, false).await {
        // What the first statement has done is done, whatever becomes of the second: who is
        // told none finds out alone.
        Err(_) if facts.iter().any(Option::is_some) => Ok(facts),
        done => done.map(|_| facts),
    }
}

/// Redeems by one statement; whether nobody was in the way of it.
async fn redeem_by_statement<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    entries: &[BatchEntry<'_>],
    facts: &mut [Option<Facts>],
    once_each: bool,
) -> Result<bool, StoreError> {
    let Some(s) = statement::write::<DB>(names, entries, once_each) else { return Ok(false) };
    let found = match s.all(conn).await {
        Ok(found) => found,
        Err(error) => {
            // Somebody was in the way of one of them, and nothing was done.
            let is_taken = is_taken(&error);
            let error = lone_statement_error::<DB>("apply", error);
            let in_the_way = is_taken || error.kind() == StoreErrorKind::Conflict;
            return if in_the_way { Ok(false) } else { Err(error) };
        }
    };
    for row in &found {
        // An error from here on comes too late to undo anything.
        let unknown =
            |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
        let (invitation, ordinal) = row::invitation_and_ordinal::<DB>(row).map_err(unknown)?;
        let entry = usize::try_from(ordinal).ok().and_then(|ordinal| entries.get(ordinal));
        let Some((entry, slot)) = entry.and_then(|e| Some((e, facts.get_mut(e.caller)?))) else {
            return Err(unknown(StoreError::new(StoreErrorKind::Corrupt, "apply")));
        };
        *slot =
            Some(facts_at_turn(invitation, entry.transition, entry.group_size - entry.position));
    }
    Ok(true)
}

/// The invitation as it was when the turn of this one had come, from what it was after
/// so many more. It was without leases.
fn facts_at_turn(invitation: Invitation, transition: &Transition, more: u32) -> Facts {
    let mut facts = Facts::of(invitation);
    facts.invitation.uses -= more + 1;
    transition.change().apply_to(&mut facts);
    facts
}

/// The same by one message, for those who want the first one's code. Who wants another has
/// come by itself: only those of one code wait for each other.
async fn redeem_same_code<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transitions: &[&Transition],
    facts: &mut [Option<Facts>],
) -> Result<(), StoreError> {
    let callers = entries::same_code(transitions);
    let all: Vec<_> = callers.iter().filter_map(|n| transitions.get(*n).copied()).collect();
    let Some(after) = multi_statement::redeem_all::<DB>(conn, names, &all).await? else {
        return Ok(());
    };
    let mut more = u32::try_from(all.len()).unwrap_or(u32::MAX);
    for (caller, transition) in callers.into_iter().zip(all) {
        more -= 1;
        if let Some(slot) = facts.get_mut(caller) {
            *slot = Some(facts_at_turn(after.clone(), transition, more));
        }
    }
    Ok(())
}
