//! Deciding on a new invitation.

use std::num::NonZeroU32;

use super::{amend::bound_to, call::Call, form::Form};
use crate::{
    actor::Caller,
    binding::Binding,
    code::{InvitationCode, Sealing},
    detail::Detail,
    draft::Draft,
    entropy::{Entropy, EntropyError},
    event::Action,
    field_error::{FieldError, ValidationErrors},
    hooks::InvitationTerms,
    id::{BatchId, InvitationId},
    inviter::Inviter,
    limits::{Expiry, Limits},
    metadata::Metadata,
    policy::Policy,
    record::Record,
    refusal::Verdict,
    request::Fingerprinting,
    store::{Invitee, NewInvitation},
    text::{Division, Role},
    time::Timestamp,
};

/// The reason why a draft is not accepted.
#[derive(Debug)]
pub(crate) enum Rejected {
    /// The input breaks a bound.
    Invalid(ValidationErrors),
    /// The actor lacks a right that the draft needs.
    Denied { verdict: Verdict, named: Option<Division> },
}

/// The complete terms of a draft: defaults filled in, bounds and rights checked.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    binding: Binding,
    role: Role,
    division: Division,
    /// The expiry as the draft states it, which is the same whenever the draft is sent
    /// again.
    expiry: Expiry,
    expires_at: Timestamp,
    max_uses: NonZeroU32,
    metadata: Option<Metadata>,
}

impl Terms {
    /// The division that the invitation will belong to.
    pub(crate) fn division(&self) -> &Division {
        &self.division
    }

    /// Returns the invited mailbox, if the invitation is bound to one address.
    pub(crate) fn invitee(&self) -> Option<Invitee> {
        let Binding::Address(email) = &self.binding else { return None };
        Some(Invitee { division: self.division.clone(), address: email.key().clone() })
    }

    /// Returns the terms as the host's hooks see them, of an invitation that `inviter` creates.
    pub(crate) fn for_hooks(&self, inviter: Inviter) -> InvitationTerms {
        let Self { binding, role, division, metadata, .. } = self.clone();
        InvitationTerms {
            id: None,
            role,
            division,
            binding,
            expires_at: self.expires_at,
            max_uses: self.max_uses,
            uses: 0,
            inviter,
            batch: None,
            metadata,
        }
    }

    /// Whether the invitation is bound to no address or domain.
    pub(crate) fn is_for_anyone(&self) -> bool {
        self.binding == Binding::Anyone
    }

    /// Adds all terms to the fingerprint of the request.
    pub(crate) fn tell(&self, all: &mut Fingerprinting) {
        all.binding(&self.binding);
        all.part(Some(self.role.as_str()));
        all.part(Some(self.division.as_str()));
        all.expiry(self.expiry);
        all.part(Some(&self.max_uses.to_string()));
        all.part(self.metadata.as_ref().map(Metadata::as_json));
    }

    /// Completes and checks a draft: first its bounds, then the actor's rights.
    pub(crate) fn of(
        draft: Draft,
        caller: Caller<'_>,
        call: &Call,
        policy: &Policy,
        limits: &Limits,
    ) -> Result<Self, Rejected> {
        let named = draft.division.clone();
        let terms =
            Self::fill_in(draft, caller, call, policy, limits).map_err(Rejected::Invalid)?;
        match terms.check_rights(caller, call, policy) {
            Ok(()) => Ok(terms),
            Err(verdict) => Err(Rejected::Denied { verdict, named }),
        }
    }

    fn fill_in(
        draft: Draft,
        caller: Caller<'_>,
        call: &Call,
        policy: &Policy,
        limits: &Limits,
    ) -> Result<Self, ValidationErrors> {
        let default_role =
            || caller.user().and_then(|actor| policy.default_grant(actor.role())).cloned();
        let home = || caller.user().and_then(|actor| actor.home()).cloned();

        let mut wrong = Vec::new();
        let mut note = |error: FieldError| wrong.push(error);
        let role = draft.role.or_else(default_role);
        if role.is_none() {
            note(FieldError::new("role", "must be named"));
        }
        let division = draft.division.or_else(home);
        if division.is_none() {
            note(FieldError::new("division", "must be named"));
        }
        let expires_at = limits.expires_at(draft.expiry, call.now).map_err(&mut note).ok();
        let uses = check_uses(&draft.binding, draft.max_uses, limits).map_err(&mut note).ok();
        match (role, division, expires_at, uses) {
            (Some(role), Some(division), Some(expires_at), Some(())) => Ok(Self {
                binding: draft.binding,
                role,
                division,
                expiry: draft.expiry,
                expires_at,
                max_uses: draft.max_uses,
                metadata: draft.metadata,
            }),
            _ => Err(ValidationErrors::new(wrong)),
        }
    }

    fn check_rights(
        &self,
        caller: Caller<'_>,
        call: &Call,
        policy: &Policy,
    ) -> Result<(), Verdict> {
        let form = Form {
            role: Some(&self.role),
            binding: Some(&self.binding),
            max_uses: Some(self.max_uses),
        };
        form.check(&call.performer, policy)?;
        if !caller.scope().contains(&self.division) {
            return Err(Verdict::division_not_allowed(self.division.clone()));
        }
        Ok(())
    }

    /// Returns the invitation on these terms, with its event. Fails when the code cannot be
    /// sealed for lack of randomness.
    pub(crate) fn issue(
        self,
        id: InvitationId,
        code: &InvitationCode,
        batch: Option<BatchId>,
        sealing: &Sealing,
        entropy: &dyn Entropy,
        call: &Call,
    ) -> Result<NewInvitation, EntropyError> {
        let detail = bound_to(Detail::none(), &self.binding)
            .with("role", self.role.as_str())
            .with("expires_at", &self.expires_at.to_string())
            .with("max_uses", &self.max_uses.to_string());
        let detail = match batch {
            Some(batch) => detail.with("batch", &batch.to_string()),
            None => detail,
        };
        let event = call.done(Action::Create, detail);
        let inviter = call.inviter();
        let invitation = Record {
            id,
            digest: sealing.digest(code),
            tag: sealing.tag(code),
            sealed: sealing.seal(id, code, entropy)?,
            binding: self.binding,
            role: self.role,
            division: self.division,
            grantor: inviter.clone(),
            inviter,
            created_at: call.now,
            expires_at: self.expires_at,
            max_uses: self.max_uses,
            uses: 0,
            held: 0,
            last_use: None,
            revocation: None,
            deleted_at: None,
            version: 1,
            batch,
            metadata: self.metadata,
        };
        let event = event.about(&invitation);
        Ok(NewInvitation { invitation, event })
    }
}

fn check_uses(binding: &Binding, max_uses: NonZeroU32, limits: &Limits) -> Result<(), FieldError> {
    if !binding.allows_uses(max_uses) {
        return Err(FieldError::new("max_uses", "must be 1 if the invitation is for an address"));
    }
    limits.check_uses(max_uses)
}
