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

mod statement;

use invitation_core::{Facts, StoreError, StoreErrorKind, Transition};
use sqlx::{PgConnection, Postgres};

use crate::{
    error::{is_taken, lone_statement_error},
    names::Names,
    ops::redeem::{BatchEntry, assign_positions, by_digest, facts_at_turn},
    row,
};

/// Redeems as many of the transitions as possible, each with its event, in one or two round
/// trips. Returns the facts after each redemption, in the order of the transitions, and `None`
/// for transitions that were not made.
pub(super) async fn redeem_batch(
    conn: &mut PgConnection,
    names: &Names,
    transitions: &[&Transition],
) -> Result<Vec<Option<Facts>>, StoreError> {
    let mut facts: Vec<_> = transitions.iter().map(|_| None).collect();
    let mut entries = by_digest(transitions);
    if entries.iter().all(|entry| entry.group_size == 1) {
        if !redeem_by_statement(conn, names, &entries, &mut facts, true).await? {
            return Ok(facts);
        }
        entries.retain(|entry| facts.get(entry.caller).is_some_and(Option::is_none));
        assign_positions(&mut entries);
    }
    if entries.is_empty() {
        return Ok(facts);
    }
    match redeem_by_statement(conn, names, &entries, &mut facts, false).await {
        // The first statement is committed, whatever happens to the second. Callers with `None`
        // try again by themselves.
        Err(_) if facts.iter().any(Option::is_some) => Ok(facts),
        done => done.map(|_| facts),
    }
}

/// Redeems with one statement. Returns `false` if concurrent work prevented it.
async fn redeem_by_statement(
    conn: &mut PgConnection,
    names: &Names,
    entries: &[BatchEntry<'_>],
    facts: &mut [Option<Facts>],
    once_each: bool,
) -> Result<bool, StoreError> {
    let Some(s) = statement::write(names, entries, once_each) else { return Ok(false) };
    let found = match s.all(conn).await {
        Ok(found) => found,
        Err(error) => {
            // Concurrent work conflicted with one of the redemptions, so the statement did
            // nothing.
            let is_taken = is_taken(&error);
            let error = lone_statement_error::<Postgres>("apply", error);
            let in_the_way = is_taken || error.kind() == StoreErrorKind::Conflict;
            return if in_the_way { Ok(false) } else { Err(error) };
        }
    };
    for row in &found {
        // The change is committed, so an error from here on leaves the outcome unknown.
        let unknown =
            |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
        let (invitation, ordinal) =
            row::invitation_and_ordinal::<Postgres>(row).map_err(unknown)?;
        let entry = usize::try_from(ordinal).ok().and_then(|ordinal| entries.get(ordinal));
        let Some((entry, slot)) = entry.and_then(|e| Some((e, facts.get_mut(e.caller)?))) else {
            return Err(unknown(StoreError::new(StoreErrorKind::Corrupt, "apply")));
        };
        *slot =
            Some(facts_at_turn(invitation, entry.transition, entry.group_size - entry.position));
    }
    Ok(true)
}
