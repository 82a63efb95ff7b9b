//! The specification of one invitation with leases, applied step by step next to a store.

use invitation_core::{
    EmailKey, Event, Facts, Lease, Outcome, Record, Redemption, Scope, Store, Target, Transition,
    UserId,
};

use super::{
    factory::apply,
    reads::{all_leases, stored, trail},
    samples::user,
};

/// One invitation with its redemptions, leases and events.
#[derive(Clone, Debug)]
pub(crate) struct LeaseOracle {
    pub(crate) invitation: Record,
    pub(crate) leases: Vec<Lease>,
    redemptions: Vec<Redemption>,
    /// How many of the redemptions were inserted with the invitation. A store need not know
    /// them any more after a later use.
    inserted: usize,
}

impl LeaseOracle {
    /// Creates the oracle of an invitation as it was inserted.
    pub(crate) fn of(invitation: &Record) -> Self {
        let redemptions: Vec<_> = invitation.last_use.iter().cloned().collect();
        let inserted = redemptions.len();
        Self { invitation: invitation.clone(), leases: Vec::new(), redemptions, inserted }
    }

    /// Returns the lease of this user.
    pub(crate) fn lease_of(&self, user: &UserId) -> Option<&Lease> {
        self.leases.iter().find(|lease| lease.user == *user)
    }

    fn first(&self) -> Option<&Lease> {
        self.leases.iter().min_by_key(|lease| lease.order())
    }

    /// Returns the current facts about that user.
    pub(crate) fn facts(&self, user: Option<&UserId>) -> Facts {
        let mine = |user: &UserId| self.redemptions.iter().find(|own| own.user == *user);
        Facts {
            mine: user.and_then(mine).cloned(),
            lease: user.and_then(|user| self.lease_of(user)).cloned(),
            first_lease: self.first().cloned(),
            ..Facts::of(self.invitation.clone())
        }
    }

    /// Returns the current facts for a transition.
    pub(crate) fn facts_for(&self, transition: &Transition) -> Facts {
        let mut facts = self.facts(transition.redeemer());
        if let Some(mailbox) = transition.mailbox_on(&self.invitation) {
            let is_it = |other: &Option<EmailKey>| other.as_ref() == Some(mailbox);
            let (mut made, mut held) = (self.redemptions.iter(), self.leases.iter());
            facts.mailbox_use = made.find(|made| is_it(&made.mailbox)).cloned();
            facts.mailbox_lease = held.find(|held| is_it(&held.mailbox)).cloned();
        }
        facts
    }

    /// Applies the change to this oracle; returns the facts after it, and its evidence.
    fn make(&mut self, transition: &Transition) -> (Facts, Event) {
        let mut facts = self.facts_for(transition);
        let ended = transition.change().apply_to(&mut facts);
        if transition.change().ends_all_leases() {
            self.leases.clear();
        }
        let own = facts.lease.clone();
        let gone = |lease: &Lease| [&ended, &own].into_iter().flatten().any(|g| g.id == lease.id);
        self.leases.retain(|lease| !gone(lease));
        self.leases.extend(own);
        if let Some(mine) = facts.mine.clone() {
            self.redemptions.retain(|one| one.id != mine.id);
            self.redemptions.push(mine);
        }
        self.invitation = facts.invitation.clone();
        facts.first_lease = self.first().cloned();
        let evidence = transition.evidence(&facts.invitation, ended.as_ref());
        (facts, evidence)
    }

    /// Applies the transition, and checks that the store produces what the specification
    /// produces. Returns whether it was applied.
    pub(crate) async fn apply(
        &mut self,
        store: &dyn Store,
        transition: &Transition,
        what: &str,
    ) -> bool {
        let mut events = trail(store, &self.invitation).await;
        let before = self.facts_for(transition);
        let outcome = apply(store, transition).await;
        let made = transition.guard().first_refusal(&before).is_none();
        if made {
            let (facts, evidence) = self.make(transition);
            assert_eq!(outcome, Outcome::Applied(Box::new(facts)), "{what}: the answer");
            events.push(evidence);
        } else {
            assert_eq!(outcome, Outcome::Refused(Box::new(before)), "{what}: the refusal");
        }
        self.check(store, what).await;
        let mut now = trail(store, &self.invitation).await;
        now.sort_by_key(|event| event.id);
        events.sort_by_key(|event| event.id);
        assert_eq!(now, events, "{what}: the trail");
        made
    }

    /// Applies a transition that was applied before, and checks that nothing changes.
    pub(crate) async fn resend(&self, store: &dyn Store, transition: &Transition, what: &str) {
        let events = trail(store, &self.invitation).await;
        let facts = self.facts_for(transition);
        let outcome = apply(store, transition).await;
        assert_eq!(outcome, Outcome::Replayed(Box::new(facts)), "{what}: resent");
        self.check(store, what).await;
        let now = trail(store, &self.invitation).await;
        assert_eq!(now, events, "{what}: no event is written");
    }

    /// Checks that the store holds the same facts as this oracle.
    pub(crate) async fn check(&self, store: &dyn Store, what: &str) {
        assert_eq!(stored(store, &self.invitation).await, self.invitation, "{what}: is stored");
        let mut expected = self.leases.clone();
        expected.sort_by_key(|lease| std::cmp::Reverse((lease.since, lease.id)));
        let all = all_leases(store, &Scope::All, 50).await;
        let here = all.into_iter().filter(|open| open.invitation == self.invitation.id);
        let leases: Vec<_> = here.map(|open| open.lease).collect();
        assert_eq!(leases, expected, "{what}: the leases");
        let held = u32::try_from(expected.len());
        assert_eq!(Ok(self.invitation.held), held, "{what}: as many are counted");
        let stranger = user("u-stranger");
        let of_leases = self.leases.iter().map(|lease| &lease.user);
        let made = self.redemptions.iter().skip(self.inserted);
        let of_redemptions = made.chain(&self.invitation.last_use).map(|made| &made.user);
        for user in of_leases.chain(of_redemptions).chain([&stranger]) {
            let target = Target::Id(self.invitation.id);
            let found = store.facts(&target, &Scope::All, user).await.expect("the store answers");
            assert_eq!(found, Some(self.facts(Some(user))), "{what}: the facts about {user}");
        }
    }
}
