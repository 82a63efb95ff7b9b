//! The answer of a store to a transition.

use crate::{facts::Facts, quota::QuotaOf};

/// The result of one transition in [`Store::apply`](crate::Store::apply).
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Outcome {
    /// The change was made. The facts are those after it.
    Applied(Box<Facts>),
    /// The same operation had been applied before. The facts are the current ones.
    Replayed(Box<Facts>),
    /// The guard did not hold. The facts are the current ones.
    Refused(Box<Facts>),
    /// This quota has no room for the invitation.
    QuotaFull(QuotaOf),
    /// The digest of the new code is already in use.
    CodeTaken,
    /// There is no such invitation within the scope.
    Missing,
}
