//! The environment of a test: one store, one clock, one service.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Actor, Clock, Created, Draft, Error, Event, EventFilter, Filter, Invitation, InvitationId,
    Invitations, Limits, ManualClock, OpenLease, PageRequest, Redemption, Refusal, Reservation,
    Reserved, Scope, Store, Target, Timestamp, UserId,
};

use super::people::{admin, start};
use crate::Fixture;
use crate::SeededEntropy;

pub(super) type Service = Invitations<Arc<dyn Store>>;

/// The environment of one test.
pub(super) struct World {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: ManualClock,
    pub(super) service: Service,
    /// The fixture, which lives as long as the test.
    _fixture: Fixture,
}

impl World {
    pub(super) fn new(fixture: Fixture) -> Self {
        let (store, clock) = (fixture.store(), ManualClock::new(start()));
        let service = Invitations::new(Arc::clone(&store))
            .with_clock(clock.clone())
            .with_entropy(SeededEntropy::new(1));
        Self { store, clock, service, _fixture: fixture }
    }

    /// Creates a world whose budget is so large that every refusal is written
    /// individually.
    pub(super) fn unbounded(fixture: Fixture) -> Self {
        let world = Self::new(fixture);
        let limits = Limits::default().with_denials_per_minute(std::num::NonZeroU32::MAX);
        Self { service: world.service.with_limits(limits), ..world }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Creates an invitation as the administrator, for staff in sales unless the draft
    /// says otherwise.
    pub(super) async fn issue(&self, draft: Draft) -> Created {
        let draft = match draft.role() {
            Some(_) => draft,
            None => draft.with_role(super::people::role("staff")),
        };
        self.service.create(&admin(), draft).await.expect("the administrator may create it")
    }

    /// Creates an invitation as [`Self::issue`] does, with several uses.
    pub(super) async fn issue_for(&self, uses: u32) -> Created {
        self.issue(Draft::new().for_uses(NonZeroU32::new(uses).expect("at least one use"))).await
    }

    /// Reserves a use of the code for a newcomer of that name.
    #[track_caller]
    pub(super) fn reserve(
        &self,
        code: &str,
        name: &str,
    ) -> impl Future<Output = Reservation> + Send {
        let (service, code) = (self.service.clone(), code.to_owned());
        let newcomer = super::people::newcomer(name);
        async move { reserved(service.reserve(&code, &newcomer).await) }
    }

    /// Returns the facts as they are stored, tombstones included.
    pub(super) async fn stored(&self, id: InvitationId) -> Invitation {
        let found = self.store.get(&Target::Id(id), &Scope::All).await.expect("the store answers");
        found.expect("the invitation is stored")
    }

    /// Returns all events that match, newest first.
    pub(super) async fn events_like(&self, filter: &EventFilter) -> Vec<Event> {
        all_events(&*self.store, &Scope::All, filter, 200).await
    }

    /// Returns all events, newest first.
    pub(super) async fn events(&self) -> Vec<Event> {
        self.events_like(&EventFilter::default()).await
    }

    /// Returns all events of this user, newest first.
    pub(super) async fn events_of(&self, user: &UserId) -> Vec<Event> {
        self.events_like(&EventFilter { user: Some(user.clone()), ..EventFilter::default() }).await
    }

    /// Returns all events about this invitation, newest first.
    pub(super) async fn events_about(&self, id: InvitationId) -> Vec<Event> {
        self.events_like(&EventFilter { invitation: Some(id), ..EventFilter::default() }).await
    }

    /// Returns all invitations that are not deleted, and all events.
    pub(super) async fn everything(&self) -> (Vec<Invitation>, Vec<Event>) {
        let filter = Filter::all(self.now());
        (all_invitations(&*self.store, &Scope::All, &filter, 200).await, self.events().await)
    }
}

/// Returns all pages of a list, concatenated; checks that each page keeps to its limit.
pub(super) async fn all_invitations(
    store: &dyn Store,
    scope: &Scope,
    filter: &Filter,
    limit: u32,
) -> Vec<Invitation> {
    let (mut found, mut page) = (Vec::new(), PageRequest { after: None, limit });
    loop {
        let listing = store.list(scope, filter, &page).await.expect("the store lists");
        assert!(fits(listing.items.len(), limit), "a page has at most as many items as asked for");
        found.extend(listing.items);
        match listing.next {
            None => return found,
            next => assert_ne!(page.after, next, "each page leads further"),
        }
        page.after = listing.next;
    }
}

/// Returns all pages of events, concatenated; checks that each page keeps to its limit.
pub(super) async fn all_events(
    store: &dyn Store,
    scope: &Scope,
    filter: &EventFilter,
    limit: u32,
) -> Vec<Event> {
    let (mut found, mut page) = (Vec::new(), PageRequest { after: None, limit });
    loop {
        let listing = store.events(scope, filter, &page).await.expect("the store reads events");
        assert!(fits(listing.items.len(), limit), "a page has at most as many events as asked for");
        found.extend(listing.items);
        match listing.next {
            None => return found,
            next => assert_ne!(page.after, next, "each page leads further"),
        }
        page.after = listing.next;
    }
}

/// Returns all pages of leases, concatenated; checks that each page keeps to its limit.
pub(super) async fn all_leases(store: &dyn Store, scope: &Scope, limit: u32) -> Vec<OpenLease> {
    let (mut found, mut page) = (Vec::new(), PageRequest { after: None, limit });
    loop {
        let listing = store.leases(scope, &page).await.expect("the store lists leases");
        assert!(fits(listing.items.len(), limit), "a page has at most as many leases as asked for");
        found.extend(listing.items);
        match listing.next {
            None => return found,
            next => assert_ne!(page.after, next, "each page leads further"),
        }
        page.after = listing.next;
    }
}

/// Returns all pages of redemptions, concatenated; checks that each page keeps to its
/// limit.
pub(super) async fn all_redemptions(
    store: &dyn Store,
    scope: &Scope,
    id: InvitationId,
    limit: u32,
) -> Vec<Redemption> {
    let (mut found, mut page) = (Vec::new(), PageRequest { after: None, limit });
    loop {
        let listing = store.redemptions(scope, id, &page).await.expect("the store lists them");
        assert!(fits(listing.items.len(), limit), "a page has at most as many as asked for");
        found.extend(listing.items);
        match listing.next {
            None => return found,
            next => assert_ne!(page.after, next, "each page leads further"),
        }
        page.after = listing.next;
    }
}

fn fits(items: usize, limit: u32) -> bool {
    u32::try_from(items).is_ok_and(|items| items <= limit)
}

/// Returns the refusal of a call; fails the test if the call was not refused.
#[track_caller]
pub(super) fn refusal<T>(answer: Result<T, Error>) -> Refusal {
    match answer {
        Err(Error::Refused(refused)) => refused.refusal().clone(),
        Err(other) => panic!("expected a refusal, not the error {other:?}"),
        Ok(_) => panic!("expected a refusal, not a success"),
    }
}

/// Returns the reservation of a call; fails the test if the call made none.
#[track_caller]
pub(super) fn reserved(answer: Result<Reserved, Error>) -> Reservation {
    match answer {
        Ok(Reserved::Open(reservation)) => reservation,
        other => panic!("expected a reservation, not {other:?}"),
    }
}

/// Returns a new actor of `role`, based in `division`, without earlier calls.
pub(super) fn fresh_actor(n: usize, role: &str, division: Option<&str>) -> Actor {
    let user = super::people::user(&format!("u-{role}-{n}"));
    let role = super::people::role(role);
    match division {
        Some(division) => Actor::in_division(user, role, super::people::division(division)),
        None => Actor::across_divisions(user, role).based_in(super::people::division("sales")),
    }
}
