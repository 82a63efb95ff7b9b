//! Rows of redemptions and leases.

use invitation_core::{
    Division, EmailKey, EventId, InvitationId, Lease, OpenLease, Redemption, Role, UserId, Username,
};

use super::{ColumnReader, Result};
use crate::{
    dialect::Dialect,
    values::{InputRow, Value},
};

pub(crate) fn redemption<DB: Dialect>(row: &DB::Row) -> Result<Redemption> {
    read_redemption(&mut ColumnReader::<DB>::new(row, "redemptions"))
}

/// Reads the invitation of a redemption, and the redemption from the columns after it.
pub(crate) fn redemption_on<DB: Dialect>(row: &DB::Row) -> Result<(InvitationId, Redemption)> {
    let mut c = ColumnReader::<DB>::new(row, "redemptions");
    Ok((InvitationId::from_bytes(c.bytes("invitation")?), read_redemption(&mut c)?))
}

pub(super) fn read_redemption<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Redemption> {
    Ok(Redemption {
        id: EventId::from_bytes(c.bytes("id")?),
        user: c.stored("user_id", UserId::from_stored)?,
        username: c.stored("username", Username::from_stored)?,
        at: c.time("at")?,
        role: c.stored("role", Role::from_stored)?,
        lease: c.opt_bytes("lease")?.map(EventId::from_bytes),
        mailbox: c.opt_stored("mailbox", EmailKey::from_stored)?,
    })
}

/// The columns of a lease, in the order of [`lease`] and [`InputRow`].
pub(crate) const LEASE: &str = "id, user_id, username, held_since, held_until, mailbox";

pub(super) fn read_lease<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Lease> {
    Ok(Lease {
        id: EventId::from_bytes(c.bytes("id")?),
        user: c.stored("user_id", UserId::from_stored)?,
        username: c.stored("username", Username::from_stored)?,
        since: c.time("held_since")?,
        until: c.time("held_until")?,
        mailbox: c.opt_stored("mailbox", EmailKey::from_stored)?,
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

impl InputRow for Lease {
    fn values(&self) -> Vec<Value<'_>> {
        vec![
            Value::blob(self.id.as_bytes().as_slice()),
            Value::text(self.user.as_str()),
            Value::text(self.username.as_str()),
            Value::int(self.since.as_micros()),
            Value::int(self.until.as_micros()),
            Value::text(self.mailbox.as_ref().map(EmailKey::as_str)),
        ]
    }
}
