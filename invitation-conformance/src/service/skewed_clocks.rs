//! Processes on one store whose clocks differ, or jump backwards.

use invitation_core::{Draft, Expiry, IfVersion, ManualClock, Refusal, Timestamp};

use crate::{
    Fixture,
    support::{
        harness::{Harness, Service, refusal},
        samples::{admin, later, newcomer},
    },
};

const MINUTE: i64 = 60 * 1_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Returns the service of a process whose clock shows this time.
fn process(harness: &Harness, now: Timestamp) -> Service {
    harness.service.clone().with_clock(ManualClock::new(now))
}

/// A process whose clock is ten minutes fast refuses a code ten minutes early, and one whose clock
/// is ten minutes slow accepts it ten minutes longer. Each follows its own clock, to the microsecond.
pub async fn verdicts_of_processes_differ_by_the_skew_of_their_clocks_only(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    let expiry = later(harness.now(), 60 * MINUTE);
    for skew in [-10 * MINUTE, 0, 10 * MINUTE] {
        for true_time in [-10 * MINUTE - 1, -10 * MINUTE, -1, 0, 10 * MINUTE - 1, 10 * MINUTE] {
            let code = harness.create(Draft::new().expiring(Expiry::At(expiry))).await;
            let (code, anna) = (code.code().reveal(), newcomer("anna"));
            let shown = true_time + skew;
            let service = process(&harness, later(expiry, shown));
            let checked = service.check(&code, &anna, None).await.map(drop);
            let redeemed = service.redeem(&code, &anna).await.map(drop);
            for answer in [checked, redeemed] {
                if shown < 0 {
                    answer.unwrap_or_else(|error| panic!("{skew} {true_time}: {error}"));
                } else {
                    let expected = Refusal::Expired { at: expiry };
                    assert_eq!(refusal(answer), expected, "{skew} {true_time}");
                }
            }
        }
    }
}

/// No clock brings a code back that was used, revoked, replaced or deleted: not one that is ten
/// minutes slow, and not one that jumps back behind the creation.
pub async fn used_or_revoked_code_stays_so_under_any_clock(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    let ahead = process(&harness, later(harness.now(), 10 * MINUTE));
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(harness.create(Draft::new()).await);
    }
    let [used, revoked, replaced, deleted] = codes.try_into().expect("four codes");
    let any = IfVersion::Any;
    ahead.redeem(&used.code().reveal(), &newcomer("anna")).await.expect("it is unused");
    ahead.revoke(&admin(), revoked.invitation().id(), None, any).await.expect("may revoke");
    ahead.rotate(&admin(), replaced.invitation().id(), any).await.map(drop).expect("may rotate");
    ahead.delete(&admin(), deleted.invitation().id(), any).await.expect("may delete");
    let before = harness.snapshot().await.0;
    // The default lifetime is seven days.
    for skew in [-2 * DAY, -10 * MINUTE, 0, 10 * MINUTE, 20 * DAY] {
        let service = process(&harness, later(harness.now(), skew));
        for (created, expected) in [
            (&used, Refusal::Used),
            (&revoked, Refusal::Revoked),
            (&replaced, Refusal::CodeUnknown),
            (&deleted, Refusal::CodeUnknown),
        ] {
            let code = created.code().reveal();
            let redeemed = service.redeem(&code, &newcomer("ben")).await;
            assert_eq!(refusal(redeemed), expected, "{skew}");
            let reserved = service.reserve(&code, &newcomer("ben")).await;
            assert_eq!(refusal(reserved), expected, "{skew}");
        }
        let again = service.redeem(&used.code().reveal(), &newcomer("anna")).await;
        assert!(again.expect("her own redemption").is_replayed(), "{skew}");
    }
    assert_eq!(harness.snapshot().await.0, before, "nothing has changed");
}
