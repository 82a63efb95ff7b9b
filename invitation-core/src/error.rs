//! The errors of calls.

use crate::{
    code::{ParseCodeError, UnsealError},
    entropy::EntropyError,
    field_error::{FieldError, ValidationErrors},
    refusal::{Refusal, Refused},
    store_error::StoreError,
};

/// The reason why a call did not succeed.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Error, Redeemer, Refusal, Username};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let code = invitations.create(&manager, Draft::new()).await?.code().reveal();
/// let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
/// let ben = Redeemer::new(UserId::new("u-3")?, Username::new("ben")?);
/// invitations.redeem(&code, &anna).await?;
///
/// for (typed, status) in [(&code[..], 409), ("7KQ2-9F", 422)] {
///     let error = invitations.redeem(typed, &ben).await.unwrap_err();
///     // What a host's page answers: an error of the store says nothing about the code.
///     let answer = match &error {
///         Error::ParseCode(_) | Error::Invalid(_) => 422,
///         Error::Refused(refused) if *refused.refusal() == Refusal::CodeUnknown => 404,
///         Error::Refused(_) => 409,
///         Error::Store(failed) if failed.is_retryable() => 503,
///         _ => 500,
///     };
///     assert_eq!(answer, status, "{error}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The typed text cannot be a code. The service did not call the store and recorded
    /// no event.
    #[error(transparent)]
    ParseCode(#[from] ParseCodeError),
    /// The input violates a limit. Nothing was changed, and no event was recorded.
    #[error(transparent)]
    Invalid(#[from] ValidationErrors),
    /// The domain refused the call. Audit events document the refusal.
    #[error("{0}")]
    Refused(Refused),
    /// The store failed. Nothing was changed, unless the kind is
    /// [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown).
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source of randomness failed. Nothing was changed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A stored code cannot be unsealed, so it cannot be shown: it was damaged, or its key is
    /// unknown or retired.
    #[error(transparent)]
    Seal(#[from] UnsealError),
}

impl Error {
    /// Returns the refusal, if the error is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refused) => Some(refused.refusal()),
            _ => None,
        }
    }
}

impl From<FieldError> for Error {
    fn from(one: FieldError) -> Self {
        Self::Invalid(one.into())
    }
}
