//! Events of every kind, a feed of given events, and sealed logs of them.

#![allow(dead_code, clippy::allow_attributes, reason = "each test uses a part of it")]

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_audit::{
    FileLog, LogKey, LogOffset, LogPublicKey, LogStore, MemoryLog, Record, Sealer,
    SignedCheckpoint, Verdict, Verifier,
};
use invitation_core::{
    Division, InvitationId, Role, StoreError, Timestamp, UserId, Username,
    audit::{
        Action, CorrelationId, Detail, Event, EventId, EventOutcome, Performer, Reason,
        RequestContext, Source,
    },
    code::{Entropy, EntropyError},
    feed::{Feed, FeedEpoch, FeedEvent, FeedPage, FeedPosition},
};

/// Randomness for tests: every byte is the number of the test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed(pub(crate) u8);

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0);
        Ok(())
    }
}

/// The position of the event with this number. There is room for another event behind it.
pub(crate) fn position(number: u64) -> FeedPosition {
    FeedPosition { epoch: 1, transaction: 0, sequence: number * 10 }
}

/// The outcomes of the events, one after the other. The committed vectors contain the first of
/// them, so a new outcome goes to the end.
const OUTCOMES: [EventOutcome; 12] = {
    use EventOutcome::{Denied, Failed, Refused, Succeeded};
    [
        Succeeded, Refused, Denied, Succeeded, Refused, Denied, Succeeded, Refused, Denied,
        Succeeded, Refused, Failed,
    ]
};

/// The event of this number, with every field set that its performer allows.
pub(crate) fn event(number: u64, performer: Performer) -> FeedEvent {
    let byte = u8::try_from(number % 200).unwrap();
    let event = Event {
        id: EventId::from_bytes([byte; 16]),
        at: Timestamp::from_micros(1_700_000_000_000_000 + i64::from(byte)).unwrap(),
        performer,
        action: Action::ALL[usize::from(byte) % Action::ALL.len()],
        outcome: OUTCOMES[usize::from(byte) % OUTCOMES.len()],
        reason: Some(Reason::ALL[usize::from(byte) % Reason::ALL.len()]),
        invitation: Some(InvitationId::from_bytes([byte; 16])),
        division: Some(Division::new("sales").unwrap()),
        context: RequestContext {
            correlation: Some(CorrelationId::new("request-7").unwrap()),
            source: Some(Source::new("192.0.2.1").unwrap()),
        },
        detail: Detail::none().with("reason", "left").with("bound_to", "a***@example.com"),
    };
    FeedEvent { position: position(number), event }
}

pub(crate) fn performers() -> [Performer; 3] {
    let user = UserId::new("u-1").unwrap();
    [
        Performer::System { name: None },
        Performer::Actor { user: user.clone(), role: Role::new("admin").unwrap(), name: None },
        Performer::Redeemer { user, username: Username::new("anna").unwrap() },
    ]
}

/// Returns events with the numbers 1 to `count`. Their performers are of each kind in turn. Every
/// eighth event has no optional field.
pub(crate) fn events(count: u64) -> Vec<FeedEvent> {
    (1..=count)
        .map(|number| {
            let performer = performers()[usize::try_from(number % 3).unwrap()].clone();
            let full = event(number, performer);
            if number % 8 != 0 {
                return full;
            }
            let event = Event {
                reason: None,
                invitation: None,
                division: None,
                context: RequestContext::default(),
                detail: Detail::none(),
                ..full.event
            };
            FeedEvent { event, ..full }
        })
        .collect()
}

/// A feed of given events, in the given order. Each change of the epoch ends a page.
#[derive(Clone, Debug)]
pub(crate) struct ListFeed(pub(crate) Vec<FeedEvent>, pub(crate) Vec<FeedEpoch>);

impl ListFeed {
    pub(crate) fn new(events: Vec<FeedEvent>) -> Self {
        Self(events, vec![FeedEpoch::FIRST])
    }
}

#[async_trait]
impl Feed for ListFeed {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        let is_next = |one: &&FeedEvent| after < Some(one.position);
        let mut rest = self.0.iter().filter(is_next).peekable();
        let last = self.1.last().copied().unwrap();
        let of = |number| self.1.iter().find(|epoch| epoch.number == number).copied().unwrap();
        let epoch = rest.peek().map_or(last, |next| of(next.position.epoch));
        let limit = usize::try_from(limit.get()).unwrap();
        let events: Vec<_> = rest
            .take_while(|one| one.position.epoch == epoch.number)
            .take(limit)
            .cloned()
            .collect();
        let end = events.last().map(|event| event.position);
        let more = self.0.iter().any(|one| end.is_some() && end < Some(one.position));
        Ok(FeedPage { epoch, events, more })
    }
}

pub(crate) const ORIGIN: &str = "example.com/invitations";

pub(crate) fn key() -> LogKey {
    LogKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

pub(crate) fn public() -> LogPublicKey {
    key().public_key().clone()
}

/// A sealer with fixed salts and this page size.
pub(crate) fn sealer<F: Feed, L: LogStore>(feed: F, log: L, page: u32) -> Sealer<F, L> {
    Sealer::new(feed, log, key())
        .with_entropy(Fixed(1))
        .with_page_size(NonZeroU32::new(page).unwrap())
}

/// Seals all events of a feed, and returns the newest checkpoint.
pub(crate) async fn seal_all<F: Feed, L: LogStore>(sealer: &mut Sealer<F, L>) -> SignedCheckpoint {
    loop {
        let done = sealer.seal().await.unwrap();
        if !done.more {
            return done.checkpoint.unwrap();
        }
    }
}

/// The records of the log of these events, and its newest checkpoint.
pub(crate) async fn sealed(events: Vec<FeedEvent>, page: u32) -> (Vec<Record>, SignedCheckpoint) {
    let log = MemoryLog::new();
    let anchor = seal_all(&mut sealer(ListFeed::new(events), &log, page)).await;
    (records(&log).await, anchor)
}

pub(crate) async fn records(log: &impl LogStore) -> Vec<Record> {
    log.read(LogOffset::default(), NonZeroU32::MAX).await.unwrap().records
}

pub(crate) fn lines(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.to_line().unwrap()).collect()
}

/// Verifies a log in its text form.
pub(crate) fn verdict(text: &str, anchor: Option<&SignedCheckpoint>) -> Verdict {
    let mut verifier = Verifier::new([public()]);
    if let Some(anchor) = anchor {
        verifier = verifier.with_anchor(anchor).unwrap();
    }
    invitation_audit::verify_lines(text.as_bytes(), verifier).unwrap()
}

/// Opens a log of this text in a new folder.
pub(crate) fn file_log(text: &[u8]) -> (tempfile::TempDir, FileLog) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log"), text).unwrap();
    let log = FileLog::open(folder.path().join("log")).unwrap();
    (folder, log)
}
