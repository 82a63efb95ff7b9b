//! Reading the feed behind a durable cursor.

use std::{fmt, num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use invitation_core::{
    StoreError,
    clock::{Clock, SystemClock},
    feed::{
        Advance, Claim, ClaimedCursor, CursorHolder, CursorName, Feed, FeedCursors, FeedPage, claim,
    },
};
use time::Duration;

/// The default lease of a cursor.
const LEASE: Duration = Duration::seconds(60);

/// The default number of events of a page.
const PAGE: NonZeroU32 = NonZeroU32::new(200).expect("not zero");

/// What a consumer does with the events of the feed.
#[async_trait]
pub trait Process: fmt::Debug + Send + Sync {
    /// The error that stops the consumer before the page.
    type Error: Send;

    /// Processes the events of a page in their order.
    ///
    /// After an error, a crash or a takeover the same events come again. So the effect of an event
    /// must be the same if it is processed twice; its id recognises it.
    ///
    /// # Errors
    ///
    /// When the page was not processed. The cursor stays before it.
    async fn process(&self, page: &FeedPage) -> Result<(), Self::Error>;
}

/// How far one run of a [`Consumer`] came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is more, or not, or another process works")]
#[must_use]
pub enum Progress {
    /// The end of the feed, for the moment.
    UpToDate,
    /// As many pages as the run may process. There may be more.
    More,
    /// Nowhere: another process holds the cursor, or has taken it over.
    HeldElsewhere,
}

/// The reason why a run of a [`Consumer`] stopped.
#[derive(Debug, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "the store fails or the processing does")]
pub enum ConsumerError<E> {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The processing of a page failed.
    #[error("a page of events was not processed")]
    Process(#[source] E),
}

/// A consumer of the feed, which keeps its place in a durable cursor of the store.
///
/// Each machine runs the consumer under the same cursor name and its own holder's name. Every
/// event is processed at least once.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_delivery as delivery; }
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use async_trait::async_trait;
/// use invitation::{
///     Division, Draft, Invitations, MemoryStore, Role, SystemActor,
///     delivery::{Consumer, Process, Progress},
///     store::feed::{CursorHolder, CursorName, FeedPage},
/// };
///
/// #[derive(Debug, Default)]
/// struct Counting(AtomicUsize);
///
/// #[async_trait]
/// impl Process for Counting {
///     type Error = std::convert::Infallible;
///
///     async fn process(&self, page: &FeedPage) -> Result<(), Self::Error> {
///         self.0.fetch_add(page.events.len(), Ordering::Relaxed);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
/// Invitations::new(&store).create(&SystemActor::for_bootstrap(), draft).await?;
///
/// let name = CursorName::new("counting")?;
/// let consumer = Consumer::new(&store, name, CursorHolder::new("host-1:71")?);
/// let counting = Counting::default();
/// // From a task of its own, for example every few seconds:
/// assert_eq!(consumer.run(&counting).await?, Progress::UpToDate);
/// assert_eq!(consumer.run(&counting).await?, Progress::UpToDate);
/// assert_eq!(counting.0.into_inner(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Consumer<S> {
    store: S,
    name: CursorName,
    holder: CursorHolder,
    clock: Arc<dyn Clock>,
    lease: Duration,
    page: NonZeroU32,
}

impl<S: Feed + FeedCursors> Consumer<S> {
    /// The maximum number of pages that one call of [`run`](Self::run) processes.
    pub const MAX_PAGES: u32 = 50;

    /// Creates a consumer. All machines use the same `name`; `holder` differs between processes.
    #[must_use]
    pub fn new(store: S, name: CursorName, holder: CursorHolder) -> Self {
        Self { store, name, holder, clock: Arc::new(SystemClock), lease: LEASE, page: PAGE }
    }

    /// Sets the clock by which leases end. The default is the machine's.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets the lease: the time in which a page must be processed. After it, another machine may
    /// process the same page. The default is 60 seconds.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Sets the maximum number of events of a page. The default is 200.
    #[must_use]
    pub fn with_page_size(self, page: NonZeroU32) -> Self {
        Self { page, ..self }
    }

    /// Processes the events behind the cursor, until the end of the feed or
    /// [`MAX_PAGES`](Self::MAX_PAGES) pages, and releases the cursor.
    ///
    /// Two calls to the store, and two for each page.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`]. The same call may be repeated after any error.
    pub async fn run<P: Process + ?Sized>(
        &self,
        process: &P,
    ) -> Result<Progress, ConsumerError<P::Error>> {
        let claimed =
            claim(&self.store, &self.name, &self.holder, self.clock.now(), self.lease).await?;
        let Claim::Granted(mut cursor) = claimed else { return Ok(Progress::HeldElsewhere) };
        let progress = self.pages(process, &mut cursor).await;
        // Without a release another process waits for the end of the lease only, so the first
        // error is the one to report.
        let released = cursor.release().await;
        let progress = progress?;
        released?;
        Ok(progress)
    }

    async fn pages<P: Process + ?Sized>(
        &self,
        process: &P,
        cursor: &mut ClaimedCursor<&S>,
    ) -> Result<Progress, ConsumerError<P::Error>> {
        for _ in 0..Self::MAX_PAGES {
            let page = self.store.feed(cursor.position(), self.page).await?;
            let Some(last) = page.events.last().map(|last| last.position) else {
                return Ok(Progress::UpToDate);
            };
            process.process(&page).await.map_err(ConsumerError::Process)?;
            match cursor.advance(last, self.clock.now()).await? {
                Advance::Done => {}
                Advance::TakenOver => return Ok(Progress::HeldElsewhere),
            }
            if !page.more {
                return Ok(Progress::UpToDate);
            }
        }
        Ok(Progress::More)
    }
}
