//! Creates an account and redeems its code in one transaction of the host: both or neither.

use async_trait::async_trait;
use invitation::{
    Error, Joined, Redeemer, StoreErrorKind,
    sql::{Dialect, sqlx},
    web::Service,
};

use crate::{accounts::Account, tables::Tables};

/// Registration of newcomers.
#[async_trait]
pub(crate) trait Admission: Send + Sync {
    /// Creates the account of a newcomer and redeems the code for it: both, or neither. A
    /// repeated call for the same newcomer returns the same account.
    async fn admit(&self, code: &str, newcomer: &Redeemer) -> Result<Account, NotAdmitted>;
}

/// The reason why a newcomer was not registered. No account exists then, and the code is
/// unchanged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAdmitted {
    #[error(transparent)]
    Invitation(#[from] Error),
    #[error("the name belongs to another user")]
    UsernameTaken,
    #[error("the code was redeemed, but its account is gone")]
    AccountGone,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Registration with users and invitations in one SQL database, in one transaction.
pub(crate) struct InOneTransaction<DB: Dialect> {
    pub(crate) tables: Tables<DB>,
    pub(crate) invitations: Service,
}

/// Returns the statement that begins a writing transaction. SQLite refuses a write in a
/// transaction that has only read so far, if another one wrote in between.
fn begin<DB: Dialect>() -> &'static str {
    if DB::SINGLE_WRITER { "BEGIN IMMEDIATE" } else { "BEGIN" }
}

/// The maximum number of tries of the whole transaction when concurrent work conflicts with
/// it.
const TRIES: usize = 5;

#[async_trait]
impl<DB: Dialect> Admission for InOneTransaction<DB> {
    async fn admit(&self, code: &str, newcomer: &Redeemer) -> Result<Account, NotAdmitted> {
        let mut admitted = self.try_once(code, newcomer).await;
        for _ in 1..TRIES {
            match &admitted {
                Err(error) if error.is_passing::<DB>() => {
                    admitted = self.try_once(code, newcomer).await;
                }
                _ => break,
            }
        }
        if let Err(NotAdmitted::Invitation(Error::Refused(refused))) = &admitted {
            // The event of the refusal could not be written in the transaction, which was
            // rolled back. The error carries it.
            self.invitations.record(refused).await?;
        }
        admitted
    }
}

impl<DB: Dialect> InOneTransaction<DB> {
    async fn try_once(&self, code: &str, newcomer: &Redeemer) -> Result<Account, NotAdmitted> {
        let mut tx = self.tables.pool().begin_with(begin::<DB>()).await?;
        let redeemed = self.invitations.on(Joined::new(&mut tx)).redeem(code, newcomer).await;
        let redeemed = match redeemed {
            Ok(redeemed) if redeemed.is_replayed() => {
                // A lost reply or a double click: the account exists already. Look it up
                // outside of the transaction, whose snapshot may not include it.
                tx.rollback().await?;
                let found = self.tables.account(newcomer.user()).await?;
                return found.ok_or(NotAdmitted::AccountGone);
            }
            Ok(redeemed) => redeemed,
            Err(error) => {
                // After a store failure the connection, and with it the transaction, may be
                // gone.
                if error.refusal().is_some() {
                    tx.rollback().await?;
                }
                return Err(error.into());
            }
        };
        let account = Account {
            id: newcomer.user().clone(),
            username: redeemed.username().clone(),
            role: redeemed.role().clone(),
            division: Some(redeemed.division().clone()),
        };
        if let Err(error) = Tables::<DB>::insert(&mut tx, &account, None).await {
            // The rollback undoes the redemption too: the code is still usable.
            tx.rollback().await?;
            let is_taken = self.tables.is_name_taken(&account, &error).await?;
            return Err(if is_taken { NotAdmitted::UsernameTaken } else { error.into() });
        }
        tx.commit().await?;
        Ok(account)
    }
}

impl NotAdmitted {
    /// Returns whether an immediate retry may succeed. If the outcome of a commit is
    /// unknown, a retry with the same redeemer reveals it.
    fn is_passing<DB: Dialect>(&self) -> bool {
        match self {
            Self::Invitation(Error::Store(error)) => error.kind() == StoreErrorKind::Conflict,
            Self::Database(sqlx::Error::Database(error)) => {
                DB::classify(&**error) == StoreErrorKind::Conflict
            }
            _ => false,
        }
    }
}
