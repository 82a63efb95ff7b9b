//! The service [`Invitations`], which combines a store with a policy, limits, a clock and a
//! source of randomness.

mod administer;
mod admit;
mod check;
mod create;
mod created;
mod criteria;
mod deliver;
mod denials;
mod endpoints;
mod erase_person;
mod evidence;
mod funnel;
mod guess;
mod hooks;
mod import;
mod issue;
mod present;
mod purge_events;
mod reason;
mod redeem;
mod redeem_with;
mod reseal;
mod reserve;
mod standing;
mod sweep;
mod trail;
mod uses;
mod view;

use std::sync::Arc;

use self::denials::Denials;
#[cfg(feature = "files")]
pub(crate) use self::import::{JobImport, PartOutcome, PartRow};
pub use self::{
    check::Checked,
    created::Created,
    criteria::{Criteria, EventCriteria, Paging},
    deliver::{
        ClaimedDelivery, Deliveries, ReminderPage, Resend, ResendOutcome, ResentInvitation,
        ResentPage,
    },
    endpoints::Endpoints,
    erase_person::{ErasurePage, ErasureStage},
    funnel::{Funnel, FunnelQuery, Funnels},
    import::{
        Duplicates, Import, ImportMode, ImportRow, Imported, ImportedRow, OutcomeKind,
        PartedImport, RowOutcome, RowWarning,
    },
    purge_events::PurgedEvents,
    redeem::Redeemed,
    redeem_with::{RedeemWithError, RedeemedWith, Released},
    reseal::ResealPage,
    reserve::{Reservation, Reserved},
    sweep::RevokedPage,
    uses::OpenReservation,
    view::InvitationView,
};
use crate::{
    actor::Caller,
    code::{CodeFormat, InvitationCode, ParseCodeError, Sealing},
    decide::Call,
    entropy::{Entropy, EntropyError, OsEntropy},
    error::Error,
    hooks::Hooks,
    id::IdSource,
    limits::Limits,
    outcome::Outcome,
    performer::Performer,
    policy::{Policy, RolePair},
    refusal::Refused,
    report,
    request_context::RequestContext,
    standing::Standing,
    store::{CommittedBy, Store},
    store_error::StoreError,
    throttle::Throttle,
    time::{Clock, SystemClock, Timestamp},
    transition::Transition,
};

/// The number of times a step is tried when concurrent changes to the invitation
/// invalidate what was read.
///
/// Each round, one of the concurrent callers succeeds, so this is also the number of
/// callers that must succeed before another gives up. Finding a use to take (a free one,
/// the redeemer's own, an expired one) needs up to three tries.
const TRIES: usize = 8;

/// The service: all operations on invitations, on one store.
///
/// Cheap to clone and meant to be shared. Defaults: those of [`Policy`] and
/// [`Limits`], 24-symbol codes, the machine's clock and randomness.
///
/// Calls that manage invitations take a reference to an [`Actor`](crate::Actor) or to a
/// [`SystemActor`](crate::SystemActor), as [`Caller`]. Where a call is refused as
/// [`Forbidden`](crate::Refusal::Forbidden), an actor whose role the policy does not know is
/// refused as [`UnknownRole`](crate::Refusal::UnknownRole) instead.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{
///     Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Role, UserId, Username,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let invitations = Invitations::new(MemoryStore::new());
/// let manager =
///     Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, Division::new("sales")?);
///
/// let created = invitations.create(&manager, Draft::new()).await?;
/// let code = created.code().reveal();
///
/// let newcomer = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
/// let redeemed = invitations.redeem(&code, &newcomer).await?;
/// assert_eq!(redeemed.role().as_str(), "staff");
/// assert!(!redeemed.is_replayed());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Invitations<S> {
    store: S,
    settings: Arc<Settings>,
    state: Arc<State>,
}

/// The settings of a service.
#[derive(Clone, Debug)]
struct Settings {
    policy: Policy,
    /// The role pairs that the policy allows, as every redemption's guard carries them.
    ceiling: Arc<[RolePair]>,
    limits: Limits,
    format: CodeFormat,
    sealing: Sealing,
    disclosure: Disclosure,
    /// The host's hook about grantors, if it has one.
    standing: Option<Arc<dyn Standing>>,
    /// The host's hooks around commands, if it has any.
    hooks: Option<Arc<dyn Hooks>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    throttle: Option<Arc<dyn Throttle>>,
}

/// The state that clones share.
#[derive(Debug, Default)]
struct State {
    ids: IdSource,
    denials: Denials,
}

/// How much the holder of an exact code learns when it cannot be redeemed or reserved.
/// For an existing reservation, the host always learns the reason.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Disclosure {
    /// The reason: expired, used, revoked, or bound to another address. Only a caller
    /// that holds the exact code can learn it.
    #[default]
    ToHolder,
    /// No reason: every refusal equals that of an unknown code. The audit trail keeps the
    /// reason.
    Nothing,
}

impl<S: Store> Invitations<S> {
    /// Creates a service on `store`, with the default settings.
    #[must_use]
    pub fn new(store: S) -> Self {
        let policy = Policy::default();
        let settings = Settings {
            ceiling: policy.ceiling(),
            policy,
            limits: Limits::default(),
            format: CodeFormat::default(),
            sealing: Sealing::readable(),
            disclosure: Disclosure::default(),
            standing: None,
            hooks: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            throttle: None,
        };
        Self { store, settings: Arc::new(settings), state: Arc::default() }
    }

    /// Sets the policy: what each role may do.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        self.with(|settings| {
            settings.ceiling = policy.ceiling();
            settings.policy = policy;
        })
    }

    /// Sets the limits on requests.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        self.with(|settings| settings.limits = limits)
    }

    /// Sets how codes are stored. [`Sealing`] compares the modes.
    #[must_use]
    pub fn with_sealing(self, sealing: Sealing) -> Self {
        self.with(|settings| settings.sealing = sealing)
    }

    /// Sets how much the holder of a code learns from a refusal.
    #[must_use]
    pub fn with_disclosure(self, disclosure: Disclosure) -> Self {
        self.with(|settings| settings.disclosure = disclosure)
    }

    /// Sets the host's hook that is asked, at each redemption, whether the grantor may still
    /// grant the invitation. Without one, the library compares the grantor's role at the time
    /// with the present policy, and does not know whether the user still has it.
    ///
    /// The page of the module [`standing`](crate::standing) has an example and the cost.
    #[must_use]
    pub fn with_standing(self, standing: impl Standing + 'static) -> Self {
        self.with(|settings| settings.standing = Some(Arc::new(standing)))
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        self.with(|settings| settings.clock = Arc::new(clock))
    }

    /// Sets the source of randomness.
    #[must_use]
    pub fn with_entropy(self, entropy: impl Entropy + 'static) -> Self {
        self.with(|settings| settings.entropy = Arc::new(entropy))
    }

    fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(Arc::make_mut(&mut self.settings));
        self
    }

    /// Returns the same service on another store; for a call inside a host's transaction,
    /// pass a store that joins it.
    ///
    /// Both services have the same settings. A host that calls [`admit`](Self::admit) keeps the
    /// service on the store's own type. It makes the service for the web routers from that, on
    /// a clone of the store:
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use std::sync::Arc;
    ///
    /// use invitation::{Invitations, MemoryStore, Store};
    ///
    /// /// The type of the store may be `SqliteStore`, or another that can be cloned.
    /// fn for_web<S>(invitations: &Invitations<S>) -> Invitations<Arc<dyn Store>>
    /// where
    ///     S: Store + Clone + 'static,
    /// {
    ///     let store = invitations.store().clone();
    ///     invitations.on(Arc::new(store) as Arc<dyn Store>)
    /// }
    ///
    /// let invitations = Invitations::new(Arc::new(MemoryStore::new()));
    /// assert_eq!(for_web(&invitations).limits(), invitations.limits());
    /// ```
    #[must_use]
    pub fn on<T: Store>(&self, store: T) -> Invitations<T> {
        Invitations { store, settings: Arc::clone(&self.settings), state: Arc::clone(&self.state) }
    }

    /// The store of this service.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The policy: what each role may do.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    /// The limits on requests.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// Parses a typed code, without a call to the store.
    ///
    /// # Errors
    ///
    /// [`ParseCodeError`] when the text cannot be a code.
    pub fn parse_code(&self, text: &str) -> Result<InvitationCode, ParseCodeError> {
        self.settings.format.parse(text)
    }

    /// The format of new codes.
    #[must_use]
    pub fn code_format(&self) -> &CodeFormat {
        &self.settings.format
    }

    /// Writes the evidence of a refusal that was made inside a host's transaction. Call
    /// it after that transaction has ended, on a service whose store commits its own
    /// writes. It has no effect if there is no evidence, and is idempotent.
    ///
    /// One round trip, or none.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when the evidence could not be written.
    pub async fn record(&self, refused: &Refused) -> Result<(), Error> {
        match refused.unrecorded() {
            [] => Ok(()),
            events => Ok(self.store.record(events).await?),
        }
    }

    /// The current time by the service's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.settings.entropy
    }

    /// Begins a call: reads the clock once, and draws one id.
    fn call(&self, performer: Performer, context: &RequestContext) -> Result<Call, EntropyError> {
        let now = self.now();
        let id = self.state.ids.event(now, self.entropy())?;
        Ok(Call { id, now, performer, context: context.clone() })
    }

    fn call_by(&self, caller: Caller<'_>) -> Result<Call, EntropyError> {
        self.call(caller.performer(), caller.context())
    }

    /// Whether the store commits what is recorded now, so that no host's rollback can
    /// undo it.
    fn records_itself(&self) -> bool {
        self.store.committed_by() == CommittedBy::Store
    }

    /// Applies one transition.
    async fn apply(&self, transition: &Transition) -> Result<Outcome, StoreError> {
        let mut answers = self.store.apply(std::slice::from_ref(transition)).await;
        match (answers.pop(), answers.is_empty()) {
            (Some(answer), true) => {
                answer.inspect(|outcome| report::transition(transition, outcome))
            }
            _ => Err(StoreError::new(crate::StoreErrorKind::Corrupt, "apply")
                .because("one transition must get one answer")),
        }
    }
}
