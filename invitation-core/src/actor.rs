//! Actors: the users and the system on whose behalf calls are made.

use crate::{
    email::VerifiedEmail,
    field_error::FieldError,
    performer::Performer,
    policy::{Policy, Right},
    refusal::Verdict,
    request_context::RequestContext,
    scope::Scope,
    text::{Division, Role, SystemName, UserId, Username},
};

/// A signed-in user of the host who manages invitations: the user id, the role, and the
/// divisions that the user reaches.
///
/// The host builds it from its own session. The library has no login and does not verify
/// these values.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Actor, Division, Role, UserId, store::Scope};
///
/// let sales = Division::new("sales")?;
/// let manager = Actor::in_division(UserId::new("u-17")?, Role::new("manager")?, sales.clone());
/// assert_eq!(manager.scope(), &Scope::Division(sales));
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    user: UserId,
    role: Role,
    scope: Scope,
    home: Option<Division>,
    name: Option<Username>,
    context: RequestContext,
}

impl Actor {
    /// Returns an actor who reaches one division, the user's own.
    #[must_use]
    pub fn in_division(user: UserId, role: Role, division: Division) -> Self {
        let home = Some(division.clone());
        Self {
            user,
            role,
            scope: Scope::Division(division),
            home,
            name: None,
            context: RequestContext::default(),
        }
    }

    /// Returns an actor who reaches all divisions, as an administrator does.
    #[must_use]
    pub fn across_divisions(user: UserId, role: Role) -> Self {
        let context = RequestContext::default();
        Self { user, role, scope: Scope::All, home: None, name: None, context }
    }

    /// Sets the home division: the division of an invitation when the call names none.
    ///
    /// It does not change which divisions the actor reaches. For an actor in one division
    /// it has no effect: the home division is that division.
    #[must_use]
    pub fn based_in(self, division: Division) -> Self {
        match self.scope {
            Scope::All => Self { home: Some(division), ..self },
            Scope::Division(_) => self,
        }
    }

    /// Sets the name by which people know the user. The audit trail keeps it with each event,
    /// and an invitation with its [inviter](crate::Inviter), so the name stays that of the time.
    /// Both show it beside the user id. Nothing is decided by it.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{Actor, Role, UserId, Username};
    ///
    /// let admin = Actor::across_divisions(UserId::new("4711")?, Role::new("admin")?)
    ///     .with_name(Username::new("Ada Lovelace")?);
    /// assert_eq!(admin.name().map(Username::as_str), Some("Ada Lovelace"));
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    #[must_use]
    pub fn with_name(self, name: Username) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the request context that the events of this actor's calls carry.
    #[must_use]
    pub fn with_context(self, context: RequestContext) -> Self {
        Self { context, ..self }
    }

    /// Returns the user id.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Returns the name by which people know the user, if the host has set one.
    #[must_use]
    pub fn name(&self) -> Option<&Username> {
        self.name.as_ref()
    }

    /// Returns the role in which the user acts.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// Returns the divisions that the actor reaches.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the request context that the events of this actor's calls carry.
    #[must_use]
    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// Returns the division of an invitation when the call names none.
    #[must_use]
    pub fn home(&self) -> Option<&Division> {
        self.home.as_ref()
    }
}

/// The system as an actor: the host's own code, which acts for no user. Examples are a job that
/// runs at night, and the code that creates the first invitation before there is a user.
///
/// The system has every right in every division, but it can grant only roles that the policy
/// knows. It is a separate type so that no input can become it: no extractor and no deserialiser
/// returns one.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Criteria, Invitations, MemoryStore, Paging, Status, SystemActor};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let invitations = Invitations::new(MemoryStore::new());
/// let reminder = SystemActor::new("reminder")?;
/// let active = Criteria::new().with_status(Status::Active);
/// let page = invitations.list(&reminder, &active, Paging::first(200)?).await?;
/// assert!(page.items().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SystemActor {
    name: Option<SystemName>,
    context: RequestContext,
}

impl SystemActor {
    /// Returns a system actor with the name of a job, which the audit trail shows.
    ///
    /// The audit trail shows what it changes. A successful read writes no event, as for any
    /// actor.
    ///
    /// All system actors share their idempotency keys, whatever their names.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the text is no [name](crate::audit::SystemName).
    pub fn new(name: impl AsRef<str>) -> Result<Self, FieldError> {
        Ok(Self { name: Some(SystemName::new(name)?), ..Self::for_bootstrap() })
    }

    /// Returns the system actor without a name, for code that the host runs at installation or
    /// from its console.
    #[must_use]
    pub fn for_bootstrap() -> Self {
        Self { name: None, context: RequestContext::default() }
    }

    /// Returns the name, which [`for_bootstrap`](Self::for_bootstrap) does not set.
    #[must_use]
    pub fn name(&self) -> Option<&SystemName> {
        self.name.as_ref()
    }

    /// Sets the request context that the events of these calls carry.
    #[must_use]
    pub fn with_context(self, context: RequestContext) -> Self {
        Self { context, ..self }
    }
}

/// A reference to either kind of actor, [`Actor`] or [`SystemActor`], as a parameter of
/// calls.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a>(Who<'a>);

#[derive(Clone, Copy, Debug)]
enum Who<'a> {
    User(&'a Actor),
    System(&'a SystemActor),
}

impl<'a> Caller<'a> {
    pub(crate) fn user(self) -> Option<&'a Actor> {
        match self.0 {
            Who::User(actor) => Some(actor),
            Who::System(_) => None,
        }
    }

    /// Returns the verdict about the caller, if the policy does not give it `right`. The
    /// system has every right.
    pub(crate) fn lacking(self, policy: &Policy, right: Right) -> Option<Verdict> {
        Verdict::lacking(policy, self.user()?.role(), right)
    }

    /// Returns whether the policy gives the caller `right`. The system has every right.
    pub(crate) fn may(self, policy: &Policy, right: Right) -> bool {
        self.user().is_none_or(|actor| policy.allows(actor.role(), right))
    }

    pub(crate) fn context(self) -> &'a RequestContext {
        match self.0 {
            Who::User(actor) => &actor.context,
            Who::System(system) => &system.context,
        }
    }

    pub(crate) fn scope(self) -> Scope {
        self.user().map_or(Scope::All, |actor| actor.scope.clone())
    }

    pub(crate) fn performer(self) -> Performer {
        match self.0 {
            Who::User(actor) => {
                let Actor { user, role, name, .. } = actor.clone();
                Performer::Actor { user, role, name }
            }
            Who::System(system) => Performer::System { name: system.name.clone() },
        }
    }
}

impl<'a> From<&'a Actor> for Caller<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self(Who::User(actor))
    }
}

impl<'a> From<&'a SystemActor> for Caller<'a> {
    fn from(system: &'a SystemActor) -> Self {
        Self(Who::System(system))
    }
}

/// The newcomer who redeems a code, by the account that the host creates.
///
/// The user id is the key of idempotency: a redeemer who presents the same code again
/// gets the same redemption. Use the id that the account will have, and choose it before
/// the call: see [Choosing the redeemer's id](crate::admit#choosing-the-redeemers-id).
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Email, Redeemer, Refusal, Username, VerifiedEmail};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let for_anna = Draft::new().for_email(Email::parse("anna@example.com")?);
/// let code = invitations.create(&manager, for_anna).await?.code().reveal();
///
/// let stranger = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
/// let refused = invitations.redeem(&code, &stranger).await.unwrap_err();
/// assert_eq!(refused.refusal(), Some(&Refusal::AddressProofRequired));
///
/// // The same newcomer, once the host has proved the address.
/// let proved = VerifiedEmail::vouched_by_host(Email::parse("anna@example.com")?);
/// let anna = stranger.with_email(proved);
/// assert_eq!(invitations.redeem(&code, &anna).await?.username(), anna.username());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redeemer {
    user: UserId,
    username: Username,
    email: Option<VerifiedEmail>,
    division: Option<Division>,
    context: RequestContext,
}

impl Redeemer {
    /// Returns a redeemer without a proved address.
    #[must_use]
    pub fn new(user: UserId, username: Username) -> Self {
        Self { user, username, email: None, division: None, context: RequestContext::default() }
    }

    /// Adds an address that the host has proved. Codes bound to an address or domain
    /// require it.
    #[must_use]
    pub fn with_email(self, email: VerifiedEmail) -> Self {
        Self { email: Some(email), ..self }
    }

    /// Limits the call to codes of one division. A code of another division is then
    /// unknown.
    #[must_use]
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }

    /// Sets the request context that the events of this call carry.
    #[must_use]
    pub fn with_context(self, context: RequestContext) -> Self {
        Self { context, ..self }
    }

    /// Returns the id of the account.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Returns the name of the account, which the column *Used By* shows.
    #[must_use]
    pub fn username(&self) -> &Username {
        &self.username
    }

    /// Returns the proved address, if there is one.
    #[must_use]
    pub fn email(&self) -> Option<&VerifiedEmail> {
        self.email.as_ref()
    }

    /// Returns the scope of the redeemer's calls: the division of
    /// [`in_division`](Self::in_division), or all divisions.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.division.clone().map_or(Scope::All, Scope::Division)
    }

    pub(crate) fn context(&self) -> &RequestContext {
        &self.context
    }

    /// Returns the performer that the events of the redeemer's calls name.
    #[must_use]
    pub fn performer(&self) -> Performer {
        Performer::Redeemer { user: self.user.clone(), username: self.username.clone() }
    }
}
