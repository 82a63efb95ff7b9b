//! Performers: jobs of the host act as the system under a name, and users have names too.

use invitation_core::{
    Actor, Amendment, Criteria, Draft, EventCriteria, EventOutcome, Expiry, IfVersion, Inviter,
    Paging, Performer, Right, SystemActor, SystemName, Username,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        samples::{admin, division, manager, role},
    },
};

/// A job of the host reads and administers the invitations of every division, without a
/// role. Each of its events names the job.
pub async fn job_reads_and_administers_under_its_name(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (service, any) = (&harness.service, IfVersion::Any);
    let job = SystemActor::new("reminder").expect("a name");
    let (all, first) = (Criteria::new(), Paging::default());
    let draft = || Draft::new().with_role(role("staff")).in_division(division("hr"));
    let created = service.create(&job, draft()).await.expect("may create");
    let id = created.invitation().id();
    assert_eq!(created.invitation().inviter(), &Inviter::System);

    let page = service.list(&job, &all, first).await.expect("may list");
    let [view] = page.items() else { panic!("one invitation: {page:?}") };
    assert_eq!(view.code(), Some(created.code()));
    let actions = [Right::Copy, Right::Amend, Right::Rotate, Right::Revoke, Right::Delete];
    assert_eq!(view.actions(), actions);
    let found = service.get(&job, id).await.expect("may view");
    assert_eq!(found.invitation(), created.invitation());
    let counts = service.counts(&job, &all).await.expect("may count");
    assert_eq!(counts.of(invitation_core::Status::Active), 1);
    let exported = service.export(&job, &all, first).await.expect("may export");
    assert!(exported.items().len() == 1 && exported.items()[0].code().is_none());
    assert!(service.redemptions(&job, id, first).await.expect("may view").items().is_empty());
    assert!(service.reservations(&job, None, first).await.expect("may list").items().is_empty());
    service.authorize(&job, Right::Purge, None).await.expect("may do everything");

    service.copy(&job, id).await.expect("may copy");
    let later = Amendment::new().expiring(Expiry::InDays(9));
    service.amend(&job, id, later, any).await.expect("may amend");
    service.rotate(&job, id, any).await.expect("may rotate");
    service.revoke(&job, id, Some("left"), any).await.expect("may revoke");
    service.reinstate(&job, id, any).await.expect("may reinstate");
    let swept = service.revoke_all(&job, &all, None, first).await.expect("may revoke all");
    assert_eq!(swept.revoked(), [id]);
    service.delete(&job, id, any).await.expect("may delete");
    let trail = service.events(&job, &EventCriteria::new(), first).await.expect("may audit");
    let by = Performer::System { name: Some(SystemName::from_stored("reminder")) };
    assert_eq!(trail.items().len(), 8, "creating, copying and six changes");
    assert!(trail.items().iter().all(|event| event.performer == by), "{trail:?}");

    // The policy limits the roles that a job grants; so the job can be refused.
    let answer = service.create(&job, draft().with_role(role("root"))).await;
    _ = refusal(answer);
    let refused = EventCriteria::new().not_succeeded();
    let trail = service.events(&job, &refused, first).await.expect("may audit");
    let [denied] = trail.items() else { panic!("one denial: {trail:?}") };
    assert_eq!((&denied.performer, denied.outcome), (&by, EventOutcome::Denied));
}

/// An invitation keeps the names that its inviter and its grantor had at the time.
pub async fn name_of_the_inviter_is_kept_with_the_invitation(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let named = |actor: Actor, text: &str| actor.with_name(Username::new(text).expect("a name"));
    let by = |actor: &Actor| Inviter::User {
        user: actor.user().clone(),
        role: actor.role().clone(),
        name: actor.name().cloned(),
    };
    let (ada, olga) = (named(manager("sales"), "Ada"), named(admin(), "Olga Meier"));
    let (service, any) = (&harness.service, IfVersion::Any);
    let created = service.create(&ada, Draft::new()).await.expect("may create");
    let id = created.invitation().id();
    for grantor in [&ada, &olga, &named(admin(), "Olga Maier"), &admin()] {
        if *grantor != ada {
            let later = Amendment::new().expiring(Expiry::InDays(9));
            service.amend(grantor, id, later, any).await.expect("an administrator may");
        }
        let shown = harness.shown(id).await;
        assert_eq!((shown.inviter(), shown.grantor()), (&by(&ada), &by(grantor)));
    }
    service.revoke(&admin(), id, None, any).await.expect("an administrator may");
    service.reinstate(&olga, id, any).await.expect("an administrator may");
    assert_eq!(harness.shown(id).await.grantor(), &by(&olga));
}

/// The name of an actor is kept with each event, done or denied, as it was at the time. The
/// user id remains what events are found by.
pub async fn name_of_an_actor_is_kept_with_each_event(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let name = |text: &str| Username::new(text).expect("a name");
    let ada = manager("sales").with_name(name("Ada"));
    let married = manager("sales").with_name(name("Ada King, Countess of Lovelace"));
    harness.service.create(&ada, Draft::new()).await.expect("may create");
    let id = harness.service.create(&married, Draft::new()).await.expect("may create");
    let denied = harness.service.delete(&ada, id.invitation().id(), IfVersion::Any).await;
    _ = refusal(denied);
    harness.service.create(&admin(), Draft::new().with_role(role("staff"))).await.expect("may");

    let criteria = EventCriteria::new().by_user(ada.user().clone());
    let trail = harness.service.events(&admin(), &criteria, Paging::default()).await;
    let trail = trail.expect("may audit");
    let names: Vec<_> = trail.items().iter().map(|event| event.performer.name()).collect();
    assert_eq!(names, [Some("Ada"), Some("Ada King, Countess of Lovelace"), Some("Ada")]);
    let others = EventCriteria::new().by_user(admin().user().clone());
    let trail = harness.service.events(&admin(), &others, Paging::default()).await;
    let trail = trail.expect("may audit");
    assert!(trail.items().iter().all(|event| event.performer.name().is_none()), "{trail:?}");
}
