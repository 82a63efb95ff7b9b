//! The store that keeps everything in memory: the executable specification.

use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
    hash::{BuildHasher, Hasher},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{
    actor::Scope,
    change::Change,
    code::CodeDigest,
    error::StoreError,
    event::Event,
    id::{EventId, InvitationId},
    invitation::{Facts, Invitation, Redemption},
    query::{EventFilter, EventListing, Filter, Listing, Page, Position, Slice, Tally},
    store::{Durability, Inserted, Located, NewInvitation, Outcome, Store},
    text::UserId,
    time::Timestamp,
    transition::{Target, Transition},
};

/// Keeps everything in memory, for as long as it lives. For tests, for trying
/// things out, and as the specification of what a store does: every rule here is
/// a call of the function that defines it, under one lock.
///
/// A lookup costs the same at any size; a list or a count looks at every
/// invitation.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    invitations: Vec<Stored>,
    by_id: HashMap<InvitationId, usize, Uniform>,
    by_digest: HashMap<CodeDigest, usize, Uniform>,
    newest: BTreeMap<(Timestamp, InvitationId), usize>,
    events: Vec<Event>,
    events_by_id: HashMap<EventId, usize, Uniform>,
    newest_events: BTreeMap<(Timestamp, EventId), usize>,
}

/// Hashes keys that are random already, ids and digests of this library's own
/// making: their last bytes.
#[derive(Clone, Default, Debug)]
struct Uniform(u64);

impl BuildHasher for Uniform {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for Uniform {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            let last = u64::from_be_bytes(*last);
            // The end of an id is its random part; spread it over all bits.
            self.0 = last ^ last.rotate_left(32);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Debug)]
struct Stored {
    invitation: Invitation,
    /// Of codes for several uses; that of a single-use one is its `last_use`.
    redemptions: HashMap<UserId, Redemption>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change below is complete before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn redemption_of(&self, user: &UserId) -> Option<&Redemption> {
        let last = self.invitation.last_use.as_ref();
        last.filter(|last| last.user == *user).or_else(|| self.redemptions.get(user))
    }
}

impl State {
    fn find(&self, target: &Target) -> Option<usize> {
        match target {
            Target::Id(id) => self.by_id.get(id).copied(),
            Target::Code(digests) => {
                digests.iter().find_map(|digest| self.by_digest.get(digest).copied())
            }
        }
    }

    fn find_in(&self, target: &Target, scope: &Scope) -> Option<usize> {
        self.find(target)
            .filter(|slot| scope.contains(&self.invitations[*slot].invitation.division))
    }

    fn insert(&mut self, rows: &[NewInvitation]) -> Inserted {
        let mut new = HashSet::with_capacity(rows.len());
        let taken = |digest| self.by_digest.contains_key(digest);
        if rows
            .iter()
            .any(|row| taken(&row.invitation.digest) || !new.insert(row.invitation.digest))
        {
            return Inserted::CodeTaken;
        }
        for NewInvitation { invitation, event } in rows {
            let slot = self.invitations.len();
            self.by_id.insert(invitation.id, slot);
            self.by_digest.insert(invitation.digest, slot);
            self.newest.insert((invitation.created_at, invitation.id), slot);
            self.invitations
                .push(Stored { invitation: invitation.clone(), redemptions: HashMap::new() });
            self.write(event.clone());
        }
        Inserted::Stored
    }

    fn apply(&mut self, transition: &Transition) -> Outcome {
        let Some(slot) = self.find_in(transition.target(), transition.scope()) else {
            return Outcome::Missing;
        };
        let stored = &self.invitations[slot];
        let mine = transition.redeemer().and_then(|user| stored.redemption_of(user)).cloned();
        let mut facts = Box::new(Facts { invitation: stored.invitation.clone(), mine });
        if let Some(slot) = self.events_by_id.get(&transition.event().id) {
            // Under the id of something else, nothing can be written.
            let same = self.events[*slot].invitation == Some(facts.invitation.id);
            return if same { Outcome::Replayed(facts) } else { Outcome::Refused(facts) };
        }
        if transition.guard().first_refusal(&facts).is_some() {
            return Outcome::Refused(facts);
        }
        if let Change::Rotate { digest, .. } = transition.change() {
            if self.by_digest.contains_key(digest) {
                return Outcome::CodeTaken;
            }
            self.by_digest.remove(&facts.invitation.digest);
            self.by_digest.insert(*digest, slot);
        }
        transition.change().apply_to(&mut facts);
        self.keep(slot, &facts, transition.event());
        Outcome::Applied(facts)
    }

    fn keep(&mut self, slot: usize, facts: &Facts, event: &Event) {
        let stored = &mut self.invitations[slot];
        if let Some(mine) = &facts.mine
            && facts.invitation.max_uses.get() > 1
        {
            stored.redemptions.insert(mine.user.clone(), mine.clone());
        }
        stored.invitation = facts.invitation.clone();
        self.write(event.clone().about(&facts.invitation));
    }

    /// Writes an event; one that is there already stays as it is.
    fn write(&mut self, event: Event) {
        if let Entry::Vacant(vacant) = self.events_by_id.entry(event.id) {
            vacant.insert(self.events.len());
            self.newest_events.insert((event.at, event.id), self.events.len());
            self.events.push(event);
        }
    }

    fn matching<'s>(
        &'s self,
        scope: &Scope,
        filter: &Filter,
        after: Option<Position<InvitationId>>,
    ) -> impl Iterator<Item = &'s Invitation> {
        self.newest
            .range((Bound::Unbounded, before(after)))
            .rev()
            .map(|(_, slot)| &self.invitations[*slot].invitation)
            .filter(move |found| scope.contains(&found.division) && filter.matches(found))
    }
}

/// The end of what is older than a position.
fn before<I>(after: Option<Position<I>>) -> Bound<(Timestamp, I)> {
    after.map_or(Bound::Unbounded, |Position { at, id }| Bound::Excluded((at, id)))
}

/// One more than the page holds, to see whether there is more.
fn one_more(limit: u32) -> usize {
    usize::try_from(limit).map_or(usize::MAX, |limit| limit.saturating_add(1))
}

#[async_trait]
impl Store for MemoryStore {
    fn durability(&self) -> Durability {
        Durability::Own
    }

    async fn insert(&self, rows: &[NewInvitation]) -> Result<Inserted, StoreError> {
        Ok(self.state().insert(rows))
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        let mut state = self.state();
        transitions.iter().map(|transition| Ok(state.apply(transition))).collect()
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Invitation>, StoreError> {
        let state = self.state();
        Ok(state.find_in(target, scope).map(|slot| state.invitations[slot].invitation.clone()))
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        let state = self.state();
        Ok(state.find(target).map(|slot| {
            let Invitation { id, division, .. } = &state.invitations[slot].invitation;
            Located { id: *id, division: division.clone() }
        }))
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &Page<InvitationId>,
    ) -> Result<Listing, StoreError> {
        let state = self.state();
        let found = state.matching(scope, filter, page.after).take(one_more(page.limit)).cloned();
        let position = |last: &Invitation| Position { at: last.created_at, id: last.id };
        Ok(Slice::from_one_more(found.collect(), page.limit, position))
    }

    async fn count(&self, scope: &Scope, filter: &Filter, cap: u32) -> Result<Tally, StoreError> {
        let state = self.state();
        let mut tally = Tally::default();
        for invitation in state.matching(scope, filter, None) {
            let number = tally.of_mut(invitation.status(filter.now));
            *number = number.saturating_add(1).min(cap.saturating_add(1));
        }
        Ok(tally)
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
        page: &Page<EventId>,
    ) -> Result<EventListing, StoreError> {
        let within = |event: &&Event| match scope {
            Scope::All => true,
            Scope::Division(own) => event.division.as_ref() == Some(own),
        };
        let state = self.state();
        let found = state
            .newest_events
            .range((Bound::Unbounded, before(page.after)))
            .rev()
            .map(|(_, slot)| &state.events[*slot])
            .filter(within)
            .filter(|event| filter.matches(event))
            .take(one_more(page.limit))
            .cloned();
        let position = |last: &Event| Position { at: last.at, id: last.id };
        Ok(Slice::from_one_more(found.collect(), page.limit, position))
    }
}
