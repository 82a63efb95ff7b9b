//! Conversion between rows and the core's types. A row that this library did not write is an
//! error.

mod cursor;
mod document;
mod event;
mod uses;

use std::num::NonZeroU32;

use invitation_core::{
    BatchId, Binding, BindingParts, CodeDigest, CodeTag, Division, Facts, Fingerprint,
    InvitationId, Inviter, InviterParts, Located, Metadata, Position, Record, Redemption,
    RequestResults, Revocation, Role, SealedCode, State, StoreError, StoreErrorKind, Timestamp,
    UserId,
};
use sqlx::{Decode, Row, Type};

pub(crate) use self::{
    cursor::{CURSOR, cursor},
    document::{DOCUMENT, DOCUMENT_HEAD, document, document_name, listed_document},
    event::{EVENT, event, feed_event},
    uses::{LEASE, lease, open_lease, redemption, redemption_on},
};
use crate::{
    dialect::Dialect,
    effects::{self, Columns, LATEST_USE, Use},
    error::CorruptColumn,
    render,
    values::{InputRow, Value},
};

#[cfg(feature = "mysql")]
pub(crate) use self::event::event_id;
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

/// A reader of the columns of a row, from left to right.
struct ColumnReader<'r, DB: Dialect> {
    row: &'r DB::Row,
    table: &'static str,
    next: usize,
}

impl<'r, DB: Dialect> ColumnReader<'r, DB> {
    fn new(row: &'r DB::Row, table: &'static str) -> Self {
        Self { row, table, next: 0 }
    }

    fn corrupt(&self, column: &'static str) -> StoreError {
        let cause = CorruptColumn { table: self.table, column };
        StoreError::new(StoreErrorKind::Corrupt, "read").because(cause)
    }

    fn next<T: Decode<'r, DB> + Type<DB>>(&mut self, column: &'static str) -> Result<T> {
        let at = DB::ColumnNumber::from(self.next);
        self.next += 1;
        self.row.try_get(at).map_err(|_| self.corrupt(column))
    }

    fn opt_int(&mut self, column: &'static str) -> Result<Option<i64>> {
        self.next::<DB::OptInt>(column).map(Into::into)
    }

    fn int(&mut self, column: &'static str) -> Result<i64> {
        self.opt_int(column)?.ok_or_else(|| self.corrupt(column))
    }

    fn number(&mut self, column: &'static str) -> Result<u32> {
        u32::try_from(self.int(column)?).map_err(|_| self.corrupt(column))
    }

    /// Reads a number that is never negative.
    fn count(&mut self, column: &'static str) -> Result<u64> {
        u64::try_from(self.int(column)?).map_err(|_| self.corrupt(column))
    }

    fn opt_text(&mut self, column: &'static str) -> Result<Option<String>> {
        Ok(self.next::<Option<DB::Text>>(column)?.map(Into::into))
    }

    fn text(&mut self, column: &'static str) -> Result<String> {
        self.opt_text(column)?.ok_or_else(|| self.corrupt(column))
    }

    fn opt_blob(&mut self, column: &'static str) -> Result<Option<Vec<u8>>> {
        self.next::<DB::OptBlob>(column).map(Into::into)
    }

    fn blob(&mut self, column: &'static str) -> Result<Vec<u8>> {
        self.opt_blob(column)?.ok_or_else(|| self.corrupt(column))
    }

    fn bytes<const N: usize>(&mut self, column: &'static str) -> Result<[u8; N]> {
        self.blob(column)?.try_into().map_err(|_| self.corrupt(column))
    }

    fn opt_bytes<const N: usize>(&mut self, column: &'static str) -> Result<Option<[u8; N]>> {
        let bytes = self.opt_blob(column)?;
        bytes.map(|bytes| bytes.try_into().map_err(|_| self.corrupt(column))).transpose()
    }

    fn time(&mut self, column: &'static str) -> Result<Timestamp> {
        let micros = self.int(column)?;
        Timestamp::from_micros(micros).ok_or_else(|| self.corrupt(column))
    }

    fn opt_time(&mut self, column: &'static str) -> Result<Option<Timestamp>> {
        let micros = self.opt_int(column)?;
        let time = |micros| Timestamp::from_micros(micros).ok_or_else(|| self.corrupt(column));
        micros.map(time).transpose()
    }

    /// Reads some columns of another table, whose first is absent where it has no row.
    fn opt_part<T>(
        &mut self,
        table: &'static str,
        columns: &str,
        read: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<Option<T>> {
        let of = std::mem::replace(&mut self.table, table);
        let begin = self.next;
        let is_there = self.opt_blob("id")?.is_some();
        self.next = begin;
        let part = if is_there { Some(read(self)?) } else { None };
        self.next = begin + columns.split(',').count();
        self.table = of;
        Ok(part)
    }

    /// Reads a text that was checked before it was written.
    fn stored<T>(&mut self, column: &'static str, restore: impl FnOnce(String) -> T) -> Result<T> {
        self.text(column).map(restore)
    }

    fn opt_stored<T>(
        &mut self,
        column: &'static str,
        restore: impl FnOnce(String) -> T,
    ) -> Result<Option<T>> {
        Ok(self.opt_text(column)?.map(restore))
    }

    fn parsed<T, E>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(String) -> std::result::Result<T, E>,
    ) -> Result<T> {
        let text = self.text(column)?;
        parse(text).map_err(|_| self.corrupt(column))
    }

    fn opt_parsed<T, E>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(String) -> std::result::Result<T, E>,
    ) -> Result<Option<T>> {
        let text = self.opt_text(column)?;
        text.map(|text| parse(text).map_err(|_| self.corrupt(column))).transpose()
    }
}

pub(crate) fn invitation<DB: Dialect>(row: &DB::Row) -> Result<Record> {
    read_invitation(&mut ColumnReader::<DB>::new(row, "codes"))
}

/// Returns columns as those of a table.
pub(crate) fn qualified(columns: &str, table: &str) -> String {
    let columns = columns.split(", ").map(|column| format!("{table}.{column}"));
    columns.collect::<Vec<_>>().join(", ")
}

/// Reads an invitation, the redemption and the lease of `user`, and the first lease, each
/// behind the one before. All but the invitation may be absent.
pub(crate) fn facts<DB: Dialect>(row: &DB::Row, user: &UserId) -> Result<Facts> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
    let invitation = read_invitation(&mut c)?;
    let entered = c.opt_part("redemptions", &REDEMPTION, uses::read_redemption)?;
    // The latest redemption may be in the row only.
    let mine = invitation.last_use.clone().filter(|last| last.user == *user).or(entered);
    let lease = c.opt_part("leases", LEASE, uses::read_lease)?;
    let first_lease = c.opt_part("leases", LEASE, uses::read_lease)?;
    Ok(Facts { mine, lease, first_lease, ..Facts::of(invitation) })
}

/// Reads an invitation without leases, a redemption from the ledger if there is one, and the
/// index of the caller that redeems.
pub(crate) fn facts_of_caller<DB: Dialect>(
    row: &DB::Row,
) -> Result<(Record, Option<Redemption>, i64)> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
    let invitation = read_invitation(&mut c)?;
    let entered = c.opt_part("redemptions", &REDEMPTION, uses::read_redemption)?;
    Ok((invitation, entered, c.int("caller")?))
}

/// A row of a list.
pub(crate) enum ListedRow {
    Invitation(Box<Record>),
    /// The position where the candidates ended.
    End(Position<InvitationId>),
}

/// Reads an invitation, or a position from the columns after an empty one.
pub(crate) fn listed<DB: Dialect>(row: &DB::Row) -> Result<ListedRow> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
    if c.opt_blob("id")?.is_some() {
        return Ok(ListedRow::Invitation(Box::new(invitation::<DB>(row)?)));
    }
    c.next = INVITATION.split(',').count();
    let (at, id) = (c.time("created_at")?, InvitationId::from_bytes(c.bytes("id")?));
    Ok(ListedRow::End(Position { at, id }))
}

/// Reads the time of creation and the id.
pub(crate) fn position<DB: Dialect>(row: &DB::Row) -> Result<Position<InvitationId>> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
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
pub(crate) fn prior_request<DB: Dialect>(row: &DB::Row) -> Result<PriorRequestRow> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
    let is_there = c.opt_blob("id")?.is_some();
    let invitation = if is_there { Some(invitation::<DB>(row)?) } else { None };
    c.next = INVITATION.split(',').count();
    let fingerprint = Fingerprint::from_bytes(c.bytes("fingerprint")?);
    let results = c.opt_blob("results")?.map(RequestResults::from_bytes);
    Ok(PriorRequestRow { invitation, fingerprint, results })
}

/// Reads a division and the comparison form of an address.
pub(crate) fn invitee<DB: Dialect>(row: &DB::Row) -> Result<(String, String)> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
    Ok((c.text("division")?, c.text("email_key")?))
}

/// Reads the id of a request.
pub(crate) fn request_id<DB: Dialect>(row: &DB::Row) -> Result<Vec<u8>> {
    ColumnReader::<DB>::new(row, "requests").blob("id")
}

/// Reads an invitation, and the ordinal of a batch entry from the column after it.
pub(crate) fn invitation_and_ordinal<DB: Dialect>(row: &DB::Row) -> Result<(Record, i64)> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
    Ok((read_invitation(&mut c)?, c.int("ordinal")?))
}

fn read_invitation<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Record> {
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
        role: c.stored("role", Role::from_stored)?,
        division: c.stored("division", Division::from_stored)?,
        inviter: inviter(c, "inviter")?,
        grantor: inviter(c, "grantor")?,
        created_at: c.time("created_at")?,
        expires_at: c.time("expires_at")?,
        max_uses: NonZeroU32::new(c.number("max_uses")?).ok_or_else(|| c.corrupt("max_uses"))?,
        uses: c.number("uses")?,
        held: c.number("held")?,
        last_use: c.opt_part("codes", &LATEST_USE, uses::read_redemption)?,
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
pub(crate) fn purge_candidate<DB: Dialect>(row: &DB::Row) -> Result<PurgeCandidate> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
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

pub(crate) fn located<DB: Dialect>(row: &DB::Row) -> Result<Located> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
    Ok(Located {
        id: InvitationId::from_bytes(c.bytes("id")?),
        division: c.stored("division", Division::from_stored)?,
    })
}

/// Reads the number of tokens that were taken of a budget.
pub(crate) fn taken_tokens<DB: Dialect>(row: &DB::Row) -> Result<u64> {
    ColumnReader::<DB>::new(row, "budgets").count("taken")
}

/// Reads a row of `columns` numbers.
pub(crate) fn counts<DB: Dialect>(row: &DB::Row, columns: usize) -> Result<Vec<i64>> {
    let mut c = ColumnReader::<DB>::new(row, "codes");
    (0..columns).map(|_| c.int("count")).collect()
}
