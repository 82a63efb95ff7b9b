//! Conversion between rows and the core's types. A row that this library did not write is an
//! error.

mod cursor;
mod document;
mod event;
mod reader;
mod uses;

use std::num::NonZeroU32;

use invitation_core::{
    BatchId, Binding, BindingParts, CodeDigest, CodeTag, Division, Facts, Fingerprint,
    InvitationId, Inviter, InviterParts, Located, Metadata, Position, Record, RequestResults,
    Revocation, Role, SealedCode, State, StoreError, Timestamp, UserId,
};

pub(crate) use self::{
    cursor::{CURSOR, cursor, cursor_number},
    document::{DOCUMENT, DOCUMENT_HEAD, document, listed_document},
    event::{EVENT, event, feed_event},
    reader::{ColumnReader, Read},
    uses::{LEASE, lease, open_lease, redemption, redemption_on},
};
use crate::{
    dialect::Dialect,
    effects::{self, Columns, LATEST_USE, Use},
    render,
    values::{InputRow, Value},
};

pub(crate) use crate::effects::REDEMPTION;

/// The columns of an invitation, in the order in which [`invitation`] reads them and
/// [`InvitationRow`] writes them.
pub(crate) static INVITATION: Columns = Columns::new(|| {
    format!(
        "id, digest, tag, sealed, email, email_key, email_domain, role, division, inviter, \
         inviter_role, inviter_name, grantor, grantor_role, grantor_name, created_at, \
         expires_at, max_uses, uses, held, \
         {LATEST_USE}, revoked_at, revoked_reason, deleted_at, version, batch, metadata"
    )
});

type Result<T> = std::result::Result<T, StoreError>;

/// Returns columns as those of a table.
pub(crate) fn qualified(columns: &str, table: &str) -> String {
    let columns = columns.split(", ").map(|column| format!("{table}.{column}"));
    columns.collect::<Vec<_>>().join(", ")
}

/// Reads an invitation, the redemption and the lease of `user`, and the first lease, each
/// behind the one before. All but the invitation may be absent.
pub(crate) fn facts<DB: Dialect>(c: &mut ColumnReader<'_, DB>, user: &UserId) -> Result<Facts> {
    let invitation = invitation(c)?;
    let entered = c.opt_part("redemptions", &REDEMPTION, redemption)?;
    // The latest redemption may be in the row only.
    let mine = invitation.last_use.clone().filter(|last| last.user == *user).or(entered);
    let lease = c.opt_part("leases", LEASE, uses::lease)?;
    let first_lease = c.opt_part("leases", LEASE, uses::lease)?;
    Ok(Facts { mine, lease, first_lease, ..Facts::of(invitation) })
}

/// A row of a list.
pub(crate) enum ListedRow {
    Invitation(Box<Record>),
    /// The position where the candidates ended.
    End(Position<InvitationId>),
}

/// Reads an invitation, or a position from the columns after an empty one.
pub(crate) fn listed<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<ListedRow> {
    match c.opt_part("codes", &INVITATION, invitation)? {
        Some(invitation) => Ok(ListedRow::Invitation(Box::new(invitation))),
        None => position(c).map(ListedRow::End),
    }
}

/// Reads the time of creation and the id.
pub(crate) fn position<DB: Dialect>(
    c: &mut ColumnReader<'_, DB>,
) -> Result<Position<InvitationId>> {
    let (at, id) = (c.time("created_at")?, InvitationId::from_bytes(c.bytes("id")?));
    Ok(Position { at, id })
}

/// A row about a request, with one of its invitations, if there are any.
pub(crate) struct PriorRequestRow {
    pub(crate) invitation: Option<Record>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) results: Option<RequestResults>,
}

/// Reads an invitation, which may be missing, and its request from the columns after it.
pub(crate) fn prior_request<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<PriorRequestRow> {
    let invitation = c.opt_part("codes", &INVITATION, invitation)?;
    let fingerprint = Fingerprint::from_bytes(c.bytes("fingerprint")?);
    let results = c.opt_blob("results")?.map(RequestResults::from_bytes);
    Ok(PriorRequestRow { invitation, fingerprint, results })
}

pub(crate) fn invitation<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Record> {
    c.in_table("codes");
    Ok(Record {
        id: InvitationId::from_bytes(c.bytes("id")?),
        digest: CodeDigest::from_bytes(c.bytes("digest")?),
        tag: CodeTag::from_bytes(c.bytes("tag")?),
        sealed: SealedCode::from_bytes(c.blob("sealed")?),
        binding: Binding::from_parts(BindingParts {
            email: c.opt_text("email")?,
            email_key: c.opt_text("email_key")?,
            domain: c.opt_text("email_domain")?,
        })
        .ok_or_else(|| c.corrupt("email_key"))?,
        role: c.text("role").map(Role::from_stored)?,
        division: c.text("division").map(Division::from_stored)?,
        inviter: inviter(c, "inviter")?,
        grantor: inviter(c, "grantor")?,
        created_at: c.time("created_at")?,
        expires_at: c.time("expires_at")?,
        max_uses: NonZeroU32::new(c.number("max_uses")?).ok_or_else(|| c.corrupt("max_uses"))?,
        uses: c.number("uses")?,
        held: c.number("held")?,
        last_use: c.opt_part("codes", &LATEST_USE, redemption)?,
        revocation: match (c.opt_time("revoked_at")?, c.opt_text("revoked_reason")?) {
            (None, None) => None,
            (Some(at), reason) => Some(Revocation { at, reason }),
            (None, Some(_)) => return Err(c.corrupt("revoked_reason")),
        },
        deleted_at: c.opt_time("deleted_at")?,
        version: u64::try_from(c.int("version")?).map_err(|_| c.corrupt("version"))?,
        batch: c.opt_bytes("batch")?.map(BatchId::from_bytes),
        metadata: c.opt_parsed("metadata", |text| Metadata::from_json(&text))?,
    })
}

fn inviter<DB: Dialect>(c: &mut ColumnReader<'_, DB>, column: &'static str) -> Result<Inviter> {
    let [user, role, name] = [c.opt_text(column)?, c.opt_text(column)?, c.opt_text(column)?];
    Inviter::from_parts(InviterParts { user, role, name }).ok_or_else(|| c.corrupt(column))
}

/// A new row, with the id of the request that created it as its last column.
pub(crate) struct InvitationRow<'a> {
    pub(crate) invitation: &'a Record,
    pub(crate) request: Option<&'a [u8]>,
}

impl InputRow for InvitationRow<'_> {
    fn is_secret(&self) -> bool {
        true
    }

    fn values(&self) -> Vec<Value<'_>> {
        let Self { invitation, request } = self;
        let BindingParts { email, email_key, domain } = invitation.binding.parts();
        let (inviter, grantor) = (invitation.inviter.parts(), invitation.grantor.parts());
        let last = invitation.last_use.as_ref().map(Use::made);
        let revocation = invitation.revocation.as_ref();
        let mut values = vec![
            Value::blob(invitation.id.as_bytes().as_slice()),
            Value::blob(invitation.digest.as_bytes().as_slice()),
            Value::blob(invitation.tag.as_bytes().as_slice()),
            Value::blob(invitation.sealed.as_bytes()),
            Value::text(email),
            Value::text(email_key),
            Value::text(domain),
            Value::text(invitation.role.as_str()),
            Value::text(invitation.division.as_str()),
            Value::text(inviter.user),
            Value::text(inviter.role),
            Value::text(inviter.name),
            Value::text(grantor.user),
            Value::text(grantor.role),
            Value::text(grantor.name),
            Value::int(invitation.created_at.as_micros()),
            Value::int(invitation.expires_at.as_micros()),
            Value::int(i64::from(invitation.max_uses.get())),
            Value::int(i64::from(invitation.uses)),
            Value::int(i64::from(invitation.held)),
        ];
        values.extend(effects::values(last.as_ref()));
        values.extend([
            Value::int(revocation.map(|revocation| revocation.at.as_micros())),
            Value::text(revocation.and_then(|revocation| revocation.reason.as_deref())),
            Value::int(invitation.deleted_at.map(Timestamp::as_micros)),
            Value::int(i64::try_from(invitation.version).unwrap_or(i64::MAX)),
            Value::blob(invitation.batch.as_ref().map(|batch| batch.as_bytes().as_slice())),
            Value::text(invitation.metadata.as_ref().map(Metadata::as_json)),
            Value::blob(*request),
        ]);
        values
    }
}

/// The state of an invitation, as a row in the order of [`STATE`].
pub(crate) struct StateRow<'a>(pub(crate) &'a Record);

pub(crate) const STATE: &str = "division, state, created_at, id, expires_at, inviter";

impl InputRow for StateRow<'_> {
    fn values(&self) -> Vec<Value<'_>> {
        let Self(invitation) = self;
        vec![
            Value::text(invitation.division.as_str()),
            Value::int(render::state(invitation.state())),
            Value::int(invitation.created_at.as_micros()),
            Value::blob(invitation.id.as_bytes().as_slice()),
            Value::int(invitation.expires_at.as_micros()),
            Value::text(invitation.inviter.parts().user),
        ]
    }
}

/// An invitation that a purge removes.
pub(crate) struct PurgeCandidate {
    pub(crate) id: InvitationId,
    pub(crate) division: String,
    pub(crate) state: State,
    pub(crate) created_at: i64,
    /// The id of the request that created the invitation.
    pub(crate) request: Option<Vec<u8>>,
}

/// Reads `id, division, uses, max_uses, revoked_at, created_at, request_id`.
pub(crate) fn purge_candidate<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<PurgeCandidate> {
    Ok(PurgeCandidate {
        id: InvitationId::from_bytes(c.bytes("id")?),
        division: c.text("division")?,
        state: State::of(
            c.number("uses")?,
            c.number("max_uses")?,
            c.opt_int("revoked_at")?.is_some(),
        ),
        created_at: c.int("created_at")?,
        request: c.opt_blob("request_id")?,
    })
}

pub(crate) fn located<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Located> {
    Ok(Located {
        id: InvitationId::from_bytes(c.bytes("id")?),
        division: c.text("division").map(Division::from_stored)?,
    })
}
