//! Measures whether the time of an answer tells an unknown code from one of another division or a
//! deleted one. Presents each kind in turn, and compares each two kinds by Welch's t-test.
//!
//! ```text
//! cargo run --release -p invitation-benches --example timing -- [SAMPLES]
//! ```
//!
//! Ends with an error if |t| is 4.5 or more: then 10,000 samples, the default, tell the kinds apart
//! with near certainty. This is the threshold of the test vector leakage assessment (ISO/IEC 17825).
//! It also prints t without the slowest tenth of the samples. In memory, where a call takes a
//! microsecond, this shows differences of a few nanoseconds, which are below what an answer over any
//! network shows.
//!
//! Each refusal is recorded, because the limit of recorded refusals is off: beyond it, a refusal
//! writes nothing, and takes the same time for every kind.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

use std::{
    env,
    num::NonZeroU32,
    process::ExitCode,
    time::{Duration, Instant},
};

use invitation::{
    Actor, Division, Draft, Email, IfVersion, Invitations, Limits, MemoryStore, Redeemer, Refusal,
    Role, SqliteStore, Store, UserId, Username,
    code::{
        CodeFormat, OsEntropy, Sealing,
        keyring::{KeyId, KeySecret, Keyring},
    },
};

/// The absolute value of t from which on two kinds count as different.
const THRESHOLD: f64 = 4.5;

/// The number of codes of each kind. Each is presented several times.
const CODES: usize = 100;

/// The names of the kinds, in the order of their codes.
const KINDS: [&str; 3] = ["unknown", "foreign", "deleted"];

/// What a stranger calls with a code.
#[derive(Clone, Copy, Debug)]
enum Call {
    Redeem,
    Reserve,
    Check,
}

struct Probe<S> {
    invitations: Invitations<S>,
    /// The codes of each kind.
    codes: [Vec<String>; 3],
    stranger: Redeemer,
}

impl<S: Store> Probe<S> {
    async fn on(store: S) -> Self {
        let secret = KeySecret::generate(&OsEntropy).unwrap();
        let ring = Keyring::new(KeyId::new("k1").unwrap(), &secret);
        let invitations = Invitations::new(store)
            .with_limits(Limits::default().with_denials_per_minute(NonZeroU32::MAX))
            .with_sealing(Sealing::keyring(ring));
        let admin =
            Actor::across_divisions(UserId::new("ada").unwrap(), Role::new("admin").unwrap());
        let sales = Division::new("sales").unwrap();
        let draft = |division: &str, n: usize| {
            // Some are bound to an address and some have several uses, as in a real division.
            let draft = Draft::new()
                .with_role(Role::new("staff").unwrap())
                .in_division(Division::new(division).unwrap());
            match n % 3 {
                0 => draft,
                1 => draft.for_email(Email::parse("anna@example.com").unwrap()),
                _ => draft.for_uses(NonZeroU32::new(3).unwrap()),
            }
        };
        let mut codes = [const { Vec::new() }; 3];
        for n in 0..CODES {
            let unknown = CodeFormat::default().generate(&OsEntropy).unwrap();
            codes[0].push(unknown.reveal().to_string());
            let foreign = invitations.create(&admin, draft("operations", n)).await.unwrap();
            codes[1].push(foreign.code().reveal().to_string());
            let deleted = invitations.create(&admin, draft("sales", n)).await.unwrap();
            codes[2].push(deleted.code().reveal().to_string());
            let id = deleted.invitation().id();
            invitations.delete(&admin, id, IfVersion::Any).await.unwrap();
        }
        let stranger = Redeemer::new(UserId::new("eve").unwrap(), Username::new("eve").unwrap());
        Self { invitations, codes, stranger: stranger.in_division(sales) }
    }

    async fn time(&self, call: Call, code: &str) -> Duration {
        let begun = Instant::now();
        let refused = match call {
            Call::Redeem => self.invitations.redeem(code, &self.stranger).await.unwrap_err(),
            Call::Reserve => self.invitations.reserve(code, &self.stranger).await.unwrap_err(),
            Call::Check => self.invitations.check(code, &self.stranger, None).await.unwrap_err(),
        };
        let took = begun.elapsed();
        assert_eq!(refused.refusal(), Some(&Refusal::CodeUnknown));
        took
    }

    /// Returns the nanoseconds of each call, by kind. The kinds take turns, and each round begins
    /// with another one, so that a slow moment of the machine meets all of them.
    async fn samples(&self, call: Call, count: usize) -> [Vec<f64>; 3] {
        let mut samples = [const { Vec::new() }; 3];
        for round in 0..count + count / 10 {
            for n in 0..3 {
                let kind = (round + n) % 3;
                let code = &self.codes[kind][round % CODES];
                let took = self.time(call, code).await;
                // The first tenth warms up caches and connections.
                if round >= count / 10 {
                    samples[kind].push(took.as_secs_f64() * 1e9);
                }
            }
        }
        samples
    }
}

/// Returns Welch's t of two samples.
fn welch(a: &[f64], b: &[f64]) -> f64 {
    let count = |of: &[f64]| f64::from(u32::try_from(of.len()).unwrap());
    let mean = |of: &[f64]| of.iter().sum::<f64>() / count(of);
    let variance = |of: &[f64]| {
        let mean = mean(of);
        of.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count(of) - 1.0)
    };
    (mean(a) - mean(b)) / (variance(a) / count(a) + variance(b) / count(b)).sqrt()
}

/// Leaves out the slowest tenth of all samples, which interruptions of the machine dominate.
fn without_outliers(samples: &[Vec<f64>; 3]) -> [Vec<f64>; 3] {
    let mut all: Vec<f64> = samples.concat();
    all.sort_by(f64::total_cmp);
    let bound = all[all.len() / 10 * 9];
    samples.each_ref().map(|one| one.iter().copied().filter(|took| *took < bound).collect())
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Prints the comparison of each two kinds, and returns the largest |t|.
async fn report<S: Store>(name: &str, probe: &Probe<S>, count: usize) -> f64 {
    let mut largest: f64 = 0.0;
    for call in [Call::Redeem, Call::Reserve, Call::Check] {
        let samples = probe.samples(call, count).await;
        let quick = without_outliers(&samples);
        let medians = samples.each_ref().map(|one| format!("{:.0}", median(one)));
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let all = welch(&samples[a], &samples[b]);
            let trimmed = welch(&quick[a], &quick[b]);
            println!(
                "| {name} | {call:?} | {} and {} | {} and {} | {all:.2} | {trimmed:.2} |",
                KINDS[a], KINDS[b], medians[a], medians[b]
            );
            largest = largest.max(all.abs());
        }
    }
    largest
}

#[tokio::main]
async fn main() -> ExitCode {
    let count = env::args().nth(1).map_or(10_000, |text| text.parse().unwrap());
    println!("{count} samples of each kind\n");
    println!("| store | call | kinds | medians in ns | t | t without the slowest tenth |");
    println!("|---|---|---|---|---|---|");
    let memory = report("memory", &Probe::on(MemoryStore::new()).await, count).await;
    let store = SqliteStore::in_memory().await.unwrap();
    let sqlite = report("SQLite", &Probe::on(store).await, count).await;
    let largest = memory.max(sqlite);
    println!("\nthe largest |t| is {largest:.2}; below {THRESHOLD}, the kinds take the same time");
    if largest < THRESHOLD { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
