//! A store with deliveries, and the people around it.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Action, Actor, Created, Division, Draft, Email, Error, Event, EventCriteria, InvitationId,
    Invitations, Limits, ManualClock, MemoryStore, Paging, Policy, Refusal, Role, SystemActor,
    Timestamp, UserId,
    delivery::{ClaimedDelivery, Deliveries, Delivery, DeliveryFailure, FailureKind, MessageId},
    feed::Feed,
};
use time::Duration;

pub(crate) type Done = Result<(), Box<dyn std::error::Error>>;

pub(crate) const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();
pub(crate) const LEASE: Duration = Duration::minutes(5);

pub(crate) struct House {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: ManualClock,
    pub(crate) invitations: Invitations<Arc<MemoryStore>>,
    pub(crate) deliveries: Deliveries<Arc<MemoryStore>>,
    pub(crate) worker: SystemActor,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Policy::default(), Limits::default())
    }

    pub(crate) fn with(policy: Policy, limits: Limits) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = ManualClock::new(Timestamp::from_micros(1_900_000_000_000_000).unwrap());
        let invitations = Invitations::new(Arc::clone(&store))
            .with_clock(clock.clone())
            .with_policy(policy)
            .with_limits(limits);
        let deliveries = Deliveries::new(invitations.clone(), Arc::<MemoryStore>::clone(&store));
        let worker = SystemActor::new("mail").unwrap();
        Self { store, clock, invitations, deliveries, worker }
    }

    pub(crate) async fn invite(&self, address: &str) -> Created {
        let draft = staff().for_email(Email::parse(address).unwrap());
        self.invitations.create(&admin(), draft).await.unwrap()
    }

    /// Queues the mails of all events from the beginning on.
    pub(crate) async fn queue(&self) -> usize {
        let page = self.store.feed(None, NonZeroU32::new(1_000).unwrap()).await.unwrap();
        let events: Vec<_> = page.events.into_iter().map(|one| one.event).collect();
        self.deliveries.queue(&events).await.unwrap()
    }

    pub(crate) async fn due(&self) -> Vec<Delivery> {
        self.deliveries.due(TEN).await.unwrap()
    }

    pub(crate) async fn claim(&self, delivery: &Delivery) -> Option<ClaimedDelivery> {
        self.deliveries.claim(&self.worker, delivery, LEASE, 3).await.unwrap()
    }

    /// Returns the only delivery of an invitation.
    pub(crate) async fn delivery_of(&self, id: InvitationId) -> Delivery {
        let page = self.deliveries.of_invitation(&admin(), id, Paging::default()).await.unwrap();
        let [delivery] = page.items() else { panic!("{} deliveries", page.items().len()) };
        delivery.clone()
    }

    pub(crate) async fn events(&self, action: Action) -> Vec<Event> {
        let criteria = EventCriteria::new().of_action(action);
        let page = self.invitations.events(&admin(), &criteria, Paging::default()).await.unwrap();
        page.items
    }

    pub(crate) async fn fail(&self, id: InvitationId) -> Delivery {
        self.queue().await;
        let claimed = self.claim(&self.delivery_of(id).await).await.unwrap();
        let refused = DeliveryFailure::new(FailureKind::Refused).with_reply(550);
        assert!(self.deliveries.failed(&self.worker, &claimed, refused, None).await.unwrap());
        self.delivery_of(id).await
    }
}

pub(crate) fn staff() -> Draft {
    Draft::new().with_role(Role::new("staff").unwrap()).in_division(division("sales"))
}

pub(crate) fn division(name: &str) -> Division {
    Division::new(name).unwrap()
}

pub(crate) fn admin() -> Actor {
    Actor::across_divisions(UserId::new("u-admin").unwrap(), Role::new("admin").unwrap())
}

pub(crate) fn manager(of: &str) -> Actor {
    let role = Role::new("manager").unwrap();
    Actor::in_division(UserId::new("u-manager").unwrap(), role, division(of))
}

pub(crate) fn message(delivery: &Delivery) -> MessageId {
    MessageId::new(delivery.id(), &"example.com".parse().unwrap())
}

pub(crate) fn refusal<T>(answer: Result<T, Error>) -> Option<Refusal> {
    answer.err().and_then(|error| error.refusal().cloned())
}

pub(crate) fn message_of(claimed: &ClaimedDelivery) -> MessageId {
    message(claimed.delivery())
}
