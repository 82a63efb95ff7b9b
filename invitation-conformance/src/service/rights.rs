//! The rights of every role: each action, in the own and in another division, for every
//! role that an invitation can carry.

use invitation_core::{
    Action, Actor, Error, Event, EventCriteria, EventOutcome, IfVersion, Invitation, Inviter,
    Paging, Performer, Reason, Record, Refusal, Revocation, Right, Target,
};

use super::rights_table::{Attempt, DIVISIONS, RoleCase, all_roles, attempts, expected, is_known};
use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::{Harness, refusal},
        reads::all_invitations,
        samples::{division, later, manager, role, user},
    },
};

/// The divisions and roles in which each role may create are exactly those of the default
/// policy. A refused creation writes one denial and stores nothing else.
pub async fn every_role_creates_exactly_what_the_policy_allows(fixture: Fixture) {
    try_all(fixture, |attempt| attempt.creates()).await;
}

/// The actions each role may perform on an invitation, by its division and its role, are
/// exactly those of the default policy. A refused attempt changes nothing and writes one
/// denial that names the invitation.
pub async fn every_role_acts_on_exactly_what_the_policy_allows(fixture: Fixture) {
    try_all(fixture, |attempt| attempt.is_on_one()).await;
}

/// The divisions in which each role may list, count, see the open reservations and read
/// the trail are exactly those of the default policy. A refused attempt writes one
/// denial.
pub async fn every_role_reads_exactly_what_the_policy_allows(fixture: Fixture) {
    try_all(fixture, |attempt| attempt.looks()).await;
}

/// The divisions in which each role may revoke or purge all invitations are exactly those
/// of the default policy. A refused attempt changes nothing and writes one denial.
pub async fn every_role_revokes_and_purges_exactly_what_the_policy_allows(fixture: Fixture) {
    try_all(fixture, |attempt| attempt.is_on_many()).await;
}

async fn try_all(fixture: Fixture, which: fn(&Attempt) -> bool) {
    let (harness, factory) = (Harness::with_unlimited_denials(fixture), Factory::new());
    let mut n = 0;
    for who in all_roles() {
        for attempt in attempts().into_iter().filter(which) {
            for name in DIVISIONS {
                for carried in attempt.carried() {
                    n += 1;
                    Cell { who, attempt, division: name, carried, n }
                        .check(&harness, &factory)
                        .await;
                }
            }
        }
    }
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
struct Cell {
    who: RoleCase,
    attempt: Attempt,
    division: &'static str,
    carried: &'static str,
    n: usize,
}

impl Cell {
    async fn check(self, harness: &Harness, factory: &Factory) {
        let actor = self.who.actor(self.n);
        let row = if self.attempt.is_on_one() || self.attempt.is_on_many() {
            Some(self.prepare(harness, factory).await)
        } else {
            None
        };
        let answer =
            self.attempt.make(harness, &actor, self.division, self.carried, row.as_ref()).await;
        let expected = expected(self.who, self.attempt, self.division, self.carried);
        match expected.as_slice() {
            [] => self.check_done(harness, &actor, answer, row).await,
            reasons => self.check_denied(harness, &actor, reasons, answer, row).await,
        }
    }

    /// Stores an invitation to attempt the action on, in the state that the attempt
    /// needs.
    async fn prepare(self, harness: &Harness, factory: &Factory) -> Record {
        let revocation = Some(Revocation { at: harness.now(), reason: None });
        let long_ago = later(harness.now(), -100 * 86_400_000_000);
        let row = factory.invitation();
        let row = match self.attempt {
            Attempt::Purge => Record { created_at: long_ago, expires_at: long_ago, ..row },
            _ => row,
        };
        let row = Record {
            division: division(self.division),
            role: role(self.carried),
            inviter: match self.attempt {
                Attempt::RevokeAll => {
                    let user = user(&format!("u-inviter-{}", self.n));
                    Inviter::User { user, role: role("admin"), name: None }
                }
                _ => Inviter::System,
            },
            revocation: revocation.filter(|_| self.attempt == Attempt::Reinstate),
            ..row
        };
        factory.insert(&*harness.store, std::slice::from_ref(&row)).await;
        row
    }

    async fn check_done(
        self,
        harness: &Harness,
        actor: &Actor,
        answer: Result<(), Error>,
        row: Option<Record>,
    ) {
        assert!(answer.is_ok(), "{self:?} is allowed: {answer:?}");
        let events = harness.events_by_user(actor.user()).await;
        if self.attempt == Attempt::Purge {
            return self.check_purged(harness, &events, row).await;
        }
        assert_eq!(events.len(), self.attempt.events(), "{self:?}: events {events:?}");
        for event in events {
            assert_eq!(event.outcome, EventOutcome::Succeeded, "{self:?}");
            assert_eq!(event.action, self.attempt.action(), "{self:?}");
            assert_eq!(event.division, Some(division(self.division)), "{self:?}");
            if let Some(row) = &row {
                assert_eq!(event.invitation, Some(row.id), "{self:?}");
            }
        }
        assert_eq!(self.created(harness, actor).await, self.attempt.created(), "{self:?}: created");
    }

    /// Checks that every purgeable invitation within reach is gone, whatever division was
    /// meant.
    async fn check_purged(self, harness: &Harness, events: &[Event], row: Option<Record>) {
        let row = row.expect("there is one to purge");
        let target = Target::Id(row.id);
        let all = invitation_core::Scope::All;
        let found = harness.store.get(&target, &all).await.expect("the store answers");
        let reached = self.who.reaches(self.division);
        assert_eq!(found.is_none(), reached, "{self:?}: what is within reach is removed");
        // Earlier attempts may have left other invitations within reach.
        assert!(events.len() <= 1 && (!reached || events.len() == 1), "{self:?}: {events:?}");
        for event in events {
            assert_eq!(event.outcome, EventOutcome::Succeeded, "{self:?}");
            assert_eq!(event.action, Action::Purge, "{self:?}");
            assert_eq!(event.invitation, None, "{self:?}: of many");
            let whole = self.who.reaches("hr");
            assert_eq!(event.division.is_none(), whole, "{self:?}: the reach");
        }
    }

    async fn check_denied(
        self,
        harness: &Harness,
        actor: &Actor,
        reasons: &[Reason],
        answer: Result<(), Error>,
        row: Option<Record>,
    ) {
        let said = refusal(answer);
        let events = harness.events_by_user(actor.user()).await;
        let [event] = events.as_slice() else {
            panic!("{self:?}: one denial is written, not {events:?}");
        };
        let reason = event.reason.expect("a denial has a reason");
        assert!(reasons.contains(&reason), "{self:?}: {reason} is not one of {reasons:?}");
        assert_eq!(said, self.expected_refusal(reason), "{self:?}: the refusal");
        assert_eq!(event.outcome, EventOutcome::Denied, "{self:?}");
        assert_eq!(event.action, self.attempt.action(), "{self:?}");
        let by =
            Performer::Actor { user: actor.user().clone(), role: actor.role().clone(), name: None };
        assert_eq!(event.performer, by, "{self:?}: who");
        assert_eq!(event.at, harness.now(), "{self:?}: when");
        let one = row.as_ref().filter(|_| self.attempt.is_on_one());
        assert_eq!(event.invitation, one.map(|row| row.id), "{self:?}: on what");
        // The right to create batches is checked before the fields of the batch.
        let lacks_right = matches!(reason, Reason::RightMissing | Reason::UnknownRole);
        let is_early = self.attempt == Attempt::CreateMany && lacks_right;
        if self.attempt.names_a_division() && !is_early {
            assert_eq!(event.division, Some(division(self.division)), "{self:?}: where");
        }
        assert_eq!(self.created(harness, actor).await, 0, "{self:?}: nothing is created");
        if let Some(row) = row {
            assert_eq!(harness.stored(row.id).await, row, "{self:?}: nothing is changed");
        }
    }

    /// Returns the refusal for a reason, which reveals no more than the caller may know.
    fn expected_refusal(self, reason: Reason) -> Refusal {
        match reason {
            Reason::UnknownRole => Refusal::UnknownRole { role: role(self.who.role()) },
            Reason::RightMissing => Refusal::Forbidden { right: self.attempt.right() },
            Reason::MultiUseNotAllowed => Refusal::Forbidden { right: Right::MultiUse },
            Reason::DomainNotAllowed => Refusal::Forbidden { right: Right::BindDomain },
            Reason::RoleNotGrantable if !is_known(self.carried) => {
                Refusal::UnknownRole { role: role(self.carried) }
            }
            Reason::RoleNotGrantable => Refusal::RoleNotGrantable { role: role(self.carried) },
            Reason::DivisionNotAllowed => {
                Refusal::DivisionNotAllowed { division: division(self.division) }
            }
            _ => Refusal::NotFound,
        }
    }

    /// Returns the number of invitations that the actor has created.
    async fn created(self, harness: &Harness, actor: &Actor) -> usize {
        let filter = invitation_core::Filter {
            inviter: Some(actor.user().clone()),
            ..invitation_core::Filter::all(harness.now())
        };
        let all = invitation_core::Scope::All;
        all_invitations(&*harness.store, &all, &filter, 9).await.len()
    }
}

/// For an actor, these three are indistinguishable: an invitation of a division out of
/// reach, a deleted one, and an id that was never used. Only the trail distinguishes
/// them.
pub async fn foreign_invitation_is_indistinguishable_from_none(fixture: Fixture) {
    let (harness, factory) = (Harness::with_unlimited_denials(fixture), Factory::new());
    let made = |name: &str| Record { division: division(name), ..factory.invitation() };
    let (foreign, gone) = (made("hr"), Record { deleted_at: Some(harness.now()), ..made("sales") });
    factory.insert(&*harness.store, &[foreign.clone(), gone.clone()]).await;
    let absent = made("sales");
    for (n, attempt) in attempts().into_iter().filter(|attempt| attempt.is_on_one()).enumerate() {
        for (row, reason, known) in [
            (&foreign, Reason::OutOfScope, Some("hr")),
            (&gone, Reason::Deleted, Some("sales")),
            (&absent, Reason::Unknown, None),
        ] {
            let actor = Actor::in_division(
                user(&format!("u-{n}-{reason}")),
                role("admin"),
                division("sales"),
            );
            let answer = attempt.make(&harness, &actor, "sales", "staff", Some(row)).await;
            assert_eq!(refusal(answer), Refusal::NotFound, "{attempt:?} on {reason}");
            let events = harness.events_by_user(actor.user()).await;
            assert_eq!(events.len(), 1, "{attempt:?} on {reason}: {events:?}");
            assert_eq!(events[0].reason, Some(reason), "{attempt:?} on {reason}");
            assert_eq!(events[0].action, attempt.action(), "{attempt:?} on {reason}");
            assert_eq!(events[0].division, known.map(division), "{attempt:?} on {reason}");
            let named = known.map(|_| row.id);
            assert_eq!(events[0].invitation, named, "{attempt:?} on {reason}");
        }
    }
    assert_eq!(harness.stored(foreign.id).await, foreign, "the foreign one is untouched");
    assert_eq!(harness.stored(gone.id).await, gone, "the deleted one is untouched");
}

/// A manager who names no role creates staff in their own division. A manager sees only
/// invitations of that division, and may only copy them.
pub async fn manager_creates_staff_and_sees_the_own_division_only(fixture: Fixture) {
    use invitation_core::{Criteria, Draft};

    let harness = Harness::new(fixture);
    let actor = manager("sales");
    let created = harness.service.create(&actor, Draft::new()).await.expect("a manager may");
    assert_eq!(created.invitation().role(), &role("staff"), "staff is set automatically");
    assert_eq!(created.invitation().division(), &division("sales"), "in the own division");
    assert_eq!(created.invitation().max_uses().get(), 1, "for one use");
    harness.create(Draft::new().in_division(division("hr"))).await;
    harness.create(Draft::new().with_role(role("admin"))).await;

    let page = harness.service.list(&actor, &Criteria::new(), Paging::default()).await;
    let page = page.expect("a manager may list");
    assert_eq!(page.items().len(), 2, "all of the own division, by any inviter");
    for item in page.items() {
        assert_eq!(item.invitation().division(), &division("sales"), "and of no other");
        assert_eq!(item.actions(), [Right::Copy], "for a manager: Copy only");
    }
    let id = created.invitation().id();
    let copied = harness.service.copy(&actor, id).await.expect("a manager may copy");
    assert!(copied == *created.code(), "the very code");
    let seen = harness.service.get(&actor, id).await.expect("a manager may look");
    assert!(seen.code() == Some(created.code()), "the Code column shows it");

    let events = harness.service.events(&actor, &EventCriteria::new(), Paging::default()).await;
    assert_eq!(refusal(events), Refusal::Forbidden { right: Right::Audit }, "the trail");
    let deleted = harness.service.delete(&actor, id, IfVersion::Any).await;
    assert_eq!(refusal(deleted), Refusal::Forbidden { right: Right::Delete }, "deleting");
    let target = Target::Id(id);
    let stays = harness.store.get(&target, actor.scope()).await.expect("the store answers");
    assert_eq!(
        stays.map(Invitation::from).as_ref(),
        Some(created.invitation()),
        "it is as it was created"
    );
}
