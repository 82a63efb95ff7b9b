//! The port [`Store`], and everything that an author of a store needs.
//!
//! A store translates and never decides. The domain hands it a [`Transition`]: a guard, a
//! change and an event, as plain data. The store applies all three in one atomic step, and
//! answers with the facts it found. The core then says why a call was refused.
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::audit::{EventId, Performer, RequestContext};
//! use invitation::decide::{Call, Command, decide};
//! use invitation::store::{Outcome, Scope, Store, Target};
//! use invitation::{Draft, IfVersion, Invitations, Limits, MemoryStore, Policy, Role, SystemActor, Timestamp};
//! # use invitation::Division;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
//! let created = Invitations::new(&store).create(&SystemActor::for_bootstrap(), draft).await?;
//! let id = created.invitation().id();
//!
//! // The service decides each call, here for two calls that revoke the invitation.
//! let revoke = |operation: u8| {
//!     let call = Call {
//!         id: EventId::from_bytes([operation; 16]),
//!         now: Timestamp::MIN,
//!         performer: Performer::System { name: None },
//!         context: RequestContext::default(),
//!     };
//!     let command = Command::Revoke { id, reason: None };
//!     let (policy, limits) = (Policy::default(), Limits::default());
//!     Ok::<_, Box<dyn std::error::Error>>(
//!         decide(command, Scope::All, IfVersion::Any, &call, &policy, &limits).expect("allowed"),
//!     )
//! };
//! let (first, second) = (revoke(1)?, revoke(2)?);
//!
//! // The guard holds: the change is made and its event written.
//! let outcomes = store.apply(std::slice::from_ref(&first)).await;
//! assert!(matches!(outcomes[..], [Ok(Outcome::Applied(_))]));
//! // The same operation again is recognised by the id of its event.
//! let outcomes = store.apply(&[first, second]).await;
//! // Another operation finds that the guard does not hold, and gets the facts.
//! assert!(matches!(outcomes[..], [Ok(Outcome::Replayed(_)), Ok(Outcome::Refused(_))]));
//!
//! let stored = store.get(&Target::Id(id), &Scope::All).await?.expect("it exists");
//! assert!(stored.revocation.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! - **The trait**: [`Store`]. Its page states the requirements on each method, and
//!   [`StoreError`] what a failure means.
//! - **Changes**: a [`Transition`] names a [`Target`] in a [`Scope`], its [`Guard`] of
//!   [`Condition`]s, the [`Quota`]s, and the [`Change`]. The answer is an [`Outcome`] with
//!   [`Facts`].
//! - **New invitations**: [`Insert`] and [`Inserted`], with an [`IdempotentRequest`] if the
//!   call has a key. Invited mailboxes: [`Invitee`].
//! - **Reads**: a [`Filter`] with a [`Search`], a [`PageRequest`], and the [`StorePage`];
//!   for events an [`EventFilter`].
//! - **What a row holds**: the [`State`] of an invitation, its [`StoredTerms`] for searches,
//!   and [`BindingParts`] and [`InviterParts`], which are plain columns. [`Indexed`] says
//!   which of them a change moves, and [`PlainRedemption`] recognises the change that a fast
//!   path may make.
//! - **Retention**: [`Purge`] and [`Purged`].
//! - **Consumers of events**: the port [`Feed`](feed::Feed) in the module [`feed`], and the port
//!   [`Documents`](documents::Documents) for what they keep, in the module [`documents`].
//! - **Erasing a person**: the port [`Erasures`](erasure::Erasures) in the module [`erasure`].
//! - **Speed**: [`Batcher`] sends the transitions of concurrent calls together.
//! - **Hooks**: [`Intercept`] wraps a store, and passes each [`Operation`] through an
//!   [`Interceptor`].

mod answer;
mod batcher;
mod forward;
mod intercept;

use std::fmt;

use async_trait::async_trait;

pub use self::{
    answer::{CommittedBy, Insert, Inserted, Invitee, Located, NewInvitation},
    batcher::{Batcher, Execute},
    intercept::{Intercept, InterceptedTransaction, Interceptor, Operation, StoreCall},
};
pub use crate::{
    change::{Change, Indexed},
    documents,
    email::EmailKey,
    erasure,
    facts::Facts,
    feed, funnel,
    guard::{Condition, Guard},
    inviter::Inviter,
    lease::{ConsumedLease, Lease, OpenLease},
    outcome::Outcome,
    page::{PageRequest, StorePage},
    parts::{BindingParts, InviterParts},
    plain::PlainRedemption,
    policy::RolePair,
    purge::{Purge, Purged},
    query::{EventFilter, Filter, ListOrder, Position},
    quota::{Quota, QuotaOf},
    record::Record,
    request::{Fingerprint, IdempotentRequest, PriorRequest, RequestResults, ScopedIdempotencyKey},
    revocation::Revocation,
    scope::Scope,
    search::{Search, SearchTerm, StoredTerms},
    state::State,
    status_counts::StatusCounts,
    store_error::{StoreError, StoreErrorKind},
    target::Target,
    transition::Transition,
};
use crate::{
    event::Event,
    id::{EventId, InvitationId},
    redemption::Redemption,
    text::UserId,
    time::Timestamp,
};

/// A database or other storage for invitations and their audit events.
///
/// # For implementors
///
/// A store translates and never decides. It finds rows, evaluates the conditions of a
/// guard, applies changes, and returns facts. It MUST NOT name a reason for a refusal,
/// read a clock, or draw randomness.
///
/// ## What a store keeps
///
/// - **Invitations**, tombstones included: every field of [`Record`]. The id is
///   unique; so is the digest of the code.
/// - **Redemptions** ([`Redemption`]), at most one for each user and
///   invitation, and at most one for each [`Redemption::mailbox`] and invitation. The
///   redemption of a single-use invitation equals its [`Record::last_use`].
/// - **Leases** on an invitation ([`Lease`]), at most one for each user and
///   invitation, and at most one for each [`Lease::mailbox`] and invitation;
///   [`Record::held`] is their number. A lease stays, expired or not, until a change
///   ends it.
/// - **Events**, unique by id ([`Event`]).
/// - **Requests** ([`IdempotentRequest`]): for each owner and idempotency key, the
///   fingerprint of the request, the invitations it created, and its results if there are
///   any.
///
/// An invitation stored by [`insert`](Self::insert) has no lease: `held` is 0. The
/// service inserts only unused invitations. If an invitation is inserted used, `last_use`
/// is the redemption of its user, and the store knows no other.
///
/// ## How to store values
///
/// How the types map to columns:
///
/// - Ids, digests and tags have `as_bytes` and `from_bytes`; their order is that of their
///   bytes.
/// - Names ([`Division`](crate::Division), [`Role`](crate::Role),
///   [`UserId`] and similar types) have `as_str` and `from_stored`.
/// - [`Timestamp`] has `as_micros` and `from_micros`.
/// - [`Email`](crate::Email) has `as_str` and `key`, and `from_stored`.
/// - [`SealedCode`](crate::SealedCode) has `as_bytes` and `from_bytes`.
/// - [`Metadata`](crate::Metadata) has `as_json` and `from_json`;
///   [`Detail`](crate::Detail) has `to_json` and `from_json`.
/// - [`Binding`](crate::Binding), [`Inviter`] and
///   [`Performer`](crate::Performer) have `parts` and `from_parts`: the texts for their
///   columns. Parts that belong to no value are a corrupt row.
/// - Enums of fixed strings, such as [`Action`](crate::Action) and
///   [`Reason`](crate::Reason), have `as_str` and `FromStr`.
///
/// Later versions can read these forms. A version is at most 2⁶³ − 1.
///
/// ## The specification
///
/// These functions are the specification, and a store MUST agree with them on every
/// input:
///
/// | | |
/// |---|---|
/// | [`Condition::holds`](crate::Condition::holds) | a condition of a guard |
/// | [`Change::apply_to`](crate::Change::apply_to) | a change |
/// | [`Transition::mailbox_on`] | the mailbox of the facts |
/// | [`Transition::evidence`](crate::Transition::evidence) | the event of a change |
/// | [`Record::state`], [`Record::ended_at`] | what an index may keep |
/// | [`Record::search_terms`], [`SearchTerm::is_met_by`](crate::SearchTerm::is_met_by), [`Search::matches_name`] | a search |
/// | [`Filter::matches`](crate::Filter::matches), [`EventFilter::matches`](crate::EventFilter::matches) | the items of a list |
/// | [`ListOrder::position`], [`ListOrder::is_after`] | the order of a list |
/// | [`Quota::counts`](crate::Quota::counts), [`Quota::has_room`](crate::Quota::has_room) | a quota |
/// | [`Invitee::is_invited_by`] | an invited mailbox |
/// | [`Insert::request_to_keep`], [`Insert::forgotten_at`] | whether and until when a key is kept |
/// | [`Purge::takes`](crate::Purge::takes), [`Purge::evidence`](crate::Purge::evidence) | a purge |
/// | [`PersonErasure::apply_to`](erasure::PersonErasure::apply_to) | the erasure of a person |
///
/// A store MAY call them on facts that it has loaded and locked against changes.
/// [`MemoryStore`](crate::MemoryStore) does only that, under one lock. Or a store renders
/// them in the language of its database, so that one guarded statement checks and
/// changes; [`Transition::not_made`](crate::Transition::not_made) then says what it means
/// if no row matched.
///
/// [`Change::indexed`](crate::Change::indexed) tells a store with indexes of its own which
/// of them a change moves. [`Transition::as_plain_redemption`](crate::Transition::as_plain_redemption)
/// recognises the redemptions for which a store MAY have a faster path.
///
/// ## Requirements on every call
///
/// - The trait is one of [`macro@async_trait`] (crate `async-trait` 0.1): write
///   `#[async_trait] impl Store for …` and `async fn`.
/// - Text and bytes MUST be compared byte for byte, and returned byte for byte.
/// - A call that fails with an error MUST have had no effect, unless its kind is
///   [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown).
/// - The effects of a successful call MUST be visible to every call that starts after it
///   returned.
/// - A future that is dropped MUST leave either all of its effect or none; for several
///   transitions, this holds for each separately.
/// - The store or a setting of its server MUST bound the time of every method. If only a
///   setting bounds it, as `lock_timeout` does on PostgreSQL, the store's documentation
///   MUST name the setting and its default. A wait that exceeds the bound ends in an
///   error of the kind [`Conflict`](crate::StoreErrorKind::Conflict) or
///   [`Unavailable`](crate::StoreErrorKind::Unavailable), or
///   [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown) if the answer to a change is
///   missing.
/// - A store inside a host's transaction MUST find out, after each error, whether the
///   database has ended that transaction. If so, the error says so
///   ([`StoreError::ending_transaction`]), further calls MUST fail, and no later
///   statement of the transaction may be committed.
///
/// ## How to test a store
///
/// The crate `invitation-conformance` tests a store. Its macro `conformance!` creates one
/// test for every requirement; its `model::check` compares the store with a model over
/// random sequences of calls. A store that passes both meets the requirements of this page, as far as tests
/// can show.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Invitations, MemoryStore, Store};
/// # use invitation::{Actor, Division, Draft, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use invitation::store::CommittedBy;
///
/// // A host that chooses its store when it starts keeps it behind the trait.
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// let invitations: Invitations<Arc<dyn Store>> = Invitations::new(Arc::clone(&store));
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// invitations.create(&manager, Draft::new()).await?;
///
/// // Only a store inside a host's transaction waits for the commit of the host.
/// assert!(matches!(store.committed_by(), CommittedBy::Store));
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Whether the store commits its own writes, or they commit and roll back with a
    /// host's transaction.
    fn committed_by(&self) -> CommittedBy;

    /// Stores new invitations, each with its event: all or none, in one step that is
    /// atomic with regard to all other calls:
    ///
    /// 1. If there is a request and its key is already stored, return [`Inserted::KeyKnown`]
    ///    with what is stored under the key, and store nothing. Of several concurrent
    ///    calls with the same key, one MUST store its rows and the others MUST return
    ///    these rows. A key without invitations that is [forgotten](Insert::forgotten_at)
    ///    at [`IdempotentRequest::at`](crate::IdempotentRequest::at) of this request counts as not stored,
    ///    and is replaced.
    /// 2. If one of the quotas has no room ([`Quota::has_room`](crate::Quota::has_room))
    ///    besides the invitations that it already [`counts`](crate::Quota::counts), store
    ///    nothing and return [`Inserted::QuotaFull`]. It contains the first such quota
    ///    and the number that it counts; if above the maximum, any number above it.
    ///    Concurrent calls MUST NOT together exceed a quota, and the last place MUST be
    ///    obtainable. A call without quotas SHOULD NOT wait for a call with quotas.
    /// 3. If a digest is already stored, in a tombstone too, or occurs twice in the rows,
    ///    return [`Inserted::CodeTaken`] and store nothing. If the id of a row or of its
    ///    event is already stored, do the same, or fail: the service creates unique ids.
    /// 4. Otherwise store the rows, their events, and the key of the request, and return
    ///    [`Inserted::Stored`].
    ///
    /// If there are no rows, only the key of a request that has results is stored
    /// ([`Insert::request_to_keep`]). Without results either, the call only asks whether
    /// the key is known, and stores nothing.
    ///
    /// A key refers to its invitations until one of them is [purged](Self::purge). A key
    /// without invitations is known until it is forgotten; a later purge with the scope
    /// of everything removes it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError>;

    /// Applies each transition separately, and returns one result for each, in the same
    /// order.
    ///
    /// Each transition is one step that is atomic with regard to all other calls:
    ///
    /// 1. Find the invitation by target within the scope, tombstones included; if there
    ///    is none, return [`Outcome::Missing`].
    /// 2. If the id of the transition's event is already stored for this invitation, the
    ///    operation was applied before: return [`Outcome::Replayed`] and change nothing. A
    ///    change that [shares its event](Change::shares_event) is never a replay.
    /// 3. If the target does not [find](Target::finds) the invitation, because it is a
    ///    tombstone, the target is a code, and the redeemer has not redeemed it, return [`Outcome::Missing`]. This SHOULD take
    ///    the time of a code that was never stored.
    /// 4. If a condition of the guard does not hold, return [`Outcome::Refused`] and
    ///    change nothing. The facts MUST be at least as new as those that failed the
    ///    guard.
    /// 5. If one of the quotas has no room besides the invitations that it already
    ///    counts, return [`Outcome::QuotaFull`] with the first such quota, and change
    ///    nothing.
    /// 6. If the [new digest](Transition::new_digest) is already stored, as the invitation's
    ///    own included, return [`Outcome::CodeTaken`] and change nothing.
    /// 7. Otherwise make the change, store its [`evidence`](Transition::evidence), and
    ///    return [`Outcome::Applied`]. If an event with its id is stored for something
    ///    else, the event cannot be written: change nothing and return
    ///    [`Outcome::Refused`], or fail. A [shared](Change::shares_event) event that is
    ///    stored already was written by another change of the same page, and stays.
    ///
    /// The facts include, if they exist, the redemption and the lease of
    /// [`Transition::redeemer`](crate::Transition::redeemer), the first of all leases on
    /// the invitation, and the redemption and the lease with the mailbox
    /// [`Transition::mailbox_on`]. After a change they are the state after it.
    ///
    /// A store MAY read older facts to render the guard into its own atomic statement;
    /// the verdict MUST be about the facts that the change is applied to.
    ///
    /// If many transitions at once cost less than one each, a store MAY batch the
    /// transitions of concurrent calls: see [`Batcher`].
    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>>;

    /// Returns the invitation, tombstones included, if it lies within the scope.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError>;

    /// Returns the facts about an invitation and a user, if the target
    /// [finds](Target::finds) the invitation and it lies within the scope: the invitation, the redemption and the lease of
    /// the user, and the first of all leases. The facts name no mailbox.
    ///
    /// The facts MUST be those of one instant. The call SHOULD take no lock and one round
    /// trip.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError>;

    /// Returns the id and division of an invitation in any division, tombstones included.
    /// The service uses it only for the evidence of a refusal: the result never reaches
    /// an actor.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError>;

    /// Returns for each of these mailboxes, in their order, whether it has an active
    /// invitation to its division ([`Invitee::is_invited_by`]). The call takes no lock,
    /// so the result may be outdated when the caller reads it.
    ///
    /// SHOULD NOT take a round trip for each mailbox.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError>;

    /// Returns the invitations within the scope that match, in the [order](ListOrder) of the
    /// filter.
    ///
    /// If the expiry of an invitation changes between two pages in the order of expiry, the
    /// invitation may appear twice or not at all. No other item may.
    ///
    /// A search takes the names of all redeemers. Deleting an invitation MAY leave their
    /// terms in an index until the purge, as long as no list shows the tombstone. The work for one
    /// invitation SHOULD be bounded, even if 100,000 users have redeemed it.
    ///
    /// MUST bound its result by the page, and SHOULD bound its work: a page may be short or
    /// empty, with [`next`](crate::Page::next) set. The service then continues from there,
    /// within [`Limits::MAX_LIST_CALLS`](crate::Limits::MAX_LIST_CALLS).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError>;

    /// Returns how many invitations within the scope match, by status, exact up to `cap`
    /// ([`StatusCounts::up_to`]).
    ///
    /// For a search, the store SHOULD bound its work: it MAY examine only some of the invitations
    /// that may match, and mark the numbers as
    /// [lower bounds](StatusCounts::mark_lower_bounds). A lower bound MUST NOT exceed the true
    /// number. All numbers MUST be exact if the scope contains at most
    /// [`Limits::COUNT_CANDIDATES`](crate::Limits::COUNT_CANDIDATES) invitations, tombstones
    /// included.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError>;

    /// Returns the redemptions of an invitation within the scope, tombstones included,
    /// newest first: by `at`, then by id, both descending. The page is empty if there is
    /// no such invitation.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError>;

    /// Returns the leases on invitations within the scope, expired ones included, newest
    /// first: by `since`, then by id, both descending.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError>;

    /// Stores events that belong to no change: refusals, denials, copies. An event whose
    /// id is already stored stays unchanged.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails; then either all events are stored or none.
    async fn record(&self, events: &[Event]) -> Result<(), StoreError>;

    /// Returns the events that match, newest first: by `at`, then by id, both descending.
    /// Within a division's scope, only events of that division.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError>;

    /// Removes invitations that the purge [`takes`](Purge::takes), at most its maximum,
    /// with their redemptions, leases, and the requests that created one of them; their
    /// events stay. A key that now belongs to a later request is not removed. Writes the
    /// purge's [`evidence`](Purge::evidence) in the same atomic step, unless nothing was
    /// removed. If the event is already stored, the call removes nothing and says so,
    /// with [`Purged::more`] set.
    ///
    /// With the scope of everything it also removes keys without invitations that were
    /// [forgotten](Insert::forgotten_at) before the purge's instant, at most the purge's
    /// maximum; they do not count, and leave no evidence.
    ///
    /// Removed data MUST NOT be returned by any method again. The store documents what
    /// remains of it in logs and backups.
    ///
    /// If more invitations qualify than the maximum, the store chooses which to remove.
    /// It SHOULD bound its work, and MAY remove fewer than it could as long as
    /// [`Purged::more`] is set. Repeated calls MUST come to an end: nothing left, and
    /// [`Purged::more`] not set.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError>;
}
