//! Races of a redemption against a change of terms, and of changes against each other.
//! The effect is always that of one completely before the other.

use invitation_core::{
    Action, Amendment, Created, Draft, Error, EventOutcome, IfVersion, InvitationId, Redeemed,
    Refusal,
};

use crate::{
    Fixture,
    support::{
        concurrent::{redeem_task, run_concurrently},
        harness::{Harness, refusal},
        samples::{admin, domain, newcomer, newcomer_with_email, role},
    },
};

const ROUNDS: u32 = 25;

/// The result of a task of one of two kinds.
enum JobResult {
    Redeemed(Result<Box<Redeemed>, Error>),
    Changed(Result<u64, Error>),
}

type Job = std::pin::Pin<Box<dyn Future<Output = JobResult> + Send>>;

fn redeem_job(harness: &Harness, code: &str, redeemer: invitation_core::Redeemer) -> Job {
    let redeem = redeem_task(&harness.service, code, redeemer);
    Box::pin(async move { JobResult::Redeemed(redeem.await.map(Box::new)) })
}

fn revoke_job(harness: &Harness, id: InvitationId) -> Job {
    let service = harness.service.clone();
    Box::pin(async move {
        let revoked = service.revoke(&admin(), id, None, IfVersion::Any).await;
        JobResult::Changed(revoked.map(|row| row.version()))
    })
}

fn amend_job(harness: &Harness, id: InvitationId, amendment: Amendment) -> Job {
    let service = harness.service.clone();
    Box::pin(async move {
        let amended = service.amend(&admin(), id, amendment, IfVersion::Any).await;
        JobResult::Changed(amended.map(|row| row.version()))
    })
}

async fn successes(harness: &Harness, id: InvitationId, action: Action) -> usize {
    let events = harness.events_of_invitation(id).await;
    let done = |event: &&invitation_core::Event| {
        event.action == action && event.outcome == EventOutcome::Succeeded
    };
    events.iter().filter(done).count()
}

/// When one redemption and one revocation of a single-use code race, one is applied and
/// the other is refused because of it.
pub async fn redeem_and_revoke_of_a_single_use_code_exclude_each_other(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        let created = harness.create(Draft::new()).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        let anna = newcomer(&format!("anna{round}"));
        let (mut redeemed, mut revoked) = (None, None);
        for done in
            run_concurrently(vec![redeem_job(&harness, &code, anna), revoke_job(&harness, id)])
                .await
        {
            match done {
                JobResult::Redeemed(answer) => redeemed = Some(answer),
                JobResult::Changed(answer) => revoked = Some(answer),
            }
        }
        let stored = harness.stored(id).await;
        match (redeemed, revoked) {
            (Some(Ok(_)), Some(revoked)) => {
                assert_eq!(refusal(revoked), Refusal::Used, "round {round}: redeemed first");
                assert_eq!((stored.uses, stored.revocation), (1, None), "round {round}");
            }
            (Some(redeemed), Some(Ok(_))) => {
                assert_eq!(refusal(redeemed), Refusal::Revoked, "round {round}: revoked first");
                assert_eq!((stored.uses, stored.revocation.is_some()), (0, true), "round {round}");
            }
            other => panic!("round {round}: one of both is made: {:?}", other.0),
        }
        assert_eq!(
            successes(&harness, id, Action::Redeem).await
                + successes(&harness, id, Action::Revoke).await,
            1,
            "round {round}: one success is on record"
        );
    }
}

/// When many redemptions of a multi-use code race its revocation, the use count equals
/// the number of successful calls. No redemption succeeds after the revocation has
/// returned.
pub async fn no_redeem_succeeds_after_a_revocation(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        let created = harness.create_for_uses(100).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        let mut jobs: Vec<_> = (0..12)
            .map(|n| redeem_job(&harness, &code, newcomer(&format!("r{round}-{n}"))))
            .collect();
        jobs.insert(6, revoke_job(&harness, id));
        let mut inside = 0;
        for done in run_concurrently(jobs).await {
            match done {
                JobResult::Redeemed(Ok(_)) => inside += 1,
                JobResult::Redeemed(refused) => {
                    assert_eq!(refusal(refused), Refusal::Revoked, "round {round}: too late");
                }
                JobResult::Changed(revoked) => {
                    assert_eq!(revoked.ok(), Some(2), "round {round}: the revocation is made");
                }
            }
        }
        let late = harness.service.redeem(&code, &newcomer(&format!("late{round}"))).await;
        assert_eq!(refusal(late), Refusal::Revoked, "round {round}: after it returned");
        let stored = harness.stored(id).await;
        assert_eq!(stored.uses, inside, "round {round}: the count of uses");
        let on_record = successes(&harness, id, Action::Redeem).await;
        assert_eq!(u32::try_from(on_record), Ok(inside), "round {round}: and on record");
    }
}

/// When a redemption races an amendment of role and binding, it grants entirely the
/// version before or entirely the version after.
pub async fn redeem_during_an_amendment_grants_one_whole_version(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        let created = harness.create_for_uses(100).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        // Before: staff, for anyone. After: manager, for the domain.
        let amendment =
            Amendment::new().with_role(role("manager")).for_domain(domain("example.com"));
        let mut jobs: Vec<_> = (0..6)
            .flat_map(|n| {
                let plain = newcomer(&format!("plain{round}-{n}"));
                let address = format!("m{n}@example.com");
                let proved = newcomer_with_email(&format!("proved{round}-{n}"), &address);
                [redeem_job(&harness, &code, plain), redeem_job(&harness, &code, proved)]
            })
            .collect();
        jobs.insert(6, amend_job(&harness, id, amendment));
        let mut inside = 0;
        for done in run_concurrently(jobs).await {
            match done {
                JobResult::Redeemed(Ok(redeemed)) => {
                    inside += 1;
                    let plain = redeemed.username().as_str().starts_with("plain");
                    let granted = redeemed.role().as_str();
                    assert!(
                        granted == "staff" || (granted == "manager" && !plain),
                        "round {round}: {granted} to {} is of no version",
                        redeemed.username()
                    );
                }
                JobResult::Redeemed(refused) => assert_eq!(
                    refusal(refused),
                    Refusal::AddressProofRequired,
                    "round {round}: by the version after"
                ),
                JobResult::Changed(amended) => {
                    assert_eq!(amended.ok(), Some(2), "round {round}: a use does not stop it");
                }
            }
        }
        assert_eq!(harness.stored(id).await.uses, inside, "round {round}: counted once each");
    }
}

/// Each rotation that is applied increments the version, even if many run at the same
/// moment. Only the code of the last one is valid.
pub async fn concurrent_rotations_leave_one_valid_code(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        let created = harness.create(Draft::new()).await;
        let id = created.invitation().id();
        let rotated = rotate_at_once(&harness, id, 6, IfVersion::Any).await;
        let mut made: Vec<Created> = Vec::new();
        for answer in rotated {
            match answer {
                Ok(one) => made.push(one),
                refused => assert_eq!(refusal(refused), Refusal::Conflict, "round {round}"),
            }
        }
        assert!(!made.is_empty(), "round {round}: at least one is made");
        made.sort_by_key(|one| one.invitation().version());
        let versions: Vec<_> = made.iter().map(|one| one.invitation().version()).collect();
        let expected: Vec<_> = (2..).take(made.len()).collect();
        assert_eq!(versions, expected, "round {round}: each counts one version");
        assert_eq!(harness.stored(id).await.version, made.len() as u64 + 1, "round {round}");

        let last = made.pop().expect("at least one");
        for dead in made.iter().map(Created::code).chain([created.code()]) {
            let answer = harness.service.redeem(&dead.reveal(), &newcomer("anna")).await;
            assert_eq!(refusal(answer), Refusal::CodeUnknown, "round {round}: a dead code");
        }
        let anna = newcomer(&format!("anna{round}"));
        let redeemed = harness.service.redeem(&last.code().reveal(), &anna).await;
        assert!(redeemed.is_ok(), "round {round}: the last code: {redeemed:?}");
    }
}

/// When many changes for the same version run at the same moment, exactly one is applied.
pub async fn one_of_many_changes_of_one_version_is_applied(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        let id = harness.create(Draft::new()).await.invitation().id();
        let answers = rotate_at_once(&harness, id, 6, IfVersion::Exactly(1)).await;
        let mut made = 0;
        for answer in answers {
            match answer {
                Ok(_) => made += 1,
                refused => assert_eq!(
                    refusal(refused),
                    Refusal::VersionMismatch { current: 2 },
                    "round {round}: the others hear of the new version"
                ),
            }
        }
        assert_eq!(made, 1, "round {round}: exactly one");
        assert_eq!(harness.stored(id).await.version, 2, "round {round}");
        assert_eq!(successes(&harness, id, Action::Rotate).await, 1, "round {round}: on record");
    }
}

async fn rotate_at_once(
    harness: &Harness,
    id: InvitationId,
    n: usize,
    when: IfVersion,
) -> Vec<Result<Created, Error>> {
    let jobs = (0..n)
        .map(|_| {
            let service = harness.service.clone();
            async move { service.rotate(&admin(), id, when).await }
        })
        .collect();
    run_concurrently(jobs).await
}
