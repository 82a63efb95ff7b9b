//! On MariaDB, those who want the same code.

use std::time::Duration;

use invitation_core::{Draft, testing::DropAfter};
use invitation_sqlx::sqlx::{self, MySql};
use tokio::{task::yield_now, time::timeout};

use crate::{
    one_code::one_code,
    station::{Station, for_uses, person},
    support::{redemptions_on_record, trail, uses},
};

one_code!(MySql);

#[tokio::test]
async fn those_of_another_code_are_not_waited_for() {
    let station = Station::<MySql>::new().await;
    let (code, single) = (station.code(for_uses(9)).await, station.code(Draft::new()).await);
    let before = station.transactions().await;
    let mut calls: Vec<_> = (0..4).map(|n| (code.as_str(), person(n))).collect();
    calls.push((&single, person(9)));
    for told in station.together(calls).await {
        assert!(!told.unwrap().is_replayed());
    }
    assert_eq!(station.transactions().await - before, 2, "one for each code");
    assert_eq!(uses(&station.invitations).await, 5);
    assert_eq!(redemptions_on_record(&station.invitations).await, 5);
}

/// A change that follows the update and fails leaves nothing of what was shared.
#[tokio::test]
async fn what_fails_behind_the_update_fails_for_all_and_is_undone() {
    let station = Station::<MySql>::new().await;
    let code = station.code(for_uses(9)).await;
    let before = trail(&station.invitations).await;
    for change in ["INSERT ON invitation_events", "INSERT ON invitation_redemptions"] {
        let forbid = format!(
            "CREATE OR REPLACE TRIGGER no BEFORE {change} FOR EACH ROW \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(forbid)).execute(&station.pool).await.unwrap();
        let calls = (0..5).map(|n| (code.as_str(), person(n)));
        for told in station.together(calls.collect()).await {
            told.unwrap_err();
        }
        sqlx::raw_sql("DROP TRIGGER no").execute(&station.pool).await.unwrap();
        assert_eq!(uses(&station.invitations).await, 0, "{change}");
        assert_eq!(trail(&station.invitations).await, before, "{change}");
    }
    let calls = (0..5).map(|n| (code.as_str(), person(n)));
    for told in station.together(calls.collect()).await {
        assert!(!told.unwrap().is_replayed());
    }
    assert_eq!(uses(&station.invitations).await, 5);
}

#[tokio::test]
async fn whoever_goes_away_leaves_the_others_with_the_truth() {
    for polls in 0.. {
        let station = Station::<MySql>::new().await;
        let code = station.code(for_uses(9)).await;
        let held = station.hold().await;
        let (invitations, its_code) = (station.invitations.clone(), code.clone());
        let first = tokio::spawn(DropAfter::new(
            async move { invitations.redeem(&its_code, &person(0)).await },
            polls,
        ));
        yield_now().await;
        let others = [1, 2, 3].map(|n| station.redeem(&code, person(n)));
        yield_now().await;
        drop(held);
        let finished = first.await.unwrap();
        for other in others {
            timeout(Duration::from_secs(20), other).await.unwrap().unwrap().unwrap();
        }
        let again = station.invitations.redeem(&code, &person(0)).await.unwrap();
        assert_eq!(uses(&station.invitations).await, 4, "after {polls}");
        assert_eq!(redemptions_on_record(&station.invitations).await, 4, "after {polls}");
        if let Some(made) = finished {
            made.unwrap();
            assert!(again.is_replayed());
            assert!(polls > 1, "it was dropped on its way before");
            break;
        }
    }
}
