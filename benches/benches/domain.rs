//! Benchmarks of the pure core and the memory store: generate, parse, decide, redeem.
//!
//! ```text
//! cargo bench -p invitation-benches --bench domain
//! ```

#[path = "shared/extent.rs"]
#[expect(dead_code, reason = "this bench has no settings")]
mod extent;

use std::{
    hint::black_box,
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use invitation::{
    Draft, Invitations, Limits, MemoryStore, Redeemer, Role, SystemActor, Timestamp, UserId,
    Username,
    audit::{EventId, Performer, RequestContext},
    code::{CodeFormat, Entropy, OsEntropy, Sealing},
    decide::{Call, RedeemCommand, UseSource, decide_redemption},
    store::{RolePair, Scope},
};
use tokio::runtime::Runtime;

use extent::is_test;

fn codes(c: &mut Criterion) {
    let format = CodeFormat::default();
    let mut group = c.benchmark_group("code");
    group.throughput(Throughput::Elements(1));
    group.bench_function("generate", |b| b.iter(|| format.generate(&OsEntropy)));
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("generate a thousand", |b| {
        b.iter(|| format.generate_many(1_000, &OsEntropy));
    });
    group.throughput(Throughput::Elements(1));
    let text = format.generate(&OsEntropy).expect("the system has randomness").reveal();
    group.bench_function("parse", |b| b.iter(|| format.parse(black_box(&text))));
    let code = format.parse(&text).expect("it was just generated");
    let sealing = Sealing::readable();
    group.bench_function("digest", |b| b.iter(|| sealing.digest(black_box(&code))));
    group.finish();
}

fn decisions(c: &mut Criterion) {
    let format = CodeFormat::default();
    let code = format.generate(&OsEntropy).expect("the system has randomness");
    let digests = Sealing::readable().digests(&code);
    let newcomer = redeemer("u-1");
    let (manager, staff) = (role("manager"), role("staff"));
    let ceiling: Arc<[RolePair]> = Arc::from([RolePair { grantor: manager, granted: staff }]);
    let call = Call {
        id: EventId::from_bytes([1; 16]),
        now: Timestamp::from_micros(1_800_000_000_000_000).expect("within range"),
        performer: Performer::System { name: None },
        context: RequestContext::default(),
    };
    c.bench_function("decide/redeem", |b| {
        b.iter(|| {
            let command = RedeemCommand::Redeem {
                code: digests.clone(),
                redeemer: black_box(&newcomer),
                ceiling: &ceiling,
                vouched: None,
                source: UseSource::Free,
            };
            decide_redemption(command, Scope::All, &call)
        });
    });
}

/// Measures redemptions of fresh single-use codes through the whole service, with their
/// events, one after the other.
fn memory(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut group = c.benchmark_group("memory");
    group.throughput(Throughput::Elements(1));
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    // A smoke test needs few codes.
    let sizes: &[usize] = if is_test() { &[100] } else { &[10_000, 1_000_000] };
    for &size in sizes {
        group.bench_function(format!("redeem at {size} codes"), |b| {
            let mut stock = Stock::new(&runtime, size);
            b.iter_custom(|iterations| stock.redeem(&runtime, iterations));
        });
    }
    group.finish();
}

/// A store with codes that are still to be redeemed.
struct Stock {
    size: usize,
    invitations: Invitations<MemoryStore>,
    codes: Vec<String>,
    newcomer: Redeemer,
}

impl Stock {
    fn new(runtime: &Runtime, size: usize) -> Self {
        let limits = Limits::default().with_batch(batch(size));
        let invitations = Invitations::new(MemoryStore::new()).with_limits(limits);
        let mut stock = Self { size, invitations, codes: Vec::new(), newcomer: redeemer("u-1") };
        stock.fill(runtime);
        stock
    }

    fn fill(&mut self, runtime: &Runtime) {
        let limits = Limits::default().with_batch(batch(self.size));
        self.invitations = Invitations::new(MemoryStore::new()).with_limits(limits);
        let draft = Draft::new()
            .with_role(role("staff"))
            .in_division(invitation::Division::new("sales").expect("a name"))
            .for_uses(NonZeroU32::MIN);
        let drafts = vec![draft; self.size];
        let system = SystemActor::for_bootstrap();
        let created = runtime
            .block_on(self.invitations.create_many(&system, drafts))
            .expect("the batch fits the limit");
        self.codes = created.iter().map(|created| created.code().reveal().to_string()).collect();
        shuffle(&mut self.codes);
    }

    /// Returns how long `iterations` redemptions take, without the time for new codes.
    fn redeem(&mut self, runtime: &Runtime, mut iterations: u64) -> Duration {
        let mut elapsed = Duration::ZERO;
        while iterations > 0 {
            if self.codes.is_empty() {
                self.fill(runtime);
            }
            let round = iterations.min(self.codes.len() as u64);
            let batch =
                self.codes.split_off(self.codes.len() - usize::try_from(round).expect("fits"));
            let start = Instant::now();
            runtime.block_on(async {
                for code in &batch {
                    let redeemed = self.invitations.redeem(code, &self.newcomer).await;
                    black_box(redeemed.expect("it is fresh"));
                }
            });
            elapsed += start.elapsed();
            iterations -= round;
        }
        elapsed
    }
}

/// Shuffles the codes, so that a store cannot profit from their order.
fn shuffle<T>(items: &mut [T]) {
    let mut bytes = [0; 8];
    for at in (1..items.len()).rev() {
        OsEntropy.fill(&mut bytes).expect("the system has randomness");
        let range = at as u64 + 1;
        items.swap(at, usize::try_from(u64::from_le_bytes(bytes) % range).expect("fits"));
    }
}

fn batch(size: usize) -> NonZeroU32 {
    u32::try_from(size).ok().and_then(NonZeroU32::new).expect("a size")
}

fn role(name: &str) -> Role {
    Role::new(name).expect("a name")
}

fn redeemer(user: &str) -> Redeemer {
    Redeemer::new(UserId::new(user).expect("an id"), Username::new(user).expect("a name"))
}

criterion_group!(benches, codes, decisions, memory);
criterion_main!(benches);
