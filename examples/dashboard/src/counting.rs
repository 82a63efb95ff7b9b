//! Counts what became of invitations, for the page *Funnel* and `GET /funnel`.

use std::time::Duration;

use invitation::store::{
    documents::Documents,
    feed::{Feed, FeedCursors},
    funnel::FunnelCounter,
};

/// The time between two rounds.
const PAUSE: Duration = Duration::from_secs(2);

/// Starts the task that counts events until the program ends. On several machines, each may run
/// it: an event is counted once.
pub(crate) fn start<S>(store: S)
where
    S: Documents + Feed + FeedCursors + 'static,
{
    let counter = FunnelCounter::new(store);
    tokio::spawn(async move {
        loop {
            match counter.run().await {
                Ok(page) if page.more => {}
                Ok(_) => tokio::time::sleep(PAUSE).await,
                // A failure is passing: the next round goes on where this one stopped.
                Err(error) => {
                    tracing::warn!(%error, "events are not counted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    });
}
