//! The harness of a test: one store, one clock, one service.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Actor, Clock, Created, Draft, Error, Event, EventFilter, Filter, Invitation, InvitationId,
    Invitations, Limits, ManualClock, Record, Refusal, Reservation, Reserved, Scope, Sealing,
    Store, Target, Timestamp, UserId,
};

use super::{
    reads::{all_events, all_invitations},
    samples::{admin, division, newcomer, role, start, user},
};
use crate::{Fixture, SeededEntropy};

pub(crate) type Service = Invitations<Arc<dyn Store>>;

/// The store under test, with a manual clock and a service on it.
pub(crate) struct Harness {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: ManualClock,
    pub(crate) service: Service,
    /// The fixture, which lives as long as the test.
    fixture: Arc<Fixture>,
}

impl Harness {
    pub(crate) fn new(fixture: Fixture) -> Self {
        let (store, clock) = (fixture.store(), ManualClock::new(start()));
        let service = Invitations::new(Arc::clone(&store))
            .with_clock(clock.clone())
            .with_entropy(SeededEntropy::new(1));
        Self { store, clock, service, fixture: Arc::new(fixture) }
    }

    /// Creates a harness without a limit of refusals per minute: every refusal is written
    /// individually.
    pub(crate) fn with_unlimited_denials(fixture: Fixture) -> Self {
        let harness = Self::new(fixture);
        let limits = Limits::default().with_denials_per_minute(std::num::NonZeroU32::MAX);
        Self { service: harness.service.with_limits(limits), ..harness }
    }

    /// Returns a harness of the same store, whose service stores codes in another way.
    pub(crate) fn with_sealing(&self, sealing: Sealing) -> Self {
        Self {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            service: self.service.clone().with_sealing(sealing),
            fixture: Arc::clone(&self.fixture),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Creates an invitation as the administrator, for staff in sales unless the draft
    /// says otherwise.
    pub(crate) async fn create(&self, draft: Draft) -> Created {
        let draft = match draft.role() {
            Some(_) => draft,
            None => draft.with_role(role("staff")),
        };
        self.service.create(&admin(), draft).await.expect("the administrator may create it")
    }

    /// Creates an invitation as [`Self::create`] does, with several uses.
    pub(crate) async fn create_for_uses(&self, uses: u32) -> Created {
        self.create(Draft::new().for_uses(NonZeroU32::new(uses).expect("at least one use"))).await
    }

    /// Reserves a use of the code for a newcomer of that name.
    #[track_caller]
    pub(crate) fn reserve(
        &self,
        code: &str,
        name: &str,
    ) -> impl Future<Output = Reservation> + Send {
        let (service, code) = (self.service.clone(), code.to_owned());
        let newcomer = newcomer(name);
        async move { reserved(service.reserve(&code, &newcomer).await) }
    }

    /// Returns the facts as they are stored, tombstones included.
    pub(crate) async fn stored(&self, id: InvitationId) -> Record {
        let found = self.store.get(&Target::Id(id), &Scope::All).await.expect("the store answers");
        found.expect("the invitation is stored")
    }

    /// Returns the invitation as a host sees it.
    pub(crate) async fn shown(&self, id: InvitationId) -> Invitation {
        self.stored(id).await.into()
    }

    /// Returns all events that match, newest first.
    pub(crate) async fn events_matching(&self, filter: &EventFilter) -> Vec<Event> {
        all_events(&*self.store, &Scope::All, filter, 200).await
    }

    /// Returns all events, newest first.
    pub(crate) async fn events(&self) -> Vec<Event> {
        self.events_matching(&EventFilter::default()).await
    }

    /// Returns all events of this user, newest first.
    pub(crate) async fn events_by_user(&self, user: &UserId) -> Vec<Event> {
        self.events_matching(&EventFilter { user: Some(user.clone()), ..EventFilter::default() })
            .await
    }

    /// Returns all events about this invitation, newest first.
    pub(crate) async fn events_of_invitation(&self, id: InvitationId) -> Vec<Event> {
        self.events_matching(&EventFilter { invitation: Some(id), ..EventFilter::default() }).await
    }

    /// Returns all invitations that are not deleted, and all events.
    pub(crate) async fn snapshot(&self) -> (Vec<Record>, Vec<Event>) {
        let filter = Filter::all(self.now());
        (all_invitations(&*self.store, &Scope::All, &filter, 200).await, self.events().await)
    }
}

/// Returns the refusal of a call; fails the test if the call was not refused.
#[track_caller]
pub(crate) fn refusal<T>(answer: Result<T, Error>) -> Refusal {
    match answer {
        Err(Error::Refused(refused)) => refused.refusal().clone(),
        Err(other) => panic!("expected a refusal, not the error {other:?}"),
        Ok(_) => panic!("expected a refusal, not a success"),
    }
}

/// Returns the reservation of a call; fails the test if the call made none.
#[track_caller]
pub(crate) fn reserved(answer: Result<Reserved, Error>) -> Reservation {
    match answer {
        Ok(Reserved::Open(reservation)) => reservation,
        other => panic!("expected a reservation, not {other:?}"),
    }
}

/// Returns a new actor of `role`, based in `division`, without earlier calls.
pub(crate) fn fresh_actor(n: usize, role_name: &str, home: Option<&str>) -> Actor {
    let (user, role) = (user(&format!("u-{role_name}-{n}")), role(role_name));
    match home {
        Some(name) => Actor::in_division(user, role, division(name)),
        None => Actor::across_divisions(user, role).based_in(division("sales")),
    }
}
