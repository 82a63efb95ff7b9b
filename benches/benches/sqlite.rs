//! Redeeming and creating on SQLite, each with its event: a file, write-ahead log,
//! `synchronous = FULL`.
//!
//! ```text
//! cargo bench -p invitation-benches --bench sqlite
//! cargo bench -p invitation-benches --bench sqlite -- redeem
//! ```
//!
//! Parts: `redeem` and `create`; without a name both. Environment variables of `redeem`:
//!
//! - `INVITATION_BENCH_CALLERS`: the numbers of callers, `1,32` by default.
//! - `INVITATION_BENCH_ROUNDS`: the number of rounds, 9 by default.
//! - `INVITATION_BENCH_SECONDS`: how long each side of a round runs, 1 by default.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

#[path = "shared/compare.rs"]
mod compare;
#[path = "shared/consumer.rs"]
mod consumer;
#[path = "shared/extent.rs"]
mod extent;
#[path = "../examples/load/redeem.rs"]
mod load;

use std::{future::Ready, num::NonZeroU32, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use invitation::{
    Actor, Cap, Division, Draft, Invitations, Limits, Role, SqliteStore, UserId, sql::sqlx,
};
use tokio::runtime::Runtime;

use compare::{Extent, Variant};
use extent::{is_test, is_wanted, setting, settings};

/// The type of a reference that does not exist.
type NoReference = fn(usize) -> Ready<f64>;

/// Redeems with one caller and with several, in alternating rounds.
fn redeem(_: &mut Criterion) {
    if !is_wanted("redeem") {
        return;
    }
    let extent = if is_test() {
        Extent { rounds: 1, time: Duration::from_millis(100), callers: vec![1, 32] }
    } else {
        Extent {
            rounds: setting("INVITATION_BENCH_ROUNDS", 9),
            time: Duration::from_secs(setting("INVITATION_BENCH_SECONDS", 1)),
            callers: settings("INVITATION_BENCH_CALLERS", "1,32"),
        }
    };
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let store = SqliteStore::open(folder.path().join("bench.db")).await.unwrap();
        let mut variants = [
            Variant::new("default", store.clone()),
            Variant::new("without batches", store.clone().without_batches()),
            Variant::with_consumer(store.clone()),
            Variant::with_keyring(store.clone()),
            Variant::with_keyring_and_throttle(store),
        ];
        println!("\nredeem: single-use codes, without a reference\n");
        let none: Option<(&str, NoReference)> = None;
        compare::run(&extent, &mut variants, none, async |store| {
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            sqlx::raw_sql(checkpoint).execute(store.pool()).await.unwrap();
        })
        .await;
    });
}

/// Measures creation without quotas, and with a quota of each kind that has room. It also
/// runs in memory, where the disk does not hide the cost of quotas.
fn create(c: &mut Criterion) {
    if !is_wanted("create") {
        return;
    }
    let runtime = runtime();
    let folder = tempfile::tempdir().expect("a folder");
    let file = runtime.block_on(SqliteStore::open(folder.path().join("create.db")));
    let memory = runtime.block_on(SqliteStore::in_memory());
    let many = Cap::AtMost(NonZeroU32::MAX);
    let quotas = Limits::default().with_pending_per_inviter(many).with_pending_per_division(many);

    let mut group = c.benchmark_group("sqlite");
    group.throughput(Throughput::Elements(1));
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    for (place, store) in [("file", file), ("memory", memory)] {
        let plain = Invitations::new(store.expect("a database"));
        let bounded = plain.clone().with_limits(quotas.clone());
        // Another inviter and division, so that the quotas count few invitations.
        for (what, invitations) in [("create", plain), ("create under quotas", bounded)] {
            let mut number = 0_u64;
            group.bench_function(format!("{what}, {place}"), |b| {
                b.iter(|| {
                    number += 1;
                    let manager = Actor::in_division(
                        UserId::new(format!("u-{}", number % 100)).expect("an id"),
                        Role::new("manager").expect("a role"),
                        Division::new(format!("{what} {}", number % 100)).expect("a division"),
                    );
                    runtime.block_on(invitations.create(&manager, Draft::new())).expect("created")
                });
            });
        }
    }
    group.finish();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

criterion_group!(benches, redeem, create);
criterion_main!(benches);
