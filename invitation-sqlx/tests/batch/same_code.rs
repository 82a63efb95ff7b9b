//! Concurrent callers of the same code share a batch.

use std::time::Duration;

use invitation_core::{Draft, Email, EmailDomain, Paging, Refusal, Status, VerifiedEmail};
use invitation_testkit::DropAfter;
use tokio::{task::yield_now, time::timeout};

use crate::{
    harness::{Counted, Harness, address, for_uses, person, proved, refusal},
    support::{admin, redemptions_on_record, uses},
};

/// Creates a test of each promise, on this database.
macro_rules! same_code {
    ($database:ty) => {
        crate::same_code::promises! { $database,
            batch_of_one_multi_use_code_counts_each_redemption
            batch_redeems_as_often_as_the_code_has_uses
            refused_callers_take_no_uses_of_a_batch
            concurrent_calls_of_one_user_are_one_redemption
        }
    };
}
macro_rules! promises {
    ($database:ty, $($promise:ident)*) => {$(
        #[tokio::test]
        async fn $promise() {
            crate::same_code::$promise::<$database>().await;
        }
    )*};
}
pub(crate) use {promises, same_code};

pub(crate) async fn batch_of_one_multi_use_code_counts_each_redemption<DB: Counted>() {
    let harness = Harness::<DB>::new().await;
    let code = harness.code(for_uses(10)).await;
    let calls = (0..10).map(|n| (code.as_str(), person(n)));
    let before = harness.transactions().await;
    for redeemed in harness.redeem_concurrently(calls.collect()).await {
        assert!(!redeemed.unwrap().is_replayed());
    }
    assert_eq!(harness.transactions().await - before, 1, "they shared a statement");
    assert_eq!(uses(&harness.invitations).await, 10);
    assert_eq!(redemptions_on_record(&harness.invitations).await, 10);
    let one = harness.all().await.remove(0);
    assert_eq!(one.status(harness.invitations.now()), Status::Used);
    let page = Paging::first(20).unwrap();
    let ledger = harness.invitations.redemptions(&admin(), one.id(), page).await.unwrap();
    assert_eq!(ledger.items().len(), 10);
    assert_eq!(harness.found("person").await, 1);
    for name in (0..10).map(|n| format!("person{n:03}")) {
        assert_eq!(harness.found(&name).await, 1, "{name}");
    }
    assert_eq!(harness.found("person000 person001").await, 0, "terms of two redeemers");

    // A user who has redeemed gets the same redemption again, and another user is refused.
    let calls = (8..12).map(|n| (code.as_str(), person(n)));
    let answers = harness.redeem_concurrently(calls.collect()).await;
    assert!(answers[0].as_ref().unwrap().is_replayed());
    assert!(answers[1].as_ref().unwrap().is_replayed());
    assert_eq!(refusal(&answers[2]), Refusal::Used);
    assert_eq!(refusal(&answers[3]), Refusal::Used);
    assert_eq!(uses(&harness.invitations).await, 10);
}

pub(crate) async fn batch_redeems_as_often_as_the_code_has_uses<DB: Counted>() {
    let harness = Harness::<DB>::new().await;
    for k in [1, 3] {
        let code = harness.code(for_uses(k)).await;
        let calls = (0..10).map(|n| (code.as_str(), person(n)));
        let answers = harness.redeem_concurrently(calls.collect()).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|made| made.is_ok());
        assert_eq!(made.len(), usize::try_from(k).unwrap());
        assert!(refused.into_iter().all(|told| refusal(told) == Refusal::Used));
    }
    assert_eq!(redemptions_on_record(&harness.invitations).await, 4);
}

pub(crate) async fn refused_callers_take_no_uses_of_a_batch<DB: Counted>() {
    let harness = Harness::<DB>::new().await;
    let code = harness.code(Draft::new().for_email(address(7))).await;
    let refused = vec![(&*code, person(1)), (&*code, proved(2, 8)), (&*code, proved(5, 9))];
    for answer in harness.redeem_concurrently(refused).await {
        assert_eq!(refusal(&answer), Refusal::AddressProofRequired);
    }
    assert_eq!(uses(&harness.invitations).await, 0);
    // The reason of the refused caller depends on whether it is judged before the last use. That
    // there is one does not.
    let calls = vec![(&*code, person(1)), (&*code, proved(3, 7))];
    let answers = harness.redeem_concurrently(calls).await;
    assert!(answers[0].is_err() && answers[1].is_ok(), "the only use was left: {answers:?}");
    assert_eq!(uses(&harness.invitations).await, 1);
    let refused = vec![(&*code, person(1)), (&*code, proved(4, 7))];
    for answer in harness.redeem_concurrently(refused).await {
        assert_eq!(refusal(&answer), Refusal::Used);
    }

    // With enough uses for all, each reason is certain.
    let domain = EmailDomain::parse("example.com").unwrap();
    let code = harness.code(for_uses(4).for_domain(domain)).await;
    let elsewhere = Email::parse("person2@example.org").unwrap();
    let calls = vec![
        (&*code, person(1)),
        (&*code, person(2).with_email(VerifiedEmail::vouched_by_host(elsewhere))),
        (&*code, proved(3, 3)),
        (&*code, proved(4, 4)),
    ];
    let answers = harness.redeem_concurrently(calls).await;
    for answer in &answers[..2] {
        assert_eq!(refusal(answer), Refusal::AddressProofRequired);
    }
    assert!(answers[2..].iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(uses(&harness.invitations).await, 1 + 2);
}

pub(crate) async fn concurrent_calls_of_one_user_are_one_redemption<DB: Counted>() {
    let harness = Harness::<DB>::new().await;
    for uses_of_code in [1, 5] {
        let code = harness.code(for_uses(uses_of_code)).await;
        let before = uses(&harness.invitations).await;
        let transactions = harness.transactions().await;
        let calls = [1, 1, 2, 1].map(|n| (code.as_str(), person(n)));
        let answers = harness.redeem_concurrently(calls.into_iter().collect()).await;
        let replayed = answers.iter().flatten().filter(|made| made.is_replayed()).count();
        assert_eq!(replayed, 2, "of {uses_of_code}: {answers:?}");
        let made = uses(&harness.invitations).await - before;
        assert_eq!(made, uses_of_code.min(2));
        let transactions = harness.transactions().await - transactions;
        assert!(transactions == 1 || !DB::OF_REDEMPTIONS, "who came once shared a statement");
    }
}

/// Drops the first of four calls after an increasing number of polls. Each call redeems one
/// of three codes; the first code is for several uses.
pub(crate) async fn dropped_callers<DB: Counted>(wanted: [usize; 4]) {
    for polls in 0.. {
        let harness = Harness::<DB>::new().await;
        let codes = [
            harness.code(for_uses(9)).await,
            harness.code(for_uses(1)).await,
            harness.code(for_uses(1)).await,
        ];
        let code = |caller: usize| codes[wanted[caller]].clone();
        let held = harness.hold().await;
        let (invitations, its_code) = (harness.invitations.clone(), code(0));
        let first = tokio::spawn(DropAfter::new(
            async move { invitations.redeem(&its_code, &person(0)).await },
            polls,
        ));
        yield_now().await;
        let others = [1, 2, 3].map(|caller| harness.redeem(&code(caller), person(caller)));
        yield_now().await;
        drop(held);
        let finished = first.await.unwrap();
        for other in others {
            timeout(Duration::from_secs(20), other).await.unwrap().unwrap().unwrap();
        }
        let again = harness.invitations.redeem(&code(0), &person(0)).await.unwrap();
        assert_eq!(uses(&harness.invitations).await, 4, "after {polls}");
        assert_eq!(redemptions_on_record(&harness.invitations).await, 4, "after {polls}");
        if let Some(made) = finished {
            made.unwrap();
            assert!(again.is_replayed());
            assert!(polls > 1, "it was dropped on its way before");
            break;
        }
    }
}
