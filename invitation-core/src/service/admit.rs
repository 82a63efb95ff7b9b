//! Redeeming a code in one transaction with the host's account.

use super::Invitations;
use crate::{
    actor::Redeemer,
    admit::{Admission, Attempts, HostTransaction, Register, Transactional},
    error::Error,
    event::Action,
    hooks::CommandKind,
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
    /// If the host [judges grantors](crate::standing) or has [hooks](crate::hooks), it is asked
    /// before the transaction begins. If the terms of the invitation change in between, the call is
    /// a conflict. The hooks are notified by [`Admission::commit`].
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
        // A typing mistake needs no connection, and nor does a refusal of the throttle.
        let code = self.parse_code(code)?;
        let call = self.call(redeemer.performer(), redeemer.context())?;
        let guess = self.guess(&call, Action::Redeem, &code, redeemer).await?;
        let (vouched, guess) = self.vouch_before(&code, redeemer, &call, guess).await?;
        let mut tx = match self.store.begin().await {
            Ok(tx) => tx,
            Err(error) => {
                guess.end(false);
                return Err(error.into());
            }
        };
        let done = self.on(tx.join()).redeem_guess(&code, redeemer, &call, guess, vouched).await;
        match done {
            Ok(done) => {
                // The service on the transaction notifies nothing, because the host commits.
                let notice = if done.is_replayed() {
                    None
                } else {
                    self.notice(CommandKind::Redeem, &call, [done.record()])
                };
                Ok(Admission::new(tx, done, notice))
            }
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
    /// As many round trips as [`admit`](Self::admit) and [`commit`](Admission::commit), for each
    /// attempt.
    ///
    /// The host's part is a [`Register`]. In this one, `driver` stands for the driver of the
    /// database. The page of `sql::is_conflict` of the facade (`invitation_sqlx::is_conflict`) has
    /// the same on SQLite.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// # mod driver {
    /// #     #[derive(Debug, thiserror::Error)]
    /// #     #[error("{code}")]
    /// #     pub struct Error { pub code: &'static str }
    /// #     pub struct Connection;
    /// #     impl Connection {
    /// #         pub async fn execute(&mut self, _: &str, _: &[&str]) -> Result<(), Error> { Ok(()) }
    /// #     }
    /// # }
    /// use async_trait::async_trait;
    /// use invitation::{
    ///     Error, Invitations, Redeemed, Redeemer,
    ///     admit::{HostTransaction, Register, Transactional},
    /// };
    ///
    /// /// The accounts of the host.
    /// struct Users;
    ///
    /// #[derive(Debug, thiserror::Error)]
    /// enum NotRegistered {
    ///     #[error(transparent)]
    ///     Invitation(#[from] Error),
    ///     #[error("the name belongs to another user")]
    ///     NameTaken,
    ///     #[error(transparent)]
    ///     Database(driver::Error),
    /// }
    ///
    /// impl From<driver::Error> for NotRegistered {
    ///     fn from(error: driver::Error) -> Self {
    ///         match error.code {
    ///             "23505" => Self::NameTaken, // a unique key
    ///             _ => Self::Database(error),
    ///         }
    ///     }
    /// }
    ///
    /// #[async_trait]
    /// impl Register<driver::Connection> for Users {
    ///     type Account = String;
    ///     type Error = NotRegistered;
    ///
    ///     /// Called once for each attempt, in a transaction of its own.
    ///     async fn register(
    ///         &self,
    ///         tx: &mut driver::Connection,
    ///         redeemed: &Redeemed,
    ///     ) -> Result<String, NotRegistered> {
    ///         let id = redeemed.redemption().user.to_string();
    ///         // After a lost reply or a double click, the account exists.
    ///         if !redeemed.is_replayed() {
    ///             let (name, role) = (redeemed.username().as_str(), redeemed.role().as_str());
    ///             let insert = "INSERT INTO users (id, name, role) VALUES (?, ?, ?)";
    ///             tx.execute(insert, &[&id, name, role]).await?;
    ///         }
    ///         Ok(id)
    ///     }
    ///
    ///     /// A deadlock and a failed serialization are worth another attempt. A taken name is not.
    ///     fn is_conflict(&self, error: &NotRegistered) -> bool {
    ///         let conflicts = ["40001", "40P01"];
    ///         matches!(error, NotRegistered::Database(error) if conflicts.contains(&error.code))
    ///     }
    /// }
    ///
    /// async fn register<S: Transactional>(
    ///     invitations: &Invitations<S>,
    ///     code: &str,
    ///     newcomer: &Redeemer,
    /// ) -> Result<String, NotRegistered>
    /// where
    ///     S::Transaction: HostTransaction<Connection = driver::Connection>,
    /// {
    ///     invitations.admit_with(code, newcomer, &Users).await
    /// }
    ///
    /// let failed = |code| Users.is_conflict(&driver::Error { code }.into());
    /// assert!(failed("40001") && failed("40P01"));
    /// assert!(!failed("23505") && !failed("57P01"));
    /// ```
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
