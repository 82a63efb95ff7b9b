//! The host's side of a registration whose account lives in another system: reserve, create
//! the account, commit, activate it. In this order nothing can be lost.

use invitation::{
    Actor, Division, Draft, Invitations, Paging, Redeemer, Refusal, Role, SystemActor, UserId,
    Username,
    audit::{Action, EventCriteria, EventOutcome},
    reserve::{ReservationId, Reserved},
    store::Store,
};

use crate::{Result, killing::KillAt};

/// The system of the accounts. It has one account per key, however often it is requested,
/// and each step is committed before the next.
pub(crate) trait Accounts: Send + Sync {
    /// Creates an account that may not sign in yet. If the key already has an account, it
    /// stays as it is.
    fn create(
        &self,
        key: ReservationId,
        name: &str,
        role: &str,
    ) -> impl Future<Output = Result> + Send;

    /// Lets the user of the account sign in.
    fn activate(&self, key: ReservationId) -> impl Future<Output = Result> + Send;

    /// Removes the account.
    fn remove(&self, key: ReservationId) -> impl Future<Output = Result> + Send;

    /// Returns all accounts.
    fn all(&self) -> impl Future<Output = Result<Vec<Account>>> + Send;
}

/// An account of the host, under the reservation that it was created for.
pub(crate) struct Account {
    /// The reservation that it was created under.
    pub(crate) key: ReservationId,
    /// The name of the user.
    pub(crate) name: String,
    /// The role of the user.
    pub(crate) role: String,
    /// Whether the user may sign in.
    pub(crate) active: bool,
}

/// The host's program.
pub(crate) struct Host<S, A> {
    pub(crate) invitations: Invitations<S>,
    pub(crate) accounts: A,
}

impl<S: Store, A: Accounts> Host<S, A> {
    /// Returns a new code for a member of staff.
    pub(crate) async fn new_code(&self) -> Result<String> {
        let draft =
            Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
        let created = self.invitations.create(&SystemActor::for_bootstrap(), draft).await?;
        Ok(created.code().reveal().to_string())
    }

    /// Handles a registration.
    pub(crate) async fn register(&self, code: &str, name: &str, kill: &KillAt) -> Result {
        let redeemer = redeemer(name)?;
        let reservation = match self.invitations.reserve(code, &redeemer).await? {
            Reserved::Open(reservation) => reservation,
            // A double click, or a retry after only the answer was lost.
            Reserved::AlreadyRedeemed(before) => {
                if let Some(key) = before.reservation() {
                    self.accounts.activate(key).await?;
                }
                println!("{name} registered before, as {}", before.role());
                return Ok(());
            }
        };
        kill.after("reserved");
        let key = reservation.id();
        self.accounts.create(key, name, reservation.role().as_str()).await?;
        kill.after("account created");
        self.invitations.commit(key, &redeemer).await?;
        kill.after("committed");
        self.accounts.activate(key).await?;
        kill.after("account active");
        println!("{name} is registered as {}", reservation.role());
        Ok(())
    }

    /// Finishes, at the start of the program, what a crash interrupted: accounts that never
    /// became active. Each carries the key of its reservation.
    pub(crate) async fn resume(&self) -> Result {
        for account in self.accounts.all().await?.into_iter().filter(|account| !account.active) {
            match self.invitations.commit(account.key, &redeemer(&account.name)?).await {
                Ok(_) => {
                    self.accounts.activate(account.key).await?;
                    println!("resumed: {} is registered as {}", account.name, account.role);
                }
                // The invitation was purged. Only the audit trail shows whether it was
                // redeemed, so an administrator has to decide.
                Err(error) if error.refusal() == Some(&Refusal::NotFound) => {
                    println!("to be looked at: the account of {}, because {error}", account.name);
                }
                Err(error) if error.refusal().is_some() => {
                    self.accounts.remove(account.key).await?;
                    println!("taken back: the account of {}, because {error}", account.name);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Prints the accounts, and the redemptions and reservations that correspond to them.
    pub(crate) async fn report(&self, when: &str) -> Result {
        let admin = Actor::across_divisions(UserId::new("ada")?, Role::new("admin")?);
        let criteria =
            EventCriteria::new().of_action(Action::Redeem).with_outcome(EventOutcome::Succeeded);
        let trail = self.invitations.events(&admin, &criteria, Paging::default()).await?;
        let held = self.invitations.reservations(&admin, None, Paging::default()).await?;
        let accounts: Vec<String> = self
            .accounts
            .all()
            .await?
            .iter()
            .map(|account| {
                let state = if account.active { "active" } else { "pending" };
                format!("{} {state}", account.name)
            })
            .collect();
        println!(
            "  {when}: accounts {accounts:?}, redemptions {}, reservations {}",
            trail.items().len(),
            held.items().len()
        );
        Ok(())
    }
}

fn redeemer(name: &str) -> Result<Redeemer> {
    Ok(Redeemer::new(UserId::new(format!("signup-of-{name}"))?, Username::new(name)?))
}
