//! Where rules are composed: a pure function from a command to a [`Transition`].
//!
//! Hosts call [`Invitations`](crate::Invitations), which calls this. It is public
//! for authors of stores, who want transitions to try their store on.

mod amend;
mod create;
mod form;
mod quotas;
mod redeem;

use std::sync::Arc;

pub use self::{amend::NewTerms, redeem::Taking};
pub(crate) use self::{
    create::{Rejected, Terms},
    form::{Authority, Form},
    quotas::quotas,
    redeem::{Next, Wanted, next},
};
use self::{quotas::quotas_of_revival, redeem::Presented};
use crate::{
    actor::{Redeemer, Scope},
    change::Change,
    code::{CodeDigest, CodeTag, SealedCode},
    draft::IfVersion,
    email::EmailKey,
    event::{Action, Detail, Event, EventOutcome, Origin, Performer, Reason},
    guard::{Condition, Guard},
    id::{EventId, InvitationId},
    invitation::{Facts, Invitation, Inviter, Revocation, Status},
    lease::ReservationId,
    limits::Limits,
    policy::{Policy, Right, RolePair},
    refusal::{Refusal, Verdict},
    text::Role,
    time::Timestamp,
    transition::{Target, Transition},
};

/// One call of the service: who acts, when, and under which id.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the service and authors of stores build it")]
pub struct Call {
    /// The id of the operation, of its event, and of its redemption.
    pub id: EventId,
    /// The time of the call.
    pub now: Timestamp,
    /// Who acts.
    pub performer: Performer,
    /// What the host ties it to.
    pub origin: Origin,
}

impl Call {
    /// The event that this call did `action`.
    pub(crate) fn done(&self, action: Action, detail: Detail) -> Event {
        Event {
            id: self.id,
            at: self.now,
            performer: self.performer.clone(),
            action,
            outcome: EventOutcome::Succeeded,
            reason: None,
            invitation: None,
            division: None,
            origin: self.origin.clone(),
            detail,
        }
    }

    /// Who invites by this call.
    pub(crate) fn inviter(&self) -> Inviter {
        match &self.performer {
            Performer::Actor { user, role } => {
                Inviter::User { user: user.clone(), role: role.clone() }
            }
            Performer::System | Performer::Redeemer { .. } => Inviter::System,
        }
    }
}

/// What is to happen to one invitation.
///
/// `Amend`, `Rotate` and `Reinstate` are decided on loaded facts, `current`; the
/// others on what the store finds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command<'a> {
    /// Count a use of the code and remember whose.
    Redeem {
        /// Under which digests the code may be stored.
        code: Vec<CodeDigest>,
        /// Who presents it.
        redeemer: &'a Redeemer,
        /// What the current policy lets inviters grant.
        ceiling: &'a Arc<[RolePair]>,
        /// Which use it takes.
        taking: Taking,
    },
    /// Hold a use of the code for somebody.
    Reserve {
        /// Under which digests the code may be stored.
        code: Vec<CodeDigest>,
        /// Who presents it.
        redeemer: &'a Redeemer,
        /// What the current policy lets inviters grant.
        ceiling: &'a Arc<[RolePair]>,
        /// How long.
        until: Timestamp,
        /// Which use it takes.
        taking: Taking,
    },
    /// Find out what the invitation has against being redeemed. Changes nothing: a
    /// store always refuses it, with the facts.
    Check {
        /// Under which digests the code may be stored.
        code: Vec<CodeDigest>,
        /// Who presents it.
        redeemer: &'a Redeemer,
        /// The address that is going to be proved.
        address: Option<EmailKey>,
        /// What the current policy lets inviters grant.
        ceiling: &'a Arc<[RolePair]>,
    },
    /// Turn a held use into a redemption.
    Commit {
        /// Which.
        reservation: ReservationId,
        /// Whose.
        redeemer: &'a Redeemer,
        /// What the current policy lets inviters grant.
        ceiling: &'a Arc<[RolePair]>,
    },
    /// Give a held use back.
    Release {
        /// Which.
        reservation: ReservationId,
        /// Whose.
        redeemer: &'a Redeemer,
    },
    /// Set other terms.
    Amend {
        /// The loaded facts.
        current: &'a Invitation,
        /// The terms.
        terms: NewTerms,
    },
    /// Replace the code.
    Rotate {
        /// The loaded facts.
        current: &'a Invitation,
        /// The new look-up digest.
        digest: CodeDigest,
        /// The new search tag.
        tag: CodeTag,
        /// The new code, sealed.
        sealed: SealedCode,
    },
    /// Withdraw it.
    Revoke {
        /// Which.
        id: InvitationId,
        /// Why.
        reason: Option<String>,
    },
    /// Undo its revocation.
    Reinstate {
        /// The loaded facts.
        current: &'a Invitation,
    },
    /// Leave a tombstone.
    Delete {
        /// Which.
        id: InvitationId,
    },
}

/// Decides: from a command and the call that it comes with to the one step that
/// carries it out, or to the verdict that it may not be.
///
/// # Errors
///
/// The [`Verdict`] when the performer lacks a right that the invitation's present or new
/// form needs (to grant its role, [`Right::MultiUse`], [`Right::BindDomain`]), or when the
/// loaded facts already refuse the change.
pub fn decide(
    command: Command<'_>,
    scope: Scope,
    if_version: IfVersion,
    call: &Call,
    policy: &Policy,
    limits: &Limits,
) -> Result<Transition, Verdict> {
    let plain = |target, guard, change, event| {
        Ok(Transition { target, scope: scope.clone(), guard, quotas: Vec::new(), change, event })
    };
    match command {
        Command::Redeem { code, redeemer, ceiling, taking } => {
            Ok(Presented::with_proof(code, redeemer, ceiling).redeem(&taking, scope, call))
        }
        Command::Reserve { code, redeemer, ceiling, until, taking } => {
            Ok(Presented::with_proof(code, redeemer, ceiling).reserve(until, &taking, scope, call))
        }
        Command::Check { code, redeemer, address, ceiling } => {
            Ok(Presented { code, redeemer, address, ceiling }.check(scope, call))
        }
        Command::Commit { reservation, redeemer, ceiling } => {
            Ok(redeem::commit(reservation, redeemer, ceiling, scope, call))
        }
        Command::Release { reservation, redeemer } => {
            Ok(redeem::release(reservation, redeemer, scope, call))
        }
        Command::Amend { current, terms } => {
            terms.check_rights(call, policy)?;
            let guard = on_loaded(current, if_version, OfRevoked::Refuse)?;
            // Each part of the resulting form is either named or the present one. The
            // present form counts also where it is replaced: otherwise a domain binding
            // could be removed without the right to set one.
            Form::of(current).check(call, policy)?;
            let event = call.done(Action::Amend, terms.detail());
            let NewTerms { binding, role, expires_at } = terms;
            let after = Invitation {
                expires_at: expires_at.unwrap_or(current.expires_at),
                ..current.clone()
            };
            let quotas = quotas_of_revival(current, &after, call, limits);
            let change = Change::Amend { binding, role, expires_at };
            let transition = plain(Target::Id(current.id), guard, change, event)?;
            Ok(Transition { quotas, ..transition })
        }
        Command::Rotate { current, digest, tag, sealed } => {
            let guard = on_loaded(current, if_version, OfRevoked::Refuse)?;
            Form::of(current).check(call, policy)?;
            let event = call.done(Action::Rotate, Detail::none());
            plain(Target::Id(current.id), guard, Change::Rotate { digest, tag, sealed }, event)
        }
        Command::Revoke { id, reason } => {
            let mut conditions = unloaded(if_version);
            conditions.extend([Condition::UsesLeft, Condition::NotRevoked]);
            let detail = match &reason {
                Some(reason) => Detail::none().with("reason", reason),
                None => Detail::none(),
            };
            let event = call.done(Action::Revoke, detail);
            let change = Change::Revoke(Revocation { at: call.now, reason });
            plain(Target::Id(id), Guard::new(conditions), change, event)
        }
        Command::Reinstate { current } => {
            let guard = on_loaded(current, if_version, OfRevoked::Take)?;
            if current.revocation.is_none() {
                return Err(Verdict::new(Refusal::NotRevoked, Reason::NotRevoked));
            }
            Form::of(current).check(call, policy)?;
            let event = call.done(Action::Reinstate, Detail::none());
            let after = Invitation { revocation: None, ..current.clone() };
            let quotas = quotas_of_revival(current, &after, call, limits);
            let transition = plain(Target::Id(current.id), guard, Change::Reinstate, event)?;
            Ok(Transition { quotas, ..transition })
        }
        Command::Delete { id } => {
            let guard = Guard::new(unloaded(if_version));
            let event = call.done(Action::Delete, Detail::none());
            plain(Target::Id(id), guard, Change::Delete { at: call.now }, event)
        }
    }
}

/// What a revoked invitation means for a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OfRevoked {
    Refuse,
    Take,
}

/// The guard of a change that was decided on loaded facts: they must not have
/// changed since. Refuses at once what the loaded facts already refuse.
fn on_loaded(
    current: &Invitation,
    if_version: IfVersion,
    of_revoked: OfRevoked,
) -> Result<Guard, Verdict> {
    let version = match if_version {
        IfVersion::Any => current.version,
        IfVersion::Exactly(version) => version,
    };
    let mut conditions =
        vec![Condition::NotDeleted, Condition::Version(version), Condition::UsesLeft];
    if of_revoked == OfRevoked::Refuse {
        conditions.push(Condition::NotRevoked);
    }
    let guard = Guard::new(conditions);
    let facts = Facts::of(current.clone());
    let refused = guard
        .first_refusal(&facts)
        .and_then(|failed| Verdict::explain(failed, &Target::Id(current.id), &facts));
    match refused {
        Some(verdict) => Err(verdict),
        None => Ok(guard),
    }
}

/// The beginning of a guard that needs no loaded facts.
fn unloaded(if_version: IfVersion) -> Vec<Condition> {
    match if_version {
        IfVersion::Any => vec![Condition::NotDeleted],
        IfVersion::Exactly(version) => vec![Condition::NotDeleted, Condition::Version(version)],
    }
}

/// What an actor may do with an invitation as it is now.
pub(crate) fn actions(
    invitation: &Invitation,
    now: Timestamp,
    role: &Role,
    policy: &Policy,
) -> Vec<Right> {
    use Status::{Active, Expired, Revoked};

    let status = invitation.status(now);
    let holds_form = Form::of(invitation).is_within(Authority::Role(role), policy);
    let fits = |right: Right| match right {
        Right::Copy | Right::Delete => true,
        Right::Amend | Right::Rotate => holds_form && matches!(status, Active | Expired),
        Right::Revoke => matches!(status, Active | Expired),
        Right::Reinstate => holds_form && status == Revoked,
        _ => false,
    };
    Right::ALL.into_iter().filter(|right| fits(*right) && policy.allows(role, *right)).collect()
}
