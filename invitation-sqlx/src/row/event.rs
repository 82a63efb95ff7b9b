//! Rows of events.

use invitation_core::{
    CorrelationId, Detail, Division, Event, EventId, InvitationId, Performer, PerformerParts,
    RequestContext, Source,
};

use super::{ColumnReader, Result};
use crate::{
    dialect::Dialect,
    values::{InputRow, Values},
};

/// The columns of an event, in the order of [`event`] and [`write_event`].
pub(crate) const EVENT: &str = "id, at, actor, actor_role, redeemer, action, outcome, reason, \
     invitation, division, correlation, source, detail";

pub(crate) fn event<DB: Dialect>(row: &DB::Row) -> Result<Event> {
    let mut c = ColumnReader::<DB>::new(row, "events");
    Ok(Event {
        id: EventId::from_bytes(c.bytes("id")?),
        at: c.time("at")?,
        performer: Performer::from_parts(PerformerParts {
            user: c.opt_text("actor")?,
            role: c.opt_text("actor_role")?,
            username: c.opt_text("redeemer")?,
        })
        .ok_or_else(|| c.corrupt("actor"))?,
        action: c.parsed("action", |text| text.parse())?,
        outcome: c.parsed("outcome", |text| text.parse())?,
        reason: c.opt_parsed("reason", |text| text.parse())?,
        invitation: c.opt_bytes("invitation")?.map(InvitationId::from_bytes),
        division: c.opt_stored("division", Division::from_stored)?,
        context: RequestContext {
            correlation: c.opt_stored("correlation", CorrelationId::from_stored)?,
            source: c.opt_stored("source", Source::from_stored)?,
        },
        detail: c
            .opt_parsed("detail", |text| Detail::from_json(&text).ok_or(()))?
            .unwrap_or_else(Detail::none),
    })
}

impl InputRow for Event {
    fn write(&self, v: &mut impl Values) {
        write_event(v, self, |v| {
            v.blob(self.invitation.as_ref().map(|id| id.as_bytes().as_slice()));
            v.text(self.division.as_ref().map(Division::as_str));
        });
    }
}

/// Writes the values of an event. `about` writes the invitation and its division.
pub(crate) fn write_event<V: Values>(v: &mut V, event: &Event, about: impl FnOnce(&mut V)) {
    let PerformerParts { user, role, username } = event.performer.parts();
    v.blob(event.id.as_bytes().as_slice());
    v.int(event.at.as_micros());
    v.text(user);
    v.text(role);
    v.text(username);
    v.text(event.action.as_str());
    v.text(event.outcome.as_str());
    v.text(event.reason.map(invitation_core::Reason::as_str));
    about(v);
    v.text(event.context.correlation.as_ref().map(CorrelationId::as_str));
    v.text(event.context.source.as_ref().map(Source::as_str));
    let detail = (!event.detail.is_empty()).then(|| event.detail.to_json());
    v.text(detail.as_deref());
}
