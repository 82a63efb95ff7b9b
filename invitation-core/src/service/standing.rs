//! Asking the host about the standing of a grantor, and whether a redemption is allowed.

use super::Invitations;
use crate::{
    decide::Call,
    event::Reason,
    hooks::CommandKind,
    record::Record,
    refusal::{Refusal, Verdict},
    report,
    standing::{Grant, ask},
    store::Store,
};

/// The terms of an invitation for which the host has vouched, when a call begins. With hooks, the
/// host has also allowed the command on these terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Vouched {
    /// The call asks by itself, if the host wants to be asked.
    NotYet,
    /// The host has vouched for this version, before it began a transaction. The call asks
    /// nothing: a question inside the transaction might wait for its connection.
    Before(u64),
}

impl Vouched {
    /// Returns the version of the terms for which the host has vouched.
    pub(super) fn version(self) -> Option<u64> {
        match self {
            Self::NotYet => None,
            Self::Before(version) => Some(version),
        }
    }
}

impl<S: Store> Invitations<S> {
    /// Returns whether the host is asked before a code is redeemed or reserved: about its grantor,
    /// or about the command.
    pub(super) fn asks_host(&self) -> bool {
        self.settings.standing.is_some() || self.has_hooks()
    }

    /// Asks the host whether the grantor may still grant the invitation, and then whether the
    /// command is allowed.
    ///
    /// # Errors
    ///
    /// The verdict that refuses the call.
    pub(super) async fn approve(
        &self,
        invitation: &Record,
        kind: CommandKind,
        call: &Call,
    ) -> Result<(), Verdict> {
        self.vouch(invitation).await?;
        self.consent(self.intent(kind, call, [invitation])).await
    }

    /// Asks the host whether the grantor of the invitation may still grant it.
    ///
    /// # Errors
    ///
    /// The verdict that refuses the call: the grantor may not, or the host did not say.
    pub(super) async fn vouch(&self, invitation: &Record) -> Result<(), Verdict> {
        let Some(standing) = &self.settings.standing else { return Ok(()) };
        let Some(grant) = Grant::of(invitation) else { return Ok(()) };
        let reason = match ask(&**standing, &grant).await {
            Ok(true) => return Ok(()),
            Ok(false) => Reason::GrantorStanding,
            Err(cause) => {
                report::standing_unknown(&cause);
                Reason::StandingUnknown
            }
        };
        Err(Verdict::new(Refusal::GrantWithdrawn, reason))
    }
}
