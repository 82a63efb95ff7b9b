//! Recording every refusal, or handing its events to the host to record.

use super::{
    Invitations,
    denials::{Counted, Summary},
};
use crate::{
    actor::{Actor, Caller},
    decide::Call,
    detail::Detail,
    entropy::EntropyError,
    error::Error,
    event::{Action, Event, Reason},
    id::InvitationId,
    refusal::{Refused, Verdict},
    report,
    scope::Scope,
    store::{Located, Store},
    target::Target,
    text::Division,
};

/// The invitation or division that a refusal is about, as far as it is known.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// At most the division is known.
    Division(Option<Division>),
    /// The invitation is known, and its division.
    Invitation(InvitationId, Division),
}

impl Place {
    /// Returns the division that a call named, or else the actor's own.
    pub(super) fn named_or_home(named: Option<Division>, caller: Caller<'_>) -> Self {
        let home = || caller.user().and_then(Actor::home).cloned();
        Self::Division(named.or_else(home))
    }
}

impl<S: Store> Invitations<S> {
    /// Refuses `call`: writes the event, and returns the error for the caller. If the
    /// event cannot be written, it returns that error instead.
    pub(super) async fn refuse(
        &self,
        call: &Call,
        action: Action,
        verdict: Verdict,
        place: Place,
    ) -> Error {
        report::refused(action, verdict.outcome());
        match self.write_down(call, action, &verdict, &place).await {
            Ok(unrecorded) => Error::Refused(Refused::new(verdict.refusal().clone(), unrecorded)),
            Err(error) => error,
        }
    }

    /// Refuses `call` because the target does not exist within the caller's scope. The
    /// caller cannot find out whether it exists in another division. `named` is the
    /// division that the call named, if any.
    pub(super) async fn refuse_missing(
        &self,
        call: &Call,
        action: Action,
        target: &Target,
        named: Option<&Division>,
    ) -> Error {
        self.refuse_located(call, action, target, named, |found| {
            let reason = if found.is_some() { Reason::OutOfScope } else { Reason::Unknown };
            Verdict::missing(target, reason)
        })
        .await
    }

    /// Refuses `call` with an event that names the target, whatever its division.
    pub(super) async fn refuse_about(
        &self,
        call: &Call,
        action: Action,
        target: &Target,
        verdict: Verdict,
    ) -> Error {
        self.refuse_located(call, action, target, None, |_| verdict).await
    }

    /// Refuses `call` because no invitation within the scope has the presented code. A stranger
    /// learns neither from the answer nor from its time whether the code is of another division,
    /// was deleted, or never existed. The event says which.
    pub(super) async fn refuse_unknown(
        &self,
        call: &Call,
        action: Action,
        target: &Target,
        scope: &Scope,
    ) -> Error {
        let named = match scope {
            Scope::Division(division) => Some(division),
            Scope::All => None,
        };
        self.refuse_located(call, action, target, named, |found| {
            let reason = match found {
                // A code does not find a tombstone.
                Some(located) if scope.contains(&located.division) => Reason::Deleted,
                Some(_) => Reason::OutOfScope,
                None => Reason::Unknown,
            };
            Verdict::missing(target, reason)
        })
        .await
    }

    /// Does the same work whether the target exists or not.
    async fn refuse_located(
        &self,
        call: &Call,
        action: Action,
        target: &Target,
        named: Option<&Division>,
        verdict: impl FnOnce(Option<&Located>) -> Verdict,
    ) -> Error {
        match self.store.locate(target).await {
            Ok(located) => {
                let verdict = verdict(located.as_ref());
                let place = match located {
                    Some(Located { id, division }) => Place::Invitation(id, division),
                    None => Place::Division(named.cloned()),
                };
                self.refuse(call, action, verdict, place).await
            }
            Err(error) => error.into(),
        }
    }

    /// Writes the events, and returns those that the host has to write.
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

    /// Returns the events about one refusal: the refusal itself, due counts of unrecorded
    /// refusals, or none.
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
                // The call of one performer triggers this event, but it counts refusals
                // of other performers and divisions too.
                Counted::Several => {
                    let detail = summary.detail.with("of", "several");
                    Event { division: None, detail, ..summary }
                }
            });
        }
        if admission.write {
            events.push(refused(call.id, verdict.reason(), verdict.detail().clone()));
        }
        Ok(events)
    }
}
