//! A store that is given a keyring, and then a new key.

use invitation_core::{
    Action, Criteria, Draft, EventFilter, IfVersion, Paging, Refusal, Reserved, Sealing,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        keys::{first_key, reseal_all, resealed, second_key, second_key_only},
        samples::{admin, manager, newcomer, role},
    },
};

/// From readable rows to the first key, and from there to the second: at each step all codes are
/// redeemed, reserved, copied and searched for, and in the end without the first key.
pub async fn resealed_codes_need_the_new_key_only(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    let mut created = Vec::new();
    for (n, sealing) in [Sealing::readable(), first_key(), second_key()].into_iter().enumerate() {
        let harness = harness.with_sealing(sealing);
        for kind in ["free", "used", "reserved", "deleted"] {
            let one = harness.create(Draft::new()).await;
            let (id, code) = (one.invitation().id(), one.code().reveal());
            let redeemer = newcomer(&format!("{kind}{n}"));
            match kind {
                "used" => _ = harness.service.redeem(&code, &redeemer).await.expect("it is free"),
                "reserved" => {
                    _ = harness.service.reserve(&code, &redeemer).await.expect("it is free");
                }
                "deleted" => {
                    let deleted = harness.service.delete(&admin(), id, IfVersion::Any).await;
                    deleted.expect("the administrator may");
                }
                _ => {}
            }
            created.push((kind, redeemer, one));
        }
    }
    let service = harness.with_sealing(second_key()).service;
    let pages = reseal_all(&service, 4).await;
    assert_eq!(resealed(&pages), 6, "not the tombstones, and not those of the active key");
    assert!(pages.iter().all(|page| page.unopened().is_empty()), "{pages:?}");
    assert_eq!(resealed(&reseal_all(&service, 4).await), 0, "nothing is left");

    let service = harness.with_sealing(second_key_only()).service;
    for (n, (kind, redeemer, one)) in created.iter().enumerate() {
        let (id, code) = (one.invitation().id(), one.code().reveal());
        if *kind == "deleted" {
            let refused = service.redeem(&code, &newcomer("late")).await;
            assert_eq!(refusal(refused), Refusal::CodeUnknown, "{n}");
            continue;
        }
        let copied = service.copy(&admin(), id).await.expect("it opens");
        assert_eq!(copied, *one.code(), "{n}: {kind}");
        for search in [&code[..4], &code[..9], &code[..]] {
            let criteria = Criteria::new().matching(search);
            let found = service.list(&admin(), &criteria, Paging::default()).await;
            let found = found.expect("the administrator may").items;
            let ids: Vec<_> = found.iter().map(|view| view.invitation().id()).collect();
            assert!(ids.contains(&id), "{n}: {kind}: {search} finds {ids:?}");
        }
        let version = service.get(&admin(), id).await.expect("it is there").invitation().version();
        assert_eq!(version, one.invitation().version(), "{n}: no new version");
        if *kind == "reserved" {
            let again = service.reserve(&code, redeemer).await.expect("it is still held");
            let Reserved::Open(own) = again else { panic!("{n}: not redeemed yet") };
            assert!(own.is_replayed(), "{n}: the same reservation");
            service.commit(own.id(), redeemer).await.expect("it is held");
        } else {
            let redeemed = service.redeem(&code, redeemer).await.expect("it is found");
            assert_eq!(redeemed.is_replayed(), *kind == "used", "{n}");
        }
    }
}

/// A job that stops after any page continues at its cursor, and one that begins again skips what
/// is done. Each page with work leaves one event.
pub async fn interrupted_reseal_continues_or_begins_again(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for _ in 0..7 {
        harness.create(Draft::new()).await;
    }
    let service = harness.with_sealing(first_key()).service;
    let paging = || Paging::first(2).expect("a page");
    let first = service.reseal(&admin(), paging()).await.expect("the administrator may");
    assert_eq!((first.examined(), first.resealed()), (2, 2));

    // Another process goes on from the stored cursor, and stops, too.
    let service = harness.with_sealing(first_key()).service;
    let rest = paging().after(first.next().expect("there are more"));
    let second = service.reseal(&admin(), rest).await.expect("the administrator may");
    assert_eq!((second.examined(), second.resealed()), (2, 2));

    // A third one has no cursor.
    let service = harness.with_sealing(first_key()).service;
    assert_eq!(resealed(&reseal_all(&service, 2).await), 3);
    let filter = EventFilter { action: Some(Action::Reseal), ..EventFilter::default() };
    let events = harness.events_matching(&filter).await;
    let mut rows: Vec<_> = events.iter().filter_map(|event| event.detail.get("rows")).collect();
    rows.sort_unstable();
    assert_eq!(rows, ["1", "2", "2", "2"], "one event for each page with work");
    assert!(events.iter().all(|event| event.detail.get("key") == Some("k1")), "{events:?}");
}

/// A job of an actor in one division leaves the rows of others alone.
pub async fn reseal_stays_within_the_actors_reach(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let sales = harness.create(Draft::new()).await;
    let policy = invitation_core::Policy::default().with_role(
        role("manager"),
        invitation_core::Rights::none().may([invitation_core::Right::Reseal]),
    );
    let service = harness.with_sealing(first_key()).service.with_policy(policy);
    for (of, count) in [("operations", 0), ("sales", 1)] {
        let page = service.reseal(&manager(of), Paging::default()).await.expect("it may");
        assert_eq!((page.examined(), page.resealed()), (count, count), "{of}");
    }
    let stored = harness.stored(sales.invitation().id()).await;
    assert_eq!(stored.sealed.key_id(), Some("k1"));
}
