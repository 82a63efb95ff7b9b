//! Deciding: a pure function from a command to a [`Transition`].
//!
//! Hosts call [`Invitations`](crate::Invitations), which calls this module. It is public
//! so that authors of stores can test their store with transitions. Deciding needs no
//! store, no clock and no runtime:
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::audit::{Action, EventId, Performer, RequestContext};
//! use invitation::decide::{Call, Command, decide};
//! use invitation::store::{Change, Condition, Scope};
//! use invitation::{Division, IfVersion, InvitationId, Limits, Policy, Timestamp};
//!
//! let call = Call {
//!     id: EventId::from_bytes([1; 16]),
//!     now: Timestamp::MIN,
//!     performer: Performer::System,
//!     context: RequestContext::default(),
//! };
//! let command = Command::Revoke { id: InvitationId::from_bytes([2; 16]), reason: None };
//! let sales = Scope::Division(Division::new("sales")?);
//! let (policy, limits) = (Policy::default(), Limits::default());
//! let revoke = decide(command, sales, IfVersion::Exactly(3), &call, &policy, &limits).unwrap();
//!
//! // The step is plain data, for any store to apply.
//! use Condition::{NotDeleted, NotRevoked, UsesLeft, Version};
//! assert_eq!(revoke.guard().conditions(), [NotDeleted, Version(3), UsesLeft, NotRevoked]);
//! assert!(matches!(revoke.change(), Change::Revoke(revocation) if revocation.at == call.now));
//! assert_eq!(revoke.event().action, Action::Revoke);
//! # Ok::<_, invitation::FieldError>(())
//! ```
//!
//! - **Input**: a [`Command`], the [`Call`] in which it is given, the scope, the policy and
//!   the limits. A [`Caller`] is the actor or the system on whose behalf a call is made.
//! - **Output**: a [`Transition`], or the [`Verdict`] that refuses the command.

mod amend;
mod create;
mod form;
mod quotas;
mod redeem;

use std::sync::Arc;

pub use self::{amend::NewTerms, redeem::UseSource};
pub(crate) use self::{
    create::{Rejected, Terms},
    form::{Authority, Form},
    quotas::quotas,
    redeem::{Next, Wanted, guard_of_check, next},
};
use self::{quotas::quotas_of_revival, redeem::Presented};
pub use crate::{actor::Caller, refusal::Verdict};
use crate::{
    actor::{Redeemer, Scope},
    change::Change,
    code::{CodeDigest, CodeTag, SealedCode},
    draft::IfVersion,
    event::{Action, Detail, Event, EventOutcome, Performer, Reason, RequestContext},
    guard::{Condition, Guard},
    id::{EventId, InvitationId},
    invitation::{Facts, Invitation, Inviter, Revocation, Status},
    lease::ReservationId,
    limits::Limits,
    policy::{Policy, Right, RolePair},
    refusal::Refusal,
    text::Role,
    time::Timestamp,
    transition::{Target, Transition},
};

/// One call of the service: its performer, its time and its id.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the service and authors of stores build it")]
pub struct Call {
    /// The id of the operation, of its event, and of its redemption.
    pub id: EventId,
    /// The time of the call.
    pub now: Timestamp,
    /// The performer of the call.
    pub performer: Performer,
    /// The context that the host gives the call, such as its correlation id.
    pub context: RequestContext,
}

impl Call {
    /// Returns the event that this call performed `action`.
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
            context: self.context.clone(),
            detail,
        }
    }

    /// Returns the performer as the inviter of an invitation.
    pub(crate) fn inviter(&self) -> Inviter {
        match &self.performer {
            Performer::Actor { user, role } => {
                Inviter::User { user: user.clone(), role: role.clone() }
            }
            Performer::System | Performer::Redeemer { .. } => Inviter::System,
        }
    }
}

/// An operation on one invitation.
///
/// `Amend`, `Rotate` and `Reinstate` are decided on loaded facts, `current`; the others
/// on the facts that the store finds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command<'a> {
    /// Redeems the code: counts a use and stores who redeemed it.
    Redeem {
        /// The digests under which the code may be stored.
        code: Vec<CodeDigest>,
        /// The user who presents the code.
        redeemer: &'a Redeemer,
        /// The role pairs that the current policy lets inviters grant.
        ceiling: &'a Arc<[RolePair]>,
        /// The use that the redemption takes.
        source: UseSource,
    },
    /// Holds a use of the code for a redeemer.
    Reserve {
        /// The digests under which the code may be stored.
        code: Vec<CodeDigest>,
        /// The user who presents the code.
        redeemer: &'a Redeemer,
        /// The role pairs that the current policy lets inviters grant.
        ceiling: &'a Arc<[RolePair]>,
        /// The time at which the lease expires.
        until: Timestamp,
        /// The use that the reservation takes.
        source: UseSource,
    },
    /// Turns a held use into a redemption.
    Commit {
        /// The id of the reservation to commit.
        reservation: ReservationId,
        /// The user who holds the reservation.
        redeemer: &'a Redeemer,
        /// The role pairs that the current policy lets inviters grant.
        ceiling: &'a Arc<[RolePair]>,
    },
    /// Releases a held use.
    Release {
        /// The id of the reservation to release.
        reservation: ReservationId,
        /// The user who holds the reservation.
        redeemer: &'a Redeemer,
    },
    /// Changes the terms of the invitation.
    Amend {
        /// The loaded invitation.
        current: &'a Invitation,
        /// The new terms.
        terms: NewTerms,
    },
    /// Replaces the code.
    Rotate {
        /// The loaded invitation.
        current: &'a Invitation,
        /// The new look-up digest.
        digest: CodeDigest,
        /// The new search tag.
        tag: CodeTag,
        /// The new code, sealed.
        sealed: SealedCode,
    },
    /// Revokes the invitation.
    Revoke {
        /// The id of the invitation to revoke.
        id: InvitationId,
        /// The reason that the actor gives.
        reason: Option<String>,
    },
    /// Undoes a revocation.
    Reinstate {
        /// The loaded invitation.
        current: &'a Invitation,
    },
    /// Deletes the invitation, leaving a tombstone.
    Delete {
        /// The id of the invitation to delete.
        id: InvitationId,
    },
}

/// Decides a command: returns the one step that carries it out, or the verdict that
/// refuses it.
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
        Command::Redeem { code, redeemer, ceiling, source } => {
            Ok(Presented::with_proof(code, redeemer, ceiling).redeem(&source, scope, call))
        }
        Command::Reserve { code, redeemer, ceiling, until, source } => {
            Ok(Presented::with_proof(code, redeemer, ceiling).reserve(until, &source, scope, call))
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
            // Each part of the resulting form is either a new term, which `check_rights`
            // covers, or a present one. The present form counts even for parts that are
            // replaced: otherwise a domain binding could be removed without the right to
            // set one.
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

/// Whether a change is refused or accepted on a revoked invitation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OfRevoked {
    Refuse,
    Take,
}

/// Returns the guard of a change that was decided on loaded facts, which requires that
/// they are unchanged. Refuses at once if the loaded facts already refuse the change.
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

/// Returns the first conditions of a guard that needs no loaded facts.
fn unloaded(if_version: IfVersion) -> Vec<Condition> {
    match if_version {
        IfVersion::Any => vec![Condition::NotDeleted],
        IfVersion::Exactly(version) => vec![Condition::NotDeleted, Condition::Version(version)],
    }
}

/// Returns the actions that an actor may take on an invitation in its current state.
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
