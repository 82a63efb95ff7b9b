//! Redeeming: the step that the promise is about.

use super::{Invitations, present::Settled};
use crate::{
    actor::Redeemer,
    decide::Wanted,
    error::{Error, StoreError, StoreErrorKind},
    id::InvitationId,
    invitation::{Facts, Invitation, Redemption},
    lease::ReservationId,
    metadata::Metadata,
    store::Store,
    text::{Division, Role, Username},
    time::Timestamp,
};

/// A redemption, and what it grants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redeemed {
    redemption: Redemption,
    invitation: Invitation,
    replayed: bool,
}

impl Redeemed {
    /// The redemption.
    #[must_use]
    pub fn redemption(&self) -> &Redemption {
        &self.redemption
    }

    /// The invitation that was redeemed.
    #[must_use]
    pub fn invitation(&self) -> InvitationId {
        self.invitation.id
    }

    /// The role that the newcomer gets: as stored when it was redeemed.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.redemption.role
    }

    /// The division that the newcomer joins.
    #[must_use]
    pub fn division(&self) -> &Division {
        &self.invitation.division
    }

    /// The newcomer's name, as given at the redemption.
    #[must_use]
    pub fn username(&self) -> &Username {
        &self.redemption.username
    }

    /// When it was redeemed.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.redemption.at
    }

    /// The reservation that held the use, if one did: the account that belongs to this
    /// redemption is the one that was created under this key.
    #[must_use]
    pub fn reservation(&self) -> Option<ReservationId> {
        let invitation = self.invitation.id;
        self.redemption.lease.map(|lease| ReservationId::new(invitation, lease))
    }

    /// What the host attached to the invitation.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.invitation.metadata.as_ref()
    }

    /// Whether this redeemer had redeemed it before. Then nothing was consumed,
    /// and it is **not a fresh grant**: the account has whatever it has by now,
    /// and a member who was removed does not come back by it.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.replayed
    }
}

impl<S: Store> Invitations<S> {
    /// Redeems a code as typed, for the account that the host is creating.
    ///
    /// The check, the use and the evidence are one atomic step of the store. The
    /// same redeemer presenting the same code again, in whatever state it is by
    /// then, gets the same redemption back ([`Redeemed::is_replayed`]): a double
    /// click or a retry after a lost reply is harmless.
    ///
    /// Inside a host's own transaction, call it on a service
    /// [`on`](Self::on) a store that joins the transaction; then the redemption
    /// commits with the account, or not at all.
    ///
    /// A use that the redeemer had [reserved](Self::reserve) is the one that is
    /// taken; one that a run-out reservation of somebody else still holds is taken
    /// from it when no other is left.
    ///
    /// One call to the store, and one more where a reservation is in the way; a
    /// refusal takes another for its evidence, and that of an unknown code one more.
    ///
    /// # Errors
    ///
    /// - [`Error::Mistyped`], without a call to the store.
    /// - [`Error::Refused`]: `CodeUnknown` (also for a code of another division
    ///   than the redeemer's), `Used`, `Revoked`, `Expired`,
    ///   `AddressProofRequired`, `GrantWithdrawn`, `Reserved`, `Conflict`. With
    ///   [`Disclosure::Nothing`](super::Disclosure::Nothing), always `CodeUnknown`.
    /// - [`Error::Store`]. After
    ///   [`OutcomeUnknown`](StoreErrorKind::OutcomeUnknown), call again with
    ///   the same redeemer: the answer is the truth.
    pub async fn redeem(&self, code: &str, redeemer: &Redeemer) -> Result<Redeemed, Error> {
        let code = self.parse_code(code)?;
        match self.present(&code, redeemer, Wanted::Redemption).await? {
            Settled::Made(facts) => redeemed(*facts, false),
            Settled::Redeemed(facts) => redeemed(*facts, true),
            Settled::Leased(..) => Err(StoreError::new(StoreErrorKind::Corrupt, "redeem").into()),
        }
    }
}

pub(super) fn redeemed(facts: Facts, replayed: bool) -> Result<Redeemed, Error> {
    let Facts { invitation, mine, .. } = facts;
    match mine {
        Some(redemption) => Ok(Redeemed { redemption, invitation, replayed }),
        None => Err(StoreError::new(StoreErrorKind::Corrupt, "redeem")
            .because("the facts of a redemption must contain it")
            .into()),
    }
}
