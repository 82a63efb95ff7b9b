//! Redeeming a code in one transaction with the host's account.

use super::Invitations;
use crate::{
    actor::Redeemer,
    admit::{Admission, Attempts, HostTransaction, Register, Transactional},
    error::Error,
    store_error::{StoreError, StoreErrorKind},
};

/// The connection of a store's transactions.
type Connection<S> = <<S as Transactional>::Transaction as HostTransaction>::Connection;

impl<S: Transactional> Invitations<S> {
    /// Begins a transaction and redeems the code in it. The host writes its account on
    /// [`Admission::tx`] and commits both with [`Admission::commit`].
    ///
    /// A refusal has rolled the transaction back, and its event is recorded.
    ///
    /// The transaction holds the code until it ends: other callers of the same code wait
    /// for it. So do nothing in it that waits for another service.
    ///
    /// The store must be a SQL store by its own type: `Arc<dyn Store>` has no `admit`.
    /// [`on`](Self::on) makes the service for the web routers from this one.
    ///
    /// Two calls to the database more than [`redeem`](Self::redeem): begin and commit.
    ///
    /// # Errors
    ///
    /// As [`redeem`](Self::redeem). A conflict with concurrent work is [`Error::Store`] whose
    /// [`is_retryable`](crate::StoreError::is_retryable) is true;
    /// [`admit_with`](Self::admit_with) repeats such a transaction.
    pub async fn admit(
        &self,
        code: &str,
        redeemer: &Redeemer,
    ) -> Result<Admission<S::Transaction>, Error> {
        // A typing mistake needs no connection.
        self.parse_code(code)?;
        let mut tx = self.store.begin().await?;
        let done = self.on(tx.join()).redeem(code, redeemer).await;
        match done {
            Ok(done) => Ok(Admission::new(tx, done)),
            Err(error) => {
                tx.rollback().await;
                if let Error::Refused(refused) = &error {
                    self.record(refused).await?;
                }
                Err(error)
            }
        }
    }

    /// Admits a redeemer and lets the host write the account, in one transaction. Repeats the
    /// whole transaction a few times if concurrent work conflicts with it.
    ///
    /// # Errors
    ///
    /// The error of the host's [`register`](Register::register), or that of
    /// [`admit`](Self::admit) or [`commit`](Admission::commit). Neither the account nor the
    /// redemption is kept, unless the store's error has the kind
    /// [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown).
    pub async fn admit_with<H: Register<Connection<S>>>(
        &self,
        code: &str,
        redeemer: &Redeemer,
        host: &H,
    ) -> Result<H::Account, H::Error> {
        let mut attempts = self.store.attempts();
        loop {
            let failed = match self.admit(code, redeemer).await {
                Err(error) => Failed::Library(error),
                Ok(mut admission) => {
                    let (tx, granted) = admission.parts();
                    match host.register(tx, granted).await {
                        Ok(account) => match admission.commit().await {
                            Ok(_) => return Ok(account),
                            Err(error) => Failed::Library(error),
                        },
                        Err(error) => {
                            admission.rollback().await;
                            Failed::Host(error)
                        }
                    }
                }
            };
            let conflict = match &failed {
                Failed::Library(Error::Store(error)) => Some(error.clone()),
                Failed::Host(error) if host.is_conflict(error) => {
                    Some(StoreError::new(StoreErrorKind::Conflict, "admit"))
                }
                _ => None,
            };
            match conflict {
                Some(conflict) if attempts.again_after(&conflict).await => {}
                _ => {
                    return Err(match failed {
                        Failed::Library(error) => error.into(),
                        Failed::Host(error) => error,
                    });
                }
            }
        }
    }
}

/// The reason why an attempt failed.
enum Failed<E> {
    /// Redeeming or committing failed.
    Library(Error),
    /// The host's work failed.
    Host(E),
}
