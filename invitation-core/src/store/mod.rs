//! The port: what a place that keeps invitations must be able to do.

mod answer;
mod forward;
mod lanes;

use std::fmt;

use async_trait::async_trait;

pub use self::{
    answer::{Durability, Insert, Inserted, Invitee, Located, NewInvitation, Outcome},
    lanes::{Boarding, Lanes, Lead, Others},
};
use crate::{
    actor::Scope,
    error::StoreError,
    event::Event,
    id::{EventId, InvitationId},
    invitation::Invitation,
    purge::{Purge, Purged},
    query::{
        EventFilter, EventListing, Filter, LeaseListing, Listing, Page, RedemptionListing, Tally,
    },
    time::Timestamp,
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
/// ## What it keeps
///
/// - **Invitations**, tombstones included: every field of [`Invitation`]. The id is
///   unique; so is the digest of the code.
/// - **Redemptions**: who redeemed which invitation ([`Redemption`](crate::Redemption)), one for each
///   user and invitation. Of a single-use invitation it is the same as
///   [`Invitation::last_use`].
/// - **Leases** on an invitation ([`Lease`](crate::Lease)), at most one for each user
///   and invitation; [`Invitation::held`] is their number. Nothing removes one by
///   itself: run out or not, it stays until a change ends it.
/// - **Events**, unique by id ([`Event`]).
/// - **Requests**: for an idempotency key of an owner, what was asked for, which
///   invitations came of it, and the results if there are any ([`Request`](crate::Request)).
///
/// What arrives by [`insert`](Self::insert) has no lease: `held` is 0. From the
/// service it has no use either; of what arrives used, `last_use` is the redemption of
/// its user, and no other is known.
///
/// ## How to write a value down
///
/// Ids, digests and tags have `as_bytes` and `from_bytes`; they are ordered as their
/// bytes are. Names ([`Division`](crate::Division), [`Role`](crate::Role), [`UserId`](crate::UserId) and
/// their like) have `as_str` and `new`; [`Timestamp`](crate::Timestamp) `as_micros` and
/// `from_micros`; an [`Email`](crate::Email) `as_str` and `parse`; a
/// [`SealedCode`](crate::SealedCode) `as_bytes` and `from_bytes`;
/// [`Metadata`](crate::Metadata) `as_json` and `from_json`; [`Detail`](crate::Detail)
/// `to_json` and `from_json`; words like [`Action`](crate::Action) and
/// [`Reason`](crate::Reason) `as_str` and `FromStr`. These forms stay readable for later
/// versions. A version is at most 2⁶³ − 1.
///
/// ## What the words mean
///
/// These functions are the specification, and a store MUST agree with them on every
/// input:
///
/// | | |
/// |---|---|
/// | [`Condition::holds`](crate::Condition::holds) | a word of a guard |
/// | [`Change::apply_to`](crate::Change::apply_to) | a change |
/// | [`Transition::evidence`](crate::Transition::evidence) | the event of a change |
/// | [`Filter::matches`](crate::Filter::matches), [`EventFilter::matches`](crate::EventFilter::matches) | what a list shows |
/// | [`Quota::counts`](crate::Quota::counts), [`Quota::has_room`](crate::Quota::has_room) | a quota |
/// | [`Invitee::is_invited_by`] | who is invited |
/// | [`Insert::keeps_request`], [`Insert::forgotten_at`] | whether and until when a key is kept |
/// | [`Purge::takes`](crate::Purge::takes), [`Purge::evidence`](crate::Purge::evidence) | a purge |
///
/// A store MAY call them, on facts that it has loaded and keeps from changing
/// meanwhile: that is the whole of [`MemoryStore`](crate::MemoryStore), under one lock.
/// Or it renders them in the language of its database, so that one guarded statement
/// checks and changes; [`Transition::not_made`](crate::Transition::not_made) then
/// tells what it means that nothing matched.
///
/// ## Everywhere
///
/// - The trait is one of [`macro@async_trait`] (crate `async-trait` 0.1): write
///   `#[async_trait] impl Store for …` and `async fn`.
/// - Text and bytes MUST be compared byte for byte, and come back byte for byte.
/// - A call that fails with an error MUST have done nothing, unless its kind is
///   [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown).
/// - What a call has acknowledged MUST be visible to every call that starts
///   after it.
/// - A future that is dropped MUST leave either all of its effect or none; of
///   several transitions, each for itself.
/// - Every method MUST be bounded in time by the store or by a setting of its server. Where
///   only a setting bounds it, as `lock_timeout` does on PostgreSQL, the store's
///   documentation MUST name the setting and its default. A wait that was too long ends in an
///   error of the kind [`Conflict`](crate::StoreErrorKind::Conflict) or
///   [`Unavailable`](crate::StoreErrorKind::Unavailable).
/// - A store inside a host's transaction MUST find out, after each error, whether the
///   database has ended that transaction. If so, the error says so
///   ([`StoreError::ending_transaction`]), further calls MUST fail, and nothing that follows
///   in the transaction may be committed.
///
/// ## How to prove it
///
/// The macro `conformance!` (feature `testing`) makes one test of every promise;
/// `testing::model::check` compares the store with a model over random sequences of
/// calls. A store that passes both keeps what this page asks for, as far as tests can
/// tell.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Whether what is recorded here stands by itself, or shares the fate of a
    /// host's transaction.
    fn durability(&self) -> Durability;

    /// Stores new invitations, each with its event, all or none of them, in one
    /// atomic step with regard to all other calls:
    ///
    /// 1. If there is a request and its key is stored already, answer
    ///    [`Inserted::Known`] with what it stands for, and store nothing. Of
    ///    several calls at once with the same key, one MUST store its rows and
    ///    the others MUST get these. A key without invitations that is
    ///    [forgotten](Insert::forgotten_at) at [`Request::at`](crate::Request::at)
    ///    of this request counts as not stored, and is replaced.
    /// 2. If one of the quotas has no room ([`Quota::has_room`](crate::Quota::has_room)) besides those
    ///    that it already [`counts`](crate::Quota::counts), answer
    ///    [`Inserted::QuotaFull`] with the first such one and the number that it counts
    ///    (beyond its maximum, any number that is beyond), and store nothing.
    ///    Several calls at once MUST NOT together exceed a quota, and the last
    ///    place MUST be obtainable. A call without quotas SHOULD NOT wait for
    ///    anybody's.
    /// 3. If a digest is stored already, in a tombstone too, or occurs twice in
    ///    the rows, answer [`Inserted::CodeTaken`] and store nothing. So it does when
    ///    an id of a row or of its event is stored already, or it fails; ids are
    ///    unique as they come.
    /// 4. Otherwise store the rows, their events, and the key of the request:
    ///    [`Inserted::Stored`].
    ///
    /// Without rows only the key of a request that has results is stored
    /// ([`Insert::keeps_request`]). Without results either, the call only asks whether the
    /// key is known, and stores nothing.
    ///
    /// A key stands for its invitations until one of them is
    /// [purged](Self::purge). A key that stands for none is known until it is forgotten;
    /// a purge of everything removes it after that.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError>;

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
    /// 4. If one of the quotas has no room besides those that it already counts,
    ///    answer [`Outcome::QuotaFull`] with the first such one, and change
    ///    nothing.
    /// 5. If it is a rotation to a digest that is stored already, the invitation's
    ///    own too, answer [`Outcome::CodeTaken`] and change nothing.
    /// 6. Otherwise make the change and store its
    ///    [`evidence`](Transition::evidence): [`Outcome::Applied`]. If an event with
    ///    its id is about something else, nothing can be written: change nothing and
    ///    answer [`Outcome::Refused`], or fail.
    ///
    /// The facts include the redemption and the lease of
    /// [`Transition::redeemer`](crate::Transition::redeemer), if there are such,
    /// and the first of all leases on the invitation; after a change, those that
    /// there are then.
    ///
    /// A store MAY look at facts that are older when it renders the guard into
    /// its own atomic statement; the verdict MUST be about the facts that the
    /// change is applied to.
    ///
    /// Where many transitions at once cost less than one each, a store MAY gather those
    /// of calls that come at the same time: [`Lanes`].
    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>>;

    /// The invitation, tombstones included, if it lies within the scope.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Invitation>, StoreError>;

    /// Where an invitation is, wherever it is, tombstones included. Only for the evidence of a
    /// refusal: the answer never reaches an actor.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError>;

    /// Which of these mailboxes have an active invitation to their division
    /// ([`Invitee::is_invited_by`]): one answer each, in their order. It is no lock: the
    /// answer may be old by the time it is read.
    ///
    /// SHOULD NOT take a round trip for each.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn invited(&self, invitees: &[Invitee], now: Timestamp) -> Result<Vec<bool>, StoreError>;

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

    /// Who redeemed an invitation within the scope, newest first: by `at`, then by
    /// id, both descending; of tombstones too. Nobody, if there is no such invitation.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &Page<EventId>,
    ) -> Result<RedemptionListing, StoreError>;

    /// The leases on invitations within the scope, those that have run out
    /// included, newest first: by `since`, then by id, both descending.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn leases(&self, scope: &Scope, page: &Page<EventId>)
    -> Result<LeaseListing, StoreError>;

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

    /// Removes invitations that the purge [`takes`](Purge::takes), at most as many
    /// as it says, with their redemptions, leases, and the requests that created one of
    /// them; their events stay. A key that has come to stand for a later request is not
    /// touched. Writes the purge's [`evidence`](Purge::evidence) in the same atomic
    /// step, unless nothing was removed. If the event is on record already, it removes
    /// nothing and answers so, with [`Purged::more`] set.
    ///
    /// With the scope of everything it also removes keys without invitations that were
    /// [forgotten](Insert::forgotten_at) before the purge's instant, at most as many as it
    /// says; they do not count, and leave no evidence.
    ///
    /// What is removed MUST not come back by any method. What a store keeps of it in
    /// logs and backups is the store's to document.
    ///
    /// Which ones, when there are more, is the store's choice; it SHOULD bound its
    /// work, and MAY remove fewer than it could as long as [`Purged::more`] is
    /// set. Called again and again, it MUST come to an end: nothing left, and
    /// [`Purged::more`] not set.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError>;
}
