//! Creating invitations.

use std::num::NonZeroU32;

use super::{Invitations, evidence::Place, issue::Asking};
use crate::{
    actor::Acting,
    code::InvitationCode,
    decide::Call,
    draft::Draft,
    error::{Error, StoreError, StoreErrorKind},
    event::{Action, Reason},
    invalid::Invalid,
    invitation::Invitation,
    policy::Right,
    refusal::Verdict,
    request::IdempotencyKey,
    store::Store,
    text::Division,
};

/// A new invitation and its code.
#[derive(Debug)]
pub struct Created {
    invitation: Invitation,
    code: InvitationCode,
    replayed: bool,
}

impl Created {
    pub(super) fn new(invitation: Invitation, code: InvitationCode) -> Self {
        Self { invitation, code, replayed: false }
    }

    pub(super) fn replayed(invitation: Invitation, code: InvitationCode) -> Self {
        Self { invitation, code, replayed: true }
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

    /// Whether it had been created by an earlier call with the same idempotency
    /// key; then everything is as it is now.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.replayed
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
    ///   `RoleNotGrantable`, `DivisionNotAllowed`; or when too many are pending:
    ///   `QuotaExceeded`.
    /// - [`Error::Invalid`] when the draft breaks a bound or leaves out what has
    ///   no default; it names every such field.
    /// - [`Error::Store`], [`Error::Entropy`].
    pub async fn create(
        &self,
        acting: impl Into<Acting<'_>>,
        draft: Draft,
    ) -> Result<Created, Error> {
        self.create_one(acting.into(), draft, None).await
    }

    /// Creates an invitation, once: the same actor asking for the same under the same
    /// key gets what was created then ([`Created::is_replayed`]), and no event.
    ///
    /// What it gets is as it is by then: perhaps used, or deleted
    /// ([`Invitation::deleted_at`]) and its code worth nothing. An expiry that was far
    /// enough away the first time is so the second time too.
    ///
    /// The key is kept as long as the invitation: until it is
    /// [purged](Self::purge).
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), and [`Error::Refused`]: `IdempotencyKeyReused`
    /// when something else was created under the key; `Forbidden` when the
    /// invitation has a history since then and the actor's role may not
    /// [view](Right::View) it, or was changed and the role may not
    /// [copy](Right::Copy) codes.
    pub async fn create_once(
        &self,
        acting: impl Into<Acting<'_>>,
        key: &IdempotencyKey,
        draft: Draft,
    ) -> Result<Created, Error> {
        self.create_one(acting.into(), draft, Some(key)).await
    }

    /// Creates many invitations, all or none of them. They share a
    /// [batch](Invitation::batch), by which they can be listed and revoked.
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
        self.create_batch(acting.into(), drafts, None).await
    }

    /// Creates many invitations, once: as [`create_once`](Self::create_once).
    ///
    /// One round trip for all.
    ///
    /// # Errors
    ///
    /// As [`create_many`](Self::create_many) and [`create_once`](Self::create_once).
    pub async fn create_many_once(
        &self,
        acting: impl Into<Acting<'_>>,
        key: &IdempotencyKey,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Created>, Error> {
        self.create_batch(acting.into(), drafts, Some(key)).await
    }

    async fn create_one(
        &self,
        acting: Acting<'_>,
        draft: Draft,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created, Error> {
        let call = self.call_by(acting)?;
        let named = draft.division.as_ref();
        self.permit(acting, &call, Right::Create, Action::Create, named).await?;
        let mut created = self.issue(acting, &call, Asking::One(draft), key).await?;
        created.pop().ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "create").into())
    }

    async fn create_batch(
        &self,
        acting: Acting<'_>,
        drafts: Vec<Draft>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Vec<Created>, Error> {
        let call = self.call_by(acting)?;
        self.permit(acting, &call, Right::Bulk, Action::Create, None).await?;
        self.check_number(drafts.len())?;
        self.issue(acting, &call, Asking::Many(drafts), key).await
    }

    /// Whether so many may be asked for at once.
    pub(super) fn check_number(&self, count: usize) -> Result<(), Invalid> {
        let count = u32::try_from(count).ok().and_then(NonZeroU32::new);
        let count = count.ok_or_else(|| Invalid::new("drafts", "must be at least one"))?;
        self.settings.limits.check_batch("drafts", count)
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
}
