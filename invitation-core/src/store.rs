//! The port: what a place that keeps invitations must be able to do.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{
    actor::Scope,
    error::StoreError,
    event::Event,
    id::{EventId, InvitationId},
    invitation::{Facts, Invitation},
    query::{EventFilter, EventListing, Filter, Listing, Page, Tally},
    text::Division,
    transition::{Target, Transition},
};

/// A place that keeps invitations and their evidence.
///
/// # For implementors
///
/// A store translates and never decides: it finds rows, evaluates the words of
/// a guard, changes facts as it is told, and gives facts back. It MUST NOT name a
/// reason, read a clock, or draw randomness.
///
/// Three functions of this crate are the specification, and a store MUST agree
/// with them on every input: [`Condition::holds`](crate::Condition::holds),
/// [`Change::apply_to`](crate::Change::apply_to) and
/// [`Filter::matches`](crate::Filter::matches). `MemoryStore` calls them; others
/// render them in the language of their database. The conformance suite
/// (feature `testing`, `conformance!`) tells whether they succeeded.
///
/// Everywhere:
///
/// - Text and bytes MUST be compared byte for byte, and come back byte for byte.
/// - A call that fails with an error MUST have done nothing, unless its kind is
///   [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown).
/// - What a call has acknowledged MUST be visible to every call that starts
///   after it.
/// - A future that is dropped MUST leave either all of its effect or none; of
///   several transitions, each for itself.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Whether what is recorded here stands by itself, or shares the fate of a
    /// host's transaction.
    fn durability(&self) -> Durability;

    /// Stores new invitations, each with its event, all or none of them, in one
    /// atomic step.
    ///
    /// MUST return [`Inserted::CodeTaken`] and store nothing when a digest is
    /// already stored, in a tombstone too, or occurs twice in `rows`.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn insert(&self, rows: &[NewInvitation]) -> Result<Inserted, StoreError>;

    /// Makes transitions, each for itself: the answers stand in the order of the
    /// transitions, one each.
    ///
    /// For each, in one atomic step with regard to all other calls:
    ///
    /// 1. Find the invitation by target within the scope, tombstones included;
    ///    none is [`Outcome::Missing`].
    /// 2. If an event with the id of the transition's event is already about
    ///    this invitation, the operation was done before: answer
    ///    [`Outcome::Replayed`] and change nothing.
    /// 3. If a condition of the guard does not hold, answer
    ///    [`Outcome::Refused`] and change nothing. The facts MUST be at least as
    ///    new as those that failed the guard.
    /// 4. Otherwise make the change and store the event, completed by
    ///    [`Event::about`]: [`Outcome::Applied`]. A rotation to a digest that is
    ///    stored already changes nothing and is [`Outcome::CodeTaken`].
    ///
    /// The facts include the redemption by
    /// [`Transition::redeemer`](crate::Transition::redeemer), if there is one.
    ///
    /// A store MAY look at facts that are older when it renders the guard into
    /// its own atomic statement; the verdict MUST be about the facts that the
    /// change is applied to.
    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>>;

    /// The invitation, tombstones included, if it lies within the scope.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Invitation>, StoreError>;

    /// Where an invitation is, wherever it is. Only for the evidence of a
    /// refusal: the answer never reaches an actor.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError>;

    /// The invitations within the scope that match, newest first: by
    /// `created_at`, then by id, both descending.
    ///
    /// MUST bound its answer by the page, and SHOULD bound its work: a page may
    /// come back short, with [`next`](crate::Slice::next) set.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &Page<InvitationId>,
    ) -> Result<Listing, StoreError>;

    /// How many invitations within the scope match, by status: exact up to
    /// `cap`, and `cap + 1` for any number beyond.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn count(&self, scope: &Scope, filter: &Filter, cap: u32) -> Result<Tally, StoreError>;

    /// Stores events that belong to no change: refusals, denials, copies. One
    /// whose id is stored already is left as it is.
    ///
    /// # Errors
    ///
    /// When the store fails; all or none are then stored.
    async fn record(&self, events: &[Event]) -> Result<(), StoreError>;

    /// The events that match, newest first: by `at`, then by id, both
    /// descending. Within a division's scope, only events of that division.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &Page<EventId>,
    ) -> Result<EventListing, StoreError>;
}

/// Whether what a store records stands by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Durability {
    /// When a call returns, it is done.
    Own,
    /// It is done when the host commits, and undone when the host rolls back.
    Hosts,
}

/// A new invitation and the evidence of its creation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct NewInvitation {
    /// The facts.
    pub invitation: Invitation,
    /// The event, complete.
    pub event: Event,
}

/// What became of an insert.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Inserted {
    /// All are stored.
    Stored,
    /// None is: one of the digests is taken.
    CodeTaken,
}

/// What became of a transition.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Outcome {
    /// It was made. The facts are those after it.
    Applied(Box<Facts>),
    /// This very operation had been made before. The facts are those of now.
    Replayed(Box<Facts>),
    /// The guard did not hold. The facts are those of now.
    Refused(Box<Facts>),
    /// The new code's digest is stored already.
    CodeTaken,
    /// Within the scope there is no such invitation.
    Missing,
}

/// Where an invitation is.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Located {
    /// Its id.
    pub id: InvitationId,
    /// Its division.
    pub division: Division,
}

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<S: Store + ?Sized> Store for $type {
            fn durability(&self) -> Durability {
                (**self).durability()
            }

            async fn insert(&self, rows: &[NewInvitation]) -> Result<Inserted, StoreError> {
                (**self).insert(rows).await
            }

            async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
                (**self).apply(transitions).await
            }

            async fn get(
                &self,
                target: &Target,
                scope: &Scope,
            ) -> Result<Option<Invitation>, StoreError> {
                (**self).get(target, scope).await
            }

            async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
                (**self).locate(target).await
            }

            async fn list(
                &self,
                scope: &Scope,
                filter: &Filter,
                page: &Page<InvitationId>,
            ) -> Result<Listing, StoreError> {
                (**self).list(scope, filter, page).await
            }

            async fn count(
                &self,
                scope: &Scope,
                filter: &Filter,
                cap: u32,
            ) -> Result<Tally, StoreError> {
                (**self).count(scope, filter, cap).await
            }

            async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
                (**self).record(events).await
            }

            async fn events(
                &self,
                scope: &Scope,
                filter: &EventFilter,
                page: &Page<EventId>,
            ) -> Result<EventListing, StoreError> {
                (**self).events(scope, filter, page).await
            }
        }
    };
}

forward!(&S);
forward!(Box<S>);
forward!(Arc<S>);
