//! Many concurrent callers of one code: exactly as many succeed as it has uses.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Draft, Error, EventOutcome, InvitationId, Reason, Record, Redeemed, Refusal,
};

use crate::{
    Fixture,
    support::{
        concurrent::{CALLERS, redeem_task, run_concurrently},
        harness::Harness,
        samples::newcomer,
    },
};

/// Runs `rounds` races for codes with `uses` uses. Authors of stores call it in a test of
/// their own, with as many rounds as their test run has time for.
///
/// In each round 64 users redeem one code at the same moment. Exactly `uses` of them
/// succeed, the others get the refusal *used*, and each user has exactly one event.
pub async fn run_redemption_races(fixture: Fixture, rounds: u32, uses: NonZeroU32) {
    let harness = Harness::with_unlimited_denials(fixture);
    let mut raced = Vec::new();
    for round in 0..rounds {
        // Each round runs in a minute of its own. Otherwise the limit per minute would be reached,
        // and some refusals would only be counted.
        harness.clock.advance(time::Duration::MINUTE);
        let created = harness.create(Draft::new().for_uses(uses)).await;
        let code = created.code().reveal();
        let jobs = (0..CALLERS)
            .map(|n| redeem_task(&harness.service, &code, newcomer(&format!("r{round}-{n}"))))
            .collect();
        let answers = run_concurrently(jobs).await;
        let winners = check_answers(answers, uses, round);
        let stored = harness.stored(created.invitation().id()).await;
        check_stored(&stored, &winners, uses);
        raced.push((stored.id, winners));
    }
    check_trail(&harness, &raced, uses).await;
}

/// Checks that exactly `uses` calls succeeded and that the rest got the same refusal.
/// Returns the redemptions.
fn check_answers(
    answers: Vec<Result<Redeemed, Error>>,
    uses: NonZeroU32,
    round: u32,
) -> Vec<Redeemed> {
    let mut winners = Vec::new();
    for answer in answers {
        match answer {
            Ok(redeemed) => winners.push(redeemed),
            Err(Error::Refused(refused)) => {
                assert_eq!(refused.refusal(), &Refusal::Used, "round {round}: a loser");
                assert!(refused.unrecorded().is_empty(), "round {round}: its evidence is stored");
            }
            Err(other) => panic!("round {round}: a loser is refused, not {other:?}"),
        }
    }
    assert_eq!(winners.len(), size(uses.get()), "round {round}: as many as the code says");
    assert!(winners.iter().all(|one| !one.is_replayed()), "round {round}: none is a repeat");
    winners
}

fn check_stored(stored: &Record, winners: &[Redeemed], uses: NonZeroU32) {
    assert_eq!(stored.uses, uses.get(), "as many are counted");
    let last = stored.last_use.as_ref().expect("it was used");
    assert!(
        winners.iter().any(|winner| winner.redemption() == last),
        "Used By is one of the redeemers"
    );
}

/// Checks that each winner has one event of success, under the id of the redemption, and
/// each loser one of refusal.
async fn check_trail(harness: &Harness, raced: &[(InvitationId, Vec<Redeemed>)], uses: NonZeroU32) {
    let mut trail: std::collections::HashMap<_, Vec<_>> = std::collections::HashMap::new();
    for event in harness.events().await {
        let id = event.invitation.expect("the code is known in each of them");
        trail.entry(id).or_default().push(event);
    }
    for (id, winners) in raced {
        let events = trail.remove(id).unwrap_or_default();
        let redeems = events.iter().filter(|event| event.action == Action::Redeem);
        let (done, refused): (Vec<_>, Vec<_>) =
            redeems.partition(|event| event.outcome == EventOutcome::Succeeded);
        assert_eq!(done.len(), winners.len(), "one success each");
        for winner in winners {
            let own = done.iter().find(|event| event.id == winner.redemption().id);
            let who = own.and_then(|event| event.performer.user());
            assert_eq!(who, Some(&winner.redemption().user), "the winner's own evidence");
        }
        assert_eq!(refused.len(), size(CALLERS - uses.get()), "one refusal for each loser");
        assert!(refused.iter().all(|event| event.reason == Some(Reason::Used)), "and why");
        let mut losers: Vec<_> = refused.iter().map(|event| event.performer.user()).collect();
        losers.sort();
        losers.dedup();
        assert_eq!(losers.len(), refused.len(), "each of another loser");
    }
    assert!(trail.is_empty(), "no event is about anything else");
}

fn size(n: u32) -> usize {
    usize::try_from(n).expect("a small number")
}

/// When 64 people redeem a single-use code at the same moment, exactly one succeeds. The
/// rest get the refusal *used*, and each call writes one event.
pub async fn concurrent_redeems_of_a_single_use_code_succeed_once(fixture: Fixture) {
    run_redemption_races(fixture, 25, NonZeroU32::MIN).await;
}

/// When 64 people redeem a code with three uses at the same moment, exactly three
/// succeed.
pub async fn concurrent_redeems_of_a_three_use_code_succeed_three_times(fixture: Fixture) {
    run_redemption_races(fixture, 12, NonZeroU32::MIN.saturating_add(2)).await;
}

/// When 64 people redeem a code with five uses at the same moment, exactly five succeed.
pub async fn concurrent_redeems_of_a_five_use_code_succeed_five_times(fixture: Fixture) {
    run_redemption_races(fixture, 12, NonZeroU32::MIN.saturating_add(4)).await;
}

/// When one person redeems many times at the same moment, one use is consumed. All calls
/// return the same redemption, and exactly one returns it as the first.
pub async fn concurrent_redeems_of_one_user_consume_one_use(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..15_u32 {
        let created = harness.create_for_uses([1, 3, 20][size(round % 3)]).await;
        let code = created.code().reveal();
        let anna = newcomer(&format!("anna{round}"));
        let jobs = (0..16).map(|_| redeem_task(&harness.service, &code, anna.clone())).collect();
        let answers: Vec<_> = run_concurrently(jobs)
            .await
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|error| panic!("round {round}: {error:?}")))
            .collect();
        let first = answers.iter().filter(|answer| !answer.is_replayed()).count();
        assert_eq!(first, 1, "round {round}: one is the first, the others repeat it");
        assert!(
            answers.iter().all(|answer| answer.redemption() == answers[0].redemption()),
            "round {round}: all have the same redemption"
        );
        assert_eq!(harness.stored(answers[0].invitation()).await.uses, 1, "round {round}: one use");
        let events = harness.events_by_user(anna.user()).await;
        assert_eq!(events.len(), 1, "round {round}: one event: {events:?}");
    }
}

/// Concurrent redemptions of different codes do not affect each other.
pub async fn concurrent_redeems_of_different_codes_all_succeed(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    let mut jobs = Vec::new();
    for n in 0..CALLERS {
        let created = harness.create(Draft::new()).await;
        jobs.push(redeem_task(
            &harness.service,
            &created.code().reveal(),
            newcomer(&format!("n{n}")),
        ));
    }
    for (n, answer) in run_concurrently(jobs).await.into_iter().enumerate() {
        assert!(answer.is_ok(), "{n}: a code of one's own is redeemed: {answer:?}");
    }
}
