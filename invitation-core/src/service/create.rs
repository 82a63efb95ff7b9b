//! Creating invitations.

use std::num::NonZeroU32;

use super::{Created, Invitations, evidence::Place, issue::Drafts};
use crate::{
    actor::Caller,
    decide::Call,
    draft::Draft,
    error::Error,
    event::Action,
    field_error::FieldError,
    policy::Right,
    request::IdempotencyKey,
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    text::Division,
};

impl<S: Store> Invitations<S> {
    /// Creates an invitation.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// - [`Error::Refused`] when the actor lacks the rights: `Forbidden`,
    ///   `RoleNotGrantable`, `UnknownRole`, `DivisionNotAllowed`; or when too many invitations are
    ///   pending: `QuotaExceeded`.
    /// - [`Error::Invalid`] when the draft breaks a bound or omits a field that has no
    ///   default; it names every such field.
    /// - [`Error::Store`], [`Error::Entropy`].
    pub async fn create(
        &self,
        caller: impl Into<Caller<'_>>,
        draft: Draft,
    ) -> Result<Created, Error> {
        self.create_one(caller.into(), draft, None).await
    }

    /// Creates an invitation at most once for each idempotency key. If the same actor
    /// repeats the same request under the same key, the call returns the invitation
    /// created then ([`Created::is_replayed`]), and records no event.
    ///
    /// The invitation is returned in its current state: perhaps used, or deleted
    /// ([`Invitation::deleted_at`](crate::Invitation::deleted_at)) so that its code no longer works. An expiry that was
    /// acceptable the first time is accepted again.
    ///
    /// The key is kept as long as the invitation: until it is [purged](Self::purge).
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), and [`Error::Refused`]:
    ///
    /// - `IdempotencyKeyReused` when a different request was made under the key;
    /// - `DivisionNotAllowed` when the actor no longer reaches the division of the invitation;
    /// - `Forbidden` when the invitation has a history since then, and the actor's role
    ///   may not [view](Right::View) it;
    /// - `Forbidden` when the invitation was changed since then, and the actor's role may
    ///   not [copy](Right::Copy) codes;
    /// - `CodeNotKept` when it was created before, and the store keeps no code to return.
    pub async fn create_once(
        &self,
        caller: impl Into<Caller<'_>>,
        key: &IdempotencyKey,
        draft: Draft,
    ) -> Result<Created, Error> {
        self.create_one(caller.into(), draft, Some(key)).await
    }

    /// Creates many invitations, all or none of them. They share a
    /// [batch](crate::Invitation::batch), by which they can be listed and revoked.
    ///
    /// One round trip for all of them.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), with the [line](FieldError::line) of each invalid field;
    /// [`Error::Invalid`] also when the list is empty or too long. A refusal of one draft
    /// refuses all of them.
    pub async fn create_many(
        &self,
        caller: impl Into<Caller<'_>>,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Created>, Error> {
        self.create_batch(caller.into(), drafts, None).await
    }

    /// Creates many invitations at most once for each idempotency key, as
    /// [`create_once`](Self::create_once) does for one.
    ///
    /// One round trip for all of them.
    ///
    /// # Errors
    ///
    /// As [`create_many`](Self::create_many) and [`create_once`](Self::create_once).
    pub async fn create_many_once(
        &self,
        caller: impl Into<Caller<'_>>,
        key: &IdempotencyKey,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Created>, Error> {
        self.create_batch(caller.into(), drafts, Some(key)).await
    }

    async fn create_one(
        &self,
        caller: Caller<'_>,
        draft: Draft,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created, Error> {
        let call = self.call_by(caller)?;
        let named = draft.division.as_ref();
        self.permit(caller, &call, Right::Create, Action::Create, named).await?;
        let mut created = self.issue(caller, &call, Drafts::One(draft), key).await?;
        created.pop().ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "create").into())
    }

    async fn create_batch(
        &self,
        caller: Caller<'_>,
        drafts: Vec<Draft>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Vec<Created>, Error> {
        let call = self.call_by(caller)?;
        self.permit(caller, &call, Right::Bulk, Action::Create, None).await?;
        self.check_number(drafts.len())?;
        self.issue(caller, &call, Drafts::Many(drafts), key).await
    }

    /// Checks that a single call may create `count` invitations.
    pub(super) fn check_number(&self, count: usize) -> Result<(), FieldError> {
        let count = u32::try_from(count).ok().and_then(NonZeroU32::new);
        let count = count.ok_or_else(|| FieldError::new("drafts", "must be at least one"))?;
        self.settings.limits.check_batch("drafts", count)
    }

    /// Refuses, with evidence, an actor whose role lacks `right`; `named` is the division
    /// that the call named.
    pub(super) async fn permit(
        &self,
        caller: Caller<'_>,
        call: &Call,
        right: Right,
        action: Action,
        named: Option<&Division>,
    ) -> Result<(), Error> {
        match caller.lacking(&self.settings.policy, right) {
            Some(verdict) => {
                let place = Place::named_or_home(named.cloned(), caller);
                Err(self.refuse(call, action, verdict, place).await)
            }
            None => Ok(()),
        }
    }
}
