//! Equal requests under one idempotency key at the same moment: one is performed.

use invitation_core::{Cap, Created, Error, IdempotencyKey, ImportMode};

use crate::{
    Fixture,
    support::{
        concurrent::run_concurrently,
        harness::Harness,
        imports::{import, outcomes, same_results},
        quotas::{cap, staff_draft, with_quotas},
        samples::{admin, division, email, key},
    },
};

/// When many callers use one key at the same moment, one creates and the rest receive the
/// same result.
pub async fn concurrent_creations_under_one_key_create_once(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..8 {
        let many = round % 2;
        let jobs = (0..16)
            .map(|_| {
                let (service, key) = (harness.service.clone(), key(&format!("k{round}")));
                async move {
                    if many == 0 {
                        let created = service.create_once(&admin(), &key, staff_draft()).await?;
                        return Ok::<_, Error>(vec![created]);
                    }
                    let drafts = vec![staff_draft(), staff_draft(), staff_draft()];
                    service.create_many_once(&admin(), &key, drafts).await
                }
            })
            .collect();
        let before = harness.snapshot().await;
        let answers: Vec<_> = run_concurrently(jobs)
            .await
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|error| panic!("round {round}: {error:?}")))
            .collect();
        let made = answers.iter().filter(|answer| !answer[0].is_replayed()).count();
        assert_eq!(made, 1, "round {round}: one is the first");
        for answer in &answers {
            let pairs = answer.iter().zip(&answers[0]);
            let alike = |(a, b): (&Created, &Created)| {
                a.invitation() == b.invitation() && a.code() == b.code()
            };
            assert!(pairs.into_iter().all(alike), "round {round}: all get the same");
        }
        let n = answers[0].len();
        let after = harness.snapshot().await;
        assert_eq!(after.0.len(), before.0.len() + n, "round {round}: stored once");
        assert_eq!(after.1.len(), before.1.len() + n, "round {round}: one event each");
    }
}

/// When equal imports under one key arrive at the same moment, in any mode, one creates
/// and the rest return its results. This also holds when a quota has no room for all
/// rows.
pub async fn concurrent_imports_under_one_key_create_once(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..8_u32 {
        let here = division(&format!("round{round}"));
        let address = format!("a{round}@example.com");
        let to = staff_draft().for_email(email(&address)).in_division(here.clone());
        let free = staff_draft().in_division(here);
        let drafts = [to.clone(), free.clone(), to, free.clone(), free];
        let is_full = round % 4 >= 2;
        let room = if is_full { 2 } else { 9 };
        let service = with_quotas(&harness, Cap::Unlimited, cap(room));
        let mode = if round % 2 == 0 { ImportMode::BestEffort } else { ImportMode::AllOrNone };
        let before = harness.snapshot().await.0.len();
        let jobs = (0..12)
            .map(|_| {
                let (service, key): (_, IdempotencyKey) =
                    (service.clone(), key(&format!("k{round}")));
                let asked = import(drafts.clone()).with_mode(mode);
                async move { service.import(&admin(), asked, Some(&key)).await }
            })
            .collect();
        let answers = run_concurrently(jobs).await;
        let created = harness.snapshot().await.0.len() - before;
        if is_full && mode == ImportMode::AllOrNone {
            assert_eq!(created, 0, "round {round}");
            assert!(answers.iter().all(Result::is_err), "round {round}: there is no room for all");
            continue;
        }
        let answers: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|error| panic!("round {round}: {error:?}")))
            .collect();
        let fresh = answers.iter().filter(|answer| !answer.is_replayed()).count();
        assert_eq!(fresh, 1, "round {round}: one is the first");
        let last = if is_full { ["full", "full"] } else { ["created", "created"] };
        let expected = [&["created", "created", "skipped"][..], &last].concat();
        for answer in &answers {
            assert_eq!(outcomes(answer.rows()), expected, "round {round}");
            assert!(same_results(answer, &answers[0]), "round {round}: all get the same");
        }
        assert_eq!(created, if is_full { 2 } else { 4 }, "round {round}: stored once");
    }
}
