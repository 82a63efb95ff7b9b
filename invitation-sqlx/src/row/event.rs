//! Rows of events.

use std::borrow::Cow;

use invitation_core::{
    CorrelationId, Detail, Division, Event, EventId, InvitationId, Performer, PerformerParts,
    RequestContext, Source,
    feed::{FeedEpoch, FeedEvent, FeedPosition},
};

use super::{ColumnReader, Result};
use crate::{
    dialect::Dialect,
    values::{InputRow, Value},
};

/// The columns of an event, in the order in which [`event`] reads and [`InputRow`] writes them.
pub(crate) const EVENT: &str = "id, at, actor, actor_role, actor_name, action, outcome, reason, \
     invitation, division, correlation, source, detail";

/// Reads an event, and the transaction and sequence of its position behind it.
pub(crate) fn feed_event<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<FeedEvent> {
    let event = event(c)?;
    let [transaction, sequence] = ["transaction", "sequence"].map(|part| c.count(part));
    let (epoch, transaction, sequence) = (FeedEpoch::FIRST.number, transaction?, sequence?);
    Ok(FeedEvent { position: FeedPosition { epoch, transaction, sequence }, event })
}

pub(crate) fn event<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Event> {
    c.in_table("events");
    Ok(Event {
        id: EventId::from_bytes(c.bytes("id")?),
        at: c.time("at")?,
        performer: Performer::from_parts(PerformerParts {
            user: c.opt_text("actor")?,
            role: c.opt_text("actor_role")?,
            name: c.opt_text("actor_name")?,
        })
        .ok_or_else(|| c.corrupt("actor"))?,
        action: c.parsed("action", |text| text.parse())?,
        outcome: c.parsed("outcome", |text| text.parse())?,
        reason: c.opt_parsed("reason", |text| text.parse())?,
        invitation: c.opt_bytes("invitation")?.map(InvitationId::from_bytes),
        division: c.opt_text("division")?.map(Division::from_stored),
        context: RequestContext {
            correlation: c.opt_text("correlation")?.map(CorrelationId::from_stored),
            source: c.opt_text("source")?.map(Source::from_stored),
        },
        detail: c
            .opt_parsed("detail", |text| Detail::from_json(&text).ok_or(()))?
            .unwrap_or_else(Detail::none),
    })
}

impl InputRow for Event {
    fn values(&self) -> Vec<Value<'_>> {
        let PerformerParts { user, role, name } = self.performer.parts();
        let detail = (!self.detail.is_empty()).then(|| self.detail.to_json());
        vec![
            Value::blob(self.id.as_bytes().as_slice()),
            Value::int(self.at.as_micros()),
            Value::text(user),
            Value::text(role),
            Value::text(name),
            Value::text(self.action.as_str()),
            Value::text(self.outcome.as_str()),
            Value::text(self.reason.map(invitation_core::Reason::as_str)),
            Value::blob(self.invitation.as_ref().map(|id| id.as_bytes().as_slice())),
            Value::text(self.division.as_ref().map(Division::as_str)),
            Value::text(self.context.correlation.as_ref().map(CorrelationId::as_str)),
            Value::text(self.context.source.as_ref().map(Source::as_str)),
            Value::Text(detail.map(Cow::Owned)),
        ]
    }
}
