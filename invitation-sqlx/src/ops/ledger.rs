//! The ledger: redemptions of invitations that several users may redeem. The last
//! redemption stands in the invitation's own row, too.

use invitation_core::{InvitationId, Record, Redemption, StoreError, Transition};

use crate::{
    dialect::Dialect,
    effects::{LEDGER, LedgerRow},
    error::store_error,
    names::Names,
    row,
    statement::Statement,
    values::InputRow,
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
    let mut s = Statement::<DB>::new(format!(
        "SELECT {} FROM {} WHERE invitation = ",
        row::REDEMPTION,
        names.redemptions
    ));
    s.blob(invitation.id.as_bytes()).sql(" AND user_id = ").text(user.as_str());
    s.sql(DB::locking_read(conn));
    let found = s.first(conn).await.map_err(|error| store_error::<DB>("apply", error))?;
    found.as_ref().map(row::redemption::<DB>).transpose()
}

/// Writes a redemption. Returns `false` if the redeemer has one already: the unique key
/// decides.
pub(super) async fn write<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    invitation: InvitationId,
    redemption: &Redemption,
) -> sqlx::Result<bool> {
    let mut s =
        Statement::<DB>::new(format!("INSERT INTO {} ({LEDGER}) VALUES (", names.redemptions));
    s.values(LedgerRow { invitation, redemption }.values()).sql(")");
    s.run_unless_taken(conn, "invitation, user_id").await
}
