//! The key by which a call names an invitation.

use crate::{code::CodeDigest, id::InvitationId, record::Record, redemption::Redemption};

/// The key by which an invitation is looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a target")]
pub enum Target {
    /// The id of the invitation.
    Id(InvitationId),
    /// The possible digests of its code. At most one of them is stored.
    Code(Vec<CodeDigest>),
}

impl Target {
    /// Returns whether a look-up by this target finds the invitation, if it is in its scope. A
    /// code does not find a tombstone, unless the user has redeemed it: `mine` is the user's own
    /// redemption.
    ///
    /// A stranger can present any code. A deleted code must be like one that never existed, also
    /// in the time that the answer takes. The user who redeemed it gets the redemption again, as
    /// in every later state.
    #[must_use]
    pub fn finds(&self, invitation: &Record, mine: Option<&Redemption>) -> bool {
        match self {
            Self::Id(_) => true,
            Self::Code(_) => invitation.deleted_at.is_none() || mine.is_some(),
        }
    }
}
