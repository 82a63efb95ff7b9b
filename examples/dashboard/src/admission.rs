//! Creates an account and redeems its code in one transaction of the host: both or neither.

use async_trait::async_trait;
use invitation::{
    Error, Invitations, Redeemed, Redeemer,
    admit::Register,
    sql::{Dialect, SqlStore, is_conflict, sqlx},
};

use crate::{accounts::Account, tables::Tables};

/// Registration of newcomers.
#[async_trait]
pub(crate) trait Admission: Send + Sync {
    /// Creates the account of a newcomer and redeems the code for it: both, or neither. A
    /// repeated call for the same newcomer returns the same account.
    async fn admit(&self, code: &str, newcomer: &Redeemer) -> Result<Account, NotAdmitted>;
}

/// The reason why a newcomer was not registered. No account exists then. The code is unchanged,
/// unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAdmitted {
    #[error(transparent)]
    Invitation(#[from] Error),
    #[error("the name belongs to another user")]
    UsernameTaken,
    /// A use of the code is reserved for this newcomer until its lease ends.
    #[error("the name belongs to another user, and a use of the code is still reserved")]
    UsernameTakenUseHeld,
    #[error("the code was redeemed, but its account is gone")]
    AccountGone,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Registration with users and invitations in one SQL database, in one transaction.
pub(crate) struct InOneTransaction<DB: Dialect> {
    pub(crate) tables: Tables<DB>,
    pub(crate) invitations: Invitations<SqlStore<DB>>,
}

#[async_trait]
impl<DB: Dialect> Admission for InOneTransaction<DB> {
    async fn admit(&self, code: &str, newcomer: &Redeemer) -> Result<Account, NotAdmitted> {
        let admitted = self.invitations.admit_with(code, newcomer, self).await;
        match admitted {
            // The rollback has undone the redemption too: the code is still usable.
            Err(NotAdmitted::Database(error)) => {
                let is_taken = self.tables.is_name_taken(newcomer, &error).await?;
                Err(if is_taken { NotAdmitted::UsernameTaken } else { error.into() })
            }
            admitted => admitted,
        }
    }
}

#[async_trait]
impl<DB: Dialect> Register<DB::Connection> for InOneTransaction<DB> {
    type Account = Account;
    type Error = NotAdmitted;

    async fn register(
        &self,
        tx: &mut DB::Connection,
        redeemed: &Redeemed,
    ) -> Result<Account, NotAdmitted> {
        let id = &redeemed.redemption().user;
        if redeemed.is_replayed() {
            // A lost reply or a double click: the account exists already.
            return Tables::<DB>::account_on(tx, id).await?.ok_or(NotAdmitted::AccountGone);
        }
        let account = Account {
            id: id.clone(),
            username: redeemed.username().clone(),
            role: redeemed.role().clone(),
            division: Some(redeemed.division().clone()),
        };
        Tables::<DB>::insert(tx, &account, None).await?;
        Ok(account)
    }

    fn is_conflict(&self, error: &NotAdmitted) -> bool {
        matches!(error, NotAdmitted::Database(error) if is_conflict::<DB>(error))
    }
}
