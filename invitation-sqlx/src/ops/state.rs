//! The state of each invitation, in a narrow row of its own. Changing this row costs less
//! than changing an index on the invitation's wide row, which the database then could not
//! update in place. A transaction updates the invitation's row first, and that row is the
//! lock for this one.

use invitation_core::{Change, InvitationId, Record, State, StoreError};

use super::Session;
use crate::{dialect::Dialect, render, statement::Statement};

/// The maximum number of keys in one statement. Databases limit the depth of a condition.
const MAX_KEYS: usize = 100;

/// Updates the row after `change` has led to `invitation`.
pub(super) async fn follow<DB: Dialect>(
    on: &mut Session<'_, DB>,
    change: &Change,
    invitation: &Record,
) -> Result<(), StoreError> {
    let moved = change.indexed();
    let (before, now) = (change.state_before(invitation), invitation.state());
    if moved.existence {
        return remove(on, &[Key::of(invitation)]).await;
    }
    if before == now && !moved.expiry {
        return Ok(());
    }
    let mut s = Statement::new(format!("UPDATE {} SET state = ", on.names.states));
    s.sql(render::state(now));
    s.sql(", expires_at = ").int(invitation.expires_at.as_micros()).sql(" WHERE ");
    Key { state: before, ..Key::of(invitation) }.write(&mut s);
    s.run(on).await?;
    Ok(())
}

/// The primary key of a row of the table of states.
pub(super) struct Key {
    pub(super) division: String,
    pub(super) state: State,
    pub(super) created_at: i64,
    pub(super) id: InvitationId,
}

impl Key {
    fn of(invitation: &Record) -> Self {
        Self {
            division: invitation.division.as_str().to_owned(),
            state: invitation.state(),
            created_at: invitation.created_at.as_micros(),
            id: invitation.id,
        }
    }

    fn write<DB: Dialect>(&self, s: &mut Statement<DB>) {
        s.sql("(division = ").text(self.division.as_str());
        s.sql(" AND ");
        render::is_in_state(s, "state", self.state);
        s.sql(" AND created_at = ").int(self.created_at);
        s.sql(" AND id = ").blob(self.id.as_bytes()).sql(")");
    }
}

pub(super) async fn remove<DB: Dialect>(
    on: &mut Session<'_, DB>,
    keys: &[Key],
) -> Result<(), StoreError> {
    for chunk in keys.chunks(MAX_KEYS) {
        let mut s = Statement::new(format!("DELETE FROM {} WHERE ", on.names.states));
        if chunk.len() > 1 {
            s.one_off();
        }
        for (n, key) in chunk.iter().enumerate() {
            s.sql(if n == 0 { "" } else { " OR " });
            key.write(&mut s);
        }
        s.run(on).await?;
    }
    Ok(())
}
