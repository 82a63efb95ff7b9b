//! A wrapper around a store, with a hook around each operation.

mod documents;
mod erasure;
mod feed;
mod operation;
mod transaction;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;

pub use self::{operation::Operation, transaction::InterceptedTransaction};
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
/// operations pass through it, too. So do the transactions of
/// [`admit`](crate::Invitations::admit): their begin and commit, and the store's calls in them.
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

/// Makes a call through the interceptor. `outcome` says what the interceptor learns of the answer.
async fn through<T: Send>(
    interceptor: &impl Interceptor,
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
    interceptor.intercept(operation, Box::pin(pending)).await?;
    answer.ok_or_else(|| {
        StoreError::new(StoreErrorKind::Other, operation.as_str())
            .because("the interceptor neither made the call nor returned an error")
    })
}

/// Makes a call with one answer through the interceptor.
async fn one<T: Send>(
    interceptor: &impl Interceptor,
    operation: Operation,
    call: impl Future<Output = Result<T, StoreError>> + Send,
) -> Result<T, StoreError> {
    let outcome =
        |made: &Result<T, StoreError>| made.as_ref().map(|_| ()).map_err(StoreError::kind);
    through(interceptor, operation, call, outcome).await?
}

impl<S: Sync, I: Interceptor> Intercept<S, I> {
    async fn one<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        one(&*self.interceptor, operation, call).await
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
        let answers = through(&*self.interceptor, Operation::Apply, call, |answers| {
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
