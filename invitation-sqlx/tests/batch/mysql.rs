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
async fn those_of_another_code_are_not_waited_for() {
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
async fn what_fails_behind_the_update_fails_for_all_and_is_undone() {
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

#[tokio::test]
async fn dropped_callers_leave_correct_answers_to_the_others() {
    dropped_callers::<MySql>([0; 4]).await;
}
