//! The ledger: redemptions of invitations that several users may redeem. The last
//! redemption stands in the invitation's own row, too.

use invitation_core::{InvitationId, Record, Redemption, StoreError, Transition};

use crate::{
    dialect::Dialect, effects, error::store_error, names::Names, row, statement::Statement,
};

/// Returns the redemption by the user whom the transition is about.
pub(super) async fn mine<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transition: &Transition,
    invitation: &Record,
) -> Result<Option<Redemption>, StoreError> {
    let Some(user) = transition.redeemer() else { return Ok(None) };
    if invitation.max_uses.get() == 1 {
        return Ok(invitation.last_use.clone().filter(|last| last.user == *user));
    }
    let mut s = redemptions_of::<DB>(names, invitation.id);
    s.sql(" AND user_id = ").text(user.as_str());
    first::<DB>(conn, s).await
}

/// Returns the redemption with the mailbox of the transition. Sends no query if the invitation is
/// not bound to a domain.
pub(super) async fn with_mailbox<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    transition: &Transition,
    invitation: &Record,
) -> Result<Option<Redemption>, StoreError> {
    let Some(mailbox) = transition.mailbox_on(invitation) else { return Ok(None) };
    let last = invitation.last_use.clone();
    let last = last.filter(|last| last.mailbox.as_ref() == Some(mailbox));
    if last.is_some() || invitation.max_uses.get() == 1 {
        return Ok(last);
    }
    let mut s = redemptions_of::<DB>(names, invitation.id);
    s.keep_secret();
    s.sql(" AND mailbox = ").text(mailbox.as_str());
    first::<DB>(conn, s).await
}

fn redemptions_of<DB: Dialect>(names: &Names, invitation: InvitationId) -> Statement<DB> {
    let mut s = Statement::new(format!(
        "SELECT {} FROM {} WHERE invitation = ",
        row::REDEMPTION,
        names.redemptions
    ));
    s.blob(invitation.as_bytes());
    s
}

async fn first<DB: Dialect>(
    conn: &mut DB::Connection,
    mut s: Statement<DB>,
) -> Result<Option<Redemption>, StoreError> {
    s.sql(DB::locking_read(conn));
    let found = s.first(conn).await.map_err(|error| store_error::<DB>("apply", error))?;
    found.as_ref().map(row::redemption::<DB>).transpose()
}

/// Writes the latest redemption of an invitation. Returns `false` if its redeemer or its mailbox
/// has one already: the unique keys decide.
pub(super) async fn write<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: InvitationId,
) -> sqlx::Result<bool> {
    let mut s = Statement::<DB>::new("");
    effects::insert_latest_use(&mut s, names);
    s.sql("i.id = ").blob(invitation.as_bytes());
    s.run_unless_taken(conn, None).await
}
