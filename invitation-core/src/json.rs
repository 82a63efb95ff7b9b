//! The serialized forms of what calls return: those of the HTTP API, without codes.
//!
//! Each form is a struct of its own. So a new field of a type is a decision about its form, and
//! nothing becomes visible by accident.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::{
    binding::Binding,
    event::{Action, Event, EventOutcome, Reason},
    id::{BatchId, EventId, InvitationId},
    invitation::Invitation,
    inviter::Inviter,
    metadata::Metadata,
    page::Page,
    performer::Performer,
    policy::Right,
    redemption::{Redemption, UsedBy},
    service::{InvitationView, OpenReservation},
    status::Status,
    status_counts::StatusCounts,
    text::{CorrelationId, Division, Role, Source, UserId, Username},
    time::Timestamp,
};

impl Serialize for Timestamp {
    /// Serializes the instant as RFC 3339 in UTC.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for UsedBy<'_> {
    /// Serializes the text of `Display`, as in the column *Used By*.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Serialize)]
struct EventForm<'a> {
    id: EventId,
    at: Timestamp,
    actor: Option<&'a UserId>,
    actor_role: Option<&'a Role>,
    actor_name: Option<&'a str>,
    username: Option<&'a Username>,
    kind: Action,
    outcome: EventOutcome,
    reason: Option<Reason>,
    invitation: Option<InvitationId>,
    division: Option<&'a Division>,
    correlation_id: Option<&'a CorrelationId>,
    source: Option<&'a Source>,
    detail: BTreeMap<&'a str, &'a str>,
}

impl Serialize for Event {
    /// Serializes the event as the HTTP API does: with the fields `id`, `at`, `actor`,
    /// `actor_role`, `actor_name`, `username`, `kind` (the action), `outcome`, `reason`,
    /// `invitation`, `division`, `correlation_id`, `source` and `detail`.
    ///
    /// `detail` is an object. Of values with the same name, it has the last one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.performer.name();
        let (actor_role, actor_name, username) = match &self.performer {
            Performer::System { .. } => (None, name, None),
            Performer::Actor { role, .. } => (Some(role), name, None),
            Performer::Redeemer { username, .. } => (None, None, Some(username)),
        };
        EventForm {
            id: self.id,
            at: self.at,
            actor: self.performer.user(),
            actor_role,
            actor_name,
            username,
            kind: self.action,
            outcome: self.outcome,
            reason: self.reason,
            invitation: self.invitation,
            division: self.division.as_ref(),
            correlation_id: self.context.correlation.as_ref(),
            source: self.context.source.as_ref(),
            detail: self.detail.iter().collect(),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct RedemptionForm<'a> {
    id: EventId,
    user: &'a UserId,
    username: &'a Username,
    at: Timestamp,
    role: &'a Role,
}

impl Serialize for Redemption {
    /// Serializes the fields `id`, `user`, `username`, `at` and `role`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, user, username, at, role, lease: _, mailbox: _ } = self;
        RedemptionForm { id: *id, user, username, at: *at, role }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct ReservationForm<'a> {
    invitation: InvitationId,
    division: &'a Division,
    user: &'a UserId,
    username: &'a Username,
    since: Timestamp,
    until: Timestamp,
    expired: bool,
}

impl Serialize for OpenReservation {
    /// Serializes the fields `invitation`, `division`, `user`, `username`, `since`, `until` and
    /// `expired`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (open, lease) = (self.open(), &self.open().lease);
        ReservationForm {
            invitation: open.invitation,
            division: &open.division,
            user: &lease.user,
            username: &lease.username,
            since: lease.since,
            until: lease.until,
            expired: self.has_expired(),
        }
        .serialize(serializer)
    }
}

/// The facts of an invitation. `status` and `actions` depend on the time and on the actor.
#[derive(Serialize)]
struct InvitationForm<'a> {
    id: InvitationId,
    email: Option<&'a str>,
    email_domain: Option<&'a str>,
    role: &'a Role,
    division: &'a Division,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    expires_at: Timestamp,
    used_by: Option<UsedBy<'a>>,
    used_at: Option<Timestamp>,
    uses: u32,
    max_uses: u32,
    created_by: Option<&'a UserId>,
    created_by_name: Option<&'a Username>,
    created_at: Timestamp,
    version: u64,
    batch: Option<BatchId>,
    metadata: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<&'a [Right]>,
}

impl<'a> InvitationForm<'a> {
    fn of(invitation: &'a Invitation) -> Self {
        let (email, email_domain) = match invitation.binding() {
            Binding::Anyone => (None, None),
            Binding::Address(email) => (Some(email.as_str()), None),
            Binding::Domain(domain) => (None, Some(domain.as_str())),
        };
        let (created_by, created_by_name) = match invitation.inviter() {
            Inviter::System => (None, None),
            Inviter::User { user, role: _, name } => (Some(user), name.as_ref()),
        };
        Self {
            id: invitation.id(),
            email,
            email_domain,
            role: invitation.role(),
            division: invitation.division(),
            status: None,
            expires_at: invitation.expires_at(),
            used_by: invitation.used_by(),
            used_at: invitation.last_use().map(|last| last.at),
            uses: invitation.uses(),
            max_uses: invitation.max_uses().get(),
            created_by,
            created_by_name,
            created_at: invitation.created_at(),
            version: invitation.version(),
            batch: invitation.batch(),
            metadata: invitation.metadata().map(Metadata::to_value),
            actions: None,
        }
    }
}

impl Serialize for Invitation {
    /// Serializes the fields of the HTTP API, but `code`, `status` and `actions`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        InvitationForm::of(self).serialize(serializer)
    }
}

impl Serialize for InvitationView {
    /// Serializes the fields of the HTTP API, but `code`.
    ///
    /// The code is left out even if the actor may copy it: what is serialized is often logged
    /// or cached. A host that sends the code to its user calls [`code`](Self::code).
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = InvitationForm::of(self.invitation());
        let (status, actions) = (Some(self.status()), Some(self.actions()));
        InvitationForm { status, actions, ..form }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct CountsForm {
    active: u32,
    used: u32,
    expired: u32,
    revoked: u32,
    capped: Vec<Status>,
}

impl Serialize for StatusCounts {
    /// Serializes the numbers as `active`, `used`, `expired` and `revoked`. The list `capped`
    /// has the statuses whose number is a lower bound.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bounds = Status::ALL.iter().copied().filter(|status| !self.is_exact(*status));
        CountsForm {
            active: self.of(Status::Active),
            used: self.of(Status::Used),
            expired: self.of(Status::Expired),
            revoked: self.of(Status::Revoked),
            capped: bounds.collect(),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct PageForm<'a, T> {
    items: &'a [T],
    next_cursor: Option<String>,
}

impl<T: Serialize> Serialize for Page<T> {
    /// Serializes the fields `items` and `next_cursor`. The cursor is a text that parses into a
    /// [`Cursor`](crate::Cursor), or null when nothing follows.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let next_cursor = self.next.map(|cursor| cursor.to_string());
        PageForm { items: &self.items, next_cursor }.serialize(serializer)
    }
}
