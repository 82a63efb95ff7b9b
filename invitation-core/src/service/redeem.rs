//! Redeeming a code.

use super::{Invitations, guess::Guess, present::Settled, standing::Vouched};
use crate::{
    actor::Redeemer,
    code::InvitationCode,
    decide::{Call, Wanted},
    error::Error,
    event::Action,
    facts::Facts,
    id::InvitationId,
    lease::ReservationId,
    metadata::Metadata,
    record::Record,
    redemption::Redemption,
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    text::{Division, Role, Username},
    time::Timestamp,
};

/// A redemption, and what it grants.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Metadata, Redeemer, Username};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let team = Metadata::new(serde_json::json!({ "team": "north" }))?;
/// let code = invitations.create(&manager, Draft::new().with_metadata(team)).await?.code().reveal();
///
/// let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
/// let redeemed = invitations.redeem(&code, &anna).await?;
/// assert_eq!((redeemed.role().as_str(), redeemed.division().as_str()), ("staff", "sales"));
/// assert_eq!(redeemed.metadata().expect("it was attached").to_value()["team"], "north");
///
/// // A repeated call grants nothing anew: the account may have lost the role since.
/// let again = invitations.redeem(&code, &anna).await?;
/// assert!(again.is_replayed() && again.redemption() == redeemed.redemption());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redeemed {
    redemption: Redemption,
    invitation: Record,
    replayed: bool,
}

impl Redeemed {
    /// The id of the redemption.
    #[must_use]
    pub fn redemption(&self) -> &Redemption {
        &self.redemption
    }

    /// The id of the invitation that was redeemed.
    #[must_use]
    pub fn invitation(&self) -> InvitationId {
        self.invitation.id
    }

    /// The role that the new user gets: the invitation's role at the time of the
    /// redemption.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.redemption.role
    }

    /// The division that the new user joins.
    #[must_use]
    pub fn division(&self) -> &Division {
        &self.invitation.division
    }

    /// The new user's name, as given at the redemption.
    #[must_use]
    pub fn username(&self) -> &Username {
        &self.redemption.username
    }

    /// The time of the redemption.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.redemption.at
    }

    /// The reservation that held the use, if there was one: the account of this
    /// redemption is the one created under this id.
    #[must_use]
    pub fn reservation(&self) -> Option<ReservationId> {
        let invitation = self.invitation.id;
        self.redemption.lease.map(|lease| ReservationId::new(invitation, lease))
    }

    /// The metadata that the host attached to the invitation.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.invitation.metadata.as_ref()
    }

    /// Whether this redeemer had already redeemed the invitation. In this case the call
    /// consumed no use, and it is **not a fresh grant**: the account keeps the rights it
    /// has now, and a removed member must not regain access by it.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.replayed
    }
}

impl Redeemed {
    pub(super) fn record(&self) -> &Record {
        &self.invitation
    }
}

impl<S: Store> Invitations<S> {
    /// Redeems a code as typed, for the account that the host is creating.
    ///
    /// The check, the use and the evidence are one atomic step of the store. A repeated
    /// call of the same redeemer with the same code returns the same redemption
    /// ([`Redeemed::is_replayed`]), whatever the state of the invitation is by then. A
    /// double click or a retry after a lost reply is therefore harmless.
    ///
    /// Inside a host's own transaction, call it on a service [`on`](Self::on) a store
    /// that joins the transaction; then the redemption commits with the account, or not
    /// at all.
    ///
    /// If the redeemer has [reserved](Self::reserve) a use, the redemption takes that
    /// one. If no use is free, it takes one over from an expired reservation of another
    /// redeemer.
    ///
    /// If the code is bound to a domain, each proved address redeems it once. Another user
    /// with the same address gets `Used`. An expired reservation that has the address gives
    /// way to the redemption.
    ///
    /// One call to the store, and one more if a reservation holds the use. A refusal
    /// needs another call to record its evidence, and a refusal of an unknown code one
    /// more. If the host [judges grantors](crate::standing) or has [hooks](crate::hooks), one more
    /// call reads the terms.
    ///
    /// # Errors
    ///
    /// - [`Error::ParseCode`], without a call to the store.
    /// - [`Error::Refused`]: `CodeUnknown` (also for a code of another division
    ///   than the redeemer's), `Used`, `Revoked`, `Expired`,
    ///   `AddressProofRequired`, `GrantWithdrawn`, `Vetoed`, `Reserved`, `Conflict`. With
    ///   [`Disclosure::Nothing`](super::Disclosure::Nothing), always `CodeUnknown`. With a
    ///   [throttle](Self::with_throttle) also `TooManyRequests`: the code was not evaluated.
    /// - [`Error::Store`]. After [`OutcomeUnknown`](StoreErrorKind::OutcomeUnknown), call
    ///   again with the same redeemer: the result says whether it was redeemed.
    pub async fn redeem(&self, code: &str, redeemer: &Redeemer) -> Result<Redeemed, Error> {
        let code = self.parse_code(code)?;
        let call = self.call(redeemer.performer(), redeemer.context())?;
        let guess = self.guess(&call, Action::Redeem, &code, redeemer).await?;
        self.redeem_guess(&code, redeemer, &call, guess, Vouched::NotYet).await
    }

    /// Redeems a code for whose evaluation the throttle has given a token, and for whose grantor
    /// the host may have vouched already.
    pub(super) async fn redeem_guess(
        &self,
        code: &InvitationCode,
        redeemer: &Redeemer,
        call: &Call,
        guess: Guess,
        vouched: Vouched,
    ) -> Result<Redeemed, Error> {
        match self.present(code, redeemer, Wanted::Redemption, call, guess, vouched).await? {
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
