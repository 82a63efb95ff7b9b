//! Re-sealing beside calls on the same invitations: no call fails because of it.

use std::{future::Future, pin::Pin};

use invitation_core::{Created, Draft, IfVersion, Reserved, Sealing};

use crate::{
    Fixture,
    support::{
        concurrent::run_concurrently,
        harness::Harness,
        keys::{first_key, reseal_all, resealed, second_key, second_key_only},
        samples::{admin, newcomer},
    },
};

/// The number of invitations in each race.
const ROWS: usize = 48;

type Job = Pin<Box<dyn Future<Output = usize> + Send>>;

/// Returns a store with rows of the first key and without a key, and the invitations.
async fn rows_of_two_modes(fixture: Fixture) -> (Harness, Vec<Created>) {
    let harness = Harness::with_unlimited_denials(fixture);
    let mut created = Vec::with_capacity(ROWS);
    for n in 0..ROWS {
        let sealing = if n % 2 == 0 { Sealing::readable() } else { first_key() };
        created.push(harness.with_sealing(sealing).create(Draft::new()).await);
    }
    (harness.with_sealing(second_key()), created)
}

/// Returns a task that re-seals everything in small pages, and the number of rows that it
/// rewrote.
fn reseal_job(harness: &Harness) -> Job {
    let service = harness.service.clone();
    Box::pin(async move { resealed(&reseal_all(&service, 5).await) })
}

/// Every code is redeemed once, while a job moves its row from one key to the next. Processes that
/// have the new key as an older one take part.
pub async fn redeems_during_a_reseal_all_succeed(fixture: Fixture) {
    let (harness, created) = rows_of_two_modes(fixture).await;
    let mut jobs: Vec<Job> = vec![reseal_job(&harness)];
    for (n, one) in created.iter().enumerate() {
        let (service, code) = (harness.service.clone(), one.code().reveal());
        jobs.push(Box::pin(async move {
            let redeemed = service.redeem(&code, &newcomer(&format!("n{n}"))).await;
            redeemed.unwrap_or_else(|error| panic!("code {n}: {error:?}"));
            0
        }));
    }
    let total: usize = run_concurrently(jobs).await.into_iter().sum();
    assert_eq!(total, ROWS, "a redemption does not get in the way of the job");
    for one in &created {
        let stored = harness.stored(one.invitation().id()).await;
        assert_eq!((stored.uses, stored.sealed.key_id()), (1, Some("k2")));
    }
}

/// Reservations begin, and are committed, while a job moves the rows.
pub async fn reservations_during_a_reseal_are_committed(fixture: Fixture) {
    let (harness, created) = rows_of_two_modes(fixture).await;
    let mut jobs: Vec<Job> = vec![reseal_job(&harness)];
    for (n, one) in created.iter().enumerate() {
        let (service, code) = (harness.service.clone(), one.code().reveal());
        jobs.push(Box::pin(async move {
            let redeemer = newcomer(&format!("n{n}"));
            let reserved = service.reserve(&code, &redeemer).await;
            let reserved = reserved.unwrap_or_else(|error| panic!("code {n}: {error:?}"));
            let Reserved::Open(own) = reserved else { panic!("code {n} was free") };
            let committed = service.commit(own.id(), &redeemer).await;
            committed.unwrap_or_else(|error| panic!("reservation {n}: {error:?}"));
            0
        }));
    }
    let total: usize = run_concurrently(jobs).await.into_iter().sum();
    assert_eq!(total, ROWS);
}

/// A rotation that races with the job wins: afterwards the new code is stored, under the new key,
/// and the old one is unknown.
pub async fn rotations_during_a_reseal_keep_the_new_code(fixture: Fixture) {
    let (harness, created) = rows_of_two_modes(fixture).await;
    let (sender, mut rotated) = tokio::sync::mpsc::unbounded_channel();
    let mut jobs: Vec<Job> = vec![reseal_job(&harness)];
    for (n, one) in created.iter().enumerate() {
        let (service, sender) = (harness.service.clone(), sender.clone());
        let id = one.invitation().id();
        jobs.push(Box::pin(async move {
            let rotated = service.rotate(&admin(), id, IfVersion::Any).await;
            let rotated = rotated.unwrap_or_else(|error| panic!("row {n}: {error:?}"));
            sender.send(rotated).expect("the test reads");
            0
        }));
    }
    drop(sender);
    run_concurrently(jobs).await;
    let strict = harness.with_sealing(second_key_only()).service;
    for one in &created {
        let gone = strict.redeem(&one.code().reveal(), &newcomer("late")).await;
        assert!(gone.is_err(), "the old code was replaced");
    }
    let mut n = 0;
    while let Ok(one) = rotated.try_recv() {
        let copied = strict.copy(&admin(), one.invitation().id()).await.expect("it opens");
        assert_eq!(copied, *one.code());
        let redeemer = newcomer(&format!("n{n}"));
        strict.redeem(&one.code().reveal(), &redeemer).await.expect("the new code works");
        n += 1;
    }
    assert_eq!(n, ROWS);
}

/// Jobs that run at the same time share the work.
pub async fn concurrent_reseals_rewrite_each_row_once(fixture: Fixture) {
    let (harness, created) = rows_of_two_modes(fixture).await;
    let jobs = (0..4).map(|_| reseal_job(&harness)).collect();
    let total: usize = run_concurrently(jobs).await.into_iter().sum();
    assert_eq!(total, ROWS);
    for one in &created {
        let stored = harness.stored(one.invitation().id()).await;
        assert_eq!((stored.version, stored.sealed.key_id()), (1, Some("k2")));
    }
}
