//! A process that guesses, and then presents the code of a holder.

use std::sync::Arc;

use invitation_core::{
    Invitations, ManualClock, OsEntropy, Refusal, RequestContext, Source, Store, Timestamp,
    throttle::GuessThrottle,
};
use invitation_sqlx::{
    SqlStore,
    sqlx::{MySql, Postgres, Sqlite, pool::PoolOptions},
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::support::{host::Kind, redeemer};

/// Guesses without a source, and with addresses of one prefix.
pub(crate) const SOURCES: [&str; 2] = ["none", "prefix"];

/// The number of guesses of a process.
const TRIES: usize = 100;

pub(crate) async fn run(url: &str, source: &str, minute: i64, code: &str) {
    if url.starts_with("postgres:") {
        act::<Postgres>(url, source, minute, code).await;
    } else if url.starts_with("mysql:") {
        act::<MySql>(url, source, minute, code).await;
    } else {
        act::<Sqlite>(url, source, minute, code).await;
    }
}

/// Returns a clock that stands still in a minute, so that no test spans two by chance. The
/// codes are created by it too: they last for days, and the machine's clock is elsewhere.
pub(crate) fn clock(minute: i64) -> ManualClock {
    ManualClock::new(Timestamp::from_micros((30_000_000 + minute) * 60_000_000).unwrap())
}

/// Guesses with all tasks at once. Prints the number of evaluated guesses, and whether the
/// holder's code was redeemed afterwards; in a later minute and elsewhere, before.
async fn act<DB: Kind>(url: &str, source: &str, minute: i64, code: &str) {
    let options = PoolOptions::<DB>::new().max_connections(8);
    let store = SqlStore::<DB>::new(options.connect_with(DB::unsynced(url)).await.unwrap());
    let invitations = Invitations::new(store.clone())
        .with_clock(clock(minute))
        .with_throttle(GuessThrottle::shared(store));
    let invitations = Arc::new(invitations);
    if source == "elsewhere" {
        let redeemed = redeems(&invitations, source, code).await;
        return println!("0 {redeemed}");
    }
    let redeemed_before = minute > 0 && redeems(&invitations, source, code).await;
    let evaluated = guess(&invitations, source).await;
    let redeemed = redeemed_before || redeems(&invitations, source, code).await;
    println!("{evaluated} {redeemed}");
}

/// Returns the number of evaluated guesses.
async fn guess<S: Store + 'static>(invitations: &Arc<Invitations<S>>, source: &str) -> usize {
    let barrier = Arc::new(Barrier::new(TRIES));
    let mut guesses = JoinSet::new();
    for n in 0..TRIES {
        let (invitations, barrier) = (Arc::clone(invitations), Arc::clone(&barrier));
        let stranger = redeemer("eve").with_context(context(source, n));
        let code = invitations.code_format().generate(&OsEntropy).unwrap().reveal();
        guesses.spawn(async move {
            barrier.wait().await;
            match invitations.redeem(&code, &stranger).await.unwrap_err().refusal() {
                Some(Refusal::CodeUnknown) => true,
                Some(Refusal::TooManyRequests { .. }) => false,
                other => panic!("{other:?}"),
            }
        });
    }
    guesses.join_all().await.into_iter().filter(|is_evaluated| *is_evaluated).count()
}

async fn redeems<S: Store>(invitations: &Invitations<S>, source: &str, code: &str) -> bool {
    let holder = redeemer("anna").with_context(context(source, 7));
    match invitations.redeem(code, &holder).await {
        Ok(_) => true,
        Err(error) => match error.refusal() {
            Some(Refusal::TooManyRequests { .. }) => false,
            other => panic!("{other:?}"),
        },
    }
}

/// Returns a context whose source is the same for the throttle, whatever `n` is.
fn context(source: &str, n: usize) -> RequestContext {
    let source = match source {
        "none" => None,
        "prefix" => Some(format!("2001:db8:0:1:{n:x}::{n:x}")),
        other => Some(other.to_owned()),
    };
    RequestContext { correlation: None, source: source.map(|text| Source::new(text).unwrap()) }
}
