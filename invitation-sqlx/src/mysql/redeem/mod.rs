//! Redemptions as one message of several statements.
//!
//! MySQL and MariaDB have no `UPDATE … RETURNING` and no statement with several changes, but the
//! server accepts several statements as one message.

mod change;
mod explanation;

use std::{collections::HashSet, num::NonZeroUsize, slice};

use invitation_core::{
    CodeDigest, Facts, Outcome, PlainRedemption, Record, StoreError, StoreErrorKind, Target,
    Transition,
};
use sqlx::MySql;

use self::{
    change::write_change,
    explanation::{ask_why, explain},
};
use crate::{
    dialect::Redeem,
    mysql::{
        ROLLBACK,
        message::{Message, MessageError, ResultSets},
        step::keep_sql,
    },
    names::Names,
    ops::{
        Begin, Session,
        redeem::{facts_at_turn, is_compatible},
        unprepared,
    },
    row::{self, ColumnReader},
};

impl Redeem for MySql {
    /// Redeems with one message, which contains the transaction. Inside a host's transaction, the
    /// message follows the round trip of a savepoint. A refusal takes one more message.
    ///
    /// Returns `None` for a transition that this path does not support, and if the general path has
    /// to explain the refusal.
    async fn redeem(
        on: &mut Session<'_, Self>,
        transition: &Transition,
    ) -> Result<Option<Outcome>, StoreError> {
        let Some(batch) = SameCodeBatch::of(on.names, slice::from_ref(&transition)) else {
            return Ok(None);
        };
        match on.mode {
            Begin::Own => in_own_transaction(on, &batch).await,
            Begin::Nested => in_host_transaction(on, &batch).await,
        }
    }

    /// Redeems with one message for all callers of the first transition's code. Transitions of other
    /// codes are not in such a batch, because only callers of the same code wait for each other.
    /// Returns the facts after each redemption, in the order of the transitions, and `None` for
    /// transitions that were not made.
    async fn redeem_batch(
        on: &mut Session<'_, Self>,
        transitions: &[&Transition],
    ) -> Result<Vec<Option<Facts>>, StoreError> {
        let mut facts: Vec<_> = transitions.iter().map(|_| None).collect();
        let callers = same_code(transitions);
        let all: Vec<_> = callers.iter().filter_map(|n| transitions.get(*n).copied()).collect();
        let Some(after) = redeem_all(on, &all).await? else { return Ok(facts) };
        let mut more = u32::try_from(all.len()).unwrap_or(u32::MAX);
        for (caller, transition) in callers.into_iter().zip(all) {
            more -= 1;
            if let Some(slot) = facts.get_mut(caller) {
                *slot = Some(facts_at_turn(after.clone(), transition, more));
            }
        }
        Ok(facts)
    }

    fn batch_key(target: &Target) -> &[CodeDigest] {
        match target {
            Target::Code(digests) => digests,
            Target::Id(_) => &[],
        }
    }

    fn batch_slots(_: NonZeroUsize) -> NonZeroUsize {
        // A second batch would only wait for the row that the first one has locked.
        NonZeroUsize::MIN
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
    fn of(names: &'a Names, transitions: &'a [&'a Transition]) -> Option<Self> {
        let transition = transitions.last()?;
        let plain = transition.as_plain_redemption()?;
        Some(Self { names, transition, plain, transitions })
    }

    /// Returns the redemptions of the message in their order.
    fn plain_redemptions(&self) -> impl DoubleEndedIterator<Item = PlainRedemption<'a>> + use<'a> {
        self.transitions.iter().filter_map(|one| one.as_plain_redemption())
    }
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
    on: &mut Session<'_, MySql>,
    transitions: &[&Transition],
) -> Result<Option<Record>, StoreError> {
    let Some(batch) = SameCodeBatch::of(on.names, transitions) else { return Ok(None) };
    match send_change(on, &batch).await {
        Ok(answers) => row_after(&answers),
        Err(error) => {
            let error = error.into_store_error(on.operation);
            if error.kind() == StoreErrorKind::OutcomeUnknown {
                return Err(error);
            }
            // One caller's redemption may have failed all of them, so each redeems by itself.
            match unprepared::<MySql>(on.conn(), ROLLBACK).await {
                Ok(()) => Ok(None),
                Err(_) => Err(error),
            }
        }
    }
}

/// Sends the change as a transaction of the store's own. If a key is taken, that is still open.
async fn send_change(
    on: &mut Session<'_, MySql>,
    batch: &SameCodeBatch<'_>,
) -> Result<ResultSets, MessageError> {
    let mut message = Message::beginning();
    write_change(&mut message, batch);
    // If the update changed nothing, the commit has nothing to commit.
    message.commit();
    message.send(on.conn()).await
}

async fn in_own_transaction(
    on: &mut Session<'_, MySql>,
    batch: &SameCodeBatch<'_>,
) -> Result<Option<Outcome>, StoreError> {
    match send_change(on, batch).await {
        Ok(answers) => {
            if let Some(invitation) = row_after(&answers)? {
                return Ok(Some(applied(invitation)));
            }
        }
        // The next message begins with a rollback.
        Err(error) if error.is_taken() => {}
        Err(error) => return Err(error.into_store_error(on.operation)),
    }
    let mut message = Message::beginning();
    let first = message.len();
    ask_why(&mut message, batch, "");
    message.add_sql(ROLLBACK);
    let answers = message.send(on.conn()).await;
    let answers = answers.map_err(|error| error.into_store_error(on.operation))?;
    explain(answers.get(first..).unwrap_or_default(), batch)
}

async fn in_host_transaction(
    on: &mut Session<'_, MySql>,
    batch: &SameCodeBatch<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let mut step = on.begin().await?;
    let mut message = Message::default();
    write_change(&mut message, batch);
    // If the update changed nothing, there is nothing to keep. If the call is dropped before the
    // answer, the rollback keeps all of the work or none.
    if let Some(sql) = keep_sql(&step) {
        message.add_sql(&sql);
    }
    match message.send(step.conn()).await {
        Ok(answers) => {
            if let Some(invitation) = row_after(&answers)? {
                return Ok(Some(applied(invitation)));
            }
        }
        Err(error) if error.is_taken() => {
            step.rollback().await?;
            step = on.begin().await?;
        }
        Err(error) => return Err(error.into_store_error(step.operation)),
    }
    let locking_read = step.locking_read();
    let mut message = Message::default();
    ask_why(&mut message, batch, locking_read);
    let answers = message.send(step.conn()).await;
    let answers = answers.map_err(|error| error.into_store_error(step.operation))?;
    let outcome = explain(&answers, batch)?;
    step.rollback().await?;
    Ok(outcome)
}

/// Returns the row after the change, if the change was made. The message has only one query,
/// which is its last statement.
fn row_after(answers: &ResultSets) -> Result<Option<Record>, StoreError> {
    let Some(found) = answers.iter().flatten().next() else { return Ok(None) };
    // The change is committed, so an error here leaves the outcome unknown.
    let unknown = |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
    row::invitation(&mut ColumnReader::<MySql>::new(found)).map(Some).map_err(unknown)
}

/// Returns the outcome of a change that led to this row. The update requires a row without leases,
/// and a redemption begins none.
fn applied(invitation: Record) -> Outcome {
    let facts = Facts { mine: invitation.last_use.clone(), ..Facts::of(invitation) };
    Outcome::Applied(Box::new(facts))
}
