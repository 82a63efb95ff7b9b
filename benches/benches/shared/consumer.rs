//! A consumer of the feed that reads while callers redeem.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use invitation::store::feed::{Feed, FeedPage, FeedPosition};
use tokio::task::JoinHandle;

/// How long the consumer rests at the end of the feed.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct FeedReader {
    feed: Arc<dyn Feed>,
    last: Option<FeedPosition>,
}

/// A reader at work in a task of its own.
#[derive(Debug)]
pub(crate) struct Reading {
    stop: Arc<AtomicBool>,
    task: JoinHandle<FeedReader>,
}

impl FeedReader {
    pub(crate) fn new(feed: Arc<dyn Feed>) -> Self {
        Self { feed, last: None }
    }

    /// Reads one page. Returns whether there is more.
    async fn page(&mut self) -> bool {
        let limit = NonZeroU32::new(FeedPage::MAX_EVENTS).unwrap();
        let page = self.feed.feed(self.last, limit).await.unwrap();
        self.last = page.events.last().map(|last| last.position).or(self.last);
        page.more
    }

    /// Reads what other variants wrote, and then reads on until it is stopped.
    pub(crate) async fn begin(mut self) -> Reading {
        while self.page().await {}
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                if !self.page().await {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            self
        });
        Reading { stop, task }
    }
}

impl Reading {
    pub(crate) async fn end(self) -> FeedReader {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}
