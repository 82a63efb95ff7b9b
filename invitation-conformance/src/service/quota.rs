//! Quotas: the maximum number of invitations that may be pending at once.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Amendment, Cap, Draft, Error, EventOutcome, Expiry, IfVersion, QuotaOf, Reason,
    Refusal, SystemActor,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, Service, refusal},
        quotas::{admin_quota, cap, quota_exceeded, staff_draft, with_quotas},
        samples::{admin, division, later, manager, newcomer, role},
    },
};

async fn create(service: &Service, draft: Draft) -> Result<(), Error> {
    service.create(&admin(), draft).await.map(drop)
}

/// A quota limits the pending invitations of an inviter. One more is refused, and a batch
/// that exceeds the quota creates nothing. Other inviters are not affected. The refusal
/// is recorded.
pub async fn inviter_quota_limits_pending_invitations(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, cap(3), Cap::Unlimited);
    create(&service, staff_draft()).await.expect("there is room");
    create(&service, staff_draft().in_division(division("hr"))).await.expect("there is room");
    let before = harness.snapshot().await;
    let many = service.create_many(&admin(), vec![staff_draft(), staff_draft()]).await;
    assert_eq!(refusal(many), quota_exceeded(admin_quota(), 3), "two more are too many");
    let after = harness.snapshot().await;
    assert_eq!(after.0, before.0, "all or none");
    assert_eq!(after.1.len(), before.1.len() + 1, "one event");
    let event = &after.1[0];
    assert_eq!((event.action, event.outcome), (Action::Create, EventOutcome::Refused));
    assert_eq!(event.reason, Some(Reason::QuotaExceeded), "and why");
    assert_eq!(event.division, Some(division("sales")), "where");

    service.create_many(&admin(), vec![staff_draft()]).await.expect("the last place is to be had");
    assert_eq!(
        refusal(create(&service, staff_draft()).await),
        quota_exceeded(admin_quota(), 3),
        "then it is full"
    );
    service.create(&manager("sales"), Draft::new()).await.expect("another inviter");
    let system = SystemActor::for_bootstrap();
    for _ in 0..4 {
        let draft = staff_draft().in_division(division("sales"));
        service.create(&system, draft).await.expect("the system has no inviter's quota");
    }
}

/// A quota limits the pending invitations of a division, for all inviters and the system.
/// Other divisions are not affected. Each invitation of a batch counts towards its own
/// division.
pub async fn division_quota_limits_pending_invitations(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, Cap::Unlimited, cap(2));
    let (sales, hr) = (division("sales"), division("hr"));
    let system = SystemActor::for_bootstrap();
    let bootstrap = staff_draft().in_division(sales.clone());
    service.create(&system, bootstrap.clone()).await.expect("there is room");
    service.create(&manager("sales"), Draft::new()).await.expect("there is room");
    let of_sales = quota_exceeded(QuotaOf::Division(sales), 2);
    let answer = service.create(&system, bootstrap).await;
    assert_eq!(refusal(answer), of_sales, "for the system");
    let answer = service.create(&manager("sales"), Draft::new()).await;
    assert_eq!(refusal(answer), of_sales, "for the manager");
    assert_eq!(refusal(create(&service, staff_draft()).await), of_sales, "for the administrator");

    let other = || staff_draft().in_division(hr.clone());
    let answer = service.create_many(&admin(), vec![other(), staff_draft()]).await;
    assert_eq!(refusal(answer), of_sales, "one of each: sales is full");
    let many = vec![other(), other(), other()];
    let answer = service.create_many(&admin(), many).await;
    assert_eq!(
        refusal(answer),
        quota_exceeded(QuotaOf::Division(hr.clone()), 2),
        "three are too many"
    );
    let elsewhere = staff_draft().in_division(division("Sales"));
    let many = vec![other(), elsewhere.clone(), other(), elsewhere];
    service.create_many(&admin(), many).await.expect("two in each are not");
}

/// When both quotas are full, the refusal names the inviter's quota.
pub async fn refusal_with_two_full_quotas_names_the_inviters(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, cap(2), cap(3));
    service.create(&manager("sales"), Draft::new()).await.expect("there is room");
    create(&service, staff_draft()).await.expect("there is room");
    let many = service.create_many(&admin(), vec![staff_draft(), staff_draft()]).await;
    assert_eq!(refusal(many), quota_exceeded(admin_quota(), 2), "both would be full");
    service.create(&manager("sales"), Draft::new()).await.expect("the division's last place");
    let of_sales = quota_exceeded(QuotaOf::Division(division("sales")), 3);
    assert_eq!(
        refusal(create(&service, staff_draft()).await),
        of_sales,
        "only the division is full"
    );
}

/// A place becomes free when the invitation is used up, revoked, deleted or expired. An
/// invitation with uses left keeps its place, even if its use is reserved.
pub async fn ended_invitation_frees_its_place(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, cap(1), cap(1));
    let any = IfVersion::Any;
    for over in ["used", "revoked", "deleted", "expired"] {
        let two = NonZeroU32::MIN.saturating_add(1);
        let draft = staff_draft().for_uses(two).expiring(Expiry::InDays(1));
        let created = service.create(&admin(), draft).await;
        let created = created.unwrap_or_else(|error| panic!("before it is {over}: {error:?}"));
        let (id, code) = (created.invitation().id(), created.code().reveal());
        service.redeem(&code, &newcomer("anna")).await.expect("one of two");
        let held = service.reserve(&code, &newcomer("bob")).await;
        assert!(held.is_ok(), "the other one is held: {held:?}");
        let answer = create(&service, staff_draft()).await;
        assert_eq!(refusal(answer), quota_exceeded(admin_quota(), 1), "not {over} yet");
        match over {
            "used" => {
                service.redeem(&code, &newcomer("bob")).await.map(drop).expect("bob's own");
            }
            "revoked" => {
                service.revoke(&admin(), id, None, any).await.map(drop).expect("may revoke");
            }
            "deleted" => service.delete(&admin(), id, any).await.expect("may delete"),
            _ => {
                harness.clock.set(later(created.invitation().expires_at(), -1));
                let answer = create(&service, staff_draft()).await;
                assert_eq!(refusal(answer), quota_exceeded(admin_quota(), 1), "the last instant");
                harness.clock.set(created.invitation().expires_at());
            }
        }
    }
    create(&service, staff_draft()).await.expect("the last one has expired");
}

/// A change that makes an invitation pending again needs room in the quota, as a new
/// invitation does: reinstating, or extending an expired one. Other changes need no room:
/// extending an active one, or reinstating an expired one.
pub async fn revived_invitation_needs_room(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, cap(1), Cap::Unlimited);
    let any = IfVersion::Any;
    let longer = || Amendment::new().expiring(Expiry::InDays(30));
    let soon = || staff_draft().expiring(Expiry::InDays(1));
    let ids = async || {
        let created = service.create(&admin(), soon()).await.expect("there is room");
        created.invitation().id()
    };
    let revoked = ids().await;
    service.revoke(&admin(), revoked, None, any).await.expect("may revoke");
    let both = ids().await;
    service.revoke(&admin(), both, None, any).await.expect("may revoke");
    let expired = ids().await;
    harness.clock.advance(time::Duration::days(1));
    service.reinstate(&admin(), both, any).await.expect("expired by now: it is not pending");
    let active = ids().await;
    for (id, name) in [(expired, "expired"), (both, "reinstated")] {
        let before = harness.stored(id).await;
        let answer = service.amend(&admin(), id, longer(), any).await;
        assert_eq!(refusal(answer), quota_exceeded(admin_quota(), 1), "{name}: there is no room");
        assert_eq!(harness.stored(id).await, before, "{name}: it stays as it is");
        let events = harness.events_of_invitation(id).await;
        let event = events.iter().find(|event| event.reason == Some(Reason::QuotaExceeded));
        let event = event.unwrap_or_else(|| panic!("{name}: it is on record: {events:?}"));
        assert_eq!((event.action, event.outcome), (Action::Amend, EventOutcome::Refused));
    }
    service.amend(&admin(), active, longer(), any).await.expect("it has its place");
    let other = Amendment::new().with_role(role("manager"));
    service.amend(&admin(), expired, other, any).await.expect("it stays expired");
    service.reinstate(&admin(), revoked, any).await.expect("it has expired: it is not pending");
    service.delete(&admin(), active, any).await.expect("may delete");
    service.amend(&admin(), expired, longer(), any).await.expect("now there is room");
    service.revoke(&admin(), expired, None, any).await.expect("may revoke");
    create(&service, staff_draft()).await.expect("now there is room");
    let answer = service.reinstate(&admin(), expired, any).await;
    assert_eq!(
        refusal(answer),
        quota_exceeded(admin_quota(), 1),
        "reinstated, it would be pending"
    );
}

/// An invitation counts for the quota of its inviter, also when another user has become its
/// grantor.
pub async fn revived_invitation_counts_for_its_inviter(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, cap(1), Cap::Unlimited);
    let any = IfVersion::Any;
    let manager = manager("sales");
    let revoked = service.create(&manager, Draft::new()).await.expect("there is room");
    let revoked = revoked.invitation().id();
    service.revoke(&admin(), revoked, None, any).await.expect("may revoke");
    let second = service.create(&manager, Draft::new()).await.expect("there is room again");
    let later = Amendment::new().expiring(Expiry::InDays(30));
    service.amend(&admin(), second.invitation().id(), later, any).await.expect("it has its place");

    let answer = service.reinstate(&admin(), revoked, any).await;
    let of_manager = quota_exceeded(QuotaOf::Inviter(manager.user().clone()), 1);
    assert_eq!(refusal(answer), of_manager, "the amended invitation is still the manager's");
    create(&service, staff_draft()).await.expect("the administrator has none pending");
}

/// The guard is evaluated before the quota: a change that is refused for another reason
/// names that reason, not the full quota.
pub async fn guard_is_evaluated_before_the_quota(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, cap(1), cap(1));
    let any = IfVersion::Any;
    let first = service.create(&admin(), staff_draft()).await.expect("there is room");
    let id = first.invitation().id();
    service.revoke(&admin(), id, None, any).await.expect("may revoke");
    create(&service, staff_draft()).await.expect("there is room");
    let answer = service.reinstate(&admin(), id, IfVersion::Exactly(1)).await;
    assert_eq!(refusal(answer), Refusal::VersionMismatch { current: 2 }, "of another version");
    let answer = service.create(&admin(), Draft::new().with_role(role("root"))).await;
    assert_eq!(refusal(answer), Refusal::UnknownRole { role: role("root") }, "no such role");
    service.delete(&admin(), id, any).await.expect("may delete");
    let answer = service.reinstate(&admin(), id, any).await;
    assert_eq!(refusal(answer), Refusal::NotFound, "deleted");
}
