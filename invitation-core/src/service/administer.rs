//! Administering an existing invitation: amend, rotate, revoke, reinstate, delete.

use super::{Created, Invitations, TRIES, evidence::Place, reason::checked_reason};
use crate::{
    actor::Caller,
    decide::{Call, Command, NewTerms, decide},
    draft::{Amendment, IfVersion},
    error::Error,
    event::{Action, Reason},
    facts::Facts,
    field_error::FieldError,
    hooks::{CommandKind, Intent, InvitationTerms},
    id::InvitationId,
    invitation::Invitation,
    outcome::Outcome,
    policy::Right,
    record::Record,
    refusal::{Refusal, Verdict},
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    target::Target,
};

/// The result of one attempt at a change.
enum Step {
    Done(Box<Record>),
    /// The invitation was changed concurrently, or the new code is already in use.
    Again,
}

impl<S: Store> Invitations<S> {
    /// Changes the terms of an invitation that is neither used nor revoked. The code
    /// stays the same. A later expiry makes an expired invitation active again. Changing
    /// the role or the binding ends its reservations.
    ///
    /// Beyond [`Right::Amend`], the actor needs every right that creating the invitation
    /// needs, in its present and in its resulting form: to grant the role,
    /// [`Right::MultiUse`] for several uses, [`Right::BindDomain`] for a domain.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the call changes nothing, breaks a bound, or names an address
    /// for an invitation with several uses;
    /// [`Error::Refused`]: `Forbidden`, `RoleNotGrantable` or `UnknownRole` (the new role, or
    /// the present one), `NotFound`, `VersionMismatch`, `Used`, `Revoked`,
    /// `QuotaExceeded` (when it was expired), `Conflict`; [`Error::Store`], [`Error::Entropy`].
    pub async fn amend(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
        amendment: Amendment,
        if_version: IfVersion,
    ) -> Result<Invitation, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit_on(caller, &call, id, Right::Amend, Action::Amend).await?;
        let Amendment { binding, role, expiry } = amendment;
        if binding.is_none() && role.is_none() && expiry.is_none() {
            return Err(FieldError::new("amendment", "must change something").into());
        }
        let expires_at =
            expiry.map(|expiry| self.settings.limits.expires_at(expiry, call.now)).transpose()?;
        let terms = NewTerms { binding, role, expires_at };
        if let Err(verdict) = terms.check_rights(&call, &self.settings.policy) {
            return Err(self.refuse_about(&call, Action::Amend, &Target::Id(id), verdict).await);
        }
        self.change_loaded(caller, &call, Action::Amend, id, if_version, |current| {
            Ok(Command::Amend { current, terms: terms.clone() })
        })
        .await
    }

    /// Replaces the code of an invitation that is neither used nor revoked. The old code
    /// stops working at once, and reservations made with it end. The actor also needs
    /// every right that creating the invitation needs.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `RoleNotGrantable`, `UnknownRole`, `NotFound`,
    /// `VersionMismatch`, `Used`, `Revoked`, `Conflict`; [`Error::Store`],
    /// [`Error::Entropy`].
    pub async fn rotate(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
        if_version: IfVersion,
    ) -> Result<Created, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit_on(caller, &call, id, Right::Rotate, Action::Rotate).await?;
        let mut drawn = None;
        let invitation = self
            .change_loaded(caller, &call, Action::Rotate, id, if_version, |current| {
                let code = drawn.insert(self.settings.format.generate(self.entropy())?);
                let sealing = &self.settings.sealing;
                let (digest, tag) = (sealing.digest(code), sealing.tag(code));
                let sealed = sealing.seal(id, code, self.entropy())?;
                Ok(Command::Rotate { current, digest, tag, sealed })
            })
            .await?;
        match drawn {
            Some(code) => Ok(Created::new(invitation, code)),
            None => Err(StoreError::new(StoreErrorKind::Corrupt, "rotate").into()),
        }
    }

    /// Revokes an invitation that has uses left, an expired one too, so that its expiry
    /// cannot be extended any more. Earlier redemptions stay valid; reservations end. The line
    /// breaks of the reason are kept as `\n`, also `\r\n` and `\r`. A blank reason counts as none.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the reason is longer than
    /// [`Limits::MAX_REASON`](crate::Limits::MAX_REASON) or has characters that cannot be seen,
    /// other than line breaks;
    /// [`Error::Refused`]:
    /// `Forbidden`, `NotFound`, `VersionMismatch`, `Used`, `Revoked`;
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn revoke(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
        reason: Option<&str>,
        if_version: IfVersion,
    ) -> Result<Invitation, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit_on(caller, &call, id, Right::Revoke, Action::Revoke).await?;
        let reason = checked_reason(reason)?;
        let command = Command::Revoke { id, reason };
        self.change(caller, &call, Action::Revoke, id, if_version, &command).await
    }

    /// Undoes a revocation. The clock decides whether the invitation is then active or
    /// expired. The actor also needs every right that creating the invitation needs.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `RoleNotGrantable`, `UnknownRole`, `NotFound`,
    /// `VersionMismatch`, `Used`, `NotRevoked`, `QuotaExceeded`, `Conflict`;
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn reinstate(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
        if_version: IfVersion,
    ) -> Result<Invitation, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit_on(caller, &call, id, Right::Reinstate, Action::Reinstate).await?;
        self.change_loaded(caller, &call, Action::Reinstate, id, if_version, |current| {
            Ok(Command::Reinstate { current })
        })
        .await
    }

    /// Deletes an invitation in any state. No call returns it any more; its events stay,
    /// and its code is never issued again.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `NotFound`, `VersionMismatch`;
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn delete(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
        if_version: IfVersion,
    ) -> Result<(), Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit_on(caller, &call, id, Right::Delete, Action::Delete).await?;
        let command = Command::Delete { id };
        self.change(caller, &call, Action::Delete, id, if_version, &command).await?;
        Ok(())
    }

    /// Refuses, with evidence, an actor whose role lacks `right`. Every call checks this
    /// itself; a host calls it before it parses the request, so as not to read the input
    /// of an actor without the right. `about` is the invitation that the request names,
    /// for the evidence only.
    ///
    /// No round trip, or two for a denial.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`; [`Error::Store`], [`Error::Entropy`].
    pub async fn authorize(
        &self,
        caller: impl Into<Caller<'_>>,
        right: Right,
        about: Option<InvitationId>,
    ) -> Result<(), Error> {
        let caller = caller.into();
        if caller.may(&self.settings.policy, right) {
            return Ok(());
        }
        let call = self.call_by(caller)?;
        match about {
            Some(id) => self.permit_on(caller, &call, id, right, right.action()).await,
            None => self.permit(caller, &call, right, right.action(), None).await,
        }
    }

    /// Refuses, with evidence that names the invitation, an actor whose role
    /// lacks `right`.
    pub(super) async fn permit_on(
        &self,
        caller: Caller<'_>,
        call: &Call,
        id: InvitationId,
        right: Right,
        action: Action,
    ) -> Result<(), Error> {
        let Some(verdict) = caller.lacking(&self.settings.policy, right) else {
            return Ok(());
        };
        Err(self.refuse_about(call, action, &Target::Id(id), verdict).await)
    }

    /// Applies a change that needs no loaded facts.
    async fn change(
        &self,
        caller: Caller<'_>,
        call: &Call,
        action: Action,
        id: InvitationId,
        if_version: IfVersion,
        command: &Command<'static>,
    ) -> Result<Invitation, Error> {
        if self.has_hooks() {
            // The hooks see the terms, so they are loaded.
            return self
                .change_loaded(caller, call, action, id, if_version, |_| Ok(command.clone()))
                .await;
        }
        for _ in 0..TRIES {
            let step =
                self.step(caller, call, action, id, if_version, command.clone(), None).await?;
            if let Step::Done(invitation) = step {
                return Ok(Invitation::from(*invitation));
            }
        }
        Err(self.refuse_conflict(call, action, id).await)
    }

    /// Applies a change that is decided on loaded facts. After a concurrent change, it
    /// loads the facts and decides again.
    async fn change_loaded(
        &self,
        caller: Caller<'_>,
        call: &Call,
        action: Action,
        id: InvitationId,
        if_version: IfVersion,
        mut command: impl for<'c> FnMut(&'c Record) -> Result<Command<'c>, Error> + Send,
    ) -> Result<Invitation, Error> {
        let target = Target::Id(id);
        for _ in 0..TRIES {
            let Some(current) = self.store.get(&target, &caller.scope()).await? else {
                return Err(self.refuse_missing(call, action, &target, None).await);
            };
            let (command, seen) = (command(&current)?, Some(&current));
            let step = self.step(caller, call, action, id, if_version, command, seen).await?;
            if let Step::Done(invitation) = step {
                return Ok(Invitation::from(*invitation));
            }
        }
        Err(self.refuse_conflict(call, action, id).await)
    }

    /// Decides and applies once. `seen` is the loaded invitation that the decision is based on.
    #[expect(clippy::too_many_arguments, reason = "the parts of one change")]
    async fn step(
        &self,
        caller: Caller<'_>,
        call: &Call,
        action: Action,
        id: InvitationId,
        if_version: IfVersion,
        command: Command<'_>,
        seen: Option<&Record>,
    ) -> Result<Step, Error> {
        let target = Target::Id(id);
        let scope = caller.scope();
        let (policy, limits) = (&self.settings.policy, &self.settings.limits);
        let is_valid = command.check_uses();
        let intent = seen.and_then(|current| self.intent_of(&command, call, current));
        // What was decided on loaded facts, and what the hooks allow, is about that version.
        let version = match (if_version, seen) {
            (IfVersion::Any, Some(current)) => IfVersion::Exactly(current.version),
            _ => if_version,
        };
        let kind = kind_of(&command);
        let transition = match decide(command, scope, version, call, policy, limits) {
            Ok(transition) => transition,
            Err(verdict) => {
                return Err(self.refuse_about(call, action, &target, verdict).await);
            }
        };
        // Whether the new terms fit discloses the invitation's, so the rights come first.
        is_valid?;
        // A change that is refused anyway asks nothing.
        let applies = |current: &Record| {
            transition.guard().first_refusal(&Facts::of(current.clone())).is_none()
        };
        if let Some(current) = seen
            && intent.is_some()
            && applies(current)
        {
            let place = Place::Invitation(id, current.division.clone());
            self.consent_or_refuse(intent, call, action, place).await?;
        }
        let facts = match self.apply(&transition).await? {
            Outcome::Applied(facts) | Outcome::Replayed(facts) => {
                if let Some(kind) = kind {
                    self.notify(kind, call, &facts.invitation).await;
                }
                return Ok(Step::Done(Box::new(facts.invitation)));
            }
            Outcome::CodeTaken => return Ok(Step::Again),
            Outcome::Missing => return Err(self.refuse_missing(call, action, &target, None).await),
            Outcome::QuotaFull(full) => {
                let verdict = Verdict::quota_full(full, transition.quotas());
                return Err(self.refuse_about(call, action, &target, verdict).await);
            }
            Outcome::Refused(facts) => *facts,
        };
        let moved = seen.is_some_and(|seen| seen.version != facts.invitation.version);
        if moved && if_version == IfVersion::Any {
            return Ok(Step::Again);
        }
        let verdict = transition
            .guard()
            .first_refusal(&facts)
            .and_then(|failed| Verdict::explain(failed, &target, &facts));
        match verdict {
            Some(verdict) => {
                let place = Place::Invitation(id, facts.invitation.division);
                Err(self.refuse(call, action, verdict, place).await)
            }
            // The current facts satisfy the guard: the invitation has changed meanwhile.
            None => Ok(Step::Again),
        }
    }

    /// Returns what the hooks are asked about a change; none without hooks.
    fn intent_of(&self, command: &Command<'_>, call: &Call, current: &Record) -> Option<Intent> {
        let intent = self.intent(kind_of(command)?, call, [current])?;
        let amended = match command {
            Command::Amend { terms, .. } => Some(InvitationTerms::of(current).amended(terms)),
            _ => None,
        };
        Some(Intent { amended, ..intent })
    }

    async fn refuse_conflict(&self, call: &Call, action: Action, id: InvitationId) -> Error {
        let verdict = Verdict::new(Refusal::Conflict, Reason::Conflict);
        self.refuse_about(call, action, &Target::Id(id), verdict).await
    }
}

/// Returns the kind under which the hooks know a change; none if they are not asked about it.
fn kind_of(command: &Command<'_>) -> Option<CommandKind> {
    match command {
        Command::Amend { .. } => Some(CommandKind::Amend),
        Command::Rotate { .. } => Some(CommandKind::Rotate),
        Command::Revoke { .. } => Some(CommandKind::Revoke),
        Command::Reinstate { .. } => Some(CommandKind::Reinstate),
        Command::Delete { .. } => Some(CommandKind::Delete),
        Command::Reseal { .. } => None,
    }
}
