//! Where each invitation stands, in a narrow row of its own: its changes cost less than
//! those of an index on the invitation's wide row would, which then could not be
//! updated in place. Whoever touches it has updated the invitation's row before, in the
//! same transaction: that row is the lock.

use invitation_core::{Change, Invitation, InvitationId};

use crate::{dialect::Dialect, names::Names, render, row, statement::Statement};

/// How many rows one statement finds by key: databases bound the depth of a condition.
const KEYS: usize = 100;

/// After `change` has led to `invitation`.
pub(super) async fn follow<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    change: &Change,
    invitation: &Invitation,
) -> sqlx::Result<()> {
    let now = row::standing(invitation);
    let before = match change {
        Change::Hold { .. }
        | Change::Release { .. }
        | Change::Rotate { .. }
        | Change::Amend { expires_at: None, .. } => return Ok(()),
        Change::Redeem { .. } if invitation.has_uses_left() => return Ok(()),
        Change::Delete { .. } => return remove::<DB>(conn, names, &[Key::of(invitation)]).await,
        Change::Redeem { .. } | Change::Revoke(_) => render::OPEN,
        Change::Reinstate => render::REVOKED,
        Change::Amend { .. } => now,
    };
    let mut s = Statement::<DB>::new(format!("UPDATE {} SET standing = ", names.standings));
    s.sql(now);
    s.sql(", expires_at = ").int(invitation.expires_at.as_micros()).sql(" WHERE ");
    Key { standing: before, ..Key::of(invitation) }.write(&mut s);
    s.run(conn).await?;
    Ok(())
}

/// By what a row is found.
pub(super) struct Key {
    pub(super) division: String,
    pub(super) standing: i64,
    pub(super) created_at: i64,
    pub(super) id: InvitationId,
}

impl Key {
    fn of(invitation: &Invitation) -> Self {
        Self {
            division: invitation.division.as_str().to_owned(),
            standing: row::standing(invitation),
            created_at: invitation.created_at.as_micros(),
            id: invitation.id,
        }
    }

    fn write<DB: Dialect>(&self, s: &mut Statement<DB>) {
        s.sql("(division = ").text(self.division.as_str());
        s.sql(" AND ");
        render::stands_at(s, "standing", self.standing);
        s.sql(" AND created_at = ").int(self.created_at);
        s.sql(" AND id = ").blob(self.id.as_bytes()).sql(")");
    }
}

pub(super) async fn remove<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    keys: &[Key],
) -> sqlx::Result<()> {
    for chunk in keys.chunks(KEYS) {
        let mut s = Statement::<DB>::new(format!("DELETE FROM {} WHERE ", names.standings));
        if chunk.len() > 1 {
            s = s.once();
        }
        for (n, key) in chunk.iter().enumerate() {
            s.sql(if n == 0 { "" } else { " OR " });
            key.write(&mut s);
        }
        s.run(conn).await?;
    }
    Ok(())
}
