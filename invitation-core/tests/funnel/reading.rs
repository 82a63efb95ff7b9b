//! Who may read which funnel, and what expiry and age are in it.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Actor, Created, Draft, Email, Error, Expiry, IfVersion, Import, ImportRow, Invitations,
    ManualClock, MemoryStore, Redeemer, Refusal, Role, SystemActor, Username,
    delivery::{Deliveries, MessageId, Resend},
    funnel::{Funnel, FunnelCounter, FunnelQuery, Funnels, TimesToRedeem},
};
use time::Duration;

use crate::support::{admin, at, count_all, division, manager, user};

struct Host {
    store: Arc<MemoryStore>,
    clock: ManualClock,
    invitations: Invitations<Arc<MemoryStore>>,
    funnels: Funnels<Arc<MemoryStore>>,
}

impl Host {
    fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), ManualClock::new(at(0)));
        let invitations = Invitations::new(Arc::clone(&store)).with_clock(clock.clone());
        let funnels = Funnels::new(
            invitations.clone(),
            Arc::<MemoryStore>::clone(&store),
            Arc::<MemoryStore>::clone(&store),
        );
        Self { store, clock, invitations, funnels }
    }

    async fn invite(&self, by: &Actor, of: &str) -> Created {
        self.invitations.create(by, staff(of)).await.expect("allowed")
    }

    async fn redeem(&self, created: &Created, name: &str) {
        let redeemer = Redeemer::new(user(name), Username::new(name).expect("a name"));
        self.invitations.redeem(&created.code().reveal(), &redeemer).await.expect("it is good");
    }

    /// Counts, and returns a funnel.
    async fn of(&self, actor: &Actor, query: FunnelQuery) -> Funnel {
        count_all(&self.store).await;
        self.funnels.of(actor, &query).await.expect("it is read")
    }
}

fn staff(of: &str) -> Draft {
    Draft::new().with_role(Role::new("staff").expect("a role")).in_division(division(of))
}

/// Returns the numbers of created, redeemed, active, expired, revoked and deleted invitations.
fn all(funnel: &Funnel) -> [u64; 6] {
    let figures = funnel.figures();
    [
        figures.created(),
        figures.redeemed(),
        funnel.active(),
        funnel.expired(),
        figures.revoked(),
        figures.deleted(),
    ]
}

#[tokio::test]
async fn funnel_has_what_the_actor_reaches() {
    let host = Host::new();
    let mia = manager("sales");
    for (by, of) in [(&admin(), "sales"), (&admin(), "operations"), (&mia, "sales")] {
        host.invite(by, of).await;
    }
    let created = async |actor: &Actor, query| host.of(actor, query).await.figures().created();
    let everything = FunnelQuery::new;
    assert_eq!(created(&admin(), everything()).await, 3);
    assert_eq!(created(&mia, everything()).await, 2, "her division");
    assert_eq!(created(&manager("operations"), everything()).await, 1);
    assert_eq!(created(&admin(), everything().in_division(division("sales"))).await, 2);
    // An inviter of several divisions: each manager sees the part of the own one.
    let of_ada = || everything().by_inviter(user("ada"));
    assert_eq!(created(&admin(), of_ada()).await, 2);
    assert_eq!(created(&mia, of_ada()).await, 1);
    assert_eq!(created(&admin(), of_ada().in_division(division("operations"))).await, 1);
    assert_eq!(created(&mia, everything().by_inviter(user("nobody"))).await, 0);

    let refused =
        async |actor: &Actor, query: FunnelQuery| match host.funnels.of(actor, &query).await {
            Err(Error::Refused(refused)) => refused.refusal().clone(),
            other => panic!("{other:?}"),
        };
    let foreign = division("operations");
    let refusal = refused(&mia, everything().in_division(foreign.clone())).await;
    assert_eq!(refusal, Refusal::DivisionNotAllowed { division: foreign });
    let staff =
        Actor::in_division(user("sam"), Role::new("staff").expect("a role"), division("sales"));
    assert!(matches!(refused(&staff, everything()).await, Refusal::Forbidden { .. }));
    let both = everything().by_inviter(user("mia")).in_batch(crate::support::batch(1));
    match host.funnels.of(&mia, &both).await {
        Err(Error::Invalid(errors)) => assert!(errors.to_string().contains("batch"), "{errors}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn batch_has_a_funnel_for_each_division() {
    let host = Host::new();
    let rows = ["sales", "sales", "operations"].map(|of| ImportRow::Draft(staff(of)));
    let imported = host.invitations.import(&admin(), Import::new(rows.into()), None).await;
    let imported = imported.expect("allowed");
    let batch = imported.created().next().expect("three").invitation().batch().expect("a batch");
    let query = || FunnelQuery::new().in_batch(batch);
    assert_eq!(all(&host.of(&admin(), query()).await), [3, 0, 3, 0, 0, 0]);
    assert_eq!(all(&host.of(&manager("sales"), query()).await), [2, 0, 2, 0, 0, 0]);
}

#[tokio::test]
async fn each_change_of_an_invitation_moves_it() {
    let host = Host::new();
    let mia = manager("sales");
    let created = host.invite(&mia, "sales").await;
    let (id, any) = (created.invitation().id(), IfVersion::Any);
    let now = async || all(&host.of(&mia, FunnelQuery::new()).await);
    assert_eq!(now().await, [1, 0, 1, 0, 0, 0]);
    host.invitations.revoke(&admin(), id, None, any).await.expect("allowed");
    assert_eq!(now().await, [1, 0, 0, 0, 1, 0]);
    host.invitations.reinstate(&admin(), id, any).await.expect("allowed");
    assert_eq!(now().await, [1, 0, 1, 0, 0, 0]);
    host.clock.advance(Duration::hours(5));
    host.redeem(&created, "anna").await;
    host.redeem(&created, "anna").await;
    assert_eq!(now().await, [1, 1, 0, 0, 0, 0], "a repeated redemption is no second one");
    let funnel = host.of(&mia, FunnelQuery::new()).await;
    assert_eq!(funnel.figures().times().median().expect("one").until, Some(TimesToRedeem::ENDS[3]));
    let other = host.invite(&mia, "sales").await.invitation().id();
    host.invitations.delete(&admin(), other, any).await.expect("allowed");
    host.invitations.delete(&admin(), id, any).await.expect("allowed");
    assert_eq!(now().await, [2, 1, 0, 0, 0, 2], "a deleted one was redeemed nevertheless");
}

#[tokio::test]
async fn invitation_is_sent_once_however_many_mails_are() {
    let host = Host::new();
    let deliveries =
        Deliveries::new(host.invitations.clone(), Arc::<MemoryStore>::clone(&host.store));
    let draft = staff("sales").for_email(Email::parse("anna@example.com").expect("an address"));
    let created = host.invitations.create(&admin(), draft).await.expect("allowed");
    host.invite(&admin(), "sales").await;
    let worker = SystemActor::new("mail").expect("a name");
    let ten = NonZeroU32::new(10).expect("not zero");
    for _ in 0..2 {
        let id = created.invitation().id();
        deliveries.resend(&admin(), id, Resend::new()).await.expect("it is queued");
        for due in deliveries.due(ten).await.expect("a list") {
            let claimed = deliveries.claim(&worker, &due, Duration::MINUTE, 3).await;
            let claimed = claimed.expect("it answers").expect("no other worker has it");
            let domain = "example.com".parse().expect("a domain");
            let message = MessageId::new(due.id(), &domain);
            assert!(deliveries.sent(&worker, &claimed, &message).await.expect("it is written"));
        }
    }
    let funnel = host.of(&admin(), FunnelQuery::new()).await;
    assert_eq!((funnel.figures().created(), funnel.figures().sent()), (2, 1));
}

#[tokio::test]
async fn expired_invitations_stay_expired_when_they_are_purged() {
    let host = Host::new();
    let mia = manager("sales");
    let short = Draft::new().expiring(Expiry::InDays(1));
    host.invitations.create(&mia, short).await.expect("allowed");
    let used = host.invite(&mia, "sales").await;
    host.redeem(&used, "anna").await;
    host.invite(&mia, "sales").await;
    let now = async || all(&host.of(&mia, FunnelQuery::new()).await);
    assert_eq!(now().await, [3, 1, 2, 0, 0, 0]);
    host.clock.advance(Duration::days(1) - Duration::MICROSECOND);
    assert_eq!(now().await, [3, 1, 2, 0, 0, 0]);
    host.clock.advance(Duration::MICROSECOND);
    assert_eq!(now().await, [3, 1, 1, 1, 0, 0]);
    host.clock.advance(Duration::days(2));
    let max = NonZeroU32::new(10).expect("not zero");
    let job = SystemActor::for_bootstrap();
    host.invitations.purge(&job, Duration::days(1), max).await.expect("allowed");
    let funnel = host.of(&mia, FunnelQuery::new()).await;
    assert_eq!(all(&funnel), [3, 1, 1, 1, 0, 0]);
    assert!(funnel.is_expired_exact() && funnel.is_active_exact());
}

#[tokio::test]
async fn funnel_says_how_old_it_is() {
    let host = Host::new();
    let mia = manager("sales");
    let funnel = host.of(&mia, FunnelQuery::new()).await;
    assert_eq!((funnel.counted_until(), funnel.waiting_since()), (None, None));
    host.invite(&mia, "sales").await;
    host.of(&mia, FunnelQuery::new()).await;
    host.clock.advance(Duration::HOUR);
    let waiting = host.invitations.now();
    host.invite(&mia, "sales").await;
    host.clock.advance(Duration::HOUR);
    host.invite(&mia, "sales").await;
    let funnel = host.funnels.of(&mia, &FunnelQuery::new()).await.expect("it is read");
    assert!(!funnel.is_up_to_date() && !funnel.is_expired_exact());
    assert_eq!((funnel.counted_until(), funnel.waiting_since()), (Some(at(0)), Some(waiting)));
    assert_eq!(all(&funnel), [1, 0, 3, 0, 0, 0], "the store counts the active ones");
    let funnel = host.of(&mia, FunnelQuery::new()).await;
    assert_eq!(
        (funnel.counted_until(), funnel.waiting_since()),
        (Some(host.invitations.now()), None)
    );
}

#[tokio::test]
async fn events_are_not_removed_before_they_are_counted() {
    let host = Host::new();
    let job = SystemActor::for_bootstrap();
    let max = NonZeroU32::new(100).expect("not zero");
    host.invite(&admin(), "sales").await;
    host.of(&admin(), FunnelQuery::new()).await;
    host.invite(&admin(), "sales").await;
    host.clock.advance(Duration::days(3));
    let purge = async || host.invitations.purge_events(&job, Duration::DAY, max).await;
    let purged = purge().await.expect("allowed");
    let held_by = purged.held_by.expect("one event is not counted");
    assert_eq!((purged.removed, held_by.as_str()), (1, FunnelCounter::<&MemoryStore>::CURSOR));
    let funnel = host.of(&admin(), FunnelQuery::new()).await;
    assert_eq!((funnel.figures().created(), funnel.counted_since()), (2, None));
    assert_eq!(purge().await.expect("allowed").held_by, None);
}

#[tokio::test]
async fn funnel_that_began_late_says_since_when_it_counts() {
    let host = Host::new();
    let job = SystemActor::for_bootstrap();
    let max = NonZeroU32::new(100).expect("not zero");
    let before = host.invite(&admin(), "sales").await;
    host.clock.advance(Duration::days(3));
    host.invitations.purge_events(&job, Duration::DAY, max).await.expect("allowed");
    let begun = host.invitations.now();
    host.invite(&admin(), "sales").await;
    host.redeem(&before, "anna").await;
    let funnel = host.of(&admin(), FunnelQuery::new()).await;
    assert_eq!(funnel.counted_since(), Some(begun));
    assert_eq!(all(&funnel), [1, 0, 1, 0, 0, 0], "the first is not counted, nor is its use");
    host.clock.advance(Duration::days(8));
    assert_eq!(all(&host.of(&admin(), FunnelQuery::new()).await), [1, 0, 0, 1, 0, 0]);
}
