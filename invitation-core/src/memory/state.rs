//! The contents of the in-memory store, and the operations on them under the lock.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque, hash_map::Entry},
    hash::{BuildHasher, Hasher},
    ops::Bound,
};

use crate::{
    binding::Binding,
    code::CodeDigest,
    documents::{Document, DocumentKey},
    email::EmailKey,
    erasure::{ErasedEvent, ErasedParts, PersonErasure},
    event::Event,
    facts::Facts,
    feed::{CursorName, EventRemoval, EventsRemoved, FeedCursor},
    id::{EventId, InvitationId},
    lease::{Lease, OpenLease},
    outcome::Outcome,
    purge::{Purge, Purged},
    query::{Filter, Position},
    quota::{Quota, QuotaOf},
    record::Record,
    redemption::Redemption,
    request::{Fingerprint, IdempotentRequest, PriorRequest, RequestResults, ScopedIdempotencyKey},
    scope::Scope,
    store::{Insert, Inserted, Invitee, NewInvitation},
    text::{UserId, Username},
    throttle::{BudgetCount, BudgetKey},
    time::Timestamp,
    transition::Transition,
};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) invitations: Vec<Stored>,
    pub(super) by_id: HashMap<InvitationId, usize, Uniform>,
    pub(super) by_digest: HashMap<CodeDigest, usize, Uniform>,
    pub(super) newest: BTreeMap<(Timestamp, InvitationId), usize>,
    /// The events that are left, in the order of writing.
    pub(super) events: VecDeque<Event>,
    /// The number of removed events, which came before those that are left. The slot of an event
    /// counts them too.
    pub(super) removed_events: usize,
    events_by_id: HashMap<EventId, usize, Uniform>,
    pub(super) newest_events: BTreeMap<(Timestamp, EventId), usize>,
    requests: HashMap<ScopedIdempotencyKey, StoredRequest>,
    pub(super) cursors: HashMap<CursorName, FeedCursor>,
    pub(super) documents: HashMap<DocumentKey, Document>,
    pub(super) budgets: HashMap<BudgetKey, BudgetCount>,
}

/// The stored data of a request with an idempotency key.
#[derive(Debug)]
struct StoredRequest {
    fingerprint: Fingerprint,
    invitations: Vec<InvitationId>,
    results: Option<RequestResults>,
    /// The time from which the key counts as not stored.
    forgotten_at: Option<Timestamp>,
}

/// A hasher for keys that are already random (ids and digests that this library creates):
/// it takes their last bytes.
#[derive(Clone, Default, Debug)]
pub(super) struct Uniform(u64);

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
            // The end of an id is its random part; the rotation spreads it over all bits.
            self.0 = last ^ last.rotate_left(32);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Debug)]
pub(super) struct Stored {
    pub(super) invitation: Record,
    /// The redemptions of a multi-use invitation; that of a single-use one is its
    /// `last_use`.
    redemptions: HashMap<UserId, Redemption>,
    /// The leases, in no order.
    leases: Vec<Lease>,
}

impl Stored {
    pub(super) fn redemption_of(&self, user: &UserId) -> Option<&Redemption> {
        let last = self.invitation.last_use.as_ref();
        last.filter(|last| last.user == *user).or_else(|| self.redemptions.get(user))
    }

    fn redemption_with(&self, mailbox: &EmailKey) -> Option<&Redemption> {
        let all = self.invitation.last_use.iter().chain(self.redemptions.values());
        all.into_iter().find(|made| made.mailbox.as_ref() == Some(mailbox))
    }

    pub(super) fn redemptions(&self) -> Vec<Redemption> {
        if self.invitation.max_uses.get() == 1 {
            return self.invitation.last_use.iter().cloned().collect();
        }
        self.redemptions.values().cloned().collect()
    }

    /// Returns the names of the redeemers, the latest included.
    fn names(&self) -> impl Iterator<Item = &Username> {
        self.redemptions.values().map(|redemption| &redemption.username)
    }

    pub(super) fn open_leases(&self) -> impl Iterator<Item = OpenLease> {
        self.leases.iter().map(|lease| OpenLease {
            invitation: self.invitation.id,
            division: self.invitation.division.clone(),
            lease: lease.clone(),
        })
    }

    fn first_lease(&self) -> Option<&Lease> {
        self.leases.iter().min_by_key(|lease| lease.order())
    }

    /// Returns the facts about that user and that mailbox.
    pub(super) fn facts(&self, user: Option<&UserId>, mailbox: Option<&EmailKey>) -> Facts {
        let own = |user: &UserId| self.leases.iter().find(|lease| lease.user == *user);
        let with = |mailbox: &EmailKey| {
            self.leases.iter().find(|lease| lease.mailbox.as_ref() == Some(mailbox))
        };
        Facts {
            invitation: self.invitation.clone(),
            mine: user.and_then(|user| self.redemption_of(user)).cloned(),
            lease: user.and_then(own).cloned(),
            first_lease: self.first_lease().cloned(),
            mailbox_use: mailbox.and_then(|mailbox| self.redemption_with(mailbox)).cloned(),
            mailbox_lease: mailbox.and_then(with).cloned(),
        }
    }

    /// Stores the facts after a change that ended `ended`. If that was the first lease,
    /// sets the next one in the facts.
    fn keep(&mut self, facts: &mut Facts, ended: Option<&Lease>) {
        self.invitation = facts.invitation.clone();
        if let Some(mine) = &facts.mine
            && facts.invitation.max_uses.get() > 1
        {
            self.redemptions.insert(mine.user.clone(), mine.clone());
        }
        if facts.invitation.held == 0 {
            self.leases.clear();
            return;
        }
        let gone = ended.into_iter().chain(&facts.lease).map(|lease| lease.id);
        let gone: Vec<_> = gone.collect();
        self.leases.retain(|lease| !gone.contains(&lease.id));
        self.leases.extend(facts.lease.clone());
        facts.first_lease = self.first_lease().cloned();
    }
}

impl Stored {
    /// Erases a person, and returns the parts that were changed.
    pub(super) fn erase(&mut self, erasure: &PersonErasure) -> ErasedParts {
        let mut facts = self.facts(Some(&erasure.user), None);
        let parts = erasure.apply_to(&mut facts);
        let Facts { invitation, mine, lease, .. } = facts;
        if let Some(mine) = mine.filter(|_| invitation.max_uses.get() > 1) {
            self.redemptions.insert(mine.user.clone(), mine);
        }
        if let Some(lease) = lease {
            self.leases.retain(|other| other.id != lease.id);
            self.leases.push(lease);
        }
        self.invitation = invitation;
        parts
    }
}

impl State {
    pub(super) fn insert(&mut self, insert: &Insert) -> Inserted {
        let Insert { rows, quotas, request } = insert;
        if let Some(known) = request.as_ref().and_then(|request| self.known(request)) {
            return Inserted::KeyKnown(known);
        }
        if let Some((of, pending)) = self.full(quotas) {
            return Inserted::QuotaFull { of, pending };
        }
        let mut new = HashSet::with_capacity(rows.len());
        let is_taken = |NewInvitation { invitation, event }: &NewInvitation| {
            self.by_digest.contains_key(&invitation.digest)
                || self.by_id.contains_key(&invitation.id)
                || self.events_by_id.contains_key(&event.id)
        };
        if rows.iter().any(|row| is_taken(row) || !new.insert(row.invitation.digest)) {
            return Inserted::CodeTaken;
        }
        for NewInvitation { invitation, event } in rows {
            let slot = self.invitations.len();
            self.by_id.insert(invitation.id, slot);
            self.by_digest.insert(invitation.digest, slot);
            self.newest.insert((invitation.created_at, invitation.id), slot);
            self.invitations.push(Stored {
                invitation: invitation.clone(),
                redemptions: HashMap::new(),
                leases: Vec::new(),
            });
            self.write(event.clone());
        }
        if let Some(request) = insert.request_to_keep() {
            let stored = StoredRequest {
                fingerprint: request.fingerprint,
                invitations: rows.iter().map(|row| row.invitation.id).collect(),
                results: request.results.clone(),
                forgotten_at: insert.forgotten_at(),
            };
            self.requests.insert(request.key.clone(), stored);
        }
        Inserted::Stored
    }

    /// Returns the stored result of an earlier request under the same key.
    fn known(&self, request: &IdempotentRequest) -> Option<PriorRequest> {
        let stored = self.requests.get(&request.key)?;
        if stored.forgotten_at.is_some_and(|at| at <= request.at) {
            return None;
        }
        let slots = stored.invitations.iter().filter_map(|id| self.by_id.get(id));
        let invitations = slots.map(|slot| self.invitations[*slot].invitation.clone()).collect();
        let StoredRequest { fingerprint, results, .. } = stored;
        Some(PriorRequest { fingerprint: *fingerprint, invitations, results: results.clone() })
    }

    /// Returns all mailboxes with an active invitation to their division.
    pub(super) fn invited(&self, now: Timestamp) -> HashSet<Invitee> {
        let invitee = |invitation: &Record| {
            let Binding::Address(email) = &invitation.binding else { return None };
            let (division, address) = (invitation.division.clone(), email.key().clone());
            Some(Invitee { division, address }).filter(|one| one.is_invited_by(invitation, now))
        };
        self.invitations.iter().filter_map(|stored| invitee(&stored.invitation)).collect()
    }

    /// Returns the first quota without room, and the number that it counts.
    fn full(&self, quotas: &[Quota]) -> Option<(QuotaOf, u32)> {
        let pending = |quota: &Quota| {
            let all = self.invitations.iter().map(|stored| &stored.invitation);
            u32::try_from(all.filter(|one| quota.counts(one)).count()).unwrap_or(u32::MAX)
        };
        let mut counted = quotas.iter().map(|quota| (quota, pending(quota)));
        let full = counted.find(|(quota, pending)| !quota.has_room(*pending));
        full.map(|(quota, pending)| (quota.of.clone(), pending))
    }

    pub(super) fn apply(&mut self, transition: &Transition) -> Outcome {
        let shares_event = transition.change().shares_event();
        let event = self.events_by_id.get(&transition.event().id).filter(|_| !shares_event);
        let about = event.map(|slot| self.event(*slot).invitation);
        let Some(slot) = self.find_for(transition, about.flatten()) else {
            return Outcome::Missing;
        };
        let stored = &self.invitations[slot];
        let is_replay = about.map(|about| about == Some(stored.invitation.id));
        let mailbox = transition.mailbox_on(&stored.invitation);
        let mut facts = Box::new(stored.facts(transition.redeemer(), mailbox));
        match is_replay {
            Some(true) => return Outcome::Replayed(facts),
            // Another event has this id, so the event cannot be written.
            Some(false) => return Outcome::Refused(facts),
            None => {}
        }
        if transition.guard().first_refusal(&facts).is_some() {
            return Outcome::Refused(facts);
        }
        if let Some((full, _)) = self.full(transition.quotas()) {
            return Outcome::QuotaFull(full);
        }
        if let Some(digest) = transition.new_digest() {
            if self.by_digest.contains_key(digest) {
                return Outcome::CodeTaken;
            }
            self.by_digest.remove(&facts.invitation.digest);
            self.by_digest.insert(*digest, slot);
        }
        let ended = transition.change().apply_to(&mut facts);
        self.invitations[slot].keep(&mut facts, ended.as_ref());
        self.write(transition.evidence(&facts.invitation, ended.as_ref()));
        Outcome::Applied(facts)
    }

    pub(super) fn purge(&mut self, purge: &Purge) -> Purged {
        if self.events_by_id.contains_key(&purge.event.id) {
            return Purged::BEFORE;
        }
        let max = usize::try_from(purge.max.get()).unwrap_or(usize::MAX);
        let oldest = self.newest.iter();
        let taken = oldest.filter(|(_, slot)| purge.takes(&self.invitations[**slot].invitation));
        let gone: Vec<_> = taken.map(|((_, id), _)| *id).take(max).collect();
        for id in &gone {
            self.remove(*id);
        }
        self.requests.retain(|_, request| !request.invitations.iter().any(|id| gone.contains(id)));
        let forgotten = if purge.scope == Scope::All { self.forget(purge.before, max) } else { 0 };
        let removed = u32::try_from(gone.len()).unwrap_or(u32::MAX);
        if removed > 0 {
            self.write(purge.evidence(removed));
        }
        let purged = purge.removed(removed);
        Purged { more: purged.more || forgotten == max, ..purged }
    }

    /// Removes up to `max` keys that were forgotten before an instant, and returns how
    /// many it removed.
    fn forget(&mut self, before: Timestamp, max: usize) -> usize {
        let is_over = |request: &StoredRequest| request.forgotten_at.is_some_and(|at| at < before);
        let over = self.requests.iter().filter(|(_, request)| is_over(request));
        let keys: Vec<_> = over.map(|(key, _)| key.clone()).take(max).collect();
        for key in &keys {
            self.requests.remove(key);
        }
        keys.len()
    }

    /// Removes an invitation; the last one in the vector moves to its place.
    fn remove(&mut self, id: InvitationId) {
        let Some(slot) = self.by_id.remove(&id) else { return };
        let Stored { invitation, .. } = self.invitations.swap_remove(slot);
        self.by_digest.remove(&invitation.digest);
        self.newest.remove(&(invitation.created_at, id));
        if let Some(Stored { invitation: moved, .. }) = self.invitations.get(slot) {
            self.by_id.insert(moved.id, slot);
            self.by_digest.insert(moved.digest, slot);
            self.newest.insert((moved.created_at, moved.id), slot);
        }
    }

    /// Stores an event; an event with the same id stays unchanged.
    pub(super) fn write(&mut self, event: Event) {
        if let Entry::Vacant(vacant) = self.events_by_id.entry(event.id) {
            let slot = self.removed_events + self.events.len();
            vacant.insert(slot);
            self.newest_events.insert((event.at, event.id), slot);
            self.events.push_back(event);
        }
    }

    pub(super) fn has_event(&self, id: &EventId) -> bool {
        self.events_by_id.contains_key(id)
    }

    /// Erases parts of an event, if it is still stored.
    pub(super) fn erase_event(&mut self, erased: &ErasedEvent) {
        let slot = self.events_by_id.get(&erased.id).map(|slot| slot - self.removed_events);
        if let Some(stored) = slot.and_then(|slot| self.events.get_mut(slot)) {
            erased.apply_to(stored);
        }
    }

    /// Returns the event of a slot, which the maps have.
    pub(super) fn event(&self, slot: usize) -> &Event {
        &self.events[slot - self.removed_events]
    }

    pub(super) fn remove_events(&mut self, removal: &EventRemoval) -> EventsRemoved {
        if self.events_by_id.contains_key(&removal.event().id) {
            return EventsRemoved::Before;
        }
        let first = self.events.iter().map(|event| event.id).take(removal.ids().len());
        if !first.eq(removal.ids().iter().copied()) {
            return EventsRemoved::Changed;
        }
        for event in self.events.drain(..removal.ids().len()) {
            self.events_by_id.remove(&event.id);
            self.newest_events.remove(&(event.at, event.id));
        }
        self.removed_events += removal.ids().len();
        self.write(removal.event().clone());
        EventsRemoved::Done
    }

    pub(super) fn matching<'s>(
        &'s self,
        scope: &Scope,
        filter: &Filter,
        after: Option<Position<InvitationId>>,
    ) -> impl Iterator<Item = &'s Record> {
        self.newest
            .range((Bound::Unbounded, before(after)))
            .rev()
            .map(|(_, slot)| &self.invitations[*slot])
            .filter(move |stored| {
                scope.contains(&stored.invitation.division)
                    && filter.matches(&stored.invitation, stored.names())
            })
            .map(|stored| &stored.invitation)
    }
}

/// Returns the upper bound of the items older than a position.
pub(super) fn before<I>(after: Option<Position<I>>) -> Bound<(Timestamp, I)> {
    after.map_or(Bound::Unbounded, |Position { at, id }| Bound::Excluded((at, id)))
}
