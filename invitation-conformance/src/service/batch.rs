//! Batches: the invitations that one call created together.

use invitation_core::{BatchId, Criteria, Draft, IfVersion, Invitation, Paging, Refusal, Status};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        quotas::staff_draft,
        samples::{admin, division, manager},
    },
};

/// The invitations that one call of `create_many` creates form a batch, even a single
/// invitation. An invitation created singly belongs to no batch. Listing and counting by
/// batch return exactly its invitations.
pub async fn batch_contains_exactly_the_invitations_of_one_call(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = &harness.service;
    assert_eq!(harness.create(Draft::new()).await.invitation().batch(), None, "by itself");
    let mut batches = Vec::new();
    for n in [3, 1, 7] {
        let created =
            service.create_many(&admin(), vec![staff_draft(); n]).await.expect("may create");
        let batch = created[0].invitation().batch().expect("created together");
        for one in &created {
            assert_eq!(one.invitation().batch(), Some(batch), "all of one call");
            let stored = harness.stored(one.invitation().id()).await;
            assert_eq!(stored.batch, Some(batch), "as it is stored");
        }
        batches.push((batch, created));
    }
    service.delete(&admin(), batches[2].1[0].invitation().id(), IfVersion::Any).await.expect("may");
    for (batch, n) in [(batches[0].0, 3), (batches[1].0, 1), (batches[2].0, 6)] {
        let criteria = Criteria::new().in_batch(batch);
        let page = service.list(&admin(), &criteria, Paging::default()).await.expect("may list");
        assert_eq!(page.items().len(), n, "neither more nor fewer");
        let of_it = |one: &Invitation| one.batch() == Some(batch);
        assert!(page.items().iter().all(|item| of_it(item.invitation())), "of that batch");
        let counts = service.counts(&admin(), &criteria).await.expect("may count");
        let n = u32::try_from(n).expect("few");
        assert_eq!(counts.of(Status::Active), n, "counted");
        let foreign = service.list(&manager("hr"), &criteria, Paging::default()).await;
        assert!(foreign.expect("may list").items().is_empty(), "out of reach there is none");
    }
    let unknown = Criteria::new().in_batch(BatchId::from_bytes([9; 16]));
    let page = service.list(&admin(), &unknown, Paging::default()).await.expect("may list");
    assert!(page.items().is_empty(), "of no batch");
    let named = unknown.in_division(division("hr"));
    let answer = service.list(&manager("sales"), &named, Paging::default()).await;
    assert_eq!(
        refusal(answer),
        Refusal::DivisionNotAllowed { division: division("hr") },
        "a batch widens no reach"
    );
}
