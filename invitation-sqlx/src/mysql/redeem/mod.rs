//! Redemptions as one message of several statements.
//!
//! MySQL and MariaDB have no `UPDATE … RETURNING` and no statement with several changes, but the
//! server accepts several statements as one message.

mod change;
mod explanation;

use std::{collections::HashSet, slice};

use invitation_core::{
    Facts, Outcome, PlainRedemption, Record, StoreError, StoreErrorKind, Transition,
};
use sqlx::{MySql, MySqlConnection};

use self::{
    change::write_change,
    explanation::{ask_why, explain},
};
use crate::{
    dialect::Dialect,
    error::store_error,
    mysql::{
        ROLLBACK,
        message::{Message, MessageError, ResultSets},
        step::keep_sql,
    },
    names::Names,
    ops::{
        Begin, Step,
        redeem::{facts_at_turn, is_compatible},
        unprepared,
    },
    row,
};

/// Redeems with one message, which contains the transaction. Inside a host's transaction, the
/// message follows the round trip of a savepoint. A refusal takes one more message.
///
/// Returns `None` for a transition that this path does not support, and if the general path has
/// to explain the refusal.
pub(super) async fn redeem(
    conn: &mut MySqlConnection,
    begin: Begin,
    names: &Names,
    transition: &Transition,
) -> Result<Option<Outcome>, StoreError> {
    let Some(plain) = transition.as_plain_redemption() else { return Ok(None) };
    let batch =
        SameCodeBatch { names, transition, plain, transitions: slice::from_ref(&transition) };
    match begin {
        Begin::Own => in_own_transaction(conn, &batch).await,
        Begin::Nested => in_host_transaction(conn, &batch).await,
    }
}

/// Redemptions of one code that are sent as one message.
struct SameCodeBatch<'a> {
    names: &'a Names,
    transition: &'a Transition,
    plain: PlainRedemption<'a>,
    /// All redemptions of the message. `transition` is the last of them.
    transitions: &'a [&'a Transition],
}

impl<'a> SameCodeBatch<'a> {
    /// Returns the redemptions of the message in their order.
    fn plain_redemptions(&self) -> impl DoubleEndedIterator<Item = PlainRedemption<'a>> + use<'a> {
        self.transitions.iter().filter_map(|one| one.as_plain_redemption())
    }
}

/// Redeems with one message for all callers of the first transition's code. Transitions of other
/// codes are not in such a batch, because only callers of the same code wait for each other.
/// Returns the facts after each redemption, in the order of the transitions, and `None` for
/// transitions that were not made.
pub(super) async fn redeem_batch(
    conn: &mut MySqlConnection,
    names: &Names,
    transitions: &[&Transition],
) -> Result<Vec<Option<Facts>>, StoreError> {
    let mut facts: Vec<_> = transitions.iter().map(|_| None).collect();
    let callers = same_code(transitions);
    let all: Vec<_> = callers.iter().filter_map(|n| transitions.get(*n).copied()).collect();
    let Some(after) = redeem_all(conn, names, &all).await? else { return Ok(facts) };
    let mut more = u32::try_from(all.len()).unwrap_or(u32::MAX);
    for (caller, transition) in callers.into_iter().zip(all) {
        more -= 1;
        if let Some(slot) = facts.get_mut(caller) {
            *slot = Some(facts_at_turn(after.clone(), transition, more));
        }
    }
    Ok(facts)
}

/// Returns the indexes of the transitions that redeem the same code as the first one and can
/// share its message.
fn same_code(transitions: &[&Transition]) -> Vec<usize> {
    let Some(first) = transitions.first() else { return Vec::new() };
    let mut seen = HashSet::new();
    let shares = |one: &Transition| one.target() == first.target() && is_compatible(first, one);
    let callers = transitions.iter().enumerate();
    // The general path handles a second try by the same user.
    let callers = callers.filter(|(_, one)| shares(one) && seen.insert(one.redeemer()));
    callers.map(|(caller, _)| caller).collect()
}

/// Redeems one code for all transitions, each with its event, in one round trip, or for none of
/// them. Returns the row after the redemptions, if they were made.
async fn redeem_all(
    conn: &mut MySqlConnection,
    names: &Names,
    transitions: &[&Transition],
) -> Result<Option<Record>, StoreError> {
    let Some(transition) = transitions.last() else { return Ok(None) };
    let Some(plain) = transition.as_plain_redemption() else { return Ok(None) };
    let batch = SameCodeBatch { names, transition, plain, transitions };
    let mut message = Message::beginning();
    write_change(&mut message, &batch);
    message.commit();
    match message.send(conn).await {
        Ok(answers) => row_after(&answers),
        Err(error) => {
            let is_taken = error.is_taken();
            let error = error.into_store_error("apply");
            if !is_taken && error.kind() != StoreErrorKind::Conflict {
                return Err(error);
            }
            // Concurrent work conflicted with one of the redemptions.
            unprepared::<MySql>(conn, ROLLBACK)
                .await
                .map_err(|error| store_error::<MySql>("apply", error))?;
            Ok(None)
        }
    }
}

async fn in_own_transaction(
    conn: &mut MySqlConnection,
    batch: &SameCodeBatch<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let mut message = Message::beginning();
    write_change(&mut message, batch);
    // If the update changed nothing, the commit has nothing to commit.
    message.commit();
    match message.send(conn).await {
        Ok(answers) => {
            if let Some(outcome) = outcome(&answers)? {
                return Ok(Some(outcome));
            }
        }
        // The next message begins with a rollback.
        Err(error) if error.is_taken() => {}
        Err(error) => return Err(error.into_store_error("apply")),
    }
    let mut message = Message::beginning();
    let first = message.len();
    ask_why(&mut message, batch, "");
    message.add_sql(ROLLBACK);
    let answers = message.send(conn).await.map_err(|error| error.into_store_error("apply"))?;
    explain(answers.get(first..).unwrap_or_default(), batch)
}

async fn in_host_transaction(
    conn: &mut MySqlConnection,
    batch: &SameCodeBatch<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let failed = |error| store_error::<MySql>("apply", error);
    let mut step = Step::<MySql>::begin(conn, Begin::Nested).await.map_err(failed)?;
    let mut message = Message::default();
    write_change(&mut message, batch);
    // If the update changed nothing, there is nothing to keep. If the call is dropped before the
    // answer, the rollback keeps all of the work or none.
    if let Some(sql) = keep_sql(&step) {
        message.add_sql(&sql);
    }
    match message.send(step.conn()).await {
        Ok(answers) => {
            if let Some(outcome) = outcome(&answers)? {
                return Ok(Some(outcome));
            }
        }
        Err(error) if error.is_taken() => {
            step.rollback().await.map_err(failed)?;
            step = Step::<MySql>::begin(conn, Begin::Nested).await.map_err(failed)?;
        }
        Err(error) => return Err(error.into_store_error("apply")),
    }
    let convert = |error: MessageError| error.into_store_error("apply");
    let locking_read = MySql::locking_read(step.conn());
    let mut message = Message::default();
    ask_why(&mut message, batch, locking_read);
    let answers = message.send(step.conn()).await.map_err(convert)?;
    let outcome = explain(&answers, batch)?;
    step.rollback().await.map_err(failed)?;
    Ok(outcome)
}

/// Returns the row after the change, if the change was made. The message has only one query,
/// which is its last statement.
fn row_after(answers: &ResultSets) -> Result<Option<Record>, StoreError> {
    let Some(found) = answers.iter().flatten().next() else { return Ok(None) };
    // The change is committed, so an error here leaves the outcome unknown.
    let unknown = |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
    row::invitation::<MySql>(found).map(Some).map_err(unknown)
}

/// Returns the outcome of the change, if it was made.
fn outcome(answers: &ResultSets) -> Result<Option<Outcome>, StoreError> {
    // The update requires a row without leases, and a redemption begins none.
    let facts = row_after(answers)?
        .map(|invitation| Facts { mine: invitation.last_use.clone(), ..Facts::of(invitation) });
    Ok(facts.map(Box::new).map(Outcome::Applied))
}
