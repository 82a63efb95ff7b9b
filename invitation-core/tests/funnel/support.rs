//! Events of invitations, and a store whose calls can be ended.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::{
    Action, Actor, BatchId, Division, Event, EventId, EventOutcome, Intercept, Interceptor,
    InvitationId, MemoryStore, Operation, Performer, Role, StoreCall, StoreError, StoreErrorKind,
    Timestamp, UserId, Username,
    audit::{Detail, RequestContext},
    funnel::{FunnelCounter, FunnelFigures},
};
use tokio::task::yield_now;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000).expect("a time")
}

pub(crate) fn division(name: &str) -> Division {
    Division::new(name).expect("a division")
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).expect("an id")
}

pub(crate) fn admin() -> Actor {
    Actor::across_divisions(user("ada"), Role::new("admin").expect("a role"))
}

pub(crate) fn manager(of: &str) -> Actor {
    Actor::in_division(user("mia"), Role::new("manager").expect("a role"), division(of))
}

pub(crate) fn batch(n: u8) -> BatchId {
    BatchId::from_bytes([n; 16])
}

pub(crate) fn invitation(n: u8) -> InvitationId {
    InvitationId::from_bytes([n; 16])
}

/// Returns an event about an invitation, with an id of its own.
pub(crate) fn event(action: Action, n: u8, of: &Division, time: Timestamp) -> Event {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut id = [7; 16];
    id[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Event {
        id: EventId::from_bytes(id),
        at: time,
        performer: Performer::Redeemer {
            user: user("u-9"),
            username: Username::new("anna").expect("a name"),
        },
        action,
        outcome: EventOutcome::Succeeded,
        reason: None,
        invitation: Some(invitation(n)),
        division: Some(of.clone()),
        context: RequestContext::default(),
        detail: Detail::none(),
    }
}

/// Returns the event of a creation.
pub(crate) fn creation(
    n: u8,
    of: &Division,
    time: Timestamp,
    by: Option<&str>,
    in_batch: Option<BatchId>,
    max_uses: u32,
) -> Event {
    let performer = match by {
        Some(by) => Performer::Actor {
            user: user(by),
            role: Role::new("manager").expect("a role"),
            name: None,
        },
        None => Performer::System { name: None },
    };
    let detail = Detail::none().with("max_uses", &max_uses.to_string());
    let detail = match in_batch {
        Some(batch) => detail.with("batch", &batch.to_string()),
        None => detail,
    };
    Event { performer, detail, ..event(Action::Create, n, of, time) }
}

/// Returns the numbers in the order: created, sent, redeemed, redemptions, open, used, revoked,
/// deleted, and those of the times.
pub(crate) fn numbers(figures: &FunnelFigures) -> Vec<u64> {
    let mut numbers = vec![
        figures.created(),
        figures.sent(),
        figures.redeemed(),
        figures.redemptions(),
        figures.open(),
        figures.used(),
        figures.revoked(),
        figures.deleted(),
    ];
    numbers.extend(figures.times().iter().map(|(_, number)| number));
    numbers
}

/// How a write of the counter ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// It fails before it does anything.
    FailsBefore,
    /// It is done, but its answer is lost.
    AnswerLost,
    /// It never begins: the counter is killed.
    KilledBefore,
    /// It is done, and the counter is killed before the answer arrives.
    KilledAfter,
}

/// The end of the n-th write from now on, counted from 0; all others succeed.
#[derive(Debug)]
pub(crate) struct Ending {
    left: AtomicU64,
    end: End,
}

impl Ending {
    pub(crate) fn at(write: u64, end: End) -> Self {
        Self { left: AtomicU64::new(write + 1), end }
    }

    pub(crate) fn never() -> Self {
        Self { left: AtomicU64::new(0), end: End::FailsBefore }
    }
}

#[async_trait]
impl Interceptor for Ending {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        yield_now().await;
        if !operation.is_write() {
            let _ = call.await;
            return Ok(());
        }
        let take = |left: u64| Some(left.saturating_sub(1));
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        let ends = left == Ok(1);
        let failed = |kind| Err(StoreError::new(kind, operation.as_str()));
        match self.end {
            End::FailsBefore if ends => return failed(StoreErrorKind::Unavailable),
            End::KilledBefore if ends => std::future::pending().await,
            _ => {}
        }
        let _ = call.await;
        match self.end {
            End::AnswerLost if ends => failed(StoreErrorKind::OutcomeUnknown),
            End::KilledAfter if ends => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

/// Returns a counter of the store whose writes end so.
pub(crate) fn counter(
    store: &Arc<MemoryStore>,
    ending: Ending,
    page: u32,
) -> FunnelCounter<Intercept<Arc<MemoryStore>, Ending>> {
    let store = Intercept::new(Arc::clone(store), ending);
    FunnelCounter::new(store).with_page_size(NonZeroU32::new(page).expect("not zero"))
}

/// Counts all events.
pub(crate) async fn count_all(store: &Arc<MemoryStore>) {
    while FunnelCounter::new(store).run().await.expect("it counts").more {}
}
