//! On SQLite, all concurrent redemptions share a transaction.

use invitation_core::{
    Draft, Expiry, IfVersion, ManualClock, Redeemed, Refusal, Status, Timestamp,
};
use invitation_sqlx::sqlx::{self, Sqlite};

use crate::{
    harness::{Harness, for_address, for_uses, person, proved, refusal},
    same_code::{dropped_callers, same_code},
    support::{admin, redemptions_on_record, trail, uses},
};

same_code!(Sqlite);

const START: i64 = 1_800_000_000_000_000;

#[tokio::test]
async fn each_caller_of_a_batch_gets_its_own_result() {
    let mut harness = Harness::<Sqlite>::new().await;
    let clock = ManualClock::new(Timestamp::from_micros(START).unwrap());
    harness.invitations = harness.invitations.with_clock(clock.clone());
    let brief = Draft::new().expiring(Expiry::InDays(1));
    let (expired, used) = (harness.code(brief).await, harness.code(Draft::new()).await);
    let (good, several) = (harness.code(Draft::new()).await, harness.code(for_uses(3)).await);
    let (bound, unproved) =
        (harness.code(for_address(3)).await, harness.code(for_address(4)).await);
    let (revoked_id, revoked) = harness.create(Draft::new()).await;
    let (deleted_id, deleted) = harness.create(Draft::new()).await;
    let reserved = harness.code(for_uses(2)).await;
    let any = IfVersion::Any;
    harness.invitations.redeem(&used, &person(1)).await.unwrap();
    drop(harness.invitations.reserve(&reserved, &person(2)).await.unwrap());
    harness.invitations.revoke(&admin(), revoked_id, None, any).await.unwrap();
    harness.invitations.delete(&admin(), deleted_id, any).await.unwrap();
    let tomorrow = Timestamp::from_micros(START + 86_400_000_000).unwrap();
    clock.set(tomorrow);
    let before = trail(&harness.invitations).await.len();

    let answers = harness
        .redeem_concurrently(vec![
            (&good, person(3)),
            (&used, person(1)),
            (&used, person(4)),
            (&expired, person(5)),
            (&revoked, person(6)),
            (&deleted, person(7)),
            (&bound, proved(8, 3)),
            (&unproved, proved(9, 5)),
            (&several, person(10)),
            (&several, person(11)),
            (&several, person(10)),
            (&several, person(12)),
            (&several, person(13)),
            (&reserved, person(14)),
            (&good, person(3)),
        ])
        .await;
    let replayed: Vec<_> =
        answers.iter().map(|told| told.as_ref().ok().map(Redeemed::is_replayed)).collect();
    let (fresh, again, no) = (Some(false), Some(true), None);
    assert_eq!(
        replayed,
        [fresh, again, no, no, no, no, fresh, no, fresh, fresh, again, fresh, no, fresh, again]
    );
    for (caller, reason) in [
        (2, Refusal::Used),
        (3, Refusal::Expired { at: tomorrow }),
        (4, Refusal::Revoked),
        (5, Refusal::CodeUnknown),
        (7, Refusal::AddressProofRequired),
        (12, Refusal::Used),
    ] {
        assert_eq!(refusal(&answers[caller]), reason, "caller {caller}");
    }
    let new = trail(&harness.invitations).await.split_off(before);
    let (made, refused): (Vec<_>, Vec<_>) = new.iter().partition(|event| event.reason.is_none());
    assert_eq!((made.len(), refused.len()), (6, 6), "each with its event");
    assert!(made.iter().all(|event| event.invitation.is_some() && event.division.is_some()));
    assert_eq!(uses(&harness.invitations).await, 7);
}

#[tokio::test]
async fn redemptions_of_different_codes_share_one_transaction() {
    let harness = Harness::<Sqlite>::new().await;
    let mut codes = Vec::new();
    for n in 0..40 {
        codes.push(harness.code(for_uses(if n % 3 == 0 { 5 } else { 1 })).await);
    }
    let before = harness.transactions().await;
    let calls = codes.iter().enumerate().map(|(n, code)| (code.as_str(), person(n)));
    for redeemed in harness.redeem_concurrently(calls.collect()).await {
        assert!(!redeemed.unwrap().is_replayed());
    }
    assert_eq!(harness.transactions().await - before, 1);
    assert_eq!(redemptions_on_record(&harness.invitations).await, 40);
    let used = harness.all().await;
    let used = used.iter().filter(|one| one.status(harness.invitations.now()) == Status::Used);
    assert_eq!(used.count(), 26, "the single-use codes");
    for n in [0, 1, 39] {
        assert_eq!(harness.found(&format!("person{n:03}")).await, 1, "by its redeemer's name");
    }
}

#[tokio::test]
async fn batch_with_dropped_callers_answers_the_others_correctly() {
    dropped_callers::<Sqlite>([1, 0, 0, 2]).await;
}

/// A redemption that the database rejects fails alone, and the others are made.
#[tokio::test]
async fn rejected_redemption_does_not_fail_the_batch() {
    let harness = Harness::<Sqlite>::new().await;
    let codes = [
        harness.code(Draft::new()).await,
        harness.code(for_uses(3)).await,
        harness.code(Draft::new()).await,
    ];
    let forbid = "CREATE TRIGGER forbidden BEFORE INSERT ON invitation_events \
                  WHEN NEW.actor = 'person001' BEGIN SELECT RAISE(ABORT, 'no'); END";
    sqlx::raw_sql(forbid).execute(&harness.pool).await.unwrap();
    let calls = [(&codes[0], 0), (&codes[1], 1), (&codes[1], 2), (&codes[2], 3)];
    let calls = calls.map(|(code, n)| (code.as_str(), person(n)));
    let answers = harness.redeem_concurrently(calls.into_iter().collect()).await;
    let made: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(made, [true, false, true, true]);
    assert_eq!(uses(&harness.invitations).await, 3);
    assert_eq!(redemptions_on_record(&harness.invitations).await, 3);
}

/// SQLite ends the transaction of a batch by itself. No caller is told of a success, and the
/// connection serves the next batch.
#[tokio::test]
async fn batch_whose_transaction_sqlite_has_ended_changes_nothing() {
    let harness = Harness::<Sqlite>::new().await;
    let code = harness.code(for_uses(9)).await;
    let before = trail(&harness.invitations).await;
    let forbid = "CREATE TRIGGER forbidden BEFORE INSERT ON invitation_search_terms \
                  BEGIN SELECT RAISE(ROLLBACK, 'no'); END";
    sqlx::raw_sql(forbid).execute(&harness.pool).await.unwrap();
    let calls = || (0..4).map(|n| (code.as_str(), person(n))).collect();
    for told in harness.redeem_concurrently(calls()).await {
        told.unwrap_err();
    }
    sqlx::raw_sql("DROP TRIGGER forbidden").execute(&harness.pool).await.unwrap();
    assert_eq!(uses(&harness.invitations).await, 0);
    assert_eq!(trail(&harness.invitations).await, before);
    for told in harness.redeem_concurrently(calls()).await {
        assert!(!told.unwrap().is_replayed());
    }
    assert_eq!(uses(&harness.invitations).await, 4);
}
