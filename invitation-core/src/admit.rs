//! Registration in one transaction: the account and its redemption are kept together, or
//! neither is.
//!
//! A store whose database also holds the host's accounts is [`Transactional`]. On a service
//! with such a store, [`Invitations::admit`](crate::Invitations::admit) begins a transaction,
//! redeems the code in it, and returns an [`Admission`]. The host writes the account on
//! [`Admission::tx`], and [`Admission::commit`] keeps both.
//!
//! - A refusal has rolled back, and its evidence is recorded.
//! - A guard that is dropped, by an early return, a panic or a cancelled request, undoes the
//!   redemption and the host's work.
//! - A repeated call of the same redeemer finds the redemption that exists:
//!   [`Admission::is_replayed`]. The account then exists, too.
//!
//! [`Invitations::admit_with`](crate::Invitations::admit_with) repeats the whole transaction
//! after a conflict with concurrent work; the host's part is a [`Register`].
//!
//! A host whose accounts live elsewhere uses [reservations](crate::reserve).
//!
//! # Choosing the redeemer's id
//!
//! A redemption is idempotent by the user id of the [`Redeemer`](crate::Redeemer): the same id
//! with the same code is the same redemption. A host that is about to create the account has to
//! choose the id first.
//!
//! | id | a double click, or a repeated request after a lost reply |
//! |---|---|
//! | of an account that exists, such as that of the session | is a replay |
//! | derived from the request by [`RedeemerIds`] | is a replay |
//! | made up for each request, such as a new UUID | is refused: the code is used |
//! | a plain hash of the code and the name | is a replay, but a reader of the id can test guesses of the code |
//!
//! The last two are traps:
//!
//! - **An id for each request** makes the second request another person. The first one has
//!   redeemed the code, and the newcomer reads that it is used.
//! - **A hash without a secret** can be computed by anybody. The host's own tables, logs and
//!   backups contain the id. With it, a guess of a short code can be tested without the host, as
//!   often as one likes.
//!
//! [`RedeemerIds`] avoids both. Its secret belongs to the host: make it once, keep it in a file
//! beside the database that only the owner can read, and never change it.
//! [`RedeemerIds::from_file_or_create`] does so. All processes of one database use the same
//! secret.
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::{
//!     Actor, Division, Draft, Email, Invitations, MemoryStore, Redeemer, Role, UserId, Username,
//!     admit::RedeemerIds,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let invitations = Invitations::new(MemoryStore::new());
//! # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
//! # let manager = Actor::in_division(user, role, Division::new("sales")?);
//! # let created = invitations.create(&manager, Draft::new()).await?;
//! # let typed = created.code().reveal();
//! let ids = RedeemerIds::new("the host's secret, at least 32 bytes")?;
//! // Twice, as after a double click.
//! for is_repeated in [false, true] {
//!     let (code, name) = (invitations.parse_code(&typed)?, Username::new("anna")?);
//!     let form_key = ""; // or a hidden field of the form, or an idempotency key
//!     let id = ids.derive(&code, &name, None::<&Email>, form_key);
//!     let redeemed = invitations.redeem(&typed, &Redeemer::new(id, name)).await?;
//!     assert_eq!(redeemed.is_replayed(), is_repeated);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The id depends on all four values: the code, the username, the address by its comparison key,
//! and the form key. A newcomer who corrects the name or the address therefore gets another id,
//! and so does the same content from a form with another key.
//!
//! - **Before the redemption** another id does no harm: nothing has been kept under the first.
//! - **After it** the corrected request has the id of another person, and is refused because the
//!   code is used. The account exists under the first name: the newcomer signs in and corrects the
//!   name there.
//!
//! A form key alone cannot replace the other values: it only tells apart what they do not.
//!
//! An answer to a repeated request must not give access, because the request proves only that
//! its sender knows the code and the name. Sign the newcomer in with a password or a session.

pub mod secret_file;

use std::{fmt, future::Future};

use async_trait::async_trait;

pub use crate::redeemer_id::RedeemerIds;
use crate::{
    error::Error, hooks::Notice, service::Redeemed, store::Store, store_error::StoreError,
};

/// A store that can begin a transaction in which the host writes too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot begin a transaction in which the host writes too",
    note = "the stores of SQL databases can, as a type of their own: keep the service on \
            `SqliteStore`, and make the one for `Web` by \
            `invitations.on(Arc::new(store) as Arc<dyn Store>)`"
)]
pub trait Transactional: Store {
    /// A transaction on the store's database.
    type Transaction: HostTransaction + 'static;
    /// The attempts at one transaction.
    type Attempts: Attempts;

    /// Begins a transaction that will write.
    ///
    /// # Errors
    ///
    /// [`StoreError`], and no transaction is open.
    fn begin(&self) -> impl Future<Output = Result<Self::Transaction, StoreError>> + Send;

    /// Begins to count the attempts at one transaction.
    fn attempts(&self) -> Self::Attempts;
}

/// A transaction that the host and the store share. Dropping it rolls it back.
pub trait HostTransaction: Send {
    /// The connection on which the host writes.
    type Connection: Send;
    /// The store inside the transaction.
    type Joined<'t>: Store
    where
        Self: 't;

    /// Returns the connection.
    fn connection(&mut self) -> &mut Self::Connection;

    /// Returns the store inside the transaction.
    fn join(&mut self) -> Self::Joined<'_>;

    /// Commits.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing was kept, unless the kind is
    /// [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown). A transaction in which a
    /// statement failed, so that the database can only roll it back, MUST be an error.
    fn commit(self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Rolls back. If that fails, the transaction MUST be undone in another way, for
    /// instance by closing the connection.
    fn rollback(self) -> impl Future<Output = ()> + Send;
}

/// A bounded number of attempts at one transaction.
pub trait Attempts: Send {
    /// Returns whether the transaction that failed with this error is worth another attempt.
    /// Waits for a short pause before it returns `true`.
    fn again_after(&mut self, error: &StoreError) -> impl Future<Output = bool> + Send;
}

/// A code that is redeemed inside an open transaction, together with the host's work.
///
/// Nothing is kept before [`commit`](Self::commit). Dropping the guard undoes everything.
#[must_use = "dropping it undoes the redemption"]
pub struct Admission<T> {
    tx: T,
    redeemed: Redeemed,
    /// For the host's hooks, after the commit.
    notice: Option<Notice>,
}

impl<T: HostTransaction> Admission<T> {
    pub(crate) fn new(tx: T, redeemed: Redeemed, notice: Option<Notice>) -> Self {
        Self { tx, redeemed, notice }
    }

    /// Returns the redemption, and what it grants.
    #[must_use]
    pub fn redeemed(&self) -> &Redeemed {
        &self.redeemed
    }

    /// Returns whether this redeemer had redeemed the code before. Then the account exists
    /// already: the host reads it instead of writing it.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.redeemed.is_replayed()
    }

    /// Returns the connection on which the host writes the account.
    ///
    /// Everything on it belongs to the transaction. Do not end the transaction there.
    pub fn tx(&mut self) -> &mut T::Connection {
        self.tx.connection()
    }

    /// Returns the connection and the redemption.
    pub(crate) fn parts(&mut self) -> (&mut T::Connection, &Redeemed) {
        (self.tx.connection(), &self.redeemed)
    }

    /// Keeps the redemption and the host's work, and returns the redemption.
    ///
    /// One round trip, on PostgreSQL two. The host's [hooks](crate::hooks) are notified after it.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: neither is kept. After
    /// [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown) both or neither are: admit the
    /// same redeemer again to find out.
    pub async fn commit(self) -> Result<Redeemed, Error> {
        let Self { tx, redeemed, notice } = self;
        tx.commit().await?;
        if let Some(notice) = notice {
            notice.send().await;
        }
        Ok(redeemed)
    }

    /// Undoes the redemption and the host's work. The code can be redeemed again.
    ///
    /// No event is left, as after dropping the guard: the event of the redemption is undone
    /// with it. Only a refusal of [`admit`](crate::Invitations::admit) writes one of its own.
    pub async fn rollback(self) {
        self.tx.rollback().await;
    }
}

impl<T> fmt::Debug for Admission<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("redeemed", &self.redeemed).finish_non_exhaustive()
    }
}

/// The host's part of a registration, for
/// [`Invitations::admit_with`](crate::Invitations::admit_with).
#[async_trait]
pub trait Register<C: Send>: Sync {
    /// What the host returns about the account.
    type Account: Send;
    /// The host's error.
    type Error: From<Error> + Send;

    /// Writes the account that the redemption is for, or reads it if the redemption
    /// [is replayed](Redeemed::is_replayed).
    ///
    /// It may be called several times, each time in a new transaction. So it does nothing
    /// that a rollback does not undo.
    ///
    /// # Errors
    ///
    /// Any error rolls the transaction back, and the redemption with it.
    async fn register(&self, tx: &mut C, redeemed: &Redeemed)
    -> Result<Self::Account, Self::Error>;

    /// Returns whether the error is a conflict with concurrent work, so that another attempt
    /// may help: a deadlock, a failed serialization. For an error of the SQL driver,
    /// `sql::is_conflict` of the facade (`invitation_sqlx::is_conflict`) returns it; the page of
    /// that function has a whole `Register`.
    fn is_conflict(&self, error: &Self::Error) -> bool;
}
