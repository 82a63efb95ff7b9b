//! The invitations of a batch, for the results of an import.

use crate::{
    actor::{Actor, Caller},
    code::InvitationCode,
    detail::Detail,
    error::Error,
    event::{Action, Event, EventOutcome, Reason},
    id::BatchId,
    limits::Limits,
    page::PageRequest,
    policy::Right,
    query::{Filter, TimeRange},
    record::Record,
    refusal::{Refusal, Verdict},
    report,
    scope::Scope,
    service::{Invitations, evidence::Place},
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    text::Division,
    time::Timestamp,
};

/// The maximum number of pages that one part of an import takes: far more than its rows need.
const MAX_PAGES: u32 = 10_000;

impl<S: Store> Invitations<S> {
    /// Records that the codes of a batch are copied.
    pub(crate) async fn record_copy_of_batch(
        &self,
        actor: &Actor,
        batch: BatchId,
        number: u64,
    ) -> Result<(), Error> {
        let call = self.call_by(actor.into())?;
        let detail = Detail::none()
            .with("batch", &batch.to_string())
            .with("invitations", &number.to_string());
        let event = call.done(Action::Copy, detail).within(actor.scope());
        self.store.record(&[event]).await?;
        report::succeeded(Action::Copy, 1);
        Ok(())
    }

    /// Returns the event of a step of an import. The caller stores it together with the document of
    /// the import.
    pub(crate) fn import_event(
        &self,
        actor: &Actor,
        division: Option<Division>,
        detail: Detail,
        failure: Option<Reason>,
    ) -> Result<Event, Error> {
        let event = Event { division, ..self.call_by(actor.into())?.done(Action::Import, detail) };
        Ok(match failure {
            Some(reason) => Event { outcome: EventOutcome::Failed, reason: Some(reason), ..event },
            None => event,
        })
    }

    /// Checks that the caller may remove all imports, and refuses the removal otherwise.
    pub(crate) async fn may_remove_imports(&self, caller: Caller<'_>) -> Result<(), Error> {
        let call = self.call_by(caller)?;
        self.permit(caller, &call, Right::Purge, Action::Purge, None).await?;
        if caller.scope() == Scope::All {
            return Ok(());
        }
        let verdict = Verdict::new(Refusal::NotFound, Reason::OutOfScope);
        Err(self.refuse(&call, Action::Purge, verdict, Place::Division(None)).await)
    }

    /// Returns the event of the removal of imports. The caller stores it together with their
    /// documents.
    pub(crate) fn imports_removed(
        &self,
        caller: Caller<'_>,
        number: usize,
    ) -> Result<Event, Error> {
        let detail = Detail::none().with("imports", &number.to_string());
        Ok(self.call_by(caller)?.done(Action::Purge, detail))
    }

    /// Returns the invitations of a batch that were created at an instant and are not deleted.
    pub(crate) async fn created_at(
        &self,
        actor: &Actor,
        batch: BatchId,
        at: Timestamp,
    ) -> Result<Vec<Record>, Error> {
        let until = Timestamp::from_micros(at.as_micros().saturating_add(1));
        let filter = Filter {
            batch: Some(batch),
            created: TimeRange { from: Some(at), until },
            ..Filter::all(self.now())
        };
        let mut page = PageRequest { after: None, limit: Limits::MAX_PAGE };
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let listed = self.store.list(actor.scope(), &filter, &page).await?;
            found.extend(listed.items);
            page.after = listed.next;
            if page.after.is_none() {
                return Ok(found);
            }
        }
        Err(StoreError::new(StoreErrorKind::Other, "import results").into())
    }

    /// Returns the code of an invitation; none if the store keeps none, or if it cannot be opened.
    pub(crate) fn shown_code(&self, record: &Record) -> Option<InvitationCode> {
        let shows = self.settings.sealing.shows(&record.sealed);
        if shows { self.open(record).ok() } else { None }
    }

    /// Refuses an import under a key that the user gave to another one.
    pub(crate) async fn refuse_key(&self, actor: &Actor) -> Error {
        let call = match self.call_by(actor.into()) {
            Ok(call) => call,
            Err(error) => return error.into(),
        };
        let verdict = Verdict::new(Refusal::IdempotencyKeyReused, Reason::IdempotencyKeyReused);
        let place = Place::named_or_home(None, actor.into());
        self.refuse(&call, Action::Create, verdict, place).await
    }
}
