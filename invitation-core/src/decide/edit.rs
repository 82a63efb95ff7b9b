//! The rules of each change that an administrator makes: its guard, and its rights.

use super::form::Form;
use crate::{
    draft::IfVersion,
    event::Reason,
    facts::Facts,
    guard::{Condition, Guard},
    performer::Performer,
    policy::{Policy, Right},
    record::Record,
    refusal::{Refusal, Verdict},
    target::Target,
};

/// A kind of change that an administrator makes to an existing invitation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Edit {
    Amend,
    Rotate,
    Revoke,
    Reinstate,
    Delete,
    Reseal,
}

impl Edit {
    /// Returns the conditions on the stored facts.
    pub(crate) fn guard(self, if_version: IfVersion) -> Guard {
        let mut conditions = vec![Condition::NotDeleted];
        if let IfVersion::Exactly(version) = if_version {
            conditions.push(Condition::Version(version));
        }
        match self {
            Self::Amend | Self::Rotate | Self::Revoke => {
                conditions.extend([Condition::UsesLeft, Condition::NotRevoked]);
            }
            Self::Reinstate => conditions.push(Condition::UsesLeft),
            Self::Delete | Self::Reseal => {}
        }
        Guard::new(conditions)
    }

    /// Returns whether the performer needs every right that creating the invitation in its
    /// present form needs.
    ///
    /// An amendment needs them even for parts that it replaces: otherwise a domain binding
    /// could be removed without the right to set one. The rights that its new terms need
    /// are checked besides.
    fn needs_form(self) -> bool {
        match self {
            Self::Amend | Self::Rotate | Self::Reinstate => true,
            Self::Revoke | Self::Delete | Self::Reseal => false,
        }
    }

    /// Permits the change on loaded facts: returns its guard, or the verdict that refuses
    /// it. Does not check the right to this kind of change, which the service checks before
    /// it loads facts.
    pub(crate) fn permit(
        self,
        current: &Facts,
        if_version: IfVersion,
        performer: &Performer,
        policy: &Policy,
    ) -> Result<Guard, Verdict> {
        let guard = self.guard(if_version);
        let invitation = &current.invitation;
        let refused = guard
            .first_refusal(current)
            .and_then(|failed| Verdict::explain(failed, &Target::Id(invitation.id), current));
        if let Some(verdict) = refused {
            return Err(verdict);
        }
        if self == Self::Reinstate && invitation.revocation.is_none() {
            return Err(Verdict::new(Refusal::NotRevoked, Reason::NotRevoked));
        }
        if self.needs_form() {
            Form::of(invitation).check(performer, policy)?;
        }
        Ok(guard)
    }
}

/// Returns the actions that a user or the system may take on an invitation in its current state.
pub(crate) fn actions(invitation: &Record, user: &Performer, policy: &Policy) -> Vec<Right> {
    let has = |right: Right| match user {
        Performer::System { .. } => true,
        Performer::Actor { role, .. } => policy.allows(role, right),
        Performer::Redeemer { .. } => false,
    };
    let current = Facts::of(invitation.clone());
    let may = |edit: Edit| edit.permit(&current, IfVersion::Any, user, policy).is_ok();
    let fits = |right: Right| match right {
        Right::Copy => true,
        Right::Amend => may(Edit::Amend),
        Right::Rotate => may(Edit::Rotate),
        Right::Revoke => may(Edit::Revoke),
        Right::Reinstate => may(Edit::Reinstate),
        Right::Delete => may(Edit::Delete),
        Right::Create
        | Right::Bulk
        | Right::MultiUse
        | Right::BindDomain
        | Right::View
        | Right::Reservations
        | Right::Purge
        | Right::PurgeEvents
        | Right::Audit
        | Right::Export
        | Right::Reseal
        | Right::Resend
        | Right::Webhooks => false,
    };
    Right::ALL.into_iter().filter(|right| has(*right) && fits(*right)).collect()
}
