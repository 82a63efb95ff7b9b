//! The key by which a call names an invitation.

use crate::{code::CodeDigest, id::InvitationId};

/// The key by which an invitation is looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a target")]
pub enum Target {
    /// The id of the invitation.
    Id(InvitationId),
    /// The possible digests of its code. At most one of them is stored.
    Code(Vec<CodeDigest>),
}
