//! Deciding: pure functions from a command to a [`Transition`].
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
//!     performer: Performer::System { name: None },
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
//! - **Policy**: a [`PolicyWarning`] is a probable mistake in a policy
//!   ([`Policy::warnings`](crate::Policy::warnings)).
//! - **Grantors**: the module [`standing`] has the hook by which a host says whether the user who
//!   granted an invitation may still grant it.
//! - **Commands**: the module [`hooks`] has the veto of a host before each command, and the
//!   notification after it.
//! - **Redeemers**: [`decide_redemption`] decides a [`RedeemCommand`], which presents a code
//!   or ends a reservation. It cannot fail, because the guard contains every rule.

mod amend;
mod call;
mod create;
mod edit;
mod form;
mod mail;
mod quotas;
mod redeem;

pub use self::{
    amend::NewTerms,
    call::Call,
    redeem::{RedeemCommand, UseSource, decide_redemption},
};
pub(crate) use self::{
    amend::is_for_address,
    create::{Rejected, Terms},
    edit::actions,
    mail::{DrawnCode, check_resend, draw, recipient},
    quotas::quotas,
    redeem::{Next, Wanted, guard_of_check, guard_of_look, next},
};
use self::{edit::Edit, quotas::quotas_of_revival};
pub use crate::{actor::Caller, hooks, policy::PolicyWarning, refusal::Verdict, standing};
use crate::{
    change::Change,
    code::{CodeDigest, CodeTag, SealedCode},
    detail::Detail,
    draft::IfVersion,
    event::Action,
    facts::Facts,
    field_error::FieldError,
    id::InvitationId,
    limits::Limits,
    policy::Policy,
    record::Record,
    revocation::Revocation,
    scope::Scope,
    target::Target,
    transition::Transition,
};

/// A change of one invitation by an administrator.
///
/// `Amend`, `Rotate`, `Reinstate` and `Reseal` are decided on loaded facts, `current`; the
/// others on the facts that the store finds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command<'a> {
    /// Changes the terms of the invitation.
    Amend {
        /// The loaded invitation.
        current: &'a Record,
        /// The new terms.
        terms: NewTerms,
    },
    /// Replaces the code.
    Rotate {
        /// The loaded invitation.
        current: &'a Record,
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
        current: &'a Record,
    },
    /// Deletes the invitation, leaving a tombstone.
    Delete {
        /// The id of the invitation to delete.
        id: InvitationId,
    },
    /// Rewrites the stored forms of the same code, as one of a page.
    Reseal {
        /// The loaded invitation.
        current: &'a Record,
        /// The new look-up digest.
        digest: CodeDigest,
        /// The new search tag.
        tag: CodeTag,
        /// The code, sealed in the new form.
        sealed: SealedCode,
        /// The number of invitations of the page, which share the call and its event.
        of: usize,
    },
}

impl Command<'_> {
    /// Rejects new terms that do not fit the number of uses, which never changes.
    pub(crate) fn check_uses(&self) -> Result<(), FieldError> {
        match self {
            Self::Amend { current, terms } => terms.check_uses(current),
            Self::Rotate { .. }
            | Self::Revoke { .. }
            | Self::Reinstate { .. }
            | Self::Delete { .. }
            | Self::Reseal { .. } => Ok(()),
        }
    }
}

/// Decides an administrator's command: returns the one step that carries it out, or the
/// verdict that refuses it.
///
/// # Errors
///
/// The [`Verdict`] when the performer lacks a right that the invitation's present or new
/// form needs: to grant its role, [`Right::MultiUse`](crate::Right::MultiUse),
/// [`Right::BindDomain`](crate::Right::BindDomain), or when the
/// loaded facts already refuse the change.
pub fn decide(
    command: Command<'_>,
    scope: Scope,
    if_version: IfVersion,
    call: &Call,
    policy: &Policy,
    limits: &Limits,
) -> Result<Transition, Verdict> {
    let permit = |edit: Edit, current: &Record| {
        let version = match if_version {
            IfVersion::Any => current.version,
            IfVersion::Exactly(version) => version,
        };
        let current = Facts::of(current.clone());
        edit.permit(&current, IfVersion::Exactly(version), &call.performer, policy)
    };
    let (id, action, guard, quotas, change, detail) = match command {
        Command::Amend { current, terms } => {
            terms.check_rights(call, policy)?;
            let guard = permit(Edit::Amend, current)?;
            let detail = terms.detail();
            let NewTerms { binding, role, expires_at } = terms;
            let after =
                Record { expires_at: expires_at.unwrap_or(current.expires_at), ..current.clone() };
            let quotas = quotas_of_revival(current, &after, call, limits);
            let grants = role.is_some() || expires_at.is_some();
            let grantor = grants.then(|| call.inviter());
            let change = Change::Amend { binding, role, expires_at, grantor };
            (current.id, Action::Amend, guard, quotas, change, detail)
        }
        Command::Rotate { current, digest, tag, sealed } => {
            let guard = permit(Edit::Rotate, current)?;
            let change = Change::Rotate { digest, tag, sealed, grantor: call.inviter() };
            (current.id, Action::Rotate, guard, Vec::new(), change, Detail::none())
        }
        Command::Revoke { id, reason } => {
            let detail = match &reason {
                Some(reason) => Detail::none().with("reason", reason),
                None => Detail::none(),
            };
            let change = Change::Revoke(Revocation { at: call.now, reason });
            let guard = Edit::Revoke.guard(if_version);
            (id, Action::Revoke, guard, Vec::new(), change, detail)
        }
        Command::Reinstate { current } => {
            let guard = permit(Edit::Reinstate, current)?;
            let after = Record { revocation: None, ..current.clone() };
            let quotas = quotas_of_revival(current, &after, call, limits);
            let change = Change::Reinstate { grantor: call.inviter() };
            (current.id, Action::Reinstate, guard, quotas, change, Detail::none())
        }
        Command::Delete { id } => {
            let guard = Edit::Delete.guard(if_version);
            let change = Change::Delete { at: call.now };
            (id, Action::Delete, guard, Vec::new(), change, Detail::none())
        }
        Command::Reseal { current, digest, tag, sealed, of } => {
            let key = sealed.key_id();
            let detail = Detail::none().with("rows", &of.to_string());
            let detail = key.iter().fold(detail, |detail, key| detail.with("key", key));
            return Ok(Transition {
                // After a concurrent rotation there is no invitation with the present digest,
                // so the step cannot bring back the code that it read.
                target: Target::Code(vec![current.digest]),
                guard: Edit::Reseal.guard(if_version),
                quotas: Vec::new(),
                change: Change::Reseal { digest, tag, sealed },
                event: call.done(Action::Reseal, detail).within(&scope),
                scope,
            });
        }
    };
    let event = call.done(action, detail);
    Ok(Transition { target: Target::Id(id), scope, guard, quotas, change, event })
}
