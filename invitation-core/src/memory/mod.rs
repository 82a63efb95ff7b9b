//! The in-memory store: the executable specification of [`Store`].

mod budgets;
mod documents;
mod erasure;
mod feed;
mod look_up;
mod state;

use std::{
    cmp::Reverse,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use self::state::{State, Stored, before};
use crate::{
    event::Event,
    facts::Facts,
    id::{EventId, InvitationId},
    lease::OpenLease,
    outcome::Outcome,
    page::{PageRequest, StorePage},
    purge::{Purge, Purged},
    query::{EventFilter, Filter, ListOrder, Position},
    record::Record,
    redemption::Redemption,
    scope::Scope,
    status_counts::StatusCounts,
    store::{CommittedBy, Insert, Inserted, Invitee, Located, Store},
    store_error::StoreError,
    target::Target,
    text::UserId,
    time::Timestamp,
    transition::Transition,
};

/// A store in memory, whose contents are lost on drop. It serves for tests, for trying
/// things out, and as the specification of a store: every rule here is a call of the
/// function that defines it, under one lock.
///
/// A lookup takes constant time; a list or a count scans every invitation.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Criteria, Invitations, MemoryStore, Status};
/// # use invitation::{Actor, Division, Draft, Redeemer, Role, UserId, Username};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let store = MemoryStore::new();
/// // Services on a reference share the store, as those on a clone of a pool do.
/// let (invites, admits) = (Invitations::new(&store), Invitations::new(&store));
/// let code = invites.create(&manager, Draft::new()).await?.code().reveal();
/// let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
/// admits.redeem(&code, &anna).await?;
/// assert_eq!(invites.counts(&manager, &Criteria::new()).await?.of(Status::Used), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change completes before any code that could panic, so a poisoned state is
        // consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sorts items and returns one page of them, newest first.
fn newest<T>(
    mut found: Vec<T>,
    page: &PageRequest<EventId>,
    place: impl Fn(&T) -> Position<EventId>,
) -> StorePage<T, EventId> {
    found.sort_by_key(|item| Reverse(place(item)));
    found.retain(|item| page.after.is_none_or(|after| place(item) < after));
    StorePage::from_one_more(found, page.limit, place)
}

/// One item more than the page holds, to find out whether a next page exists.
fn one_more(limit: u32) -> usize {
    usize::try_from(limit).map_or(usize::MAX, |limit| limit.saturating_add(1))
}

#[async_trait]
impl Store for MemoryStore {
    fn committed_by(&self) -> CommittedBy {
        CommittedBy::Store
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        Ok(self.state().insert(insert))
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        let mut state = self.state();
        transitions.iter().map(|transition| Ok(state.apply(transition))).collect()
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError> {
        let state = self.state();
        Ok(state.find_in(target, scope).map(|slot| state.invitations[slot].invitation.clone()))
    }

    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError> {
        let state = self.state();
        let found = state.find_of(target, scope, user).map(|slot| &state.invitations[slot]);
        Ok(found.map(|stored| stored.facts(Some(user), None)))
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        let state = self.state();
        Ok(state.find(target).map(|slot| {
            let Record { id, division, .. } = &state.invitations[slot].invitation;
            Located { id: *id, division: division.clone() }
        }))
    }

    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        let state = self.state();
        let invited = state.invited(now);
        Ok(invitees.iter().map(|invitee| invited.contains(invitee)).collect())
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError> {
        let state = self.state();
        let position = |one: &Record| filter.order.position(one);
        let found: Vec<_> = match filter.order {
            ListOrder::NewestFirst => {
                let found = state.matching(scope, filter, page.after);
                found.take(one_more(page.limit)).cloned().collect()
            }
            ListOrder::SoonestExpiryFirst => {
                let is_after = |one: &&Record| {
                    page.after.is_none_or(|after| filter.order.is_after(&position(one), &after))
                };
                let mut found: Vec<_> =
                    state.matching(scope, filter, None).filter(is_after).collect();
                found.sort_unstable_by_key(|one| position(one));
                found.into_iter().take(one_more(page.limit)).cloned().collect()
            }
        };
        Ok(StorePage::from_one_more(found, page.limit, position))
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        let state = self.state();
        let mut counts = StatusCounts::up_to(cap);
        for invitation in state.matching(scope, filter, None) {
            counts.add(invitation.status(filter.now), 1);
        }
        Ok(counts)
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        let state = self.state();
        let found = state
            .find_in(&Target::Id(invitation), scope)
            .map(|slot| state.invitations[slot].redemptions())
            .unwrap_or_default();
        Ok(newest(found, page, |redemption| Position { at: redemption.at, id: redemption.id }))
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        let state = self.state();
        let within = |stored: &&Stored| scope.contains(&stored.invitation.division);
        let found = state.invitations.iter().filter(within).flat_map(Stored::open_leases).collect();
        Ok(newest(found, page, |open: &OpenLease| Position {
            at: open.lease.since,
            id: open.lease.id,
        }))
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        let mut state = self.state();
        for event in events {
            state.write(event.clone());
        }
        Ok(())
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        let within = |event: &&Event| match scope {
            Scope::All => true,
            Scope::Division(own) => event.division.as_ref() == Some(own),
        };
        let state = self.state();
        let found = state
            .newest_events
            .range((Bound::Unbounded, before(page.after)))
            .rev()
            .map(|(_, slot)| state.event(*slot))
            .filter(within)
            .filter(|event| filter.matches(event))
            .take(one_more(page.limit))
            .cloned();
        let position = |last: &Event| Position { at: last.at, id: last.id };
        Ok(StorePage::from_one_more(found.collect(), page.limit, position))
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        Ok(self.state().purge(purge))
    }
}
