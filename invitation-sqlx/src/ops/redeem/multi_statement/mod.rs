//! A redemption as one message, where an update gives nothing back and no two changes are
//! one statement, but the server takes several statements at a time.

mod change;
mod explanation;

use std::slice;

use invitation_core::{
    Facts, Invitation, Outcome, PlainRedemption, StoreError, StoreErrorKind, Transition,
};

use self::{
    change::write_change,
    explanation::{ask_why, explain},
};
use crate::ops::{Begin, Step, unprepared};
use crate::{
    dialect::Dialect,
    error::store_error,
    message::{Message, MessageError, ResultSets},
    names::Names,
    row,
};

/// Redeems in one round trip, with its transaction around it, or between the two of a
/// savepoint; one more tells why not. None when this is not the way, or when the general
/// way has to find out.
pub(in crate::ops) async fn redeem<DB: Dialect>(
    conn: &mut DB::Connection,
    begin: Begin,
    names: &Names,
    transition: &Transition,
) -> Result<Option<Outcome>, StoreError> {
    let plain = transition.as_plain_redemption().filter(|_| DB::MULTI_STATEMENTS);
    let Some(plain) = plain else { return Ok(None) };
    let batch = SameCodeBatch { names, transition, plain, all: slice::from_ref(&transition) };
    match begin {
        Begin::Own => in_own_transaction::<DB>(conn, &batch).await,
        Begin::Nested => in_host_transaction::<DB>(conn, &batch).await,
    }
}

/// The redemption that is batch.
struct SameCodeBatch<'a> {
    names: &'a Names,
    transition: &'a Transition,
    plain: PlainRedemption<'a>,
    /// All that are to be made at once, of the same code: this one is the last of them.
    all: &'a [&'a Transition],
}

/// Redeems one code for all of them, each with its evidence, in one round trip, or for
/// none; the row after it, if it was done.
pub(super) async fn redeem_all<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transitions: &[&Transition],
) -> Result<Option<Invitation>, StoreError> {
    let Some(transition) = transitions.last() else { return Ok(None) };
    let Some(plain) = transition.as_plain_redemption() else { return Ok(None) };
    let batch = SameCodeBatch { names, transition, plain, all: transitions };
    let mut message = Message::beginning::<DB>();
    write_change::<DB>(&mut message, &batch);
    message.commit::<DB>();
    match message.send::<DB>(conn).await {
        Ok(answers) => row_after::<DB>(&answers),
        Err(error) => {
            let is_taken = error.is_taken();
            let error = error.into_store_error::<DB>("apply");
            if !is_taken && error.kind() != StoreErrorKind::Conflict {
                return Err(error);
            }
            // Somebody was in the way of one of them.
            unprepared::<DB>(conn, DB::ROLLBACK)
                .await
                .map_err(|error| store_error::<DB>("apply", error))?;
            Ok(None)
        }
    }
}

async fn in_own_transaction<DB: Dialect>(
    conn: &mut DB::Connection,
    batch: &SameCodeBatch<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let mut message = Message::beginning::<DB>();
    write_change::<DB>(&mut message, batch);
    // When nothing was done, nothing is committed.
    message.commit::<DB>();
    match message.send::<DB>(conn).await {
        Ok(answers) => {
            if let Some(outcome) = outcome::<DB>(&answers)? {
                return Ok(Some(outcome));
            }
        }
        // The next message begins with the way back.
        Err(error) if error.is_taken() => {}
        Err(error) => return Err(error.into_store_error::<DB>("apply")),
    }
    let mut message = Message::beginning::<DB>();
    let first = message.len();
    ask_why::<DB>(&mut message, batch, "");
    message.add_sql(DB::ROLLBACK);
    let answers =
        message.send::<DB>(conn).await.map_err(|error| error.into_store_error::<DB>("apply"))?;
    explain::<DB>(answers.get(first..).unwrap_or_default(), batch)
}

async fn in_host_transaction<DB: Dialect>(
    conn: &mut DB::Connection,
    batch: &SameCodeBatch<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let failed = |error| store_error::<DB>("apply", error);
    let mut step = Step::<DB>::begin(conn, Begin::Nested).await.map_err(failed)?;
    let mut message = Message::default();
    write_change::<DB>(&mut message, batch);
    // When nothing was done, nothing is kept. Dropped before the answer, the way back keeps
    // all of it or nothing.
    if let Some(sql) = step.keep_sql() {
        message.add_sql(&sql);
    }
    match message.send::<DB>(step.conn()).await {
        Ok(answers) => {
            if let Some(outcome) = outcome::<DB>(&answers)? {
                return Ok(Some(outcome));
            }
        }
        Err(error) if error.is_taken() => {
            step.rollback().await.map_err(failed)?;
            step = Step::<DB>::begin(conn, Begin::Nested).await.map_err(failed)?;
        }
        Err(error) => return Err(error.into_store_error::<DB>("apply")),
    }
    let told = |error: MessageError| error.into_store_error::<DB>("apply");
    let locking_read = DB::locking_read(step.conn());
    let mut message = Message::default();
    ask_why::<DB>(&mut message, batch, locking_read);
    let answers = message.send::<DB>(step.conn()).await.map_err(told)?;
    let outcome = explain::<DB>(&answers, batch)?;
    step.rollback().await.map_err(failed)?;
    Ok(outcome)
}

/// The row after the change, if it was made: its last question is the only one.
fn row_after<DB: Dialect>(answers: &ResultSets<DB>) -> Result<Option<Invitation>, StoreError> {
    let Some(found) = answers.iter().flatten().next() else { return Ok(None) };
    // An error here comes too late to undo anything.
    let unknown = |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
    row::invitation::<DB>(found).map(Some).map_err(unknown)
}

/// What came of the change, if it was made.
fn outcome<DB: Dialect>(answers: &ResultSets<DB>) -> Result<Option<Outcome>, StoreError> {
    // It was without leases, and a redemption begins none.
    let facts = row_after::<DB>(answers)?
        .map(|invitation| Facts { mine: invitation.last_use.clone(), ..Facts::of(invitation) });
    Ok(facts.map(Box::new).map(Outcome::Applied))
}
