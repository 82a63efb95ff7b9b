//! Creating invitations.

use std::num::NonZeroU32;

use super::{Invitations, TRIES, evidence::Place};
use crate::{
    actor::Acting,
    code::InvitationCode,
    decide::{Call, Rejected, Terms},
    draft::Draft,
    error::{Error, StoreError, StoreErrorKind},
    event::{Action, Reason},
    invalid::{Invalid, InvalidInput},
    invitation::Invitation,
    policy::Right,
    refusal::Verdict,
    store::{Inserted, NewInvitation, Store},
    text::Division,
};

/// A new invitation and its code.
#[derive(Debug)]
pub struct Created {
    invitation: Invitation,
    code: InvitationCode,
}

impl Created {
    pub(super) fn new(invitation: Invitation, code: InvitationCode) -> Self {
        Self { invitation, code }
    }

    /// The facts.
    #[must_use]
    pub fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// The code, to be shared.
    #[must_use]
    pub fn code(&self) -> &InvitationCode {
        &self.code
    }
}

impl<S: Store> Invitations<S> {
    /// Creates an invitation.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// - [`Error::Refused`] when the actor may not: `Forbidden`,
    ///   `RoleNotGrantable`, `DivisionNotAllowed`.
    /// - [`Error::Invalid`] when the draft breaks a bound or leaves out what has
    ///   no default; it names every such field.
    /// - [`Error::Store`], [`Error::Entropy`].
    pub async fn create(
        &self,
        acting: impl Into<Acting<'_>>,
        draft: Draft,
    ) -> Result<Created, Error> {
        let acting = acting.into();
        let call = self.call_by(acting)?;
        let named = draft.division.as_ref();
        self.permit(acting, &call, Right::Create, Action::Create, named).await?;
        let terms = self.terms(acting, &call, draft).await?;
        let mut created = self.issue(vec![(terms, call)]).await?;
        created.pop().ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "create").into())
    }

    /// Creates many invitations, all or none of them.
    ///
    /// One round trip for all.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), with the [line](Invalid::line) of each field
    /// that is not accepted; [`Error::Invalid`] also when there are none or too
    /// many. A refusal of one is a refusal of all.
    pub async fn create_many(
        &self,
        acting: impl Into<Acting<'_>>,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Created>, Error> {
        let acting = acting.into();
        let call = self.call_by(acting)?;
        self.permit(acting, &call, Right::Bulk, Action::Create, None).await?;
        let max = self.settings.limits.batch();
        let count = u32::try_from(drafts.len()).ok().and_then(NonZeroU32::new);
        if count.is_none_or(|count| count > max) {
            return Err(Invalid::new("drafts", format!("must be 1 to {max}")).into());
        }
        let mut wrong = Vec::new();
        let mut accepted = Vec::with_capacity(drafts.len());
        let mut denied = None;
        for (line, draft) in drafts.into_iter().enumerate() {
            let own = Call { id: self.state.ids.event(call.now, self.entropy())?, ..call.clone() };
            let (policy, limits) = (&self.settings.policy, &self.settings.limits);
            match Terms::of(draft, acting, &own, policy, limits) {
                Ok(terms) => accepted.push((terms, own)),
                Err(Rejected::Invalid(found)) => wrong.extend(found.at_line(line)),
                Err(Rejected::Denied { verdict, named }) => {
                    denied.get_or_insert((verdict, named));
                }
            }
        }
        // Bounds first, as for one; then rights.
        if !wrong.is_empty() {
            return Err(InvalidInput::new(wrong).into());
        }
        if let Some((verdict, named)) = denied {
            let place = Place::named_or_home(named, acting);
            return Err(self.refuse(&call, Action::Create, verdict, place).await);
        }
        self.issue(accepted).await
    }

    /// Refuses, with evidence, an actor whose role lacks `right`; `named` is the
    /// division that the call was about.
    pub(super) async fn permit(
        &self,
        acting: Acting<'_>,
        call: &Call,
        right: Right,
        action: Action,
        named: Option<&Division>,
    ) -> Result<(), Error> {
        match acting.user() {
            Some(actor) if !self.settings.policy.allows(actor.role(), right) => {
                let verdict = Verdict::forbidden(right, Reason::RightMissing);
                let place = Place::named_or_home(named.cloned(), acting);
                Err(self.refuse(call, action, verdict, place).await)
            }
            _ => Ok(()),
        }
    }

    async fn terms(&self, acting: Acting<'_>, call: &Call, draft: Draft) -> Result<Terms, Error> {
        let (policy, limits) = (&self.settings.policy, &self.settings.limits);
        match Terms::of(draft, acting, call, policy, limits) {
            Ok(terms) => Ok(terms),
            Err(Rejected::Invalid(found)) => Err(found.into()),
            Err(Rejected::Denied { verdict, named }) => {
                let place = Place::named_or_home(named, acting);
                Err(self.refuse(call, Action::Create, verdict, place).await)
            }
        }
    }

    /// Draws the codes and stores the invitations; draws anew if one is taken.
    async fn issue(&self, accepted: Vec<(Terms, Call)>) -> Result<Vec<Created>, Error> {
        for _ in 0..TRIES {
            let settings = &self.settings;
            let codes = settings.format.generate_many(accepted.len(), self.entropy())?;
            let mut rows = Vec::with_capacity(accepted.len());
            for ((terms, call), code) in accepted.iter().zip(&codes) {
                let id = self.state.ids.invitation(call.now, self.entropy())?;
                rows.push(terms.clone().issue(id, code, &settings.sealing, call.clone()));
            }
            if self.store.insert(&rows).await? == Inserted::Stored {
                let invitations =
                    rows.into_iter().map(|NewInvitation { invitation, .. }| invitation);
                return Ok(invitations
                    .zip(codes)
                    .map(|(invitation, code)| Created::new(invitation, code))
                    .collect());
            }
        }
        // With 55 random bits or more, this is a broken source of randomness.
        Err(StoreError::new(StoreErrorKind::Conflict, "create")
            .because("every code that was drawn is taken")
            .into())
    }
}
