//! Redemptions by one statement, which makes all changes of one or of several redemptions.
//!
//! A redemption that the statement does not make is left to the general path, which then makes it
//! or explains the refusal. So are all redemptions of a code if one of them may not redeem it, or
//! if too few uses are left.

use invitation_core::{Facts, Outcome, StoreError, StoreErrorKind, Transition};
use sqlx::{Postgres, postgres::PgRow};

use super::{
    entries::{BatchEntry, by_digest},
    statement,
};
use crate::{
    dialect::Redeem,
    error::{is_unique_violation, kind},
    ops::{Begin, Session, redeem::facts_at_turn},
    row::{self, ColumnReader},
};

/// The time that a batch waits for a locked row. After that, the caller of the locked code waits
/// alone and does not delay the others.
const LOCK_TIMEOUT: &str = "100ms";

/// The SQL standard's code of a serialization failure. It occurs if the server's default
/// isolation level does not let a statement see rows committed after it began.
const SERIALIZATION_FAILURE: &str = "40001";

/// The code of a statement that was cancelled, for instance by `statement_timeout` while it waited
/// for a lock. The server cancels no statement once its commit has begun.
const QUERY_CANCELED: &str = "57014";

/// The code of a write in a transaction that may only read, as on a standby after a failover. The
/// server refuses the statement before it does anything.
pub(super) const READ_ONLY: &str = "25006";

impl Redeem for Postgres {
    /// Makes one redemption. It takes one round trip, or three with a savepoint.
    async fn redeem(
        on: &mut Session<'_, Self>,
        transition: &Transition,
    ) -> Result<Option<Outcome>, StoreError> {
        let entries = by_digest(&[transition]);
        let Some(s) = statement::write(on.names, &entries, None) else { return Ok(None) };
        let found = match on.mode {
            // The statement is its own transaction, so its result is the result of the commit.
            Begin::Own => match s.rows(on.conn()).await {
                Ok(found) => found,
                Err(error)
                    if is_unique_violation(&error)
                        || has_code(&error, SERIALIZATION_FAILURE)
                        || has_code(&error, QUERY_CANCELED) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(lone_statement_error(error)),
            },
            Begin::Nested => {
                let mut step = on.begin().await?;
                match s.rows(step.conn()).await {
                    Ok(found) => {
                        step.commit().await?;
                        found
                    }
                    Err(error) if is_unique_violation(&error) => {
                        step.rollback().await?;
                        return Ok(None);
                    }
                    Err(error) => return Err(step.failed(error)),
                }
            }
        };
        let facts = facts_of_each(&found, &entries, 1)?.pop().flatten();
        Ok(facts.map(Box::new).map(Outcome::Applied))
    }

    /// Makes as many of the redemptions as possible, each with its event, in one round trip.
    async fn redeem_batch(
        on: &mut Session<'_, Self>,
        transitions: &[&Transition],
    ) -> Result<Vec<Option<Facts>>, StoreError> {
        let entries = by_digest(transitions);
        let found = match statement::write(on.names, &entries, Some(LOCK_TIMEOUT)) {
            Some(s) => match s.rows(on.conn()).await {
                Ok(found) => found,
                // One of the redemptions failed, or concurrent work conflicted with it. The statement
                // did nothing, so each caller redeems by itself.
                Err(error) => match lone_statement_error(error) {
                    error if error.kind() == StoreErrorKind::OutcomeUnknown => return Err(error),
                    _ => Vec::new(),
                },
            },
            None => Vec::new(),
        };
        facts_of_each(&found, &entries, transitions.len())
    }
}

/// Returns the facts after each of the redemptions that were made, in the order of the callers.
fn facts_of_each(
    found: &[PgRow],
    entries: &[BatchEntry<'_>],
    callers: usize,
) -> Result<Vec<Option<Facts>>, StoreError> {
    let mut facts: Vec<_> = (0..callers).map(|_| None).collect();
    for row in found {
        // The change is committed, so an error from here on leaves the outcome unknown.
        let unknown =
            |error| StoreError::new(StoreErrorKind::OutcomeUnknown, "apply").because(error);
        let mut c = ColumnReader::<Postgres>::new(row);
        let invitation = row::invitation(&mut c).map_err(unknown)?;
        let ordinal = c.int("ordinal").map_err(unknown)?;
        let entry = usize::try_from(ordinal).ok().and_then(|ordinal| entries.get(ordinal));
        let Some((entry, slot)) = entry.and_then(|e| Some((e, facts.get_mut(e.caller)?))) else {
            return Err(unknown(StoreError::new(StoreErrorKind::Corrupt, "apply")));
        };
        *slot =
            Some(facts_at_turn(invitation, entry.transition, entry.group_size - entry.position));
    }
    Ok(facts)
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    let found = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    found.is_some_and(|found| found == code)
}

/// Converts an error of a statement that is a transaction by itself.
fn lone_statement_error(error: sqlx::Error) -> StoreError {
    let is_refused = has_code(&error, READ_ONLY) || has_code(&error, QUERY_CANCELED);
    let kind = lone_statement_kind(kind::<Postgres>(&error), is_refused);
    StoreError::new(kind, "apply").because(error)
}

/// Returns the kind of such an error. If the server reported that it cannot go on, the outcome is
/// unknown: it may have committed before. That is not so if it refused or cancelled the statement.
fn lone_statement_kind(kind: StoreErrorKind, is_refused: bool) -> StoreErrorKind {
    match kind {
        StoreErrorKind::Unavailable if !is_refused => StoreErrorKind::OutcomeUnknown,
        kind => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_of_a_lone_statement_is_unknown_unless_the_server_refused_it() {
        use StoreErrorKind::{Other, OutcomeUnknown, Unavailable};
        for (kind, is_refused, expected) in [
            // The statement may have failed at its commit.
            (Unavailable, false, OutcomeUnknown),
            (Unavailable, true, Unavailable),
            (Other, false, Other),
        ] {
            assert_eq!(lone_statement_kind(kind, is_refused), expected);
        }
    }
}
