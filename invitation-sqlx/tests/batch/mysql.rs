//! On MariaDB, concurrent redemptions of the same code share a message.

use invitation_core::Draft;
use invitation_sqlx::sqlx::{self, MySql};

use crate::{
    harness::{Harness, for_uses, person},
    same_code::{dropped_callers, same_code},
    support::{redemptions_on_record, trail, uses},
};

same_code!(MySql);

#[tokio::test]
async fn callers_of_another_code_do_not_wait() {
    let harness = Harness::<MySql>::new().await;
    let (code, single) = (harness.code(for_uses(9)).await, harness.code(Draft::new()).await);
    let before = harness.transactions().await;
    let mut calls: Vec<_> = (0..4).map(|n| (code.as_str(), person(n))).collect();
    calls.push((&single, person(9)));
    for told in harness.redeem_concurrently(calls).await {
        assert!(!told.unwrap().is_replayed());
    }
    assert_eq!(harness.transactions().await - before, 2, "one for each code");
    assert_eq!(uses(&harness.invitations).await, 5);
    assert_eq!(redemptions_on_record(&harness.invitations).await, 5);
}

/// If a change after the update fails, no change of the whole batch is kept.
#[tokio::test]
async fn failure_after_the_update_undoes_the_whole_message() {
    let harness = Harness::<MySql>::new().await;
    let code = harness.code(for_uses(9)).await;
    let before = trail(&harness.invitations).await;
    for change in ["INSERT ON invitation_events", "INSERT ON invitation_redemptions"] {
        let forbid = format!(
            "CREATE TRIGGER forbidden BEFORE {change} FOR EACH ROW \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(forbid)).execute(&harness.pool).await.unwrap();
        let calls = (0..5).map(|n| (code.as_str(), person(n)));
        for told in harness.redeem_concurrently(calls.collect()).await {
            told.unwrap_err();
        }
        sqlx::raw_sql("DROP TRIGGER forbidden").execute(&harness.pool).await.unwrap();
        assert_eq!(uses(&harness.invitations).await, 0, "{change}");
        assert_eq!(trail(&harness.invitations).await, before, "{change}");
    }
    let calls = (0..5).map(|n| (code.as_str(), person(n)));
    for told in harness.redeem_concurrently(calls.collect()).await {
        assert!(!told.unwrap().is_replayed());
    }
    assert_eq!(uses(&harness.invitations).await, 5);
}

/// A redemption that the database rejects fails alone, and the others are made.
#[tokio::test]
async fn rejected_redemption_does_not_fail_the_batch() {
    let harness = Harness::<MySql>::new().await;
    let code = harness.code(for_uses(9)).await;
    let forbid = "CREATE TRIGGER forbidden BEFORE INSERT ON invitation_events FOR EACH ROW \
                  IF NEW.actor = 'person001' THEN \
                  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF";
    sqlx::raw_sql(forbid).execute(&harness.pool).await.unwrap();
    let calls = (0..5).map(|n| (code.as_str(), person(n)));
    let answers = harness.redeem_concurrently(calls.collect()).await;
    let made: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(made, [true, false, true, true, true]);
    assert_eq!(uses(&harness.invitations).await, 4);
    assert_eq!(redemptions_on_record(&harness.invitations).await, 4);
}

#[tokio::test]
async fn batch_with_dropped_callers_answers_the_others_correctly() {
    dropped_callers::<MySql>([0; 4]).await;
}
