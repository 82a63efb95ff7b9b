//! Consumers that read while many callers write.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use invitation_core::{Action, EventId, feed::Feed};

use super::{FeedFixture, reader::Reader};
use crate::support::{
    concurrent::{CALLERS, run_concurrently},
    factory::Factory,
    samples::{later, start},
};

/// The number of calls of each writer.
const CALLS: u32 = 8;

/// Reads while `writing` is not 0, and then to the end. Returns the ids in their order.
async fn follow(feed: Arc<dyn Feed>, writing: Arc<AtomicUsize>, limit: u32) -> Vec<EventId> {
    let mut reader = Reader::new(&*feed, limit);
    loop {
        // The number is read before the page: what was written before it is in the last page.
        let is_last = writing.load(Ordering::SeqCst) == 0;
        reader.read_page().await;
        if is_last {
            break;
        }
        tokio::task::yield_now().await;
    }
    reader.read_to_end().await;
    reader.received.iter().map(|one| one.event.id).collect()
}

/// Two consumers that read while 64 callers write receive each event once, in the same order.
pub async fn events_of_64_writers_are_read_once_in_one_order(fixture: FeedFixture) {
    let (store, factory) = (fixture.store(), Arc::new(Factory::new()));
    let writing = Arc::new(AtomicUsize::new(CALLERS as usize));
    let readers: Vec<_> = [3, 50]
        .map(|limit| tokio::spawn(follow(Arc::clone(&fixture.feed), Arc::clone(&writing), limit)))
        .into();
    let writers = (0..CALLERS).map(|n| {
        let (store, factory) = (Arc::clone(&store), Arc::clone(&factory));
        let writing = Arc::clone(&writing);
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
            writing.fetch_sub(1, Ordering::SeqCst);
            written
        }
    });
    let written: HashSet<_> =
        run_concurrently(writers.collect()).await.concat().into_iter().collect();
    let mut orders = Vec::new();
    for reader in readers {
        orders.push(reader.await.expect("the consumer reads to the end"));
    }
    assert_eq!(orders[0], orders[1], "both consumers receive the same order");
    assert_eq!(orders[0].len(), written.len(), "as many as were written");
    assert_eq!(orders[0].iter().copied().collect::<HashSet<_>>(), written, "each one");
}
