//! The divisions that a call may touch.

use crate::text::Division;

/// The divisions that a query or a change may touch. Every call to a store names a scope;
/// for that call, invitations outside of it do not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a scope")]
pub enum Scope {
    /// All divisions of the host.
    All,
    /// This division only.
    Division(Division),
}

impl Scope {
    /// Returns whether `division` lies within the scope.
    #[must_use]
    pub fn contains(&self, division: &Division) -> bool {
        match self {
            Self::All => true,
            Self::Division(own) => own == division,
        }
    }
}
