//! Presenting a code: the common part of redeeming and reserving.

use super::{Invitations, TRIES, evidence::Place, guess::Guess};
use crate::{
    actor::Redeemer,
    code::InvitationCode,
    decide::{Call, Next, RedeemCommand, UseSource, Wanted, decide_redemption, next},
    error::Error,
    event::{Action, Reason},
    facts::Facts,
    lease::Lease,
    outcome::Outcome,
    record::Record,
    refusal::{Refusal, Verdict},
    report,
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    target::Target,
    time::Timestamp,
    transition::Transition,
};

impl Wanted {
    fn action(self) -> Action {
        match self {
            Self::Redemption => Action::Redeem,
            Self::Reservation => Action::Reserve,
        }
    }
}

/// The result of presenting a code that was not refused.
#[derive(Clone, Debug)]
pub(super) enum Settled {
    /// The operation was applied; the facts are those after it.
    Made(Box<Facts>),
    /// The redeemer had already redeemed the invitation.
    Redeemed(Box<Facts>),
    /// The redeemer already has this lease, from an earlier call.
    Leased(Lease, Box<Facts>),
}

/// The result of evaluating a code, before the evidence of a refusal is written.
#[derive(Debug)]
enum Evaluated {
    Settled(Settled),
    /// The redeemer's scope has no such code.
    Missing(Target),
    Refused(Verdict, Place),
}

impl<S: Store> Invitations<S> {
    /// Redeems a code or holds a use of it: a free use, one of the redeemer's own lease,
    /// or one taken over from an expired lease. Ends the guess with the verdict.
    pub(super) async fn present(
        &self,
        code: &InvitationCode,
        redeemer: &Redeemer,
        wanted: Wanted,
        call: &Call,
        guess: Guess,
    ) -> Result<Settled, Error> {
        let evaluated = self.evaluate(code, redeemer, wanted, call).await;
        guess.end(match &evaluated {
            Ok(Evaluated::Missing(_)) => true,
            Ok(Evaluated::Refused(verdict, _)) => verdict.is_failed_guess(),
            // The store gave no answer to the guess, or it was no failure.
            Ok(Evaluated::Settled(_)) | Err(_) => false,
        });
        match evaluated? {
            Evaluated::Settled(settled) => Ok(settled),
            Evaluated::Missing(target) => {
                Err(self.refuse_unknown(call, wanted.action(), &target, &redeemer.scope()).await)
            }
            Evaluated::Refused(verdict, place) => {
                Err(self.refuse(call, wanted.action(), verdict, place).await)
            }
        }
    }

    async fn evaluate(
        &self,
        code: &InvitationCode,
        redeemer: &Redeemer,
        wanted: Wanted,
        call: &Call,
    ) -> Result<Evaluated, Error> {
        let until = self.settings.limits.lease_end(call.now);
        let (mut source, mut place) = (UseSource::Free, Place::Division(None));
        for _ in 0..TRIES {
            let transition = self.presented(code, redeemer, wanted, until, source, call);
            let facts = match self.apply(&transition).await? {
                Outcome::Applied(facts) | Outcome::Replayed(facts) => {
                    return settled(wanted, call, facts).map(Evaluated::Settled);
                }
                Outcome::Refused(facts) => facts,
                Outcome::Missing => return Ok(Evaluated::Missing(transition.target().clone())),
                Outcome::CodeTaken | Outcome::QuotaFull(_) => return Err(corrupt(wanted)),
            };
            let Record { id, division, .. } = &facts.invitation;
            place = Place::Invitation(*id, division.clone());
            match next(wanted, transition.guard(), &facts, call.now) {
                Next::Redeemed => {
                    report::replayed(wanted.action());
                    return Ok(Evaluated::Settled(Settled::Redeemed(facts)));
                }
                Next::Leased(lease) => {
                    report::replayed(wanted.action());
                    return Ok(Evaluated::Settled(Settled::Leased(lease, facts)));
                }
                Next::Try(other) => source = other,
                Next::Refuse(failed) => {
                    let verdict = Verdict::explain(&failed, transition.target(), &facts)
                        .ok_or_else(|| corrupt(wanted))?;
                    return Ok(Evaluated::Refused(self.told(verdict), place));
                }
            }
        }
        let verdict = Verdict::new(Refusal::Conflict, Reason::Conflict);
        Ok(Evaluated::Refused(self.told(verdict), place))
    }

    fn presented(
        &self,
        code: &InvitationCode,
        redeemer: &Redeemer,
        wanted: Wanted,
        until: Timestamp,
        source: UseSource,
        call: &Call,
    ) -> Transition {
        let settings = &self.settings;
        let (code, ceiling) = (settings.sealing.digests(code), &settings.ceiling);
        let command = match wanted {
            Wanted::Redemption => RedeemCommand::Redeem { code, redeemer, ceiling, source },
            Wanted::Reservation => {
                RedeemCommand::Reserve { code, redeemer, ceiling, until, source }
            }
        };
        decide_redemption(command, redeemer.scope(), call)
    }
}

/// Turns the facts of an applied operation into its result, which says whether this call
/// or an earlier one began the redemption or lease. A resent call counts as the same
/// call; a renewed lease as an earlier one.
fn settled(wanted: Wanted, call: &Call, facts: Box<Facts>) -> Result<Settled, Error> {
    match (wanted, &facts.mine, &facts.lease) {
        (Wanted::Redemption, Some(mine), _) if mine.id == call.id => Ok(Settled::Made(facts)),
        (_, Some(_), _) => Ok(Settled::Redeemed(facts)),
        (Wanted::Reservation, None, Some(lease)) if lease.id == call.id => Ok(Settled::Made(facts)),
        (Wanted::Reservation, None, Some(lease)) => Ok(Settled::Leased(lease.clone(), facts)),
        (_, None, _) => Err(corrupt(wanted)),
    }
}

fn corrupt(wanted: Wanted) -> Error {
    let operation = match wanted {
        Wanted::Redemption => "redeem",
        Wanted::Reservation => "reserve",
    };
    StoreError::new(StoreErrorKind::Corrupt, operation).into()
}
