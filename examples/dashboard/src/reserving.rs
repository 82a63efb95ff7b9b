//! Where the invitations are in Redis, and the users are not, no transaction spans both:
//! a use of the code is reserved, the account created under the reservation, and the
//! reservation committed. An account whose reservation is open is of no use to anybody.

use std::time::Duration;

use async_trait::async_trait;
use invitation::{
    RedeemWithError, Redeemer, Refusal, Reservation, ReservationId, UserId, Username,
    sqlx::{self, Sqlite},
    web::Service,
};
use sqlx::Row;

use crate::{
    Result,
    accounts::{Account, is_taken},
    admission::{Admission, NotAdmitted},
    tables::Tables,
};

/// How often accounts that a crash left open are looked for. Leases run for ten minutes.
const PAUSE: Duration = Duration::from_mins(1);

/// How many of them at a time.
const AT_A_TIME: i64 = 100;

/// Users in SQLite, invitations wherever the service has them.
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
                // Where it is not certain, the account stays, and is settled later.
                if error.refusal().is_some_and(is_final) {
                    self.remove(reservation).await?;
                }
                Err(error.into())
            }
        }
    }
}

/// Whether the account of a refused reservation is to be taken back. Of an invitation
/// that is not there any more nobody can tell whether it was redeemed: that is for a
/// person to look at.
fn is_final(refusal: &Refusal) -> bool {
    !matches!(refusal, Refusal::NotFound | Refusal::Conflict)
}

impl Reserving {
    /// Creates the account under its reservation: once, however often it is asked.
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
        match Tables::<Sqlite>::insert(&mut conn, &account, Some(reservation.id())).await {
            Err(error) if is_taken(&error) => {}
            inserted => return Ok(inserted?),
        }
        // The name is somebody else's; or the account is there, from an earlier call,
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
        if is_there { Ok(()) } else { Err(NotAdmitted::UsernameTaken) }
    }

    /// The reservation is committed: the account is of use.
    async fn activate(&self, reservation: ReservationId) -> sqlx::Result<()> {
        self.run("UPDATE users SET reservation = NULL WHERE reservation = ?", reservation).await
    }

    /// The reservation has ended: there is no account.
    async fn remove(&self, reservation: ReservationId) -> sqlx::Result<()> {
        self.run("DELETE FROM users WHERE reservation = ?", reservation).await
    }

    async fn run(&self, sql: &'static str, reservation: ReservationId) -> sqlx::Result<()> {
        let query = sqlx::query(sql).bind(reservation.to_string());
        query.execute(self.tables.pool()).await.map(drop)
    }

    /// Commits what a crash left open, or takes it back.
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

    /// Settles again and again, as long as the program runs.
    pub(crate) async fn keep_settling(self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            if let Err(error) = self.settle().await {
                tracing::warn!(error = &*error as &dyn std::error::Error, "nothing was settled");
            }
        }
    }
}
