//! Steps on connections that do not survive a cancelled prepare (see [`sink`](super::sink)).
//!
//! A transaction of the store's own begins and ends without the driver's knowledge. If the step
//! is dropped before its end, its connection is closed. A savepoint of a host's transaction is
//! one that the driver counts, so that the driver rolls it back.

use sqlx::MySql;

use super::{COMMIT, ROLLBACK};
use crate::{
    dialect::Dialect,
    ops::{Begin, Step, unprepared},
};

pub(super) async fn begin(step: &mut Step<'_, MySql>) -> sqlx::Result<()> {
    match step.mode {
        Begin::Own => unprepared::<MySql>(step.conn(), MySql::BEGIN).await,
        Begin::Nested => step.begin_counted(Begin::Nested).await,
    }
}

/// Makes the next statement on a host's connection fail if a call is dropped while it prepares a
/// statement. Otherwise the next statement would wait for an answer without end.
///
/// It makes the driver count a savepoint that the server does not have. Rolling back a dropped
/// step then begins with an error. The driver takes that error as the end of the cancelled
/// answer.
pub(super) async fn arm_drop_guard(step: &mut Step<'_, MySql>) -> sqlx::Result<()> {
    let Some(name) = step.savepoint(0) else { return Ok(()) };
    step.begin_counted(Begin::Nested).await?;
    unprepared::<MySql>(step.conn(), format!("ROLLBACK TO SAVEPOINT {name}")).await
}

pub(super) async fn commit(step: &mut Step<'_, MySql>) -> sqlx::Result<()> {
    let sql = keep_sql(step).unwrap_or_else(|| COMMIT.to_owned());
    unprepared::<MySql>(step.conn(), sql).await
}

/// Returns the statements that keep the work behind the savepoint of a host's transaction. After
/// they were sent, alone or in a message with the work, the step is committed and can be dropped.
pub(super) fn keep_sql(step: &Step<'_, MySql>) -> Option<String> {
    let name = step.savepoint(0)?;
    // A new savepoint of the same name replaces the first one. The rollback that is queued when
    // the step is dropped then leads to the new savepoint. The driver's count stays correct
    // without a wait.
    let sql = format!("RELEASE SAVEPOINT {name}; SAVEPOINT {name}");
    Some(match missing_savepoint(step) {
        Some(missing) => format!("{sql}; SAVEPOINT {missing}"),
        None => sql,
    })
}

pub(super) async fn roll_back(step: &mut Step<'_, MySql>) -> sqlx::Result<()> {
    match (step.savepoint(0), missing_savepoint(step)) {
        (Some(name), Some(missing)) => {
            let sql = format!("ROLLBACK TO SAVEPOINT {name}; SAVEPOINT {missing}");
            // Dropping the step queues the rest of the rollback.
            unprepared::<MySql>(step.conn(), sql).await
        }
        (Some(_), None) => step.roll_back_counted().await,
        (None, _) => unprepared::<MySql>(step.conn(), ROLLBACK).await,
    }
}

/// Returns the name of the savepoint that only the driver has, if the drop guard is armed.
fn missing_savepoint(step: &Step<'_, MySql>) -> Option<String> {
    step.savepoint(1)
}
