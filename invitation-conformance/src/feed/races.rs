//! Consumers that read while many callers write.

use std::{collections::HashSet, sync::Arc};

use invitation_core::{Action, EventId, feed::Feed};

use super::{FeedFixture, reader::Reader};
use crate::support::{
    concurrent::{CALLERS, run_concurrently},
    factory::Factory,
    samples::{later, start},
};

/// The number of calls of each writer.
const CALLS: u32 = 8;

/// The number of events that the writers write.
const EVENTS: usize = 64 * 15;

/// Reads all events while they are written, and one more. Returns their ids in their order.
async fn follow(feed: Arc<dyn Feed>, limit: u32) -> Vec<EventId> {
    let mut reader = Reader::new(&*feed, limit);
    reader.read_until(EVENTS + 1).await;
    reader.received.iter().map(|one| one.event.id).collect()
}

/// Two consumers that read while 64 callers write receive each event once, in the same order.
pub async fn events_of_64_writers_are_read_once_in_one_order(fixture: FeedFixture) {
    let (store, factory) = (fixture.store(), Arc::new(Factory::new()));
    let readers: Vec<_> =
        [3, 50].map(|limit| tokio::spawn(follow(Arc::clone(&fixture.feed), limit))).into();
    let writers = (0..CALLERS).map(|n| {
        let (store, factory) = (Arc::clone(&store), Arc::clone(&factory));
        async move {
            let mut written = Vec::new();
            for call in 0..CALLS {
                // Calls write one or several events, at times in no order.
                let events = (0..=call % 3).map(|m| {
                    let micros = i64::from((n * 31 + call * 7 + m) % 50);
                    factory.event(Action::View, later(start(), micros))
                });
                let events: Vec<_> = events.collect();
                written.extend(events.iter().map(|event| event.id));
                store.record(&events).await.expect("the store records");
            }
            written
        }
    });
    let written: HashSet<_> =
        run_concurrently(writers.collect()).await.concat().into_iter().collect();
    assert_eq!(written.len(), EVENTS);
    let last = factory.event(Action::Copy, start());
    store.record(std::slice::from_ref(&last)).await.expect("the store records");
    let mut orders = Vec::new();
    for reader in readers {
        orders.push(reader.await.expect("the consumer reads to the end"));
    }
    assert_eq!(orders[0], orders[1], "both consumers receive the same order");
    let before_last = orders[0].strip_suffix(&[last.id]).expect("the last one comes last");
    assert_eq!(before_last.len(), EVENTS, "as many as were written");
    assert_eq!(before_last.iter().copied().collect::<HashSet<_>>(), written, "each one");
}
