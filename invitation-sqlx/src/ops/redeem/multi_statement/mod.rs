//! A redemption as one message, where an update gives nothing back and no two changes are
//! one statement, but the server takes several statements at a time.

mod change;
mod explanation;

use std::slice;

use invitation_core::{
    Facts, Invitation, Outcome, PlainRedemption, StoreError, StoreErrorKind, Transition,
};

use self::{
    change::change,
    explanation::{explain, explanation},
};
use crate::ops::{Begin, Step, unprepared};
use crate::{
    dialect::Dialect,
    error::store_error,
    message::{Answers, Broken, Message},
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
    let wanted = Wanted { names, transition, plain, all: slice::from_ref(&transition) };
    match begin {
        Begin::Own => alone::<DB>(conn, &wanted).await,
        Begin::Nested => inside::<DB>(conn, &wanted).await,
    }
}

/// The redemption that is wanted.
struct Wanted<'a> {
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
    let wanted = Wanted { names, transition, plain, all: transitions };
    let mut message = Message::beginning::<DB>();
    change::<DB>(&mut message, &wanted);
    message.commit::<DB>();
    match message.send::<DB>(conn).await {
        Ok(answers) => used::<DB>(&answers),
        Err(broken) => {
            let is_taken = broken.is_taken();
            let error = broken.told::<DB>("apply");
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

async fn alone<DB: Dialect>(
    conn: &mut DB::Connection,
    wanted: &Wanted<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let mut message = Message::beginning::<DB>();
    change::<DB>(&mut message, wanted);
    // When nothing was done, nothing is committed.
    message.commit::<DB>();
    match message.send::<DB>(conn).await {
        Ok(answers) => {
            if let Some(outcome) = made::<DB>(&answers)? {
                return Ok(Some(outcome));
            }
        }
        // The next message begins with the way back.
        Err(broken) if broken.is_taken() => {}
        Err(broken) => return Err(broken.told::<DB>("apply")),
    }
    let mut message = Message::beginning::<DB>();
    let first = message.len();
    explanation::<DB>(&mut message, wanted, "");
    message.add_sql(DB::ROLLBACK);
    let answers = message.send::<DB>(conn).await.map_err(|broken| broken.told::<DB>("apply"))?;
    explain::<DB>(answers.get(first..).unwrap_or_default(), wanted)
}

async fn inside<DB: Dialect>(
    conn: &mut DB::Connection,
    wanted: &Wanted<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let failed = |error| store_error::<DB>("apply", error);
    let mut step = Step::<DB>::begin(conn, Begin::Nested).await.map_err(failed)?;
    let mut message = Message::default();
    change::<DB>(&mut message, wanted);
    // When nothing was done, nothing is kept. Dropped before the answer, the way back keeps
    // all of it or nothing.
    if let Some(sql) = step.keep_sql() {
        message.add_sql(&sql);
    }
    match message.send::<DB>(step.conn()).await {
        Ok(answers) => {
            if let Some(outcome) = made::<DB>(&answers)? {
                return Ok(Some(outcome));
            }
        }
        Err(broken) if broken.is_taken() => {
            step.rollback().await.map_err(failed)?;
            step = Step::<DB>::begin(conn, Begin::Nested).await.map_err(failed)?;
        }
        Err(broken) => return Err(broken.told::<DB>("apply")),
    }
    let told = |broken: Broken| broken.told::<DB>("apply");
    let locking_read = DB::locking_read(step.conn());
    let mut message = Message::default();
    explanation::<DB>(&mut message, wanted, locking_read);
    let answers = message.send::<DB>(step.conn()).await.map_err(told)?;
    let outcome = explain::<DB>(&answers, wanted)?;
    step.rollback().await.map_err(failed)?;
    Ok(outcome)
}

/// The row after the change, if it was made: its last question is the only one.
fn used<DB: Dialect>(answers: &Answers<DB>) -> Result<Option<Invitation>, StoreError> {
    let Some(found) = answers.iter().flatten().next() else { return Ok(None) };
    // An error here comes too late to undo anything.
    let unknown = |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
    row::invitation::<DB>(found).map(Some).map_err(unknown)
}

/// What came of the change, if it was made.
fn made<DB: Dialect>(answers: &Answers<DB>) -> Result<Option<Outcome>, StoreError> {
    // It was without leases, and a redemption begins none.
    let facts = used::<DB>(answers)?
        .map(|invitation| Facts { mine: invitation.last_use.clone(), ..Facts::of(invitation) });
    Ok(facts.map(Box::new).map(Outcome::Applied))
}
