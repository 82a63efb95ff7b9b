//! Who is acting.

use crate::{
    email::VerifiedEmail,
    event::{Origin, Performer},
    text::{Division, Role, UserId, Username},
};

/// A signed-in user of the host who manages invitations: who, in which role,
/// and how far.
///
/// The host makes it from its own session; the library has no login and believes
/// what it is told.
///
/// ```
/// use invitation_core::{Actor, Division, Role, Scope, UserId};
///
/// let sales = Division::new("sales")?;
/// let manager = Actor::in_division(UserId::new("u-17")?, Role::new("manager")?, sales.clone());
/// assert_eq!(manager.scope(), &Scope::Division(sales));
/// # Ok::<_, invitation_core::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    user: UserId,
    role: Role,
    scope: Scope,
    home: Option<Division>,
    origin: Origin,
}

impl Actor {
    /// A user who reaches one division: the own one.
    #[must_use]
    pub fn in_division(user: UserId, role: Role, division: Division) -> Self {
        let home = Some(division.clone());
        Self { user, role, scope: Scope::Division(division), home, origin: Origin::default() }
    }

    /// A user who reaches all divisions, as an administrator does.
    #[must_use]
    pub fn across_divisions(user: UserId, role: Role) -> Self {
        Self { user, role, scope: Scope::All, home: None, origin: Origin::default() }
    }

    /// The division that an invitation belongs to when the call names none.
    ///
    /// Does not widen or narrow what the actor reaches; of a user who reaches
    /// one division, it is that division.
    #[must_use]
    pub fn based_in(self, division: Division) -> Self {
        match self.scope {
            Scope::All => Self { home: Some(division), ..self },
            Scope::Division(_) => self,
        }
    }

    /// Ties the events of this actor's calls to a request of the host.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The role in which the user acts.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// What the actor reaches.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What the host ties the events of this actor's calls to.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The division that is meant when none is named.
    #[must_use]
    pub fn home(&self) -> Option<&Division> {
        self.home.as_ref()
    }
}

/// The system itself: creates the first codes, before there is a user who could.
///
/// A type of its own, so that nothing that comes from outside can turn into it:
/// no extractor and no deserialiser yields one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SystemActor {
    origin: Origin,
}

impl SystemActor {
    /// For code that the host itself runs, at installation or from its console.
    #[must_use]
    pub fn for_bootstrap() -> Self {
        Self { origin: Origin::default() }
    }

    /// Ties the events of these calls to something of the host.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin }
    }
}

/// Which divisions a query or a change may touch. Every call to a store names
/// one; what lies outside does not exist for it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a scope")]
pub enum Scope {
    /// All divisions.
    All,
    /// One division.
    Division(Division),
}

impl Scope {
    /// Whether `division` lies within.
    #[must_use]
    pub fn contains(&self, division: &Division) -> bool {
        match self {
            Self::All => true,
            Self::Division(own) => own == division,
        }
    }
}

/// Either kind of actor, as calls take it: a reference to an [`Actor`] or to a
/// [`SystemActor`].
#[derive(Clone, Copy, Debug)]
pub struct Acting<'a>(Who<'a>);

#[derive(Clone, Copy, Debug)]
enum Who<'a> {
    User(&'a Actor),
    System(&'a SystemActor),
}

impl<'a> Acting<'a> {
    pub(crate) fn user(self) -> Option<&'a Actor> {
        match self.0 {
            Who::User(actor) => Some(actor),
            Who::System(_) => None,
        }
    }

    pub(crate) fn origin(self) -> &'a Origin {
        match self.0 {
            Who::User(actor) => &actor.origin,
            Who::System(system) => &system.origin,
        }
    }

    pub(crate) fn scope(self) -> Scope {
        self.user().map_or(Scope::All, |actor| actor.scope.clone())
    }

    pub(crate) fn performer(self) -> Performer {
        match self.0 {
            Who::User(actor) => {
                Performer::Actor { user: actor.user.clone(), role: actor.role.clone() }
            }
            Who::System(_) => Performer::System,
        }
    }
}

impl<'a> From<&'a Actor> for Acting<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self(Who::User(actor))
    }
}

impl<'a> From<&'a SystemActor> for Acting<'a> {
    fn from(system: &'a SystemActor) -> Self {
        Self(Who::System(system))
    }
}

/// The newcomer who redeems a code: the account that the host creates.
///
/// The user id is the key of idempotency: the same redeemer presenting the same
/// code again gets the same redemption. Use the id under which the account will
/// stand, chosen before the call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redeemer {
    user: UserId,
    username: Username,
    email: Option<VerifiedEmail>,
    division: Option<Division>,
    origin: Origin,
}

impl Redeemer {
    /// A redeemer without a proved address.
    #[must_use]
    pub fn new(user: UserId, username: Username) -> Self {
        Self { user, username, email: None, division: None, origin: Origin::default() }
    }

    /// Presents an address that the host has proved; bound codes ask for it.
    #[must_use]
    pub fn with_email(self, email: VerifiedEmail) -> Self {
        Self { email: Some(email), ..self }
    }

    /// Redeems in the context of one division: a code of another one is then
    /// unknown.
    #[must_use]
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }

    /// Ties the events of this call to a request of the host.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The account's id.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The account's name; *Used By* shows it.
    #[must_use]
    pub fn username(&self) -> &Username {
        &self.username
    }

    /// The proved address, if there is one.
    #[must_use]
    pub fn email(&self) -> Option<&VerifiedEmail> {
        self.email.as_ref()
    }

    pub(crate) fn scope(&self) -> Scope {
        self.division.clone().map_or(Scope::All, Scope::Division)
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn performer(&self) -> Performer {
        Performer::Redeemer { user: self.user.clone(), username: self.username.clone() }
    }
}
