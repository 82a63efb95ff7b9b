//! Rows of events.

use invitation_core::{
    CorrelationId, Detail, Division, Event, EventId, InvitationId, Origin, Performer, Role, Source,
    UserId, Username,
};

use super::{Columns, Result};
use crate::{dialect::Dialect, statement::Statement};

/// The columns of an event, in the order of [`event`] and [`write_event`].
pub(crate) const EVENT: &str = "id, at, actor, actor_role, redeemer, action, outcome, reason, \
     invitation, division, correlation, source, detail";

pub(crate) fn event<DB: Dialect>(row: &DB::Row) -> Result<Event> {
    let mut c = Columns::<DB>::new(row, "events");
    Ok(Event {
        id: EventId::from_bytes(c.bytes("id")?),
        at: c.time("at")?,
        performer: match (
            c.opt_word("actor", UserId::new)?,
            c.opt_word("actor_role", Role::new)?,
            c.opt_word("redeemer", Username::new)?,
        ) {
            (None, None, None) => Performer::System,
            (Some(user), Some(role), None) => Performer::Actor { user, role },
            (Some(user), None, Some(username)) => Performer::Redeemer { user, username },
            _ => return Err(c.corrupt("actor")),
        },
        action: c.word("action", |text| text.parse())?,
        outcome: c.word("outcome", |text| text.parse())?,
        reason: c.opt_word("reason", |text| text.parse())?,
        invitation: c.opt_bytes("invitation")?.map(InvitationId::from_bytes),
        division: c.opt_word("division", Division::new)?,
        origin: Origin {
            correlation: c.opt_word("correlation", CorrelationId::new)?,
            source: c.opt_word("source", Source::new)?,
        },
        detail: c
            .opt_word("detail", |text| Detail::from_json(&text).ok_or(()))?
            .unwrap_or_else(Detail::none),
    })
}

/// Writes the values of an event: about the invitation that it names, or about that of
/// the row of this name in the statement.
pub(crate) fn write_event<DB: Dialect>(s: &mut Statement<DB>, event: &Event, about: Option<&str>) {
    let (actor, role, redeemer) = match &event.performer {
        Performer::System => (None, None, None),
        Performer::Actor { user, role } => (Some(user.as_str()), Some(role.as_str()), None),
        Performer::Redeemer { user, username } => {
            (Some(user.as_str()), None, Some(username.as_str()))
        }
    };
    s.blob(event.id.as_bytes()).sql(", ");
    s.int(event.at.as_micros()).sql(", ");
    s.opt_text(actor).sql(", ");
    s.opt_text(role).sql(", ");
    s.opt_text(redeemer).sql(", ");
    s.text(event.action.as_str()).sql(", ");
    s.text(event.outcome.as_str()).sql(", ");
    s.opt_text(event.reason.map(invitation_core::Reason::as_str)).sql(", ");
    if let Some(row) = about {
        s.sql(format_args!("{row}.id, {row}.division, "));
    } else {
        s.opt_blob(event.invitation.as_ref().map(|id| id.as_bytes().as_slice())).sql(", ");
        s.opt_text(event.division.as_ref().map(Division::as_str)).sql(", ");
    }
    s.opt_text(event.origin.correlation.as_ref().map(CorrelationId::as_str)).sql(", ");
    s.opt_text(event.origin.source.as_ref().map(Source::as_str)).sql(", ");
    s.opt_text((!event.detail.is_empty()).then(|| event.detail.to_json()));
}
