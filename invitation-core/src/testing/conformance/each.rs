//! Many at once, each for itself.

use std::num::NonZeroU32;

use super::{
    people::{admin, division, manager, role},
    quotas::{at_most, bounded, full, staff},
    world::{World, refusal},
};
use crate::{
    draft::Draft,
    error::Error,
    event::{Action, EventOutcome, Reason},
    limits::{Expiry, Limits},
    policy::{Policy, Right, Rights},
    quota::{Cap, QuotaOf},
    refusal::Refusal,
    service::Created,
    testing::Fixture,
};

fn lines(answers: &[Result<Created, Error>]) -> Vec<&'static str> {
    let word = |answer: &Result<Created, Error>| match answer {
        Ok(_) => "created",
        Err(Error::Invalid(_)) => "invalid",
        Err(Error::Refused(refused)) => match refused.refusal() {
            Refusal::QuotaExceeded { .. } => "full",
            _ => "denied",
        },
        Err(other) => panic!("{other}"),
    };
    answers.iter().map(word).collect()
}

/// Of many that are asked for each for itself, those that are in order are created, in
/// one batch, and each of the others is refused for its own reason, with its own event.
pub async fn what_is_in_order_is_created_without_the_rest(fixture: Fixture) {
    let world = World::new(fixture);
    let drafts = vec![
        staff(),
        Draft::new().with_role(role("root")),
        staff().expiring(Expiry::InDays(4_000)),
        staff().in_division(division("hr")),
    ];
    let rehearsed = world.service.rehearse(&admin(), drafts.clone()).await.expect("may create");
    let before = world.everything().await;
    assert!(before.0.is_empty() && before.1.is_empty(), "a rehearsal leaves nothing");
    let answers = world.service.create_each(&admin(), drafts).await.expect("may create");
    assert_eq!(lines(&answers), ["created", "denied", "invalid", "created"]);
    for (would, did) in rehearsed.iter().zip(&answers) {
        assert_eq!(would.is_ok(), did.is_ok(), "as it was rehearsed");
        if let (Err(would), Err(did)) = (would, did) {
            assert_eq!(would.to_string(), did.to_string(), "for the same reason");
        }
    }
    let (rows, events) = world.everything().await;
    assert_eq!(rows.len(), 2);
    assert!(rows[0].batch.is_some() && rows[0].batch == rows[1].batch, "of one batch");
    let of = |outcome| events.iter().filter(|event| event.outcome == outcome).count();
    assert_eq!((of(EventOutcome::Succeeded), of(EventOutcome::Denied)), (2, 1));
    assert!(events.iter().all(|event| event.action == Action::Create));
    for answer in answers.into_iter().flatten() {
        let stored = world.stored(answer.invitation().id).await;
        assert_eq!(&stored, answer.invitation(), "as it was answered");
    }
}

/// When there is not room for all, as many are created as there is room for, and the
/// others are refused; what belongs to another quota is not concerned.
pub async fn what_a_quota_has_room_for_is_created(fixture: Fixture) {
    let world = World::new(fixture);
    let service = bounded(&world, Cap::Unlimited, at_most(2));
    let hr = || staff().in_division(division("hr"));
    let drafts = vec![staff(), hr(), staff(), staff(), hr(), staff(), hr()];
    let answers = service.create_each(&admin(), drafts).await.expect("may create");
    let expected = ["created", "created", "created", "full", "created", "full", "full"];
    assert_eq!(lines(&answers), expected);
    let Some(Err(Error::Refused(refused))) = answers.last() else { panic!("{answers:?}") };
    assert_eq!(refused.refusal(), &full(QuotaOf::Division(division("hr")), 2));
    let (rows, events) = world.everything().await;
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.batch == rows[0].batch), "of one batch all the same");
    let quota = |event: &&crate::event::Event| event.reason == Some(Reason::QuotaExceeded);
    assert_eq!(events.iter().filter(quota).count(), 3, "an event for each refusal");

    let service = bounded(&world, at_most(5), Cap::Unlimited);
    let answers = service.create_each(&admin(), vec![staff(), hr()]).await.expect("may create");
    assert_eq!(lines(&answers), ["created", "full"], "four were pending");
}

/// It is a right of its own, bounded in number, for rehearsals too.
pub async fn each_for_itself_is_a_right_and_bounded(fixture: Fixture) {
    let world = World::new(fixture);
    let limits = Limits::default().with_batch(NonZeroU32::MIN.saturating_add(1));
    let service = world.service.clone().with_limits(limits);
    let forbidden = Refusal::Forbidden { right: Right::Bulk };
    let sales = manager("sales");
    assert_eq!(refusal(service.create_each(&sales, vec![staff()]).await), forbidden);
    assert_eq!(refusal(service.rehearse(&sales, vec![staff()]).await), forbidden);
    for n in [0, 3] {
        for answer in [
            service.create_each(&admin(), vec![staff(); n]).await.map(drop),
            service.rehearse(&admin(), vec![staff(); n]).await.map(drop),
        ] {
            assert!(matches!(answer, Err(Error::Invalid(_))), "{n}");
        }
    }
    let (rows, events) = world.everything().await;
    assert!(rows.is_empty());
    assert_eq!(events.len(), 2, "two denials");
}

/// An export is a right of its own, and shows no code to anybody.
pub async fn an_export_has_no_codes(fixture: Fixture) {
    let world = World::new(fixture);
    world.issue(Draft::new()).await;
    let (criteria, first) = (crate::service::Criteria::new(), crate::service::Paging::default());
    let page = world.service.export(&admin(), &criteria, first).await.expect("may export");
    assert_eq!(page.items().len(), 1);
    assert!(page.items()[0].code().is_none());
    let keeper = Rights::none().may([Right::Export]);
    let policy = Policy::default().with_role(role("manager"), keeper);
    let service = world.service.clone().with_policy(policy);
    let page = service.export(&manager("sales"), &criteria, first).await.expect("may export");
    assert_eq!(page.items().len(), 1, "who may export need not have the right to view");
}
