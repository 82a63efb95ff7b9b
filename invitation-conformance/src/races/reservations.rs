//! Many concurrent callers of one code, some with reservations: no more redemptions than
//! uses, and no use is lost.

use std::{collections::HashMap, num::NonZeroU32};

use invitation_core::{
    Action, Draft, Error, Event, EventId, EventOutcome, InvitationId, Redeemed, Refusal,
    ReservationId, Reserved, Scope,
};

use crate::{
    Fixture,
    support::{
        concurrent::{CALLERS, run_concurrently},
        harness::{Harness, refusal, reserved},
        reads::{all_leases, all_redemptions},
        samples::newcomer,
    },
};

/// The outcome of one caller in a round.
#[derive(Debug)]
enum CallResult {
    Redeemed(Box<Redeemed>),
    /// Reserved a use and released it.
    Released,
    Refused(Refusal),
}

type Job = std::pin::Pin<Box<dyn Future<Output = CallResult> + Send>>;

/// The operation of one caller in a round.
#[derive(Clone, Copy, Debug)]
enum CallKind {
    Redeem,
    ReserveAndCommit,
    ReserveAndRelease,
    CommitLate(ReservationId),
}

fn job(harness: &Harness, code: &str, name: &str, kind: CallKind) -> Job {
    let (service, code, who) = (harness.service.clone(), code.to_owned(), newcomer(name));
    Box::pin(async move {
        let call = async || -> Result<CallResult, Error> {
            let redeemed = match kind {
                CallKind::Redeem => service.redeem(&code, &who).await?,
                CallKind::CommitLate(reservation) => service.commit(reservation, &who).await?,
                CallKind::ReserveAndCommit | CallKind::ReserveAndRelease => {
                    let Reserved::Open(reservation) = service.reserve(&code, &who).await? else {
                        panic!("{who:?} has not redeemed it");
                    };
                    assert!(!reservation.is_replayed(), "{who:?} has not reserved it");
                    if matches!(kind, CallKind::ReserveAndRelease) {
                        service.release(reservation.id(), &who).await.expect("it is held");
                        return Ok(CallResult::Released);
                    }
                    service.commit(reservation.id(), &who).await.expect("it is held")
                }
            };
            assert!(!redeemed.is_replayed(), "{who:?} is new");
            Ok(CallResult::Redeemed(Box::new(redeemed)))
        };
        match call().await {
            Ok(result) => result,
            Err(Error::Refused(refused)) => {
                assert!(refused.unrecorded().is_empty(), "its evidence is stored");
                CallResult::Refused(refused.refusal().clone())
            }
            Err(other) => panic!("{kind:?}: a loser is refused, not {other:?}"),
        }
    })
}

/// The facts known about one code after its round.
struct RaceResult {
    id: InvitationId,
    /// The redemptions of the round, and of the callers after it.
    winners: Vec<Redeemed>,
    losers: usize,
}

/// Runs `rounds` races of redemptions and reservations for codes with `uses` uses. Authors
/// of stores call it in a test of their own, with as many rounds as their test run has time
/// for.
///
/// In each round 64 users use one code at the same moment: some redeem it, some reserve and
/// commit, some reserve and release. In two of three rounds, other users hold expired
/// reservations, and commit them at the same moment.
///
/// The code never has more redemptions than uses. After the race, further callers get
/// exactly the remaining uses.
pub async fn run_reservation_races(fixture: Fixture, rounds: u32, uses: NonZeroU32) {
    let harness = Harness::with_unlimited_denials(fixture);
    let mut raced = Vec::new();
    for round in 0..rounds {
        raced.push(one_round(&harness, round, uses.get()).await);
    }
    check_trail(&harness, raced).await;
}

async fn one_round(harness: &Harness, round: u32, uses: u32) -> RaceResult {
    let created = harness.create_for_uses(uses).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let mut jobs = Vec::new();
    let vanished = [uses, 0, uses.div_ceil(2)][usize::try_from(round % 3).expect("small")];
    for n in 0..vanished {
        let name = format!("v{round}-{n}");
        let reservation = harness.reserve(&code, &name).await;
        jobs.push(job(harness, &code, &name, CallKind::CommitLate(reservation.id())));
    }
    // Moves past the end of all leases and into another minute. Otherwise some refusals
    // would only be counted.
    harness.clock.advance(time::Duration::minutes(11));
    for n in vanished..CALLERS {
        let kind = match n % 4 {
            0 => CallKind::ReserveAndCommit,
            1 => CallKind::ReserveAndRelease,
            _ => CallKind::Redeem,
        };
        jobs.push(job(harness, &code, &format!("r{round}-{n}"), kind));
    }
    // Another caller starts first in each round.
    let turn = jobs.len() / 3 * usize::try_from(round % 5).expect("small") % jobs.len();
    jobs.rotate_left(turn);

    let (mut winners, mut losers) = (Vec::new(), 0);
    for call in run_concurrently(jobs).await {
        match call {
            CallResult::Redeemed(redeemed) => winners.push(*redeemed),
            CallResult::Released => {}
            CallResult::Refused(
                Refusal::Used | Refusal::Reserved { .. } | Refusal::ReservationLost,
            ) => {
                losers += 1;
            }
            CallResult::Refused(other) => panic!("round {round}: no reason in a crowd: {other:?}"),
        }
    }
    check_stored(harness, id, &winners, uses, &format!("round {round}, after the crowd")).await;
    // After all leases have ended, every remaining use is available.
    harness.clock.advance(time::Duration::minutes(11));
    for n in 0.. {
        let answer = harness.service.redeem(&code, &newcomer(&format!("late{round}-{n}"))).await;
        match answer {
            Ok(redeemed) => winners.push(redeemed),
            refused => {
                assert_eq!(refusal(refused), Refusal::Used, "round {round}: the end");
                losers += 1;
                break;
            }
        }
        assert!(winners.len() <= size(uses), "round {round}: never more than it says");
    }
    assert_eq!(winners.len(), size(uses), "round {round}: no use is lost");
    check_stored(harness, id, &winners, uses, &format!("round {round}, at the end")).await;
    RaceResult { id, winners, losers }
}

/// Checks that the stored redemptions match the winners' results, and that uses and
/// leases together do not exceed the maximum.
async fn check_stored(
    harness: &Harness,
    id: InvitationId,
    winners: &[Redeemed],
    uses: u32,
    what: &str,
) {
    let stored = harness.stored(id).await;
    assert_eq!(size(stored.uses), winners.len(), "{what}: the count of uses");
    assert!(stored.uses + stored.held <= uses, "{what}: {} held", stored.held);
    let mut redemptions = all_redemptions(&*harness.store, &Scope::All, id, 50).await;
    redemptions.sort_by_key(|redemption| redemption.id);
    let mut expected: Vec<_> = winners.iter().map(|winner| winner.redemption().clone()).collect();
    expected.sort_by_key(|redemption| redemption.id);
    assert_eq!(redemptions, expected, "{what}: the stored redemptions");
    if stored.held > 0 || stored.uses == uses {
        let leases = all_leases(&*harness.store, &Scope::All, 50).await;
        let here = leases.iter().filter(|open| open.invitation == id).count();
        assert_eq!(here, size(stored.held), "{what}: as many leases as are counted");
    }
}

/// Checks that each winner has one event of success and each loser one of refusal. Each
/// reservation must end in exactly one kind: committed, released or taken over.
async fn check_trail(harness: &Harness, raced: Vec<RaceResult>) {
    let mut trail: HashMap<_, Vec<Event>> = HashMap::new();
    for event in harness.events().await {
        let id = event.invitation.expect("the code is known in each of them");
        trail.entry(id).or_default().push(event);
    }
    for RaceResult { id, winners, losers } in raced {
        let events = trail.remove(&id).unwrap_or_default();
        let done = |action| {
            let made =
                |event: &&Event| event.action == action && event.outcome == EventOutcome::Succeeded;
            events.iter().filter(made).collect::<Vec<_>>()
        };
        let (redeems, reserves) = (done(Action::Redeem), done(Action::Reserve));
        let mut on_record: Vec<_> = redeems.iter().map(|event| event.id).collect();
        let mut expected: Vec<_> = winners.iter().map(|one| one.redemption().id).collect();
        on_record.sort();
        expected.sort();
        assert_eq!(on_record, expected, "one success for each winner");
        let refused = events.iter().filter(|event| event.outcome == EventOutcome::Refused);
        assert_eq!(refused.count(), losers, "one refusal for each loser");

        let lease = |event: &Event, name| {
            event.detail.get(name).map(|id| id.parse::<EventId>().expect("the id of a lease"))
        };
        let mut begun: Vec<_> = reserves.iter().map(|event| event.id).collect();
        let mut ended: Vec<_> = done(Action::Release)
            .iter()
            .chain(&redeems)
            .filter_map(|event| lease(event, "reservation"))
            .collect();
        let takers = redeems.iter().chain(&reserves);
        ended.extend(takers.filter_map(|event| lease(event, "taken_over_from")));
        begun.sort();
        ended.sort();
        assert_eq!(ended, begun, "each reservation has ended once, in one kind");
    }
    assert!(trail.is_empty(), "no event is about anything else");
}

fn size(n: u32) -> usize {
    usize::try_from(n).expect("a small number")
}

/// When 64 people redeem and reserve a single-use code at the same moment, at most one
/// redeems it, and its use is never lost.
pub async fn concurrent_reservations_of_a_single_use_code_redeem_it_once(fixture: Fixture) {
    run_reservation_races(fixture, 9, NonZeroU32::MIN).await;
}

/// When 64 people redeem and reserve a code with three uses at the same moment, at most
/// three redeem it, and no use is lost.
pub async fn concurrent_reservations_of_a_three_use_code_redeem_it_three_times(fixture: Fixture) {
    run_reservation_races(fixture, 6, NonZeroU32::MIN.saturating_add(2)).await;
}

/// When 64 people redeem and reserve a code with five uses at the same moment, at most
/// five redeem it, and no use is lost.
pub async fn concurrent_reservations_of_a_five_use_code_redeem_it_five_times(fixture: Fixture) {
    run_reservation_races(fixture, 6, NonZeroU32::MIN.saturating_add(4)).await;
}

/// When one person reserves many times at the same moment, all calls return one
/// reservation, with one event. It holds a free use, renews the person's own, or takes
/// over an expired one.
pub async fn concurrent_reserves_of_one_user_return_one_reservation(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..9_u32 {
        let uses = [1, 3, 20][size(round / 3)];
        let created =
            harness.create(Draft::new().for_uses(NonZeroU32::new(uses).expect("some"))).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        let anna = newcomer(&format!("anna{round}"));
        // The code has no leases, the person's own, or as many of other people as it has
        // uses.
        let (mut own, mut expected) = (None, 1);
        match round % 3 {
            1 => own = Some(harness.reserve(&code, &format!("anna{round}")).await.id()),
            2 => {
                for n in 0..uses {
                    harness.reserve(&code, &format!("vanished{round}-{n}")).await;
                }
                expected = uses;
            }
            _ => {}
        }
        harness.clock.advance(time::Duration::minutes(10));
        let before = harness.events_by_user(anna.user()).await.len();
        let jobs = (0..16)
            .map(|_| {
                let (service, code, anna) = (harness.service.clone(), code.clone(), anna.clone());
                async move { service.reserve(&code, &anna).await }
            })
            .collect();
        let answers: Vec<_> = run_concurrently(jobs).await.into_iter().map(reserved).collect();
        let first = answers.iter().filter(|answer| !answer.is_replayed()).count();
        let expected_first = usize::from(own.is_none());
        assert_eq!(first, expected_first, "round {round}: one is the first, the others repeat it");
        let key = own.unwrap_or_else(|| answers[0].id());
        let until = answers[0].until();
        let alike = answers.iter().all(|one| one.id() == key && one.until() == until);
        assert!(alike, "round {round}: all have the same reservation");
        let stored = harness.stored(id).await;
        assert_eq!((stored.uses, stored.held), (0, expected), "round {round}: one use");
        let events = harness.events_by_user(anna.user()).await;
        assert_eq!(events.len(), before + 1, "round {round}: one event: {events:?}");
    }
}
