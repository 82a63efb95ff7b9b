//! Checking a code before it is redeemed.

use super::{Invitations, Redeemed, evidence::Place, redeem::redeemed};
use crate::{
    actor::Redeemer,
    binding::Binding,
    decide::{Next, Wanted, guard_of_check, next},
    email::{Email, VerifiedEmail},
    error::Error,
    event::Action,
    record::Record,
    refusal::Verdict,
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    target::Target,
};

/// What it takes to redeem a code, by the invitation's current state.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Checked, Email, Redeemer, Username};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let open = invitations.create(&manager, Draft::new()).await?.code().reveal();
/// let for_anna = Draft::new().for_email(Email::parse("anna@example.com")?);
/// let bound = invitations.create(&manager, for_anna).await?.code().reveal();
///
/// let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
/// let claimed = Email::parse("ANNA@example.com")?;
/// for (code, needed) in [(&open, "nothing"), (&bound, "a mail to anna@example.com")] {
///     let next = match invitations.check(code, &anna, Some(&claimed)).await? {
///         Checked::Redeemable => "nothing".to_owned(),
///         Checked::ProofOf(address) => format!("a mail to {}", address.as_str()),
///         Checked::AlreadyRedeemed(before) => format!("signing in as {}", before.username()),
///     };
///     assert_eq!(next, needed);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Checked {
    /// No proof is missing: the code can be redeemed.
    Redeemable,
    /// A proof of this address is missing. For a code bound to an address, it is that
    /// address, as it was given then; for one bound to a domain, the claimed address.
    /// Send the proof's mail here.
    ProofOf(Email),
    /// The redeemer has already redeemed it.
    AlreadyRedeemed(Box<Redeemed>),
}

impl<S: Store> Invitations<S> {
    /// Returns what it takes to redeem a code, without consuming it, so that a host can
    /// have an address proved before it redeems.
    ///
    /// `claimed` is an address that the new user states but has not proved. The bound
    /// address is disclosed only to a caller that names it; a proved address of the
    /// redeemer counts instead of `claimed`.
    ///
    /// The result is only a forecast: [`redeem`](Self::redeem) checks everything again,
    /// in its own atomic step. Reservations are not considered, because they are
    /// temporary. Nor is whether another user has redeemed a code for a domain with the
    /// same address: only the owner of the address learns that. A host that
    /// [judges grantors](crate::standing) is asked.
    ///
    /// One call to the store; a refusal needs another call to record its evidence, and a
    /// refusal of an unknown code one more.
    ///
    /// # Errors
    ///
    /// As [`redeem`](Self::redeem), for the same reasons and with the same evidence;
    /// `AddressProofRequired` when the claimed address does not meet the binding. Never
    /// `Reserved`.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{
    ///     Actor, Checked, Division, Draft, Email, Invitations, MemoryStore, Redeemer, Refusal,
    ///     Role, UserId, Username,
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let invitations = Invitations::new(MemoryStore::new());
    /// # let manager =
    /// #     Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, Division::new("sales")?);
    /// let for_anna = Draft::new().for_email(Email::parse("anna@example.com")?);
    /// let code = invitations.create(&manager, for_anna).await?.code().reveal();
    ///
    /// let newcomer = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
    /// let claimed = Email::parse("Anna@Example.com")?;
    /// let checked = invitations.check(&code, &newcomer, Some(&claimed)).await?;
    /// assert_eq!(checked, Checked::ProofOf(Email::parse("anna@example.com")?));
    ///
    /// let other = Email::parse("ben@example.com")?;
    /// let refused = invitations.check(&code, &newcomer, Some(&other)).await.unwrap_err();
    /// assert_eq!(refused.refusal(), Some(&Refusal::AddressProofRequired));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check(
        &self,
        code: &str,
        redeemer: &Redeemer,
        claimed: Option<&Email>,
    ) -> Result<Checked, Error> {
        let corrupt = || StoreError::new(StoreErrorKind::Corrupt, "check");
        let code = self.parse_code(code)?;
        let proved = redeemer.email().map(VerifiedEmail::email);
        let settings = &self.settings;
        let call = self.call(redeemer.performer(), redeemer.context())?;
        let address = proved.or(claimed).map(|address| address.key().clone());
        let guard = guard_of_check(redeemer, address, &settings.ceiling, call.now);
        let (target, scope) = (Target::Code(settings.sealing.digests(&code)), redeemer.scope());
        let guess = self.guess(&call, Action::Redeem, &code, redeemer).await?;
        let facts = match self.store.facts(&target, &scope, redeemer.user()).await {
            Ok(Some(facts)) => facts,
            Ok(None) => {
                guess.end(true);
                return Err(self.refuse_unknown(&call, Action::Redeem, &target, &scope).await);
            }
            Err(error) => {
                guess.end(false);
                return Err(error.into());
            }
        };
        let next = next(Wanted::Redemption, &guard, &facts, call.now);
        let verdict = match &next {
            Next::Refuse(failed) => Verdict::explain(failed, &target, &facts),
            Next::Redeemed | Next::Leased(_) | Next::Try(_) => None,
        };
        let verdict = verdict.map(|verdict| self.told(verdict));
        guess.end(verdict.as_ref().is_some_and(Verdict::is_failed_guess));
        let verdict = match (next, verdict) {
            (Next::Redeemed, _) => {
                return Ok(Checked::AlreadyRedeemed(Box::new(redeemed(facts, true)?)));
            }
            (Next::Refuse(_), verdict) => verdict.ok_or_else(corrupt)?,
            // The guard lacks only a use to take, so the code can be redeemed.
            (Next::Try(_) | Next::Leased(_), _) => match self.vouch(&facts.invitation).await {
                Ok(()) => {
                    return Ok(match (facts.invitation.binding, proved) {
                        (Binding::Anyone, _) | (_, Some(_)) => Checked::Redeemable,
                        (Binding::Address(stored), None) => Checked::ProofOf(stored),
                        (Binding::Domain(_), None) => {
                            Checked::ProofOf(claimed.cloned().ok_or_else(corrupt)?)
                        }
                    });
                }
                Err(verdict) => self.told(verdict),
            },
        };
        let Record { id, division, .. } = facts.invitation;
        let place = Place::Invitation(id, division);
        Err(self.refuse(&call, Action::Redeem, verdict, place).await)
    }
}
