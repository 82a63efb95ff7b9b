//! A wrapper around a store, with a hook around each operation.

mod documents;
mod erasure;
mod feed;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;

use super::{CommittedBy, Insert, Inserted, Invitee, Located, Store};
use crate::{
    event::Event,
    facts::Facts,
    id::{EventId, InvitationId},
    lease::OpenLease,
    outcome::Outcome,
    page::{PageRequest, StorePage},
    purge::{Purge, Purged},
    query::{EventFilter, Filter},
    record::Record,
    redemption::Redemption,
    scope::Scope,
    status_counts::StatusCounts,
    store_error::{StoreError, StoreErrorKind},
    target::Target,
    text::UserId,
    time::Timestamp,
    transition::Transition,
};

/// An operation of [`Store`], [`Erasures`](crate::erasure::Erasures),
/// [`Documents`](crate::documents::Documents), [`Feed`](crate::feed::Feed),
/// [`FeedCursors`](crate::feed::FeedCursors) or [`FeedRetention`](crate::feed::FeedRetention).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Operation {
    /// [`Store::insert`].
    Insert,
    /// [`Store::apply`].
    Apply,
    /// [`Store::get`].
    Get,
    /// [`Store::facts`].
    Facts,
    /// [`Store::locate`].
    Locate,
    /// [`Store::are_invited`].
    AreInvited,
    /// [`Store::list`].
    List,
    /// [`Store::count`].
    Count,
    /// [`Store::redemptions`].
    Redemptions,
    /// [`Store::leases`].
    Leases,
    /// [`Store::record`].
    Record,
    /// [`Store::events`].
    Events,
    /// [`Store::purge`].
    Purge,
    /// [`Erasures::erase_invitations`](crate::erasure::Erasures::erase_invitations).
    EraseInvitations,
    /// [`Erasures::erase_events`](crate::erasure::Erasures::erase_events).
    EraseEvents,
    /// [`Documents::document`](crate::documents::Documents::document).
    Document,
    /// [`Documents::add_documents`](crate::documents::Documents::add_documents).
    AddDocuments,
    /// [`Documents::replace_documents`](crate::documents::Documents::replace_documents).
    ReplaceDocuments,
    /// [`Documents::due_documents`](crate::documents::Documents::due_documents).
    DueDocuments,
    /// [`Documents::list_documents`](crate::documents::Documents::list_documents).
    ListDocuments,
    /// [`Documents::remove_documents`](crate::documents::Documents::remove_documents).
    RemoveDocuments,
    /// [`Feed::feed`](crate::feed::Feed::feed).
    Feed,
    /// [`FeedCursors::cursor`](crate::feed::FeedCursors::cursor).
    Cursor,
    /// [`FeedCursors::replace_cursor`](crate::feed::FeedCursors::replace_cursor).
    ReplaceCursor,
    /// [`FeedRetention::cursors`](crate::feed::FeedRetention::cursors).
    Cursors,
    /// [`FeedRetention::remove_cursor`](crate::feed::FeedRetention::remove_cursor).
    RemoveCursor,
    /// [`FeedRetention::remove_events`](crate::feed::FeedRetention::remove_events).
    RemoveEvents,
}

impl Operation {
    /// Returns the name of the method. It never changes, so it can label spans and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Apply => "apply",
            Self::Get => "get",
            Self::Facts => "facts",
            Self::Locate => "locate",
            Self::AreInvited => "are_invited",
            Self::List => "list",
            Self::Count => "count",
            Self::Redemptions => "redemptions",
            Self::Leases => "leases",
            Self::Record => "record",
            Self::Events => "events",
            Self::Purge => "purge",
            Self::EraseInvitations => "erase_invitations",
            Self::EraseEvents => "erase_events",
            Self::Document => "document",
            Self::AddDocuments => "add_documents",
            Self::ReplaceDocuments => "replace_documents",
            Self::DueDocuments => "due_documents",
            Self::ListDocuments => "list_documents",
            Self::RemoveDocuments => "remove_documents",
            Self::Feed => "feed",
            Self::Cursor => "cursor",
            Self::ReplaceCursor => "replace_cursor",
            Self::Cursors => "cursors",
            Self::RemoveCursor => "remove_cursor",
            Self::RemoveEvents => "remove_events",
        }
    }

    /// Returns whether the operation can change what the store keeps.
    #[must_use]
    pub const fn is_write(self) -> bool {
        match self {
            Self::Insert
            | Self::Apply
            | Self::Record
            | Self::Purge
            | Self::EraseInvitations
            | Self::EraseEvents
            | Self::AddDocuments
            | Self::ReplaceDocuments
            | Self::RemoveDocuments
            | Self::ReplaceCursor
            | Self::RemoveCursor
            | Self::RemoveEvents => true,
            Self::Get
            | Self::Facts
            | Self::Locate
            | Self::AreInvited
            | Self::List
            | Self::Count
            | Self::Redemptions
            | Self::Leases
            | Self::Events
            | Self::Document
            | Self::DueDocuments
            | Self::ListDocuments
            | Self::Feed
            | Self::Cursor
            | Self::Cursors => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A call to the intercepted store that has not begun. Awaiting it makes the call, and says
/// whether the store returned an answer or an error of some kind. Dropping it makes no call.
///
/// For several transitions, the kind is that of the first error.
pub type StoreCall<'a> = Pin<Box<dyn Future<Output = Result<(), StoreErrorKind>> + Send + 'a>>;

/// A hook around the operations of a store. See [`Intercept`].
#[async_trait]
pub trait Interceptor: fmt::Debug + Send + Sync {
    /// Makes `call`, with whatever is to happen before and after it.
    ///
    /// `Ok` passes the answer or the error of the store on to the caller.
    ///
    /// # Errors
    ///
    /// An error reaches the caller in place of the store's answer. Before `call` is awaited,
    /// it says that nothing was done. Afterwards the call has taken effect, and the kind
    /// MUST be [`OutcomeUnknown`](StoreErrorKind::OutcomeUnknown) if it was a
    /// [write](Operation::is_write).
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError>;
}

/// A store whose operations pass through an [`Interceptor`], for example to count them, to
/// measure them, or to inject faults in tests. If the store has a feed and cursors, their
/// operations pass through it, too.
///
/// ```
/// # use invitation_core as invitation;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use async_trait::async_trait;
/// use invitation::{
///     Actor, Division, Draft, Error, Invitations, MemoryStore, Role, StoreError, StoreErrorKind,
///     UserId,
///     store::{Intercept, Interceptor, Operation, StoreCall},
/// };
///
/// /// Counts the calls, and loses the answer of every insertion.
/// #[derive(Debug, Default)]
/// struct Faulty(AtomicU32);
///
/// #[async_trait]
/// impl Interceptor for Faulty {
///     async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         let outcome = call.await;
///         match (operation, outcome) {
///             (Operation::Insert, Ok(())) => {
///                 Err(StoreError::new(StoreErrorKind::OutcomeUnknown, operation.as_str()))
///             }
///             _ => Ok(()),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let invitations = Invitations::new(Intercept::new(MemoryStore::new(), Faulty::default()));
/// let manager =
///     Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, Division::new("sales")?);
/// let lost = invitations.create(&manager, Draft::new()).await.unwrap_err();
/// let Error::Store(error) = lost else { panic!("{lost}") };
/// assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown);
///
/// let page = invitations.list(&manager, &Default::default(), Default::default()).await?;
/// assert_eq!(page.items().len(), 1, "it was stored although the answer was lost");
/// let Faulty(calls) = invitations.store().interceptor();
/// assert_eq!(calls.load(Ordering::Relaxed), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Intercept<S, I> {
    store: S,
    interceptor: Arc<I>,
}

impl<S, I: Interceptor> Intercept<S, I> {
    /// Creates a store whose operations on `store` pass through `interceptor`.
    #[must_use]
    pub fn new(store: S, interceptor: I) -> Self {
        Self { store, interceptor: Arc::new(interceptor) }
    }

    /// Returns the store behind the interceptor.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Returns the interceptor.
    #[must_use]
    pub fn interceptor(&self) -> &I {
        &self.interceptor
    }
}

impl<S: Sync, I: Interceptor> Intercept<S, I> {
    /// Makes a call through the interceptor. `outcome` says what the interceptor learns of
    /// the answer.
    async fn through<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = T> + Send,
        outcome: fn(&T) -> Result<(), StoreErrorKind>,
    ) -> Result<T, StoreError> {
        let mut answer = None;
        let pending = async {
            let made = call.await;
            let outcome = outcome(&made);
            answer = Some(made);
            outcome
        };
        self.interceptor.intercept(operation, Box::pin(pending)).await?;
        answer.ok_or_else(|| {
            StoreError::new(StoreErrorKind::Other, operation.as_str())
                .because("the interceptor neither made the call nor returned an error")
        })
    }

    async fn one<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.through(operation, call, |made| made.as_ref().map(|_| ()).map_err(StoreError::kind))
            .await?
    }
}

impl<S: Clone, I> Clone for Intercept<S, I> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), interceptor: Arc::clone(&self.interceptor) }
    }
}

#[async_trait]
impl<S: Store, I: Interceptor> Store for Intercept<S, I> {
    fn committed_by(&self) -> CommittedBy {
        self.store.committed_by()
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        self.one(Operation::Insert, self.store.insert(insert)).await
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        let call = self.store.apply(transitions);
        let answers = self.through(Operation::Apply, call, |answers| {
            let mut errors = answers.iter().filter_map(|answer| answer.as_ref().err());
            errors.next().map_or(Ok(()), |error| Err(error.kind()))
        });
        match answers.await {
            Ok(answers) => answers,
            Err(error) => transitions.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError> {
        self.one(Operation::Get, self.store.get(target, scope)).await
    }

    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError> {
        self.one(Operation::Facts, self.store.facts(target, scope, user)).await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        self.one(Operation::Locate, self.store.locate(target)).await
    }

    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        self.one(Operation::AreInvited, self.store.are_invited(invitees, now)).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError> {
        self.one(Operation::List, self.store.list(scope, filter, page)).await
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        self.one(Operation::Count, self.store.count(scope, filter, cap)).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        let call = self.store.redemptions(scope, invitation, page);
        self.one(Operation::Redemptions, call).await
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        self.one(Operation::Leases, self.store.leases(scope, page)).await
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        self.one(Operation::Record, self.store.record(events)).await
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        self.one(Operation::Events, self.store.events(scope, filter, page)).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.one(Operation::Purge, self.store.purge(purge)).await
    }
}
