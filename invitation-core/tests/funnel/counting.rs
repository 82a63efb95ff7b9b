//! The numbers equal a naive recount of all events, however they were counted.

use std::{sync::Arc, time::Duration};

use invitation_core::{
    Action, Event, EventOutcome, Invitations, MemoryStore, Store,
    funnel::{FunnelCounter, FunnelQuery, Funnels},
};
use proptest::prelude::*;

use crate::{
    support::{
        End, Ending, admin, at, batch, count_all, counter, creation, division, event, numbers, user,
    },
    truth::{About, recount},
};

/// One event in a sequence: what happens to which invitation, and when.
#[derive(Clone, Debug)]
struct Happening {
    action: Action,
    invitation: u8,
    seconds: i64,
    outcome: EventOutcome,
}

/// One run of one or two counters at a time.
#[derive(Clone, Debug)]
struct Running {
    /// The number of events that are recorded before.
    events: usize,
    page: u32,
    ending: Option<(u64, End)>,
    together: bool,
}

const ACTIONS: [Action; 8] = [
    Action::Deliver,
    Action::Redeem,
    Action::Redeem,
    Action::Revoke,
    Action::Reinstate,
    Action::Delete,
    Action::Copy,
    Action::Amend,
];

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let action = prop_oneof![3 => Just(Action::Create), 8 => prop::sample::select(&ACTIONS[..])];
    let outcome = prop_oneof![9 => Just(EventOutcome::Succeeded), 1 => Just(EventOutcome::Refused)];
    let one = (action, 0..12_u8, -100..9_000_000_i64, outcome);
    let one = one.prop_map(|(action, invitation, seconds, outcome)| Happening {
        action,
        invitation,
        seconds,
        outcome,
    });
    prop::collection::vec(one, 0..60)
}

fn runs() -> impl Strategy<Value = Vec<Running>> {
    let ends = [End::FailsBefore, End::AnswerLost, End::KilledBefore, End::KilledAfter];
    let ending = prop::option::weighted(0.7, (0..6_u64, prop::sample::select(ends.to_vec())));
    let one = (0..20_usize, 1..9_u32, ending, any::<bool>());
    let one =
        one.prop_map(|(events, page, ending, together)| Running { events, page, ending, together });
    prop::collection::vec(one, 0..8)
}

/// The terms of each invitation are a function of its number.
fn happened(one: &Happening) -> Event {
    let n = one.invitation;
    let (of, time) = (division(["sales", "operations"][usize::from(n % 2)]), at(one.seconds));
    let event = if one.action == Action::Create {
        let by = [Some("mia"), Some("ben"), None][usize::from(n % 3)];
        let in_batch = (n % 4 < 2).then(|| batch(n % 4));
        creation(n, &of, time, by, in_batch, u32::from(n % 3) + 1)
    } else {
        event(one.action, n, &of, time)
    };
    Event { outcome: one.outcome, ..event }
}

/// Runs a counter until it ends or is killed.
async fn run(store: &Arc<MemoryStore>, running: &Running) {
    let ending = running.ending.map_or_else(Ending::never, |(write, end)| Ending::at(write, end));
    let first = counter(store, ending, running.page);
    let second = counter(store, Ending::never(), running.page + 1);
    // Nothing waits for time, so a killed counter is the only one that does not end at once.
    let limit = Duration::from_millis(if running.ending.is_some() { 2 } else { 60_000 });
    let _ = tokio::time::timeout(limit, async {
        if running.together {
            let _ = tokio::join!(first.run(), second.run());
        } else {
            let _ = first.run().await;
        }
    })
    .await;
}

async fn check(happenings: Vec<Happening>, runs: Vec<Running>) {
    let store = Arc::new(MemoryStore::new());
    let events: Vec<_> = happenings.iter().map(happened).collect();
    let mut rest = &events[..];
    for running in &runs {
        let (now, later) = rest.split_at(running.events.min(rest.len()));
        store.record(now).await.expect("it records");
        rest = later;
        run(&store, running).await;
    }
    store.record(rest).await.expect("it records");
    count_all(&store).await;
    compare(&store, &events).await;
    // Counting anew comes to the same numbers.
    FunnelCounter::new(&store).recount(at(0)).await.expect("it begins anew");
    count_all(&store).await;
    compare(&store, &events).await;
}

async fn compare(store: &Arc<MemoryStore>, events: &[Event]) {
    let funnels = Funnels::new(
        Invitations::new(Arc::clone(store)),
        Arc::<MemoryStore>::clone(store),
        Arc::<MemoryStore>::clone(store),
    );
    for of in [None, Some("sales"), Some("operations"), Some("empty")] {
        let of = of.map(division);
        for (by, in_batch) in [
            (None, None),
            (Some("mia"), None),
            (Some("ben"), None),
            (None, Some(0)),
            (None, Some(1)),
        ] {
            let about =
                About { division: of.clone(), inviter: by.map(user), batch: in_batch.map(batch) };
            let mut query = FunnelQuery::new();
            if let Some(of) = &about.division {
                query = query.in_division(of.clone());
            }
            if let Some(by) = &about.inviter {
                query = query.by_inviter(by.clone());
            }
            if let Some(batch) = about.batch {
                query = query.in_batch(batch);
            }
            let funnel = funnels.of(&admin(), &query).await.expect("it is read");
            assert!(funnel.is_up_to_date());
            assert_eq!(numbers(funnel.figures()), recount(events, &about), "{about:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn numbers_equal_a_recount_however_pages_are_cut_repeated_or_broken_off(
        (happenings, runs) in (happenings(), runs())
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(check(happenings, runs));
    }
}

#[tokio::test]
async fn batch_of_1000_invitations_takes_seven_writes() {
    let store = Arc::new(MemoryStore::new());
    let of = division("sales");
    let events: Vec<_> = (0..1_000_u32)
        .map(|n| {
            let mut one = creation(1, &of, at(0), Some("mia"), Some(batch(1)), 1);
            let mut id = [1; 16];
            id[..4].copy_from_slice(&n.to_be_bytes());
            one.invitation = Some(invitation_core::InvitationId::from_bytes(id));
            one
        })
        .collect();
    store.record(&events).await.expect("it records");
    // The cursor is created, six batches are counted, and the seventh fails.
    let counter = counter(&store, Ending::at(7, End::FailsBefore), 1_000);
    counter.run().await.expect_err("one more write");
    let funnels = Funnels::new(
        Invitations::new(Arc::clone(&store)),
        Arc::<MemoryStore>::clone(&store),
        Arc::<MemoryStore>::clone(&store),
    );
    let created = async || {
        let query = FunnelQuery::new().in_batch(batch(1));
        funnels.of(&admin(), &query).await.expect("it is read").figures().created()
    };
    assert_eq!(created().await, 960);
    count_all(&store).await;
    assert_eq!(created().await, 1_000);
}
