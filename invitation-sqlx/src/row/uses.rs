//! Rows of redemptions and leases.

use invitation_core::{
    Division, EventId, InvitationId, Lease, OpenLease, Redemption, Role, UserId, Username,
};

use super::{ColumnReader, Result};
use crate::{
    dialect::Dialect,
    statement::Statement,
    values::{InputRow, Values},
};

/// The columns of a redemption, in the order of [`redemption`] and [`write_redemption`].
pub(crate) const REDEMPTION: &str = "id, user_id, username, at, role, lease";

pub(crate) fn redemption<DB: Dialect>(row: &DB::Row) -> Result<Redemption> {
    read_redemption(&mut ColumnReader::<DB>::new(row, "redemptions"))
}

pub(super) fn read_redemption<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Redemption> {
    Ok(Redemption {
        id: EventId::from_bytes(c.bytes("id")?),
        user: c.stored("user_id", UserId::from_stored)?,
        username: c.stored("username", Username::from_stored)?,
        at: c.time("at")?,
        role: c.stored("role", Role::from_stored)?,
        lease: c.opt_bytes("lease")?.map(EventId::from_bytes),
    })
}

/// Writes a redemption, or NULLs for the latest redemption of an invitation that has none.
pub(crate) fn write_redemption(v: &mut impl Values, redemption: Option<&Redemption>) {
    v.blob(redemption.map(|one| one.id.as_bytes().as_slice()));
    v.text(redemption.map(|one| one.user.as_str()));
    v.text(redemption.map(|one| one.username.as_str()));
    v.int(redemption.map(|one| one.at.as_micros()));
    v.text(redemption.map(|one| one.role.as_str()));
    v.blob(redemption.and_then(|one| one.lease.as_ref()).map(|id| id.as_bytes().as_slice()));
}

/// The columns of a [`LedgerRow`].
pub(crate) const LEDGER: &str = "invitation, id, user_id, username, at, role, lease";

/// A redemption in the ledger.
pub(crate) struct LedgerRow<'a> {
    pub(crate) invitation: InvitationId,
    pub(crate) redemption: &'a Redemption,
}

impl InputRow for LedgerRow<'_> {
    fn write(&self, v: &mut impl Values) {
        v.blob(self.invitation.as_bytes().as_slice());
        write_redemption(v, Some(self.redemption));
    }
}

/// The columns of a lease, in the order of [`lease`] and [`write_lease`].
pub(crate) const LEASE: &str = "id, user_id, username, held_since, held_until";

pub(super) fn read_lease<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Lease> {
    Ok(Lease {
        id: EventId::from_bytes(c.bytes("id")?),
        user: c.stored("user_id", UserId::from_stored)?,
        username: c.stored("username", Username::from_stored)?,
        since: c.time("held_since")?,
        until: c.time("held_until")?,
    })
}

pub(crate) fn lease<DB: Dialect>(row: &DB::Row) -> Result<Lease> {
    read_lease(&mut ColumnReader::<DB>::new(row, "leases"))
}

/// Reads a lease, and its invitation and division from the columns after it.
pub(crate) fn open_lease<DB: Dialect>(row: &DB::Row) -> Result<OpenLease> {
    let mut c = ColumnReader::<DB>::new(row, "leases");
    Ok(OpenLease {
        lease: read_lease(&mut c)?,
        invitation: InvitationId::from_bytes(c.bytes("invitation")?),
        division: c.stored("division", Division::from_stored)?,
    })
}

pub(crate) fn write_lease<DB: Dialect>(s: &mut Statement<DB>, lease: &Lease) {
    s.blob(lease.id.as_bytes()).sql(", ");
    s.text(lease.user.as_str()).sql(", ");
    s.text(lease.username.as_str()).sql(", ");
    s.int(lease.since.as_micros()).sql(", ");
    s.int(lease.until.as_micros());
}
