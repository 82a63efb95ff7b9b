//! Redis: redemptions compared to a bare guarded script, the memory per invitation, and the
//! duration of lists in a division of 10,000, 100,000 and a million.
//!
//! ```text
//! cargo bench -p invitation-benches --bench redis
//! ```
//!
//! It starts its own servers. `-- --test` runs everything with few codes. Parts: `redeem`, `look`
//! and `features`, which compares a service with one that has a consumer of the feed, a keyring
//! or a throttle too. Environment variables of `features`:
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

use std::{
    future::Ready,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use invitation::{
    Actor, Criteria, Division, Draft, Email, Invitations, Limits, Paging, Redeemer, RedisStore,
    Role, Status, SystemActor, UserId, Username,
    redis_store::{Persistence, RedisOptions, redis},
};
use invitation_testkit::Redis;
use tokio::{runtime::Runtime, task::JoinSet};

use compare::{Extent, Variant};
use extent::{is_test, is_wanted, setting, settings};

/// A minimal hand-written script without indexes: one hash for each code, and a stream.
const BARE: &str = "
    local code = redis.call('HMGET', KEYS[1], 'expires_at', 'used_at')
    if not code[1] or code[2] or tonumber(ARGV[1]) >= tonumber(code[1]) then return 0 end
    redis.call('HSET', KEYS[1], 'used_at', ARGV[1], 'used_by', ARGV[2])
    redis.call('XADD', KEYS[2], '*', 'action', 'redeem', 'code', KEYS[1], 'by', ARGV[2])
    return 1";

/// The type of a reference that does not exist.
type NoReference = fn(usize) -> Ready<f64>;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

async fn service(server: &Redis) -> Invitations<RedisStore> {
    let options = RedisOptions::new().expecting(Persistence::Nothing);
    let store = RedisStore::connect(&server.url(), options).await.expect("a store");
    let batch = 1_000.try_into().expect("not zero");
    Invitations::new(store).with_limits(Limits::default().with_batch(batch))
}

/// Creates `number` invitations in sales, two thirds of them for an address, and returns
/// their codes.
async fn created(invitations: &Invitations<RedisStore>, from: usize, number: usize) -> Vec<String> {
    let draft = Draft::new()
        .with_role(Role::new("staff").expect("a role"))
        .in_division(Division::new("sales").expect("a division"));
    let mut codes = Vec::with_capacity(number);
    while codes.len() < number {
        let first = from + codes.len();
        let batch = (number - codes.len()).min(1_000);
        let drafts = (first..first + batch).map(|n| {
            if n % 3 == 0 {
                return draft.clone();
            }
            let address = format!("given{n}.family{}@example.com", n % 997);
            draft.clone().for_email(Email::parse(&address).expect("an address"))
        });
        let system = SystemActor::for_bootstrap();
        let created = invitations.create_many(&system, drafts.collect()).await.expect("created");
        codes.extend(created.iter().map(|one| one.code().reveal().to_string()));
    }
    codes
}

fn newcomer() -> Redeemer {
    Redeemer::new(UserId::new("u-1").expect("an id"), Username::new("anna").expect("a name"))
}

/// Returns how long `callers` callers take to do all of the jobs.
async fn shared<J, F, R>(callers: usize, jobs: Vec<J>, caller: F) -> Duration
where
    J: Send + 'static,
    F: Fn(Vec<J>) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let mut shares: Vec<Vec<J>> = (0..callers).map(|_| Vec::new()).collect();
    for (n, job) in jobs.into_iter().enumerate() {
        shares[n % callers].push(job);
    }
    let begun = Instant::now();
    let mut running: JoinSet<()> = JoinSet::new();
    for share in shares {
        running.spawn(caller(share));
    }
    running.join_all().await;
    begun.elapsed()
}

/// Redeems the same number of codes by the library and by the bare script, in turn, with 1
/// and with 32 callers. The bare script has a connection for each caller.
fn redeem(_: &mut Criterion) {
    if !is_wanted("redeem") {
        return;
    }
    let (rounds, number) = if is_test() { (1, 64) } else { (9, 8_000) };
    for (persistence, server) in
        [("in memory", Redis::start()), ("appendfsync always", Redis::durable())]
    {
        let server = server.expect("a server");
        for callers in [1, 32] {
            let number = if callers == 1 { number / 8 } else { number };
            let mut ratios: Vec<(f64, f64)> = Vec::new();
            let (mut own_cost, mut bare_cost) = (Vec::new(), Vec::new());
            let runtime = runtime();
            runtime.block_on(async {
                let invitations = service(&server).await;
                for round in 0..rounds {
                    let codes = open_codes(&invitations, number).await;
                    server.ask(&["CONFIG", "RESETSTAT"]).expect("reset");
                    let own = by_the_library(&invitations, callers, codes).await;
                    own_cost.push(server_time(&server));
                    let bare = by_the_bare_script(&server, callers, number, round).await;
                    bare_cost.push(server_time(&server));
                    let rate = |took: Duration| {
                        f64::from(u32::try_from(number).unwrap_or(u32::MAX)) / took.as_secs_f64()
                    };
                    ratios.push((rate(own) / rate(bare), rate(own)));
                }
            });
            ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (ratio, rate) = ratios[ratios.len() / 2];
            println!(
                "redeem, {persistence}, {callers} callers: {rate:.0}/s, {ratio:.2} x the bare script; \
                 of the server's time {:.1} µs each, the bare script {:.1} µs",
                median(own_cost),
                median(bare_cost)
            );
        }
    }
}

/// Returns the average server time per script since the last call.
fn server_time(server: &Redis) -> f64 {
    let stats = server.ask(&["INFO", "commandstats"]).expect("an answer");
    server.ask(&["CONFIG", "RESETSTAT"]).expect("an answer");
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:"));
    let each = line.and_then(|line| line.split("usec_per_call=").nth(1)?.split(',').next());
    each.and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

async fn open_codes(invitations: &Invitations<RedisStore>, number: usize) -> Vec<String> {
    let draft = Draft::new()
        .with_role(Role::new("staff").expect("a role"))
        .in_division(Division::new("sales").expect("a division"));
    let mut codes = Vec::new();
    while codes.len() < number {
        let batch = vec![draft.clone(); (number - codes.len()).min(1_000)];
        let system = SystemActor::for_bootstrap();
        let created = invitations.create_many(&system, batch).await.expect("created");
        codes.extend(created.iter().map(|one| one.code().reveal().to_string()));
    }
    codes
}

async fn by_the_library(
    invitations: &Invitations<RedisStore>,
    callers: usize,
    codes: Vec<String>,
) -> Duration {
    shared(callers, codes, |share| {
        let invitations = invitations.clone();
        async move {
            for code in share {
                invitations.redeem(&code, &newcomer()).await.expect("it is fresh");
            }
        }
    })
    .await
}

async fn by_the_bare_script(
    server: &Redis,
    callers: usize,
    number: usize,
    round: usize,
) -> Duration {
    let client = redis::Client::open(server.url()).expect("a client");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let keys: Vec<String> = (0..number).map(|n| format!("bare:{round}:{callers}:{n}")).collect();
    for some in keys.chunks(1_000) {
        let mut pipe = redis::Pipeline::new();
        for key in some {
            pipe.cmd("HSET").arg(key).arg("expires_at").arg(1_900_000_000_000_000_i64).ignore();
        }
        pipe.query_async::<()>(&mut connection).await.expect("written");
    }
    let mut connections = Vec::new();
    for _ in 0..callers {
        let one = client.get_multiplexed_async_connection().await.expect("a connection");
        connections.push(one);
    }
    let connections = std::sync::Mutex::new(connections);
    shared(callers, keys, |share| {
        let one = connections.lock().ok().and_then(|mut all| all.pop());
        async move {
            let mut connection = one.expect("one for each");
            let script = redis::Script::new(BARE);
            for key in share {
                let mut call = script.key(&key);
                call.key("bare:events").arg(1_800_000_000_000_000_i64).arg("u-1");
                let done: i64 = call.invoke_async(&mut connection).await.expect("an answer");
                assert_eq!(done, 1, "it is fresh");
            }
        }
    })
    .await
}

/// Redeems with what a service can have besides, and without it, on a server that waits for the
/// disk at each write.
fn features(_: &mut Criterion) {
    if !is_wanted("features") {
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
    let server = Redis::durable().expect("a server");
    runtime().block_on(async {
        let options = RedisOptions::new().expecting(Persistence::Nothing);
        let store = RedisStore::connect(&server.url(), options).await.expect("a store");
        let mut variants = [
            Variant::new("default", store.clone()),
            Variant::with_consumer(store.clone()),
            Variant::with_keyring(store.clone()),
            Variant::with_keyring_and_throttle(store),
        ];
        println!("\nredeem: single-use codes, without a reference\n");
        let none: Option<(&str, NoReference)> = None;
        compare::run(&extent, &mut variants, none, async |_| ()).await;
    });
}

/// Measures the memory of a million invitations, and the duration of queries among them.
fn look(c: &mut Criterion) {
    if !is_wanted("look") {
        return;
    }
    let sizes: &[usize] = if is_test() { &[300] } else { &[10_000, 100_000, 1_000_000] };
    let runtime = runtime();
    let server = Redis::start().expect("a server");
    let invitations = runtime.block_on(service(&server));
    let mut stored = 0;
    let empty = used_memory(&server);
    let manager = Actor::in_division(
        UserId::new("mia").expect("an id"),
        Role::new("manager").expect("a role"),
        Division::new("sales").expect("a division"),
    );
    for &size in sizes {
        let (from, before) = (stored, used_memory(&server));
        let codes = runtime.block_on(created(&invitations, from, size - from));
        let grown = used_memory(&server) - before;
        println!(
            "an invitation with its event, {size} stored: {} bytes",
            grown / u64::try_from(size - from).unwrap_or(u64::MAX)
        );
        stored = size;
        // Uses a few codes, so that this filter finds something rare.
        let anybodys = codes.into_iter().skip((3 - from % 3) % 3).step_by(3);
        let some = anybodys.step_by(7).take(size / 500 + 1).collect();
        runtime.block_on(by_the_library(&invitations, 8, some));

        let mut group = c.benchmark_group(format!("look, {size} in a division"));
        group.sample_size(20).warm_up_time(Duration::from_millis(500));
        let everything = Criteria::new();
        let looks: [(&str, Criteria); 4] = [
            ("list, first page", everything.clone()),
            ("list, status used", everything.clone().with_status(Status::Used)),
            ("search, rare", everything.clone().matching(format!("given{}", size / 2 + 1))),
            ("search, absent", everything.clone().matching("missing")),
        ];
        for (name, criteria) in looks {
            group.bench_function(name, |b| {
                b.iter(|| {
                    let page = invitations.list(&manager, &criteria, Paging::default());
                    runtime.block_on(page).expect("a page")
                });
            });
        }
        let first = invitations.list(&manager, &everything, Paging::default());
        let cursor = runtime.block_on(first).expect("a page").next().expect("there is more");
        group.bench_function("list, a later page", |b| {
            b.iter(|| {
                let paging = Paging::default().after(cursor);
                runtime.block_on(invitations.list(&manager, &everything, paging)).expect("a page")
            });
        });
        group.bench_function("counts", |b| {
            b.iter(|| runtime.block_on(invitations.counts(&manager, &everything)).expect("counts"));
        });
        group.finish();
    }
    let all = used_memory(&server) - empty;
    println!("in all, with what was redeemed: {} bytes each", all / stored as u64);
}

fn used_memory(server: &Redis) -> u64 {
    let info = server.ask(&["INFO", "memory"]).expect("an answer");
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.and_then(|number| number.trim().parse().ok()).expect("a number")
}

criterion_group!(benches, redeem, features, look);
criterion_main!(benches);
