//! Presenting a code: the common part of redeeming and reserving.

use super::{Invitations, Settings, TRIES, evidence::Place, guess::Guess, standing::Vouched};
use crate::{
    actor::Redeemer,
    code::InvitationCode,
    decide::{
        Call, Next, RedeemCommand, UseSource, Wanted, decide_redemption, guard_of_look, next,
    },
    error::Error,
    event::{Action, Reason},
    facts::Facts,
    hooks::CommandKind,
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
    pub(super) fn kind(self) -> CommandKind {
        match self {
            Self::Redemption => CommandKind::Redeem,
            Self::Reservation => CommandKind::Reserve,
        }
    }

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

/// A code that a redeemer presents in one call, with the time until which a reservation holds
/// its use.
struct Presentation<'a> {
    code: &'a InvitationCode,
    redeemer: &'a Redeemer,
    wanted: Wanted,
    until: Timestamp,
    call: &'a Call,
}

impl Presentation<'_> {
    /// Returns the step that takes a use. If the host has vouched for a version of the terms, it
    /// takes one of that version only.
    fn step(&self, settings: &Settings, source: UseSource, vouched: Option<u64>) -> Transition {
        let Self { redeemer, until, .. } = *self;
        let (code, ceiling) = (settings.sealing.digests(self.code), &settings.ceiling);
        let command = match self.wanted {
            Wanted::Redemption => {
                RedeemCommand::Redeem { code, redeemer, ceiling, vouched, source }
            }
            Wanted::Reservation => {
                RedeemCommand::Reserve { code, redeemer, ceiling, vouched, until, source }
            }
        };
        decide_redemption(command, redeemer.scope(), self.call)
    }
}

/// The result of evaluating a code, before the evidence of a refusal is written.
#[derive(Debug)]
enum Evaluated {
    Settled(Settled),
    Refused(RefusedCode),
}

/// The reason why a code was refused.
#[derive(Debug)]
enum RefusedCode {
    /// The redeemer's scope has no such code.
    Missing(Target),
    /// The verdict to show to the caller.
    Told(Verdict, Place),
}

impl RefusedCode {
    fn is_failed_guess(&self) -> bool {
        match self {
            Self::Missing(_) => true,
            Self::Told(verdict, _) => verdict.is_failed_guess(),
        }
    }
}

/// The result of looking at a code before a use is taken.
enum Looked {
    /// The redeemer has redeemed or reserved it already.
    Settled(Settled),
    Refused(RefusedCode),
    /// The host has vouched for the terms of this version. The step takes this use first.
    Vouched {
        version: u64,
        from: UseSource,
    },
}

impl Settled {
    /// Reports and returns the redeemer's earlier redemption.
    fn redeemed(wanted: Wanted, facts: Box<Facts>) -> Self {
        report::replayed(wanted.action());
        Self::Redeemed(facts)
    }

    /// Reports and returns the redeemer's earlier lease.
    fn leased(wanted: Wanted, lease: Lease, facts: Box<Facts>) -> Self {
        report::replayed(wanted.action());
        Self::Leased(lease, facts)
    }
}

impl<S: Store> Invitations<S> {
    /// Redeems a code or holds a use of it: a free use, one of the redeemer's own lease,
    /// or one taken over from an expired lease. Ends the guess with the verdict.
    ///
    /// If the host wants to be asked, each step takes a use on terms that the host has vouched for.
    /// It hears of what was made.
    pub(super) async fn present(
        &self,
        code: &InvitationCode,
        redeemer: &Redeemer,
        wanted: Wanted,
        call: &Call,
        guess: Guess,
        before: Vouched,
    ) -> Result<Settled, Error> {
        let until = self.settings.limits.lease_end(call.now);
        let presentation = Presentation { code, redeemer, wanted, until, call };
        match self.evaluate(&presentation, before).await {
            Ok(Evaluated::Settled(settled)) => {
                guess.end(false);
                if let Settled::Made(facts) = &settled {
                    self.notify(wanted.kind(), call, &facts.invitation).await;
                }
                Ok(settled)
            }
            Ok(Evaluated::Refused(refused)) => {
                Err(self.refuse_code(refused, &presentation, guess).await)
            }
            // The store gave no answer to the guess.
            Err(error) => {
                guess.end(false);
                Err(error)
            }
        }
    }

    async fn evaluate(
        &self,
        presentation: &Presentation<'_>,
        before: Vouched,
    ) -> Result<Evaluated, Error> {
        let Presentation { wanted, call, .. } = *presentation;
        let (mut source, mut place) = (UseSource::Free, Place::Division(None));
        let mut vouched = before.version();
        if vouched.is_none() && self.asks_host() {
            match self.look(presentation).await? {
                Looked::Settled(settled) => return Ok(Evaluated::Settled(settled)),
                Looked::Refused(refused) => return Ok(Evaluated::Refused(refused)),
                Looked::Vouched { version, from } => (source, vouched) = (from, Some(version)),
            }
        }
        for _ in 0..TRIES {
            let transition = presentation.step(&self.settings, source, vouched);
            let facts = match self.apply(&transition).await? {
                Outcome::Applied(facts) | Outcome::Replayed(facts) => {
                    return settled(wanted, call, facts).map(Evaluated::Settled);
                }
                Outcome::Refused(facts) => facts,
                Outcome::Missing => {
                    let target = transition.target().clone();
                    return Ok(Evaluated::Refused(RefusedCode::Missing(target)));
                }
                Outcome::CodeTaken | Outcome::QuotaFull(_) => return Err(corrupt(wanted)),
            };
            let Record { id, division, .. } = &facts.invitation;
            place = Place::Invitation(*id, division.clone());
            let verdict = match next(wanted, transition.guard(), &facts, call.now) {
                Next::Redeemed => return Ok(Evaluated::Settled(Settled::redeemed(wanted, facts))),
                Next::Leased(lease) => {
                    return Ok(Evaluated::Settled(Settled::leased(wanted, lease, facts)));
                }
                Next::Try(other) => {
                    source = other;
                    match self.vouched_for(presentation, &facts.invitation, vouched, before).await?
                    {
                        Ok(version) => {
                            vouched = version;
                            continue;
                        }
                        Err(verdict) => verdict,
                    }
                }
                Next::Refuse(failed) => Verdict::explain(&failed, transition.target(), &facts)
                    .ok_or_else(|| corrupt(wanted))?,
            };
            return Ok(Evaluated::Refused(RefusedCode::Told(self.told(verdict), place)));
        }
        let verdict = Verdict::new(Refusal::Conflict, Reason::Conflict);
        Ok(Evaluated::Refused(RefusedCode::Told(self.told(verdict), place)))
    }

    /// Ends the guess with the refusal, and writes the evidence.
    async fn refuse_code(
        &self,
        refused: RefusedCode,
        presentation: &Presentation<'_>,
        guess: Guess,
    ) -> Error {
        let Presentation { redeemer, call, wanted, .. } = *presentation;
        guess.end(refused.is_failed_guess());
        match refused {
            RefusedCode::Missing(target) => {
                self.refuse_unknown(call, wanted.action(), &target, &redeemer.scope()).await
            }
            RefusedCode::Told(verdict, place) => {
                self.refuse(call, wanted.action(), verdict, place).await
            }
        }
    }

    /// Asks the host about a redemption and the grantor of its code, before a transaction begins in
    /// which the code is redeemed. Asks nothing if the redeemer has redeemed it already. Returns the guess,
    /// unless it has ended.
    ///
    /// # Errors
    ///
    /// The refusal of the redemption, whatever its reason. Its event is recorded as that of a
    /// redemption is.
    pub(super) async fn vouch_before(
        &self,
        code: &InvitationCode,
        redeemer: &Redeemer,
        call: &Call,
        guess: Guess,
    ) -> Result<(Vouched, Guess), Error> {
        if !self.asks_host() {
            return Ok((Vouched::NotYet, guess));
        }
        let wanted = Wanted::Redemption;
        let presentation = Presentation { code, redeemer, wanted, until: call.now, call };
        match self.look(&presentation).await {
            Ok(Looked::Settled(_)) => Ok((Vouched::NotYet, guess)),
            Ok(Looked::Vouched { version, .. }) => Ok((Vouched::Before(version), guess)),
            Ok(Looked::Refused(refused)) => {
                Err(self.refuse_code(refused, &presentation, guess).await)
            }
            Err(error) => {
                guess.end(false);
                Err(error)
            }
        }
    }

    /// Reads the facts about a code, and asks the host about it unless they decide the call. Leases of other redeemers do not decide it, because they pass.
    async fn look(&self, presentation: &Presentation<'_>) -> Result<Looked, Error> {
        let Presentation { code, redeemer, wanted, call, .. } = *presentation;
        let settings = &self.settings;
        let (target, scope) = (Target::Code(settings.sealing.digests(code)), redeemer.scope());
        let Some(facts) = self.store.facts(&target, &scope, redeemer.user()).await? else {
            return Ok(Looked::Refused(RefusedCode::Missing(target)));
        };
        let guard = guard_of_look(redeemer, &settings.ceiling, call.now);
        let facts = Box::new(facts);
        let verdict = match next(wanted, &guard, &facts, call.now) {
            Next::Redeemed => return Ok(Looked::Settled(Settled::redeemed(wanted, facts))),
            Next::Leased(lease) => {
                return Ok(Looked::Settled(Settled::leased(wanted, lease, facts)));
            }
            Next::Try(from) => match self.approve(&facts.invitation, wanted.kind(), call).await {
                Ok(()) => return Ok(Looked::Vouched { version: facts.invitation.version, from }),
                Err(verdict) => verdict,
            },
            Next::Refuse(failed) => {
                Verdict::explain(&failed, &target, &facts).ok_or_else(|| corrupt(wanted))?
            }
        };
        let Record { id, division, .. } = facts.invitation;
        let place = Place::Invitation(id, division);
        Ok(Looked::Refused(RefusedCode::Told(self.told(verdict), place)))
    }

    /// Returns the facts that a step is about, as if its guard had refused them.
    pub(super) async fn facts_before(
        &self,
        transition: &Transition,
        redeemer: &Redeemer,
    ) -> Result<Outcome, StoreError> {
        let (target, scope) = (transition.target(), transition.scope());
        let facts = self.store.facts(target, scope, redeemer.user()).await?;
        Ok(facts.map_or(Outcome::Missing, |facts| Outcome::Refused(Box::new(facts))))
    }

    /// Returns the version of the terms that the host vouches for, or the verdict that refuses
    /// them. Asks nothing about a version that it has vouched for.
    async fn vouched_for(
        &self,
        presentation: &Presentation<'_>,
        invitation: &Record,
        vouched: Option<u64>,
        before: Vouched,
    ) -> Result<Result<Option<u64>, Verdict>, Error> {
        let version = Some(invitation.version);
        match before {
            _ if !self.asks_host() || vouched == version => Ok(Ok(vouched)),
            Vouched::NotYet => {
                let Presentation { wanted, call, .. } = *presentation;
                Ok(self.approve(invitation, wanted.kind(), call).await.map(|()| version))
            }
            Vouched::Before(_) => Err(StoreError::new(StoreErrorKind::Conflict, "redeem")
                .because("the terms changed after the host had vouched for the grantor")
                .into()),
        }
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
