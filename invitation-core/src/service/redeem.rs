//! Redeeming: the step that the promise is about.

use super::{Disclosure, Invitations, TRIES, evidence::Place};
use crate::{
    actor::{Redeemer, Scope},
    decide::{Call, Command, decide},
    draft::IfVersion,
    error::{Error, StoreError, StoreErrorKind},
    event::{Action, Reason},
    guard::Condition,
    id::InvitationId,
    invitation::{Facts, Invitation, Redemption},
    metadata::Metadata,
    refusal::{Refusal, Verdict},
    store::{Outcome, Store},
    text::{Division, Role, Username},
    time::Timestamp,
    transition::Transition,
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
    /// One call to the store; a refusal takes a second one for its evidence, and
    /// that of an unknown code a third.
    ///
    /// # Errors
    ///
    /// - [`Error::Mistyped`], without a call to the store.
    /// - [`Error::Refused`]: `CodeUnknown` (also for a code of another division
    ///   than the redeemer's), `Used`, `Revoked`, `Expired`,
    ///   `AddressProofRequired`, `GrantWithdrawn`, `Conflict`. With
    ///   [`Disclosure::Nothing`], always `CodeUnknown`.
    /// - [`Error::Store`]. After
    ///   [`OutcomeUnknown`](StoreErrorKind::OutcomeUnknown), call again with
    ///   the same redeemer: the answer is the truth.
    pub async fn redeem(&self, code: &str, redeemer: &Redeemer) -> Result<Redeemed, Error> {
        let code = self.parse_code(code)?;
        let call = self.call(redeemer.performer(), redeemer.origin())?;
        let command = Command::Redeem {
            code: self.settings.sealing.digests(&code),
            redeemer,
            ceiling: &self.settings.ceiling,
        };
        let policy = &self.settings.policy;
        let transition = match decide(command, redeemer.scope(), IfVersion::Any, &call, policy) {
            Ok(transition) => transition,
            Err(verdict) => {
                return Err(self.refuse_redeem(&call, verdict, Place::Division(None)).await);
            }
        };
        for _ in 0..TRIES {
            match self.apply(&transition).await? {
                Outcome::Applied(facts) => return redeemed(*facts, false),
                Outcome::Replayed(facts) => return redeemed(*facts, true),
                Outcome::Refused(facts) => match transition.guard().first_refusal(&facts) {
                    Some(Condition::FirstUseBy(_)) => return redeemed(*facts, true),
                    Some(failed) => {
                        return Err(self.refuse_holder(&call, &transition, failed, *facts).await);
                    }
                    // The facts satisfy the guard by now: try again.
                    None => {}
                },
                Outcome::Missing => return Err(self.refuse_unknown(&call, &transition).await),
                Outcome::CodeTaken => {
                    return Err(StoreError::new(StoreErrorKind::Corrupt, "redeem").into());
                }
            }
        }
        let verdict = Verdict::new(Refusal::Conflict, Reason::Conflict);
        Err(self.refuse_redeem(&call, verdict, Place::Division(None)).await)
    }

    async fn refuse_holder(
        &self,
        call: &Call,
        transition: &Transition,
        failed: &Condition,
        facts: Facts,
    ) -> Error {
        let place = Place::Invitation(facts.invitation.id, facts.invitation.division.clone());
        match Verdict::explain(failed, transition.target(), &facts) {
            Some(verdict) => self.refuse_redeem(call, verdict, place).await,
            None => StoreError::new(StoreErrorKind::Corrupt, "redeem").into(),
        }
    }

    async fn refuse_unknown(&self, call: &Call, transition: &Transition) -> Error {
        let named = match transition.scope() {
            Scope::Division(division) => Some(division),
            Scope::All => None,
        };
        self.refuse_missing(call, Action::Redeem, transition.target(), named).await
    }

    async fn refuse_redeem(&self, call: &Call, verdict: Verdict, place: Place) -> Error {
        let verdict = match self.settings.disclosure {
            Disclosure::ToHolder => verdict,
            Disclosure::Nothing => verdict.told_as(Refusal::CodeUnknown),
        };
        self.refuse(call, Action::Redeem, verdict, place).await
    }
}

fn redeemed(facts: Facts, replayed: bool) -> Result<Redeemed, Error> {
    let Facts { invitation, mine } = facts;
    match mine {
        Some(redemption) => Ok(Redeemed { redemption, invitation, replayed }),
        None => Err(StoreError::new(StoreErrorKind::Corrupt, "redeem")
            .because("the facts of a redemption must contain it")
            .into()),
    }
}
