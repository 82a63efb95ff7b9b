//! Rows of redemptions and leases.

use invitation_core::{
    Division, EmailKey, EventId, InvitationId, Lease, OpenLease, Redemption, Role, UserId, Username,
};

use super::{ColumnReader, Result};
use crate::{
    dialect::Dialect,
    values::{InputRow, Value},
};

/// Reads the invitation of a redemption, and the redemption from the columns after it.
pub(crate) fn redemption_on<DB: Dialect>(
    c: &mut ColumnReader<'_, DB>,
) -> Result<(InvitationId, Redemption)> {
    let invitation = c.in_table("redemptions").bytes("invitation")?;
    Ok((InvitationId::from_bytes(invitation), redemption(c)?))
}

pub(crate) fn redemption<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Redemption> {
    c.in_table("redemptions");
    Ok(Redemption {
        id: EventId::from_bytes(c.bytes("id")?),
        user: c.text("user_id").map(UserId::from_stored)?,
        username: c.text("username").map(Username::from_stored)?,
        at: c.time("at")?,
        role: c.text("role").map(Role::from_stored)?,
        lease: c.opt_bytes("lease")?.map(EventId::from_bytes),
        mailbox: c.opt_text("mailbox")?.map(EmailKey::from_stored),
    })
}

/// The columns of a lease, in the order of [`lease`] and [`InputRow`].
pub(crate) const LEASE: &str = "id, user_id, username, held_since, held_until, mailbox";

pub(crate) fn lease<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Lease> {
    c.in_table("leases");
    Ok(Lease {
        id: EventId::from_bytes(c.bytes("id")?),
        user: c.text("user_id").map(UserId::from_stored)?,
        username: c.text("username").map(Username::from_stored)?,
        since: c.time("held_since")?,
        until: c.time("held_until")?,
        mailbox: c.opt_text("mailbox")?.map(EmailKey::from_stored),
    })
}

/// Reads a lease, and its invitation and division from the columns after it.
pub(crate) fn open_lease<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<OpenLease> {
    Ok(OpenLease {
        lease: lease(c)?,
        invitation: InvitationId::from_bytes(c.bytes("invitation")?),
        division: c.text("division").map(Division::from_stored)?,
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
