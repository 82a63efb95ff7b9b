//! Says whether the user who granted an invitation may still grant it: by the present row of
//! that user, not by the role of that time.

use std::{error::Error as StdError, fmt, time::Duration};

use async_trait::async_trait;
use invitation::{
    Policy,
    decide::standing::{Grant, Standing},
    sql::Dialect,
};

use crate::tables::Tables;

/// The users who grant invitations, with the policy for their roles.
pub(crate) struct Grantors<DB: Dialect> {
    pub(crate) tables: Tables<DB>,
    pub(crate) policy: Policy,
}

impl<DB: Dialect> fmt::Debug for Grantors<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grantors").finish_non_exhaustive()
    }
}

#[async_trait]
impl<DB: Dialect> Standing for Grantors<DB> {
    async fn may_still_grant(
        &self,
        grant: &Grant<'_>,
    ) -> Result<bool, Box<dyn StdError + Send + Sync>> {
        let account = self.tables.account(grant.grantor).await?;
        Ok(account.is_some_and(|account| {
            let is_within_reach =
                account.is_administrator() || account.division.as_ref() == Some(grant.division);
            is_within_reach && self.policy.may_grant(&account.role, grant.role)
        }))
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
