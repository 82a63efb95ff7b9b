//! An account and a redemption, both or neither: the host's transaction makes them.

use async_trait::async_trait;
use invitation::{Dialect, Error, Joined, Redeemer, StoreErrorKind, sqlx, web::Service};

use crate::{
    accounts::{Account, is_taken},
    tables::Tables,
};

/// How newcomers get in.
#[async_trait]
pub(crate) trait Admission: Send + Sync {
    /// Creates the account of a newcomer and redeems the code for it: both, or neither.
    /// The same newcomer again gets the same account.
    async fn admit(&self, code: &str, newcomer: &Redeemer) -> Result<Account, NotAdmitted>;
}

/// Why somebody did not get in. There is no account then, and the code is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAdmitted {
    #[error(transparent)]
    Invitation(#[from] Error),
    #[error("the name belongs to somebody else")]
    UsernameTaken,
    #[error("the code was redeemed, but its account is gone")]
    AccountGone,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Users and invitations are in one SQL database: one transaction makes both.
pub(crate) struct InOneTransaction<DB: Dialect> {
    pub(crate) tables: Tables<DB>,
    pub(crate) invitations: Service,
}

/// How the transaction begins, as one that is going to write: SQLite does not let one
/// write that has only read so far, when another one wrote in between.
fn begin<DB: Dialect>() -> &'static str {
    if DB::ONE_WRITER { "BEGIN IMMEDIATE" } else { "BEGIN" }
}

/// How often the whole transaction is tried when concurrent work gets in the way.
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
            // The evidence could not be written in the transaction, which was rolled
            // back; it came with the refusal.
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
                // A reply was lost, or a button clicked twice: the account is there.
                // Asked outside of the transaction, which may not see it yet.
                tx.rollback().await?;
                let found = self.tables.account(newcomer.user()).await?;
                return found.ok_or(NotAdmitted::AccountGone);
            }
            Ok(redeemed) => redeemed,
            Err(error) => {
                // Where the store failed, the connection may be gone, and the
                // transaction with it.
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
            // Whatever it was, the redemption goes with it: the code is still good.
            tx.rollback().await?;
            return Err(if is_taken(&error) { NotAdmitted::UsernameTaken } else { error.into() });
        }
        tx.commit().await?;
        Ok(account)
    }
}

impl NotAdmitted {
    /// Whether the same may succeed when it is tried again at once. Where it is unknown
    /// whether a commit was made, trying again with the same redeemer finds out.
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
