//! Asking the host about the standing of a grantor.

use super::Invitations;
use crate::{
    event::Reason,
    record::Record,
    refusal::{Refusal, Verdict},
    report,
    standing::{Grant, ask},
    store::Store,
};

/// The terms of an invitation for which the host has vouched, when a call begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Vouched {
    /// The call asks by itself, if the host has a hook.
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
    /// Returns whether a host's hook judges grantors.
    pub(super) fn asks_about_grantors(&self) -> bool {
        self.settings.standing.is_some()
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
