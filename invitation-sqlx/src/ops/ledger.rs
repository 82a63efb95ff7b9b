//! The ledger: redemptions of invitations that several users may redeem. The last
//! redemption stands in the invitation's own row, too.

use invitation_core::{InvitationId, Record, Redemption, StoreError, Transition};

use super::Session;
use crate::{dialect::Dialect, effects, names::Names, row, statement::Statement};

/// Returns the redemption by the user whom the transition is about.
pub(super) async fn mine<DB: Dialect>(
    on: &mut Session<'_, DB>,
    transition: &Transition,
    invitation: &Record,
) -> Result<Option<Redemption>, StoreError> {
    let Some(user) = transition.redeemer() else { return Ok(None) };
    if invitation.max_uses.get() == 1 {
        return Ok(invitation.last_use.clone().filter(|last| last.user == *user));
    }
    let mut s = redemptions_of(on.names, invitation.id);
    s.sql(" AND user_id = ").text(user.as_str());
    first(on, s).await
}

/// Returns the redemption with the mailbox of the transition. Sends no query if the invitation is
/// not bound to a domain.
pub(super) async fn with_mailbox<DB: Dialect>(
    on: &mut Session<'_, DB>,
    transition: &Transition,
    invitation: &Record,
) -> Result<Option<Redemption>, StoreError> {
    let Some(mailbox) = transition.mailbox_on(invitation) else { return Ok(None) };
    let last = invitation.last_use.clone();
    let last = last.filter(|last| last.mailbox.as_ref() == Some(mailbox));
    if last.is_some() || invitation.max_uses.get() == 1 {
        return Ok(last);
    }
    let mut s = redemptions_of(on.names, invitation.id);
    s.keep_secret();
    s.sql(" AND mailbox = ").text(mailbox.as_str());
    first(on, s).await
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
    on: &mut Session<'_, DB>,
    mut s: Statement<DB>,
) -> Result<Option<Redemption>, StoreError> {
    s.sql(on.locking_read());
    s.first(on, row::redemption).await
}

/// Writes the latest redemption of an invitation. Returns `false` if its redeemer or its mailbox
/// has one already: the unique keys decide.
pub(super) async fn write<DB: Dialect>(
    on: &mut Session<'_, DB>,
    invitation: InvitationId,
) -> Result<bool, StoreError> {
    let mut s = Statement::new("");
    effects::insert_latest_use(&mut s, on.names);
    s.sql("i.id = ").blob(invitation.as_bytes());
    s.run_unless_taken(on, None).await
}
