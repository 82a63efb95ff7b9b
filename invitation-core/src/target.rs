//! The key by which a call names an invitation.

use crate::{code::CodeDigest, id::InvitationId, record::Record};

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
    /// Whether a look-up by this target finds the invitation, if it is in its scope. A code does
    /// not find a tombstone.
    ///
    /// Anyone can present a code. A deleted code must be like one that never existed, also in the
    /// time that the answer takes, so a store does not read more for it.
    #[must_use]
    pub fn finds(&self, invitation: &Record) -> bool {
        match self {
            Self::Id(_) => true,
            Self::Code(_) => invitation.deleted_at.is_none(),
        }
    }
}
