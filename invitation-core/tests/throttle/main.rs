//! Failed guesses of codes are limited, and the holder of a code is not.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod budgets;
mod evaluation;
mod evidence;
mod formats;
mod processes;

#[path = "../support/mod.rs"]
mod support;

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Actor, Division, Draft, Error, Invitations, ManualClock, MemoryStore, OsEntropy, Redeemer,
    Refusal, RequestContext, Role, Source, Store, Timestamp, UserId, Username,
    throttle::{GuessBudgets, GuessThrottle},
};
use time::Duration;

/// The default budget of one source.
const PER_SOURCE: usize = 30;
/// The default budget of one source with one code.
const PER_CODE: usize = 10;

type MemoryService = Invitations<Arc<MemoryStore>>;

/// A clock that stands at the beginning of a minute, and some seconds more.
fn clock(seconds: i64) -> ManualClock {
    ManualClock::new(Timestamp::from_micros((1_800_000_000 + seconds) * 1_000_000).unwrap())
}

fn service(clock: &ManualClock, throttle: GuessThrottle) -> MemoryService {
    Invitations::new(Arc::new(MemoryStore::new())).with_clock(clock.clone()).with_throttle(throttle)
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// Returns the default budgets with another one of all sources.
fn overall(failures: u32) -> GuessBudgets {
    GuessBudgets::default().with_overall(number(failures))
}

fn from(source: Option<&str>) -> RequestContext {
    RequestContext { correlation: None, source: source.map(|text| Source::new(text).unwrap()) }
}

fn person(name: &str, source: &str) -> Redeemer {
    let user = UserId::new(name).unwrap();
    Redeemer::new(user, Username::new(name).unwrap()).with_context(from(Some(source)))
}

fn stranger(source: Option<&str>) -> Redeemer {
    person("eve", "unset").with_context(from(source))
}

fn manager() -> Actor {
    let sales = Division::new("sales").unwrap();
    Actor::in_division(UserId::new("mia").unwrap(), Role::new("manager").unwrap(), sales)
}

fn admin() -> Actor {
    Actor::across_divisions(UserId::new("ada").unwrap(), Role::new("admin").unwrap())
}

async fn code<S: Store>(invitations: &Invitations<S>, draft: Draft) -> String {
    invitations.create(&manager(), draft).await.unwrap().code().reveal().to_string()
}

fn guessed<S: Store>(invitations: &Invitations<S>) -> String {
    invitations.code_format().generate(&OsEntropy).unwrap().reveal().to_string()
}

/// The answer to a guess.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum GuessAnswer {
    Evaluated,
    Throttled(Duration),
}

fn answer<T: std::fmt::Debug>(answered: Result<T, Error>) -> GuessAnswer {
    match answered.unwrap_err().refusal() {
        Some(Refusal::CodeUnknown | Refusal::AddressProofRequired) => GuessAnswer::Evaluated,
        Some(Refusal::TooManyRequests { retry_after }) => GuessAnswer::Throttled(*retry_after),
        other => panic!("{other:?}"),
    }
}

/// Presents a code that was never issued.
async fn guess<S: Store>(invitations: &Invitations<S>, source: Option<&str>) -> GuessAnswer {
    answer(invitations.redeem(&guessed(invitations), &stranger(source)).await)
}

/// Guesses until the throttle refuses. Returns the number of evaluated guesses, and the wait.
async fn exhaust<S: Store>(
    invitations: &Invitations<S>,
    source: Option<&str>,
) -> (usize, Duration) {
    for evaluated in 0..10_000 {
        if let GuessAnswer::Throttled(wait) = guess(invitations, source).await {
            return (evaluated, wait);
        }
    }
    panic!("there is no limit")
}
