//! Redeeming and creating on SQLite, each with its event: a file, write-ahead log,
//! `synchronous = FULL`.
//!
//! ```text
//! cargo bench -p invitation-benches --bench sqlite
//! ```

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use invitation::{
    Actor, Cap, Division, Draft, Invitations, Limits, Redeemer, Role, SqliteStore, SystemActor,
    UserId, Username,
};
use tokio::{runtime::Runtime, task::JoinSet};

fn redeem(c: &mut Criterion) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let store = runtime.block_on(SqliteStore::open(folder.path().join("bench.db")));
    let invitations = Arc::new(Invitations::new(store.expect("a database")));

    let mut group = c.benchmark_group("sqlite");
    group.throughput(Throughput::Elements(1));
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    for callers in [1, 32] {
        group.bench_function(format!("redeem, {callers} callers"), |b| {
            b.iter_custom(|iterations| {
                let codes = fresh_codes(&runtime, &invitations, iterations);
                runtime.block_on(race(&invitations, codes, callers))
            });
        });
    }
    group.finish();
}

/// Measures creation without quotas, and with a quota of each kind that has room. It also
/// runs in memory, where the disk does not hide the cost of quotas.
fn create(c: &mut Criterion) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
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

fn fresh_codes(runtime: &Runtime, invitations: &Invitations<SqliteStore>, n: u64) -> Vec<String> {
    let draft = Draft::new()
        .with_role(Role::new("staff").expect("a name"))
        .in_division(Division::new("sales").expect("a name"))
        .for_uses(NonZeroU32::MIN);
    let system = SystemActor::for_bootstrap();
    let mut codes = Vec::new();
    while (codes.len() as u64) < n {
        let batch = (n - codes.len() as u64).min(1_000);
        let drafts = vec![draft.clone(); usize::try_from(batch).expect("fits")];
        let created = runtime.block_on(invitations.create_many(&system, drafts)).expect("created");
        codes.extend(created.iter().map(|created| created.code().reveal().to_string()));
    }
    codes
}

/// Returns how long `callers` callers take to redeem all the codes.
async fn race(
    invitations: &Arc<Invitations<SqliteStore>>,
    codes: Vec<String>,
    callers: usize,
) -> Duration {
    let newcomer =
        Redeemer::new(UserId::new("u-1").expect("an id"), Username::new("anna").expect("a name"));
    let mut shares = vec![Vec::new(); callers];
    for (n, code) in codes.into_iter().enumerate() {
        shares[n % callers].push(code);
    }
    let start = Instant::now();
    let mut running = JoinSet::new();
    for share in shares {
        let (invitations, newcomer) = (Arc::clone(invitations), newcomer.clone());
        running.spawn(async move {
            for code in share {
                invitations.redeem(&code, &newcomer).await.expect("it is fresh");
            }
        });
    }
    while let Some(finished) = running.join_next().await {
        finished.expect("no caller panicked");
    }
    start.elapsed()
}

criterion_group!(benches, redeem, create);
criterion_main!(benches);
