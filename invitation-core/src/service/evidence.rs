//! Writing down every refusal, or handing it to the host to write down.

use super::{
    Invitations,
    denials::{Counted, Summary},
};
use crate::{
    actor::{Acting, Actor},
    decide::Call,
    entropy::EntropyError,
    error::Error,
    event::{Action, Detail, Event, Reason},
    id::InvitationId,
    refusal::{Refused, Verdict},
    store::{Located, Store},
    text::Division,
    transition::Target,
};

/// What is known about the place of a refusal.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Nothing, or only the division.
    Division(Option<Division>),
    /// The invitation.
    Invitation(InvitationId, Division),
}

impl Place {
    /// The division that a call named, or that of the actor.
    pub(super) fn named_or_home(named: Option<Division>, acting: Acting<'_>) -> Self {
        let home = || acting.user().and_then(Actor::home).cloned();
        Self::Division(named.or_else(home))
    }
}

impl<S: Store> Invitations<S> {
    /// Refuses `call`: writes the event, and makes the error that the caller
    /// gets. If it cannot be written, that is the error.
    pub(super) async fn refuse(
        &self,
        call: &Call,
        action: Action,
        verdict: Verdict,
        place: Place,
    ) -> Error {
        match self.write_down(call, action, &verdict, &place).await {
            Ok(unrecorded) => Error::Refused(Refused::new(verdict.refusal().clone(), unrecorded)),
            Err(error) => error,
        }
    }

    /// Refuses `call` because the target does not exist within the caller's
    /// scope: to the caller it makes no difference whether it does elsewhere.
    /// `named` is the division that the call was about, if it named one.
    pub(super) async fn refuse_missing(
        &self,
        call: &Call,
        action: Action,
        target: &Target,
        named: Option<&Division>,
    ) -> Error {
        self.refuse_located(call, action, target, named, |found| {
            let reason = if found { Reason::OutOfScope } else { Reason::Unknown };
            Verdict::missing(target, reason)
        })
        .await
    }

    /// Refuses `call` with the event naming the target, wherever it is.
    pub(super) async fn refuse_about(
        &self,
        call: &Call,
        action: Action,
        target: &Target,
        verdict: Verdict,
    ) -> Error {
        self.refuse_located(call, action, target, None, |_| verdict).await
    }

    /// Always the same work, whether the target exists or not.
    async fn refuse_located(
        &self,
        call: &Call,
        action: Action,
        target: &Target,
        named: Option<&Division>,
        verdict: impl FnOnce(bool) -> Verdict,
    ) -> Error {
        match self.store.locate(target).await {
            Ok(located) => {
                let verdict = verdict(located.is_some());
                let place = match located {
                    Some(Located { id, division }) => Place::Invitation(id, division),
                    None => Place::Division(named.cloned()),
                };
                self.refuse(call, action, verdict, place).await
            }
            Err(error) => error.into(),
        }
    }

    /// Writes the events, and gives back those that the host has to write.
    async fn write_down(
        &self,
        call: &Call,
        action: Action,
        verdict: &Verdict,
        place: &Place,
    ) -> Result<Vec<Event>, Error> {
        let events = self.evidence(call, action, verdict, place)?;
        if events.is_empty() || !self.records_itself() {
            return Ok(events);
        }
        self.store.record(&events).await?;
        Ok(Vec::new())
    }

    /// The events about one refusal: the refusal itself, counts of others that are due, or
    /// none.
    fn evidence(
        &self,
        call: &Call,
        action: Action,
        verdict: &Verdict,
        place: &Place,
    ) -> Result<Vec<Event>, EntropyError> {
        let limits = &self.settings.limits;
        let admission = self.state.denials.admit(&call.performer, call.now, limits);
        let refused = |id, reason, detail| {
            let event = Event {
                id,
                outcome: verdict.outcome(),
                reason: Some(reason),
                ..call.done(action, detail)
            };
            match place {
                Place::Division(division) => Event { division: division.clone(), ..event },
                Place::Invitation(id, division) => event.located(*id, division.clone()),
            }
        };
        let mut events = Vec::new();
        for Summary { suppressed, of } in admission.summaries {
            let id = self.state.ids.event(call.now, self.entropy())?;
            let detail = Detail::none().with("suppressed", &suppressed.to_string());
            let summary = Event { invitation: None, ..refused(id, Reason::Suppressed, detail) };
            events.push(match of {
                Counted::Performer => summary,
                // A call of one performer carries it, but it is about others too, and
                // about other divisions.
                Counted::Several => {
                    let detail = summary.detail.with("of", "several");
                    Event { division: None, detail, ..summary }
                }
            });
        }
        if admission.write {
            events.push(refused(call.id, verdict.reason(), Detail::none()));
        }
        Ok(events)
    }
}
