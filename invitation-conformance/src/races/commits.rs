//! Races of a commit against another operation that ends its reservation: exactly one of
//! both is applied.

use invitation_core::{Action, Error, EventOutcome, IfVersion, Refusal, ReservationId};

use crate::{
    Fixture,
    support::{
        concurrent::run_concurrently,
        harness::{Harness, refusal},
        samples::{admin, later, newcomer},
    },
};

const ROUNDS: u32 = 20;

type Answer = Result<(), Error>;
type Job = std::pin::Pin<Box<dyn Future<Output = (bool, Answer)> + Send>>;

/// Runs a commit by anna against another operation; returns the results of both.
async fn race(
    harness: &Harness,
    reservation: ReservationId,
    name: &str,
    other: impl Future<Output = Answer> + Send + 'static,
) -> (Answer, Answer) {
    let (service, anna) = (harness.service.clone(), newcomer(name));
    let commit: Job =
        Box::pin(async move { (true, service.commit(reservation, &anna).await.map(drop)) });
    let other: Job = Box::pin(async move { (false, other.await) });
    let mut answers = run_concurrently(vec![commit, other]).await;
    answers.sort_by_key(|(is_commit, _)| !is_commit);
    let mut answers = answers.into_iter().map(|(_, answer)| answer);
    (answers.next().expect("a commit"), answers.next().expect("the other one"))
}

async fn redeems(harness: &Harness, reservation: ReservationId) -> usize {
    let events = harness.events_of_invitation(reservation.invitation()).await;
    let done = events
        .iter()
        .filter(|event| event.action == Action::Redeem && event.outcome == EventOutcome::Succeeded);
    done.count()
}

/// When a commit and a release of the same reservation race, one succeeds. Either the use
/// is redeemed and the release is refused, or the use is released and the commit is
/// refused.
pub async fn commit_and_release_exclude_each_other(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        let created = harness.create_for_uses([1, 3][usize::from(round % 2 == 1)]).await;
        let name = format!("anna{round}");
        let reservation = harness.reserve(&created.code().reveal(), &name).await.id();
        let (service, anna) = (harness.service.clone(), newcomer(&name));
        let release = async move { service.release(reservation, &anna).await };
        let (commit, release) = race(&harness, reservation, &name, release).await;
        let stored = harness.stored(reservation.invitation()).await;
        assert_eq!(stored.held, 0, "round {round}: nothing is held");
        let made = match commit {
            Ok(()) => {
                assert_eq!(refusal(release), Refusal::Used, "round {round}: redeemed first");
                1
            }
            refused => {
                assert_eq!(refusal(refused), Refusal::ReservationLost, "round {round}");
                release.unwrap_or_else(|error| panic!("round {round}: one is made: {error:?}"));
                0
            }
        };
        assert_eq!(stored.uses, made, "round {round}: counted");
        assert_eq!(redeems(&harness, reservation).await, usize::from(made == 1), "on record");
    }
}

/// When a commit and a revocation race, either the use is redeemed before the revocation,
/// or the commit is refused as revoked.
pub async fn commit_racing_a_revocation_comes_first_or_is_refused(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        let several = round % 2 == 1;
        let created = harness.create_for_uses(if several { 3 } else { 1 }).await;
        let name = format!("anna{round}");
        let reservation = harness.reserve(&created.code().reveal(), &name).await.id();
        let (service, id) = (harness.service.clone(), reservation.invitation());
        let revoke =
            async move { service.revoke(&admin(), id, None, IfVersion::Any).await.map(drop) };
        let (commit, revoke) = race(&harness, reservation, &name, revoke).await;
        let stored = harness.stored(id).await;
        assert_eq!(stored.held, 0, "round {round}: nothing is held");
        match (commit, several) {
            (Ok(()), false) => {
                assert_eq!(refusal(revoke), Refusal::Used, "round {round}: redeemed first");
                assert_eq!((stored.uses, stored.revocation), (1, None), "round {round}");
            }
            (Ok(()), true) => {
                revoke.unwrap_or_else(|error| panic!("round {round}: uses are left: {error:?}"));
                assert_eq!((stored.uses, stored.revocation.is_some()), (1, true), "{round}");
            }
            (refused, _) => {
                assert_eq!(refusal(refused), Refusal::Revoked, "round {round}: revoked first");
                revoke.unwrap_or_else(|error| panic!("round {round}: one is made: {error:?}"));
                assert_eq!((stored.uses, stored.revocation.is_some()), (0, true), "{round}");
            }
        }
        let counted = usize::try_from(stored.uses);
        assert_eq!(Ok(redeems(&harness, reservation).await), counted, "round {round}: on record");
    }
}

/// When a late commit races another user who needs the use of the expired reservation,
/// exactly one of both gets it.
pub async fn late_commit_and_takeover_exclude_each_other(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        let created = harness.create_for_uses(1).await;
        let (name, code) = (format!("anna{round}"), created.code().reveal());
        let reservation = harness.reserve(&code, &name).await.id();
        harness.clock.advance(time::Duration::minutes(10));
        let (service, taker) = (harness.service.clone(), newcomer(&format!("taker{round}")));
        let reserves = round % 2 == 1;
        let take = async move {
            if reserves {
                service.reserve(&code, &taker).await.map(drop)
            } else {
                service.redeem(&code, &taker).await.map(drop)
            }
        };
        let (commit, take) = race(&harness, reservation, &name, take).await;
        let stored = harness.stored(reservation.invitation()).await;
        match commit {
            Ok(()) => {
                assert_eq!(refusal(take), Refusal::Used, "round {round}: committed first");
                assert_eq!((stored.uses, stored.held), (1, 0), "round {round}");
            }
            refused => {
                assert_eq!(refusal(refused), Refusal::ReservationLost, "round {round}: taken");
                take.unwrap_or_else(|error| panic!("round {round}: one is made: {error:?}"));
                let expected = if reserves { (0, 1) } else { (1, 0) };
                assert_eq!((stored.uses, stored.held), expected, "round {round}");
            }
        }
        let counted = usize::try_from(stored.uses);
        assert_eq!(Ok(redeems(&harness, reservation).await), counted, "round {round}: on record");
    }
}

/// When many users need the use of one expired reservation, exactly one takes it over.
/// The rest learn until when that user holds it.
pub async fn expired_reservation_is_taken_over_by_one_of_many(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..8 {
        let created = harness.create_for_uses(1).await;
        let code = created.code().reveal();
        harness.reserve(&code, &format!("vanished{round}")).await;
        harness.clock.advance(time::Duration::minutes(10));
        let jobs = (0..16)
            .map(|n| {
                let (service, code) = (harness.service.clone(), code.clone());
                let taker = newcomer(&format!("taker{round}-{n}"));
                async move { service.reserve(&code, &taker).await }
            })
            .collect();
        let until = later(harness.now(), 600_000_000);
        let mut made = 0;
        for answer in run_concurrently(jobs).await {
            match answer {
                Ok(_) => made += 1,
                refused => {
                    assert_eq!(refusal(refused), Refusal::Reserved { until }, "round {round}");
                }
            }
        }
        assert_eq!(made, 1, "round {round}: exactly one");
        let stored = harness.stored(created.invitation().id()).await;
        assert_eq!((stored.uses, stored.held), (0, 1), "round {round}: held once");
    }
}
