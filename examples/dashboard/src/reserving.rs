//! Registration with invitations in Redis and users in SQLite, where no transaction spans
//! both. The host reserves a use of the code, creates the account under the reservation,
//! and commits the reservation. An account is unusable while its reservation is open.

use std::time::Duration;

use async_trait::async_trait;
use invitation::{
    Error, Redeemer, Refusal, UserId, Username,
    reserve::{RedeemWithError, Released, Reservation, ReservationId},
    sql::sqlx::{self, Sqlite},
    web::Service,
};
use sqlx::Row;

use crate::{
    Result,
    accounts::{Account, is_taken},
    admission::{Admission, NotAdmitted},
    tables::Tables,
};

/// The interval between searches for accounts that a crash left open. Leases last ten
/// minutes.
const PAUSE: Duration = Duration::from_mins(1);

/// The pauses between attempts while all uses are reserved for other newcomers, 2 s in all. Their
/// accounts take a moment. Then the code is used, as on a store with one transaction, or free again.
/// Each attempt leaves an event, so the pauses grow.
const WHILE_RESERVED: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(600),
    Duration::from_millis(700),
];

/// The maximum number of open accounts per search.
const AT_A_TIME: i64 = 100;

/// Users in SQLite, invitations in the service's store.
#[derive(Clone)]
pub(crate) struct Reserving {
    pub(crate) tables: Tables<Sqlite>,
    pub(crate) invitations: Service,
}

#[async_trait]
impl Admission for Reserving {
    async fn admit(
        &self,
        code: &str,
        newcomer: &Redeemer,
    ) -> std::result::Result<Account, NotAdmitted> {
        for pause in WHILE_RESERVED {
            match self.admit_once(code, newcomer).await {
                Err(NotAdmitted::Invitation(error)) if is_reserved(&error) => {
                    tokio::time::sleep(pause).await;
                }
                admitted => return admitted,
            }
        }
        self.admit_once(code, newcomer).await
    }
}

/// Returns whether reservations of other newcomers hold all uses.
fn is_reserved(error: &Error) -> bool {
    matches!(error.refusal(), Some(Refusal::Reserved { .. }))
}

/// Returns whether the account of a refused reservation must be removed. If the invitation
/// no longer exists, its redemption cannot be verified: an administrator has to decide.
fn is_final(refusal: &Refusal) -> bool {
    !matches!(refusal, Refusal::NotFound | Refusal::Conflict)
}

impl Reserving {
    /// Reserves a use, creates the account and commits.
    async fn admit_once(
        &self,
        code: &str,
        newcomer: &Redeemer,
    ) -> std::result::Result<Account, NotAdmitted> {
        let mut reserved = None;
        let create = async |reservation: Reservation| {
            reserved = Some(reservation.id());
            self.open(newcomer, &reservation).await
        };
        match self.invitations.redeem_with(code, newcomer, create).await {
            Ok(done) => {
                if let Some(reservation) = done.redeemed.reservation() {
                    self.activate(reservation).await?;
                }
                let account = self.tables.account(newcomer.user()).await?;
                account.ok_or(NotAdmitted::AccountGone)
            }
            Err(RedeemWithError::NotReserved(error)) => Err(error.into()),
            Err(RedeemWithError::NotCreated { error: NotAdmitted::UsernameTaken, released }) => {
                Err(self.name_taken(newcomer, reserved, &released).await)
            }
            Err(RedeemWithError::NotCreated { error, .. }) => Err(error),
            Err(RedeemWithError::NotCommitted { reservation, error, .. }) => {
                // If the outcome is uncertain, the account stays and is settled later.
                if error.refusal().is_some_and(is_final) {
                    self.remove(reservation).await?;
                }
                Err(error.into())
            }
        }
    }

    /// Creates the account under its reservation. Repeated calls create it only once.
    async fn open(
        &self,
        newcomer: &Redeemer,
        reservation: &Reservation,
    ) -> std::result::Result<(), NotAdmitted> {
        let account = Account {
            id: newcomer.user().clone(),
            username: newcomer.username().clone(),
            role: reservation.role().clone(),
            division: Some(reservation.division().clone()),
        };
        let mut conn = self.tables.pool().acquire().await?;
        let inserted = Tables::<Sqlite>::insert(&mut conn, &account, Some(reservation.id())).await;
        let Err(error) = inserted else { return Ok(()) };
        if !is_taken(&error) {
            return Err(error.into());
        }
        // The name belongs to another account, or this account exists from an earlier call,
        // whose reservation may have been another one.
        let renewed = sqlx::query(
            "UPDATE users SET reservation = ? WHERE id = ? AND reservation IS NOT NULL",
        )
        .bind(reservation.id().to_string())
        .bind(account.id.as_str())
        .execute(&mut *conn)
        .await?;
        drop(conn);
        let is_there =
            renewed.rows_affected() == 1 || self.tables.account(&account.id).await?.is_some();
        if is_there {
            return Ok(());
        }
        let is_taken = self.tables.is_name_taken(newcomer, &error).await?;
        Err(if is_taken { NotAdmitted::UsernameTaken } else { error.into() })
    }

    /// Returns the error for a name that belongs to another account.
    ///
    /// An earlier call of this newcomer may have crashed after it reserved a use. Nobody comes back
    /// for that reservation, because the newcomer has to choose another name and is then another
    /// user. So it is released here.
    async fn name_taken(
        &self,
        newcomer: &Redeemer,
        reserved: Option<ReservationId>,
        released: &Released,
    ) -> NotAdmitted {
        let (Some(reservation), Released::WithEarlierCall | Released::NotYet(_)) =
            (reserved, released)
        else {
            return NotAdmitted::UsernameTaken;
        };
        match self.invitations.release(reservation, newcomer).await {
            Ok(()) => NotAdmitted::UsernameTaken,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a use stays reserved until its lease ends"
                );
                NotAdmitted::UsernameTakenUseHeld
            }
        }
    }

    /// Makes the account usable after its reservation was committed.
    async fn activate(&self, reservation: ReservationId) -> sqlx::Result<()> {
        self.run("UPDATE users SET reservation = NULL WHERE reservation = ?", reservation).await
    }

    /// Removes the account after its reservation has ended without a commit.
    async fn remove(&self, reservation: ReservationId) -> sqlx::Result<()> {
        self.run("DELETE FROM users WHERE reservation = ?", reservation).await
    }

    async fn run(&self, sql: &'static str, reservation: ReservationId) -> sqlx::Result<()> {
        let query = sqlx::query(sql).bind(reservation.to_string());
        query.execute(self.tables.pool()).await.map(drop)
    }

    /// Commits the registrations that a crash left open, or removes their accounts.
    pub(crate) async fn settle(&self) -> Result {
        let open = "SELECT id, username, reservation FROM users \
                    WHERE reservation IS NOT NULL ORDER BY id LIMIT ?";
        let open = sqlx::query(open).bind(AT_A_TIME).fetch_all(self.tables.pool()).await?;
        for row in open {
            let user = UserId::from_stored(row.try_get::<String, _>(0)?);
            let username = Username::from_stored(row.try_get::<String, _>(1)?);
            let reservation: ReservationId = row.try_get::<String, _>(2)?.parse()?;
            let newcomer = Redeemer::new(user, username);
            match self.invitations.commit(reservation, &newcomer).await {
                Ok(_) => self.activate(reservation).await?,
                Err(error) if error.refusal().is_some_and(is_final) => {
                    self.remove(reservation).await?;
                }
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an account cannot be settled"
                ),
            }
        }
        Ok(())
    }

    /// Settles open registrations periodically, as long as the program runs.
    pub(crate) async fn keep_settling(self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            if let Err(error) = self.settle().await {
                tracing::warn!(error = &*error as &dyn std::error::Error, "nothing was settled");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use invitation::{
        Actor, Division, Draft, Invitations, RedisStore, Role, Store, redis_store::RedisOptions,
        reserve::Reserved,
    };
    use invitation_testkit::Redis;

    use super::*;
    use crate::pools;

    async fn reserving(server: &Redis) -> Reserving {
        let tables = Tables::new(pools::sqlite_in_memory().await.unwrap());
        tables.create().await.unwrap();
        let store = RedisStore::connect(&server.url(), RedisOptions::new()).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        Reserving { tables, invitations: Invitations::new(store) }
    }

    async fn code(invitations: &Service) -> String {
        let (id, role) = (UserId::new("mia").unwrap(), Role::new("manager").unwrap());
        let manager = Actor::in_division(id, role, Division::new("sales").unwrap());
        invitations.create(&manager, Draft::new()).await.unwrap().code().reveal().to_string()
    }

    fn newcomer(id: &str, name: &str) -> Redeemer {
        Redeemer::new(UserId::new(id).unwrap(), Username::new(name).unwrap())
    }

    /// Reserves a use for Anna as a call that crashes before it creates the account. Then another
    /// user takes the name.
    async fn crash_and_lose_the_name(host: &Reserving, code: &str) -> (Redeemer, ReservationId) {
        let anna = newcomer("u-1", "anna");
        let Reserved::Open(reservation) = host.invitations.reserve(code, &anna).await.unwrap()
        else {
            panic!("nobody has redeemed it");
        };
        let other = Account {
            id: UserId::new("u-2").unwrap(),
            username: Username::new("Anna").unwrap(),
            role: Role::new("staff").unwrap(),
            division: None,
        };
        let mut conn = host.tables.pool().acquire().await.unwrap();
        Tables::<Sqlite>::insert(&mut conn, &other, None).await.unwrap();
        (anna, reservation.id())
    }

    #[tokio::test]
    async fn name_taken_after_a_crash_leaves_the_code_usable() {
        let server = Redis::start().unwrap();
        let host = reserving(&server).await;
        let code = code(&host.invitations).await;
        let (anna, _) = crash_and_lose_the_name(&host, &code).await;
        let refused = host.admit(&code, &anna).await.unwrap_err();
        assert!(matches!(refused, NotAdmitted::UsernameTaken), "{refused}");
        let admitted = host.admit(&code, &newcomer("u-3", "anna-b")).await.unwrap();
        assert_eq!(admitted.username.as_str(), "anna-b");
    }

    #[tokio::test]
    async fn name_taken_without_a_release_does_not_promise_the_code() {
        let server = Redis::start().unwrap();
        let host = reserving(&server).await;
        let code = code(&host.invitations).await;
        let (anna, reservation) = crash_and_lose_the_name(&host, &code).await;
        server.stop_now().unwrap();
        let held = Released::WithEarlierCall;
        let refused = host.name_taken(&anna, Some(reservation), &held).await;
        assert!(matches!(refused, NotAdmitted::UsernameTakenUseHeld), "{refused}");
    }

    #[tokio::test]
    async fn newcomer_waits_while_another_one_is_registered_and_learns_that_the_code_is_used() {
        let server = Redis::start().unwrap();
        let host = reserving(&server).await;
        let code = code(&host.invitations).await;
        let (anna, ben) = (newcomer("u-1", "anna"), newcomer("u-2", "ben"));
        let reserved = host.invitations.reserve(&code, &anna).await.unwrap();
        let Reserved::Open(reservation) = reserved else { panic!("nobody has redeemed it") };
        let refused = host.admit(&code, &ben).await.unwrap_err();
        let NotAdmitted::Invitation(error) = refused else { panic!("{refused}") };
        assert!(is_reserved(&error), "the reservation stays open, and the wait ends: {error}");

        let commit = async {
            tokio::time::sleep(WHILE_RESERVED[0]).await;
            host.invitations.commit(reservation.id(), &anna).await.unwrap();
        };
        let (refused, ()) = tokio::join!(host.admit(&code, &ben), commit);
        let refused = refused.unwrap_err();
        let NotAdmitted::Invitation(error) = refused else { panic!("{refused}") };
        assert_eq!(error.refusal(), Some(&Refusal::Used));
    }
}
