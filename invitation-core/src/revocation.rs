//! The revocation of an invitation.

use crate::time::Timestamp;

/// The record of a revocation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Revocation {
    /// The time of the revocation.
    pub at: Timestamp,
    /// The reason, if the revoking user gave one.
    pub reason: Option<String>,
}
