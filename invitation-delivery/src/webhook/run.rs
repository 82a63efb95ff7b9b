//! The worker: from the feed to the endpoints.

use std::num::NonZeroU32;

use futures_util::stream::{self, StreamExt as _};
use invitation_core::{
    Timestamp,
    audit::Event,
    documents::{Document, DocumentName, Documents},
    feed::{FeedCursor, FeedEvent, FeedPage, FeedPosition, FeedRetention},
    webhook::{EndpointState, given_up_event},
};
use time::Duration;

use super::{
    Webhooks,
    endpoint::FailureCause,
    error::WebhookError,
    manage::Pages,
    payload,
    stored::{self, BlockingEvent, EndpointRecord},
    transport::Message,
};

/// The number of endpoints that one run sends to at the same time.
const CONCURRENCY: usize = 16;

/// The number of events that a worker has in memory for an endpoint.
const PAGE: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// The time after which a run turns to the next endpoint, although this one has more events.
const TURN: Duration = Duration::seconds(30);

/// The time between two saves of an endpoint's position. After a crash, the events since the last
/// save come again.
const SAVE_EVERY: Duration = Duration::seconds(20);

/// The answer of a receiver that wants no more messages (Standard Webhooks, "Deliverability").
const GONE: FailureCause = FailureCause::Status(410);

/// What one [run](Webhooks::run) did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Run {
    /// The number of messages that receivers accepted.
    pub delivered: u64,
    /// The number of failed attempts.
    pub failed: u64,
    /// The endpoints that this run stopped after the last attempt. They wait for a person.
    pub stopped: Vec<DocumentName>,
    /// The endpoints that this run disabled, because they have failed for [too
    /// long](Webhooks::with_patience). Their events may be purged.
    pub disabled: Vec<DocumentName>,
    /// Whether an endpoint has more events already, so that the next run need not wait.
    pub is_more: bool,
}

impl Run {
    fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.stopped.extend(other.stopped);
        self.disabled.extend(other.disabled);
        self.is_more |= other.is_more;
    }
}

/// An endpoint that this worker has claimed.
struct Claimed {
    document: Document,
    record: EndpointRecord,
    claim: String,
    saved: Timestamp,
    /// The event that is stored with the next save, if the endpoint was stopped.
    evidence: Vec<Event>,
}

/// What becomes of a claim when the endpoint is saved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Saving {
    Keep,
    Release,
}

impl<S: Documents + FeedRetention> Webhooks<S> {
    /// Sends the endpoints the events that are due, up to 16 endpoints at the same time. An
    /// endpoint with many events gets them for 30 seconds; then the run ends, and
    /// [`Run::is_more`] is set.
    ///
    /// Each machine calls this from a task of its own, for example every few seconds. An endpoint
    /// is worked on by one machine at a time. If the machine crashes, or the call is cancelled,
    /// another call continues after the lease: 60 seconds and twice the timeout of a request.
    ///
    /// A run also brings the cursors of the endpoints in line with them, and disables those that
    /// have failed for [too long](Self::with_patience).
    ///
    /// One call to the store, one for each 100 endpoints, and one for each endpoint. For an endpoint
    /// with events, three more for each 100 events, and four at its end.
    ///
    /// # Errors
    ///
    /// The first [`WebhookError`] of an endpoint; the other endpoints get their events
    /// nevertheless. A failed attempt is no error. The call may be repeated.
    pub async fn run(&self) -> Result<Run, WebhookError> {
        let mut run = Run::default();
        let mut first_error = None;
        let mut pages = Pages::default();
        // Before the documents: an endpoint that is registered later has no cursor here.
        let mut cursors = self.endpoint_cursors().await?;
        while let Some(documents) = self.next_page(&mut pages).await? {
            // Boxed, because the compiler cannot prove otherwise that the future is `Send`.
            let work = documents.into_iter().map(|one| {
                let cursor = cursors.remove(&stored::cursor(&one.key.name));
                Box::pin(self.work(one, cursor))
            });
            let mut results = stream::iter(work.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY);
            while let Some(result) = results.next().await {
                match result {
                    Ok(one) => run.add(one),
                    Err(error) => first_error = first_error.or(Some(error)),
                }
            }
        }
        self.release_all(cursors).await?;
        first_error.map_or(Ok(run), Err)
    }

    /// Sends an endpoint the events that are due, and brings its cursor in line.
    async fn work(
        &self,
        document: Document,
        cursor: Option<FeedCursor>,
    ) -> Result<Run, WebhookError> {
        let name = document.key.name.clone();
        let Some(record) = EndpointRecord::decode(&document, &self.vault)? else {
            return Ok(Run::default());
        };
        self.align(&name, &record, cursor.as_ref()).await?;
        let now = self.clock.now();
        if record.is_overdue(now, self.patience) {
            return self.give_up(document, &record).await;
        }
        if record.state != EndpointState::Active || record.due.is_none_or(|due| due > now) {
            return Ok(Run::default());
        }
        self.send_all(document, record, now).await
    }

    /// Disables an endpoint that has been stopped for too long.
    async fn give_up(
        &self,
        document: Document,
        record: &EndpointRecord,
    ) -> Result<Run, WebhookError> {
        let (name, now) = (document.key.name.clone(), self.clock.now());
        let event = self.given_up(&name, EndpointState::Disabled, record.failure, now)?;
        let edit = |record: &mut EndpointRecord| {
            let is_overdue = record.is_overdue(now, self.patience);
            record.disable();
            Ok(is_overdue.then_some(()))
        };
        if self.update(document, &[event], edit).await?.is_none() {
            return Ok(Run::default());
        }
        self.release(&name).await?;
        Ok(Run { disabled: vec![name], ..Run::default() })
    }

    /// Sends an endpoint the events that are due.
    async fn send_all(
        &self,
        document: Document,
        record: EndpointRecord,
        begun: Timestamp,
    ) -> Result<Run, WebhookError> {
        let mut page = self.store.feed(record.position, PAGE).await?;
        if page.events.is_empty() {
            // An endpoint without events costs no write.
            return Ok(Run { is_more: page.more, ..Run::default() });
        }
        let Some(mut claimed) = self.claim(document, record, begun).await? else {
            return Ok(Run::default());
        };
        let mut run = Run::default();
        loop {
            let end = match self.page(&mut claimed, &page, begun, &mut run).await? {
                // Without an event, the position is the same, and so may be the next page.
                Step::Continue if page.more && !page.events.is_empty() => Saving::Keep,
                Step::Continue => {
                    run.is_more |= page.more;
                    Saving::Release
                }
                Step::Release => Saving::Release,
                Step::Lost => return Ok(run),
            };
            let is_held = self.save(&mut claimed, end).await?;
            if !is_held {
                return Ok(run);
            }
            if end == Saving::Release {
                let (name, record) = (&claimed.document.key.name, &claimed.record);
                match record.state {
                    EndpointState::Disabled => self.release(name).await?,
                    _ => self.hold(name, record.position).await?,
                }
                return Ok(run);
            }
            page = self.store.feed(claimed.record.position, PAGE).await?;
        }
    }

    /// Sends an endpoint the events of a page.
    async fn page(
        &self,
        claimed: &mut Claimed,
        page: &FeedPage,
        begun: Timestamp,
        run: &mut Run,
    ) -> Result<Step, WebhookError> {
        for FeedEvent { position, event } in &page.events {
            let now = self.clock.now();
            if now.since(begun) >= TURN {
                run.is_more = true;
                return Ok(Step::Release);
            }
            if now.since(claimed.saved) >= SAVE_EVERY && !self.save(claimed, Saving::Keep).await? {
                return Ok(Step::Lost);
            }
            let body = payload::of(event, &claimed.record.settings);
            let body = body.map_err(|error| WebhookError::Sign(error.into()))?;
            if let Some(body) = body {
                let id = event.id.to_string();
                let timestamp = payload::seconds(now);
                let signature = claimed.record.sign(now, &id, timestamp, &body)?;
                let message = Message { id: &id, timestamp, signature: &signature, body };
                if let Err(cause) = self.sender.send(&claimed.record.settings.url, message).await {
                    run.failed += 1;
                    let before = claimed.record.failure.filter(|one| one.event == event.id);
                    let at = self.clock.now();
                    let failure = BlockingEvent {
                        event: event.id,
                        position: *position,
                        attempts: before.map_or(0, |one| one.attempts).saturating_add(1),
                        at,
                        since: before.map_or(at, |one| one.since),
                        patient_from: before.map_or(at, |one| one.patient_from),
                        cause,
                    };
                    self.fail(&mut claimed.record, failure);
                    let (name, state) = (&claimed.document.key.name, claimed.record.state);
                    let given_up = match state {
                        EndpointState::Stopped => &mut run.stopped,
                        EndpointState::Disabled => &mut run.disabled,
                        _ => return Ok(Step::Release),
                    };
                    given_up.push(name.clone());
                    claimed.evidence.push(self.given_up(name, state, Some(failure), at)?);
                    return Ok(Step::Release);
                }
                run.delivered += 1;
                claimed.record.last_success = Some(now);
            }
            claimed.record.accept(*position, now);
        }
        Ok(Step::Continue)
    }

    /// Records a failed attempt, and decides whether there is another one.
    fn fail(&self, record: &mut EndpointRecord, failure: BlockingEvent) {
        let is_overdue = failure.at.since(failure.patient_from) >= self.patience;
        let wait = self.backoff.wait_after(failure.attempts);
        // A longer wait would hold events back for longer than the host wants.
        let wait = wait.map(|wait| wait.min(self.patience));
        let wait = wait.filter(|_| failure.cause != GONE && !is_overdue);
        record.failure = Some(failure);
        record.due = wait.map(|wait| failure.at.checked_add(wait).unwrap_or(Timestamp::MAX));
        record.state = match wait {
            Some(_) => EndpointState::Active,
            None if is_overdue => EndpointState::Disabled,
            None => EndpointState::Stopped,
        };
    }

    /// Claims an endpoint; none if another worker was first, or the endpoint was changed.
    async fn claim(
        &self,
        document: Document,
        mut record: EndpointRecord,
        now: Timestamp,
    ) -> Result<Option<Claimed>, WebhookError> {
        let mut random = [0; 16];
        self.vault.entropy.fill(&mut random)?;
        let claim = format!("{:032x}", u128::from_be_bytes(random));
        let due = record.due;
        record.claim = Some(claim.clone());
        record.due = Some(self.end_of_lease(now));
        let next = record.encode(document.next(document.state.clone()), &self.vault)?;
        let is_first = self.store.replace_documents(std::slice::from_ref(&next), &[]).await?;
        record.due = due;
        Ok(is_first.then_some(Claimed {
            document: next,
            record,
            claim,
            saved: now,
            evidence: Vec::new(),
        }))
    }

    /// Saves how far the endpoint is. Returns false if another worker has it now, or if it was
    /// removed; then nothing is saved.
    async fn save(&self, claimed: &mut Claimed, saving: Saving) -> Result<bool, WebhookError> {
        let now = self.clock.now();
        let own = &claimed.record;
        let edit = |stored: &mut EndpointRecord| {
            if stored.claim.as_ref() != Some(&claimed.claim) {
                return Ok(None);
            }
            // The rest may have been changed by the host meanwhile, such as the secrets.
            (stored.position, stored.failure) = (own.position, own.failure);
            (stored.state, stored.due) = (own.state, own.due);
            stored.last_success = own.last_success;
            match saving {
                Saving::Keep => stored.due = Some(self.end_of_lease(now)),
                Saving::Release => stored.claim = None,
            }
            Ok(Some(()))
        };
        match self.update(claimed.document.clone(), &claimed.evidence, edit).await {
            Ok(Some((document, mut record, ()))) => {
                record.due = own.due;
                let (claim, evidence) = (claimed.claim.clone(), Vec::new());
                *claimed = Claimed { document, record, claim, saved: now, evidence };
                Ok(true)
            }
            Ok(None) | Err(WebhookError::UnknownEndpoint { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the event of an endpoint that is stopped or disabled, because it fails.
    fn given_up(
        &self,
        name: &DocumentName,
        state: EndpointState,
        failure: Option<BlockingEvent>,
        now: Timestamp,
    ) -> Result<Event, WebhookError> {
        let cause = failure.map(|one| one.cause.to_string()).unwrap_or_default();
        Ok(given_up_event(name, state, &cause, now, &*self.vault.entropy)?)
    }

    fn end_of_lease(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.lease).unwrap_or(Timestamp::MAX)
    }
}

/// How the work on an endpoint goes on after a page.
enum Step {
    Continue,
    Release,
    Lost,
}

impl EndpointRecord {
    /// Notes that the endpoint has accepted the event at this position, or does not get it.
    fn accept(&mut self, position: FeedPosition, now: Timestamp) {
        (self.position, self.failure, self.due) = (Some(position), None, Some(now));
    }

    /// Returns the signatures of a message by all secrets that are valid now.
    fn sign(
        &self,
        now: Timestamp,
        id: &str,
        timestamp: i64,
        body: &str,
    ) -> Result<String, WebhookError> {
        let valid = self.secrets.iter().filter(|one| one.until.is_none_or(|until| until > now));
        let signatures = valid.map(|one| one.secret.sign(id, timestamp, body));
        let signatures = signatures.collect::<Result<Vec<_>, _>>();
        Ok(signatures.map_err(|error| WebhookError::Sign(error.into()))?.join(" "))
    }
}
