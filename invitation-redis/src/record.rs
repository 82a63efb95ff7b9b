//! Conversion between records and domain types. `lua/shared.lua` has the layout of the
//! records. A record that this library did not write is an error.

use std::num::NonZeroU32;

use invitation_core::{
    BatchId, Binding, BindingParts, CodeDigest, CodeTag, CorrelationId, Detail, Division, EmailKey,
    Event, EventId, IdempotentRequest, InvitationId, Inviter, InviterParts, Lease, Metadata,
    OpenLease, Performer, PerformerParts, Record, Redemption, RequestContext, Revocation, Role,
    SealedCode, Source, StoreError, UserId, Username,
};

use crate::wire::{Fields, Packed, corrupt};

type Result<T> = std::result::Result<T, StoreError>;

/// Joins search terms as a record stores them.
pub(crate) fn joined(terms: &[String]) -> String {
    terms.join("\0")
}

/// Returns the hash field of an idempotency key. A NUL separates user and key: no user id
/// is empty or contains one.
pub(crate) fn request_key(request: &IdempotentRequest) -> Vec<u8> {
    let owner = request.key.owner.as_ref().map_or("", UserId::as_str);
    [owner, "\0", request.key.key.as_str()].concat().into_bytes()
}

/// Writes the record of a new invitation. `first` is the first invitation that the same
/// request created.
pub(crate) fn write_invitation(
    invitation: &Record,
    request: Option<(&[u8], &InvitationId)>,
) -> Vec<u8> {
    let BindingParts { email, email_key, domain } = invitation.binding.parts();
    let (inviter, grantor) = (invitation.inviter.parts(), invitation.grantor.parts());
    let terms = invitation.search_terms();
    let mut p = Packed::array(29);
    p.bytes(invitation.digest.as_bytes())
        .bytes(invitation.tag.as_bytes())
        .bytes(invitation.sealed.as_bytes())
        .opt_text(email)
        .opt_text(email_key)
        .opt_text(domain)
        .text(invitation.role.as_str())
        .text(invitation.division.as_str())
        .opt_text(inviter.user)
        .opt_text(inviter.role)
        .opt_text(inviter.name)
        .opt_text(grantor.user)
        .opt_text(grantor.role)
        .opt_text(grantor.name)
        .time(invitation.created_at)
        .time(invitation.expires_at)
        .int(invitation.max_uses.get())
        .int(invitation.uses)
        .int(invitation.held);
    match &invitation.last_use {
        Some(last) => write_redemption(&mut p, last),
        None => p.none(),
    };
    match &invitation.revocation {
        Some(revocation) => write_revocation(&mut p, revocation),
        None => p.none(),
    };
    p.opt_time(invitation.deleted_at)
        .bytes(&invitation.version.to_be_bytes())
        .opt_bytes(invitation.batch.as_ref().map(|batch| batch.as_bytes().as_slice()))
        .opt_text(invitation.metadata.as_ref().map(Metadata::as_json))
        .text(&joined(&terms.address))
        .text(&joined(&terms.used_by))
        .opt_bytes(request.map(|(key, _)| key))
        .opt_bytes(request.map(|(_, first)| first.as_bytes().as_slice()));
    p.done()
}

pub(crate) fn invitation(id: InvitationId, record: &[u8]) -> Result<Record> {
    let mut f = Fields::of(record, "invitation", 29)?;
    let digest = CodeDigest::from_bytes(f.array("digest")?);
    let tag = CodeTag::from_bytes(f.array("tag")?);
    let sealed = SealedCode::from_bytes(f.bytes("sealed")?.to_vec());
    let binding = Binding::from_parts(BindingParts {
        email: f.opt("email", Fields::text)?,
        email_key: f.opt("email_key", Fields::text)?,
        domain: f.opt("domain", Fields::text)?,
    })
    .ok_or_else(|| f.corrupt("email_key"))?;
    Ok(Record {
        id,
        digest,
        tag,
        sealed,
        binding,
        role: f.stored("role", Role::from_stored)?,
        division: f.stored("division", Division::from_stored)?,
        inviter: read_inviter(&mut f, "inviter")?,
        grantor: read_inviter(&mut f, "grantor")?,
        created_at: f.time("created_at")?,
        expires_at: f.time("expires_at")?,
        max_uses: NonZeroU32::new(f.int("max_uses")?).ok_or_else(|| f.corrupt("max_uses"))?,
        uses: f.int("uses")?,
        held: f.int("held")?,
        last_use: f.opt("last_use", read_redemption)?,
        revocation: f.opt("revocation", |f, field| {
            f.begin(field)?;
            Ok(Revocation {
                at: f.time("revoked_at")?,
                reason: f.opt("revoked_reason", Fields::text)?.map(str::to_owned),
            })
        })?,
        deleted_at: f.opt("deleted_at", Fields::time)?,
        version: u64::from_be_bytes(f.array("version")?),
        batch: f.opt("batch", Fields::array)?.map(BatchId::from_bytes),
        metadata: f.opt_word("metadata", Metadata::from_json)?,
    })
}

fn read_inviter(f: &mut Fields<'_>, field: &'static str) -> Result<Inviter> {
    let user = f.opt(field, Fields::text)?;
    let role = f.opt(field, Fields::text)?;
    let name = f.opt(field, Fields::text)?;
    Inviter::from_parts(InviterParts { user, role, name }).ok_or_else(|| f.corrupt(field))
}

/// Writes the parts of an inviter as an array.
pub(crate) fn write_inviter<'p>(p: &'p mut Packed, inviter: &Inviter) -> &'p mut Packed {
    let InviterParts { user, role, name } = inviter.parts();
    p.begin(3).opt_text(user).opt_text(role).opt_text(name)
}

pub(crate) fn write_revocation<'p>(p: &'p mut Packed, revocation: &Revocation) -> &'p mut Packed {
    p.begin(2).time(revocation.at).opt_text(revocation.reason.as_deref())
}

fn write_redemption<'p>(p: &'p mut Packed, redemption: &Redemption) -> &'p mut Packed {
    let Redemption { id, user, username, at, role, lease, mailbox } = redemption;
    p.begin(7)
        .bytes(id.as_bytes())
        .text(user.as_str())
        .text(username.as_str())
        .time(*at)
        .text(role.as_str())
        .opt_bytes(lease.as_ref().map(|id| id.as_bytes().as_slice()))
        .opt_text(mailbox.as_ref().map(EmailKey::as_str))
}

pub(crate) fn redemption(record: &[u8]) -> Result<Redemption> {
    let mut f = Fields::of(record, "redemption", 7)?;
    redemption_fields(&mut f)
}

fn read_redemption(f: &mut Fields<'_>, field: &'static str) -> Result<Redemption> {
    if f.begin(field)? != Some(7) {
        return Err(f.corrupt(field));
    }
    redemption_fields(f)
}

fn redemption_fields(f: &mut Fields<'_>) -> Result<Redemption> {
    Ok(Redemption {
        id: EventId::from_bytes(f.array("used_id")?),
        user: f.stored("used_by", UserId::from_stored)?,
        username: f.stored("used_name", Username::from_stored)?,
        at: f.time("used_at")?,
        role: f.stored("used_role", Role::from_stored)?,
        lease: f.opt("used_lease", Fields::array)?.map(EventId::from_bytes),
        mailbox: f.opt_stored("used_mailbox", EmailKey::from_stored)?,
    })
}

/// Writes a lease as a script takes it; the script adds the division.
pub(crate) fn write_lease<'p>(p: &'p mut Packed, lease: &Lease) -> &'p mut Packed {
    p.begin(6)
        .bytes(lease.id.as_bytes())
        .text(lease.user.as_str())
        .text(lease.username.as_str())
        .time(lease.since)
        .time(lease.until)
        .opt_text(lease.mailbox.as_ref().map(EmailKey::as_str))
}

pub(crate) fn lease(record: &[u8]) -> Result<Lease> {
    read_lease(record).map(|(lease, _)| lease)
}

pub(crate) fn open_lease(invitation: InvitationId, record: &[u8]) -> Result<OpenLease> {
    let (lease, division) = read_lease(record)?;
    Ok(OpenLease { invitation, division, lease })
}

fn read_lease(record: &[u8]) -> Result<(Lease, Division)> {
    let mut f = Fields::of(record, "lease", 7)?;
    let lease = Lease {
        id: EventId::from_bytes(f.array("id")?),
        user: f.stored("user", UserId::from_stored)?,
        username: f.stored("username", Username::from_stored)?,
        since: f.time("since")?,
        until: f.time("until")?,
        mailbox: f.opt_stored("mailbox", EmailKey::from_stored)?,
    };
    Ok((lease, f.stored("division", Division::from_stored)?))
}

/// The record of an event in two parts. The script inserts the invitation and the division
/// between them.
pub(crate) struct EventPieces {
    pub(crate) until_invitation: Vec<u8>,
    pub(crate) context: Vec<u8>,
    /// The second part with the last field, for the script that stores new invitations.
    pub(crate) detail: Vec<u8>,
}

pub(crate) fn event_in_pieces(event: &Event) -> EventPieces {
    let mut until_invitation = Packed::array(13);
    let PerformerParts { user, role, name } = event.performer.parts();
    until_invitation
        .time(event.at)
        .opt_text(user)
        .opt_text(role)
        .opt_text(name)
        .text(event.action.as_str())
        .text(event.outcome.as_str())
        .opt_text(event.reason.map(invitation_core::Reason::as_str));
    let (mut context, mut detail) = (Packed::default(), Packed::default());
    context
        .opt_text(event.context.correlation.as_ref().map(CorrelationId::as_str))
        .opt_text(event.context.source.as_ref().map(Source::as_str));
    let text = (!event.detail.is_empty()).then(|| event.detail.to_json());
    detail.opt_text(text.as_deref()).none();
    EventPieces {
        until_invitation: until_invitation.done(),
        context: context.done(),
        detail: detail.done(),
    }
}

/// Adds an event to an array.
pub(crate) fn pack_event<'p>(p: &'p mut Packed, event: &Event) -> &'p mut Packed {
    let pieces = event_in_pieces(event);
    p.append(&pieces.until_invitation)
        .opt_bytes(event.invitation.as_ref().map(|id| id.as_bytes().as_slice()))
        .opt_text(event.division.as_ref().map(Division::as_str))
        .append(&pieces.context)
        .append(&pieces.detail)
}

/// Writes a single event.
pub(crate) fn write_event(event: &Event) -> Vec<u8> {
    let mut p = Packed::default();
    pack_event(&mut p, event);
    p.done()
}

pub(crate) fn event(id: EventId, record: &[u8]) -> Result<Event> {
    let mut f = Fields::of(record, "event", 13)?;
    Ok(Event {
        id,
        at: f.time("at")?,
        performer: Performer::from_parts(PerformerParts {
            user: f.opt("actor", Fields::text)?,
            role: f.opt("actor_role", Fields::text)?,
            name: f.opt("actor_name", Fields::text)?,
        })
        .ok_or_else(|| f.corrupt("actor"))?,
        action: f.word("action", str::parse)?,
        outcome: f.word("outcome", str::parse)?,
        reason: f.opt_word("reason", str::parse)?,
        invitation: f.opt("invitation", Fields::array)?.map(InvitationId::from_bytes),
        division: f.opt_stored("division", Division::from_stored)?,
        context: RequestContext {
            correlation: f.opt_stored("correlation", CorrelationId::from_stored)?,
            source: f.opt_stored("source", Source::from_stored)?,
        },
        detail: f
            .opt_word("detail", |text| Detail::from_json(text).ok_or(()))?
            .unwrap_or_else(Detail::none),
    })
}

/// Returns the error for an index entry that this library did not write.
pub(crate) fn corrupt_entry(of: &'static str) -> StoreError {
    corrupt("entry", of)
}
