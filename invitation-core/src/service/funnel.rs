//! Reading a funnel.

use std::{fmt, num::NonZeroU32, sync::Arc};

use super::Invitations;
use crate::{
    actor::Caller,
    documents::Documents,
    error::Error,
    event::Action,
    feed::Feed,
    field_error::FieldError,
    funnel::{FigureKey, FunnelFigures, Progress, Whose, read_figures},
    id::BatchId,
    limits::Limits,
    policy::Right,
    query::{Filter, TimeRange},
    scope::Scope,
    status::Status,
    status_counts::StatusCounts,
    store::Store,
    store_error::StoreError,
    text::{Division, UserId},
    time::Timestamp,
};

/// The invitations of a funnel. Without a restriction, all within the actor's reach.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct FunnelQuery {
    division: Option<Division>,
    inviter: Option<UserId>,
    batch: Option<BatchId>,
}

impl FunnelQuery {
    /// Asks for all invitations within the actor's reach.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the invitations of this division; it must be within the actor's reach.
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }

    /// Asks for the invitations that this user created. It does not go with a batch.
    pub fn by_inviter(self, inviter: UserId) -> Self {
        Self { inviter: Some(inviter), ..self }
    }

    /// Asks for the invitations that one call created together. It does not go with an inviter.
    pub fn in_batch(self, batch: BatchId) -> Self {
        Self { batch: Some(batch), ..self }
    }

    fn whose(&self) -> Result<Whose, FieldError> {
        match (&self.inviter, self.batch) {
            (None, None) => Ok(Whose::All),
            (Some(inviter), None) => Ok(Whose::inviter(inviter)),
            (None, Some(batch)) => Ok(Whose::Batch(batch)),
            (Some(_), Some(_)) => Err(FieldError::new("batch", "does not go with an inviter")),
        }
    }
}

/// What became of some invitations, and how old the numbers are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Funnel {
    figures: FunnelFigures,
    active: Number,
    expired: Number,
    counted_until: Option<Timestamp>,
    waiting_since: Option<Timestamp>,
    counted_since: Option<Timestamp>,
    discontinuities: u32,
}

/// A number that is exact or a lower bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Number {
    number: u64,
    is_exact: bool,
}

impl Funnel {
    /// Returns the numbers that the counter keeps.
    #[must_use]
    pub fn figures(&self) -> &FunnelFigures {
        &self.figures
    }

    /// Returns the number of invitations that can be redeemed at this moment, as the store counts
    /// them.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.active.number
    }

    /// Returns whether the number of active invitations is exact. It is up to
    /// [`Limits::COUNT_CAP`]; beyond, it is a lower bound.
    #[must_use]
    pub fn is_active_exact(&self) -> bool {
        self.active.is_exact
    }

    /// Returns the number of invitations that expired with uses left. One with several uses may
    /// have been redeemed before.
    #[must_use]
    pub fn expired(&self) -> u64 {
        self.expired.number
    }

    /// Returns whether the number of expired invitations is exact. Otherwise it is a lower bound:
    /// there are too many active ones to count, or events wait to be counted.
    #[must_use]
    pub fn is_expired_exact(&self) -> bool {
        self.expired.is_exact
    }

    /// Returns whether all events were counted when the funnel was read. Then the numbers that the
    /// counter keeps are those of that moment.
    #[must_use]
    pub fn is_up_to_date(&self) -> bool {
        self.waiting_since.is_none()
    }

    /// Returns the time of the latest event that was counted; none if no event was.
    #[must_use]
    pub fn counted_until(&self) -> Option<Timestamp> {
        self.counted_until
    }

    /// Returns the time of the first event that was not counted yet. The numbers are as old as
    /// that. None if all were counted.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Timestamp> {
        self.waiting_since
    }

    /// Returns the time from which the creation of invitations counts, if events were removed
    /// before the counter ran for the first time. None if all invitations count.
    #[must_use]
    pub fn counted_since(&self) -> Option<Timestamp> {
        self.counted_since
    }

    /// Returns the number of times that a new epoch of the feed began while events were counted.
    /// [The module](crate::funnel) says what that means.
    #[must_use]
    pub fn discontinuities(&self) -> u32 {
        self.discontinuities
    }
}

/// The funnels of a service.
///
/// [The module](crate::funnel) shows its use. The documents and the feed are those of the store
/// whose events the [`FunnelCounter`](crate::funnel::FunnelCounter) counts.
#[derive(Clone)]
pub struct Funnels<S> {
    invitations: Invitations<S>,
    documents: Arc<dyn Documents>,
    feed: Arc<dyn Feed>,
}

impl<S> fmt::Debug for Funnels<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Funnels").field("documents", &self.documents).finish_non_exhaustive()
    }
}

impl<S: Store> Funnels<S> {
    /// Creates the funnels of a service.
    #[must_use]
    pub fn new(
        invitations: Invitations<S>,
        documents: Arc<dyn Documents>,
        feed: Arc<dyn Feed>,
    ) -> Self {
        Self { invitations, documents, feed }
    }

    /// Returns what became of the invitations that the query names, within the actor's reach.
    /// Needs [`Right::View`].
    ///
    /// An inviter or a batch without invitations within the reach has a funnel of zeros, as a list
    /// of them is empty.
    ///
    /// Four round trips. They do not see one moment: while events happen, numbers may differ by
    /// these.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `DivisionNotAllowed`; [`Error::Invalid`] for a query of an
    /// inviter and a batch; [`Error::Store`], [`Error::Entropy`].
    pub async fn of(
        &self,
        caller: impl Into<Caller<'_>>,
        query: &FunnelQuery,
    ) -> Result<Funnel, Error> {
        let (caller, service) = (caller.into(), &self.invitations);
        let call = service.call_by(caller)?;
        let named = query.division.as_ref();
        service.permit(caller, &call, Right::View, Action::View, named).await?;
        let whose = query.whose()?;
        let scope = service.reach(caller, &call, named, Action::View).await?;

        let progress = Progress::read(self.documents.document(&Progress::key()).await?)?;
        let key = FigureKey::new(&scope, whose).document(progress.generation());
        let figures = read_figures(self.documents.document(&key).await?.as_ref())?;
        let waiting_since = self.waiting_since(&progress, call.now).await?;
        let counts = self.counts(&scope, query, &progress, call.now).await?;
        let active = u64::from(counts.of(Status::Active));
        Ok(Funnel {
            figures,
            active: Number { number: active, is_exact: counts.is_exact(Status::Active) },
            expired: expired(&figures, &counts, waiting_since.is_none()),
            counted_until: progress.counted_until(),
            waiting_since,
            counted_since: progress.counted_since(),
            discontinuities: progress.discontinuities(),
        })
    }

    /// Returns the time of the first event behind the progress.
    async fn waiting_since(
        &self,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let page = self.feed.feed(progress.position(), NonZeroU32::MIN).await?;
        // A page without events may promise more.
        Ok(page.events.first().map(|one| one.event.at).or(page.more.then_some(now)))
    }

    /// Counts the invitations of the query by status, without those that the numbers do not have
    /// because their events were removed.
    async fn counts(
        &self,
        scope: &Scope,
        query: &FunnelQuery,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<StatusCounts, StoreError> {
        let filter = Filter {
            inviter: query.inviter.clone(),
            batch: query.batch,
            created: TimeRange { from: progress.counted_since(), until: None },
            ..Filter::all(now)
        };
        self.invitations.store.count(scope, &filter, Limits::COUNT_CAP).await
    }
}

/// Returns the number of expired invitations. By the numbers it contains those that were purged
/// since; the store no longer has them.
fn expired(figures: &FunnelFigures, counts: &StatusCounts, is_up_to_date: bool) -> Number {
    if is_up_to_date && counts.is_exact(Status::Active) {
        let number = figures.open().saturating_sub(counts.of(Status::Active).into());
        return Number { number, is_exact: true };
    }
    Number { number: counts.of(Status::Expired).into(), is_exact: false }
}
