//! A consumer that checks the requirements on each page.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use invitation_core::{
    Event,
    feed::{Feed, FeedEvent, FeedPosition},
};

/// The time after which an event counts as missing.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// A consumer that remembers everything that it has received.
pub(super) struct Reader<'f> {
    feed: &'f dyn Feed,
    limit: NonZeroU32,
    pub(super) received: Vec<FeedEvent>,
}

impl<'f> Reader<'f> {
    pub(super) fn new(feed: &'f dyn Feed, limit: u32) -> Self {
        let limit = NonZeroU32::new(limit).expect("a page has at least one event");
        Self { feed, limit, received: Vec::new() }
    }

    pub(super) fn position(&self) -> Option<FeedPosition> {
        self.received.last().map(|last| last.position)
    }

    /// Reads one page. Returns whether there may be more.
    pub(super) async fn read_page(&mut self) -> bool {
        let page = self.feed.feed(self.position(), self.limit).await.expect("the store answers");
        assert!(page.events.len() <= self.limit.get() as usize, "a page keeps to its limit");
        for one in page.events {
            assert!(self.position() < Some(one.position), "positions increase");
            assert_eq!(one.position.epoch, page.epoch.number, "a page belongs to one epoch");
            self.received.push(one);
        }
        page.more
    }

    /// Reads until `count` events have been received. A store may hold events back while other
    /// transactions of its server are open, so this waits for them.
    pub(super) async fn read_until(&mut self, count: usize) {
        let begun = Instant::now();
        while self.received.len() < count {
            self.read_page().await;
            assert!(begun.elapsed() < MAX_WAIT, "{} of {count} events", self.received.len());
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.received.iter().map(|one| one.event.clone()).collect()
    }
}

/// Returns all events of the feed, which has `count` events.
pub(super) async fn whole_feed(feed: &dyn Feed, count: usize) -> Vec<FeedEvent> {
    let mut reader = Reader::new(feed, 100);
    reader.read_until(count).await;
    reader.received
}
