//! Erasures of two persons at the same time.

use std::{pin::Pin, sync::Arc};

use invitation_core::{
    Detail, IfVersion, Intercept, Invitations, Paging, Store, SystemActor,
    erasure::{ERASED, Erasures, Person},
};

use super::{
    ErasureFixture,
    scenario::{Scenario, canary, canary_as_admin, for_canary, for_three, namesake, person},
};
use crate::{
    SeededEntropy,
    support::{
        concurrent::run_concurrently,
        interrupt::Interrupt,
        samples::{admin, user},
    },
};

/// The writes of a job on one page of invitations that changes something. The next one erases the
/// events of a page.
const POINTS_BEFORE_EVENTS: usize = 2;

/// Erases a person with pages of the largest size.
async fn erase<S: Store + Erasures>(service: &Invitations<S>, person: &Person) {
    let (job, mut paging) = (SystemActor::for_bootstrap(), Paging::first(200).expect("a size"));
    loop {
        let page = service.erase_person(&job, person, paging).await.expect("the system may");
        let Some(next) = page.next() else { return };
        paging = paging.after(next);
    }
}

/// Two jobs read the same event, which one person performed and which has the masked address of
/// another one. Each job erases its part, and writes back nothing that the other one has erased,
/// whichever writes last.
pub async fn erasures_of_two_persons_at_once_erase_both(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let performer = Person::new(user("u-7"));
    let address = person().addresses()[0].clone();
    let invitee = Person::new(user("u-9")).with_address(address).expect("one address");
    for (seed, [late, early]) in (20..).zip([[&performer, &invitee], [&invitee, &performer]]) {
        let id = scenario.create(&canary_as_admin(), for_canary()).await.invitation().id();
        let revoked = scenario.service.revoke(&admin(), id, None, IfVersion::Any).await;
        revoked.expect("they may");

        // The late job has read the event, and does not write before the early one has ended.
        let interrupt = Interrupt::at(POINTS_BEFORE_EVENTS);
        let store = Intercept::new(Arc::clone(&scenario.store), interrupt.clone());
        let service = Invitations::new(store)
            .with_clock(scenario.clock.clone())
            .with_entropy(SeededEntropy::new(seed));
        let meanwhile = async {
            interrupt.reached().await;
            erase(&scenario.service, early).await;
            interrupt.release();
        };
        tokio::join!(erase(&service, late), meanwhile);

        let events = scenario.events().await;
        let created: Vec<_> = events.iter().filter(|event| event.invitation == Some(id)).collect();
        let bound: Vec<_> =
            created.iter().filter_map(|event| event.detail.get(Detail::BOUND_TO)).collect();
        assert_eq!(bound, [ERASED], "of the creation");
        let text = scenario.text(&[id]).await.to_lowercase();
        assert!(!text.contains("canary"), "{text}");
    }
}

/// Two jobs at the same moment erase two redeemers of one name from the same codes: both names,
/// and every search term of them.
pub async fn concurrent_erasures_of_two_namesakes_erase_both(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let mut all = Vec::new();
    for _ in 0..6 {
        all.push(scenario.redeemed(for_three(), &[canary(), namesake()]).await);
    }
    let jobs = ["u-7", "u-8"].map(|id| {
        let service = scenario.service.clone();
        let job: Pin<Box<dyn Future<Output = ()> + Send>> =
            Box::pin(async move { erase(&service, &Person::new(user(id))).await });
        job
    });
    run_concurrently(jobs.into()).await;
    let text = scenario.text(&all).await.to_lowercase();
    assert!(!text.contains("canary"), "{text}");
    assert!(scenario.found("canary").await.is_empty());
}
