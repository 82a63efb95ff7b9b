//! Registration with invitations in Redis and users in SQLite, where no transaction spans
//! both. The host reserves a use of the code, creates the account under the reservation,
//! and commits the reservation. An account is unusable while its reservation is open.

use std::time::Duration;

use async_trait::async_trait;
use invitation::{
    Redeemer, Refusal, UserId, Username,
    reserve::{RedeemWithError, Reservation, ReservationId},
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
        let create = async |reservation: Reservation| self.open(newcomer, &reservation).await;
        match self.invitations.redeem_with(code, newcomer, create).await {
            Ok(done) => {
                if let Some(reservation) = done.redeemed.reservation() {
                    self.activate(reservation).await?;
                }
                let account = self.tables.account(newcomer.user()).await?;
                account.ok_or(NotAdmitted::AccountGone)
            }
            Err(RedeemWithError::NotReserved(error)) => Err(error.into()),
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
}

/// Returns whether the account of a refused reservation must be removed. If the invitation
/// no longer exists, its redemption cannot be verified: an administrator has to decide.
fn is_final(refusal: &Refusal) -> bool {
    !matches!(refusal, Refusal::NotFound | Refusal::Conflict)
}

impl Reserving {
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
