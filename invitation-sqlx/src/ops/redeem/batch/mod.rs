//! Redemptions of many callers in one statement, which share its round trip and its wait for the
//! disk. Each caller gets the same result as if the callers had run one after the other.
//!
//! If all codes are different, a simple statement redeems the single-use codes first. A second
//! statement, which serves every code, redeems the rest. If several callers have the same code,
//! only the second statement runs.
//!
//! A caller whose redemption the statements did not make gets `None`. The general path then
//! applies it or explains the refusal. All callers of a code get `None` if one of them may not
//! redeem it, or if too few uses are left.

mod entries;
mod statement;

use std::num::NonZeroUsize;

use invitation_core::{Facts, Record, StoreError, StoreErrorKind, Transition};

use self::entries::BatchEntry;
use super::multi_statement;
use crate::{
    dialect::Dialect,
    error::{is_taken, lone_statement_error},
    names::Names,
    row,
};

/// The maximum number of callers in a batch. It bounds the memory of a statement and the time for
/// which the statement locks its rows.
pub(crate) const MAX_BATCH_SIZE: NonZeroUsize = NonZeroUsize::new(128).expect("it is not 0");

/// Whether a transition can share a statement with others.
pub(crate) fn can_be_batched<DB: Dialect>(transition: &Transition) -> bool {
    (DB::MULTI_STATEMENTS || (DB::WRITING_CTES && DB::PUSH_COLUMN.is_some()))
        && transition.as_plain_redemption().is_some()
}

/// Redeems as many of the transitions as possible, each with its event, in one or two round
/// trips. Returns the facts after each redemption, in the order of the transitions, and `None`
/// for transitions that were not made.
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
        // The first statement is committed, whatever happens to the second. Callers with `None`
        // try again by themselves.
        Err(_) if facts.iter().any(Option::is_some) => Ok(facts),
        done => done.map(|_| facts),
    }
}

/// Redeems with one statement. Returns `false` if concurrent work prevented it.
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
            // Concurrent work conflicted with one of the redemptions, so the statement did
            // nothing.
            let is_taken = is_taken(&error);
            let error = lone_statement_error::<DB>("apply", error);
            let in_the_way = is_taken || error.kind() == StoreErrorKind::Conflict;
            return if in_the_way { Ok(false) } else { Err(error) };
        }
    };
    for row in &found {
        // The change is committed, so an error from here on leaves the outcome unknown.
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

/// Returns the facts directly after one redemption, from the invitation after the whole batch.
/// `more` is the number of later redemptions of the batch. The invitation has no leases.
fn facts_at_turn(invitation: Record, transition: &Transition, more: u32) -> Facts {
    let mut facts = Facts::of(invitation);
    facts.invitation.uses -= more + 1;
    transition.change().apply_to(&mut facts);
    facts
}

/// Redeems with one message for all callers of the first transition's code. Transitions of other
/// codes are not in such a batch, because only callers of the same code wait for each other.
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
