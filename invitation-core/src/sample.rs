//! Facts for the tests of this crate.

use std::num::NonZeroU32;

use crate::{
    binding::Binding,
    code::{CodeDigest, CodeTag, SealedCode},
    id::{EventId, InvitationId},
    inviter::Inviter,
    record::Record,
    redemption::Redemption,
    text::{Division, Role, UserId, Username},
    time::Timestamp,
};

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

/// An open invitation for two uses, without a use.
pub(crate) fn invitation() -> Record {
    Record {
        id: InvitationId::from_bytes([1; 16]),
        digest: CodeDigest::from_bytes([2; 32]),
        tag: CodeTag::from_bytes([3; 8]),
        sealed: SealedCode::from_bytes(Vec::new()),
        binding: Binding::Anyone,
        role: Role::new("staff").unwrap(),
        division: Division::new("sales").unwrap(),
        inviter: Inviter::System,
        grantor: Inviter::System,
        created_at: at(1_000),
        expires_at: at(10_000),
        max_uses: NonZeroU32::new(2).unwrap(),
        uses: 0,
        held: 0,
        last_use: None,
        revocation: None,
        deleted_at: None,
        version: 1,
        batch: None,
        metadata: None,
    }
}

pub(crate) fn redemption() -> Redemption {
    Redemption {
        id: EventId::from_bytes([4; 16]),
        user: UserId::new("u-9").unwrap(),
        username: Username::new("anna").unwrap(),
        at: at(3_000),
        role: Role::new("staff").unwrap(),
        lease: None,
        mailbox: None,
    }
}
