//! Sending the invitations of a batch or another filter again.

use super::{
    super::{Criteria, Paging, evidence::Place, hooks::send},
    Deliveries, Resend,
    resend::SentAgain,
};
use crate::{
    actor::Caller,
    cursor::{Cursor, ListOf},
    delivery::Delivery,
    error::Error,
    event::Action,
    hooks::CommandKind,
    id::InvitationId,
    policy::Right,
    record::Record,
    refusal::Refused,
    store::Store,
};

/// A page of invitations that were to be sent again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResentPage {
    invitations: Vec<ResentInvitation>,
    next: Option<Cursor>,
}

impl ResentPage {
    /// Returns what became of each invitation of the page, in the order of the list.
    #[must_use]
    pub fn invitations(&self) -> &[ResentInvitation] {
        &self.invitations
    }

    /// Returns the number of invitations of the page whose mail is queued.
    #[must_use]
    pub fn queued(&self) -> usize {
        let queued = |one: &&ResentInvitation| matches!(one.outcome, ResendOutcome::Queued(_));
        self.invitations.iter().filter(queued).count()
    }

    /// Returns the cursor to continue with; none after the last page.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

/// What became of one invitation that was to be sent again.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the caller takes it apart")]
pub struct ResentInvitation {
    /// The id of the invitation.
    pub invitation: InvitationId,
    /// Whether its mail is queued, or why it was left out.
    pub outcome: ResendOutcome,
}

/// Whether the mail of an invitation is queued.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum ResendOutcome {
    /// The mail is queued. If an earlier call had queued it under the same key, this is that
    /// delivery in its present state.
    Queued(Delivery),
    /// The invitation was left out, for the reason for which [`Deliveries::resend`] refuses it.
    LeftOut(Refused),
}

impl<S: Store> Deliveries<S> {
    /// Sends the invitations that match the criteria to their addresses again, one page at a time:
    /// those of a [batch](Criteria::in_batch), for example. Needs the rights of
    /// [`resend`](Self::resend). Continue with [`ResentPage::next`] until it is `None`.
    ///
    /// Each invitation is a step of its own, with its event and under the same limits as a single
    /// resend. An invitation that cannot be sent is left out with the reason: it has ended, it is
    /// not for an address, the actor lacks a right that its form needs, or a limit of mails is
    /// reached. The refusal is recorded, as for a single resend. Choose
    /// [`Status::Active`](crate::Status::Active) to leave out ended ones without a word.
    ///
    /// The limit of the actor applies to all pages together. After
    /// [`MailLimit`](crate::Refusal::MailLimit), wait for the time that it names, and continue with
    /// the same cursor and [key](Resend::with_key): under a key, an invitation whose mail was
    /// queued is not sent twice. So a program that stopped may begin anew with the same key.
    ///
    /// If the store fails within a page, the page ends before that invitation, and the next call
    /// returns the error. The host's [hooks](crate::hooks) are asked once for each page.
    ///
    /// One round trip for the page, and as many for each invitation as for a single resend.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for an invalid search or cursor, or an order that does not go with the
    /// status; [`Error::Refused`]: `Forbidden`, `DivisionNotAllowed`, `Vetoed`; [`Error::Store`],
    /// [`Error::Entropy`]. Nothing of the page was sent, unless the kind of the store's error is
    /// [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown).
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use std::sync::Arc;
    ///
    /// use invitation::{
    ///     Actor, Criteria, Division, Draft, Email, IdempotencyKey, Invitations, MemoryStore,
    ///     Paging, Role, UserId,
    ///     delivery::{Deliveries, Resend},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = Arc::new(MemoryStore::new());
    /// let invitations = Invitations::new(Arc::clone(&store));
    /// let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?)
    ///     .based_in(Division::new("sales")?);
    /// let staff = || -> Result<_, invitation::FieldError> {
    ///     Ok(Draft::new().with_role(Role::new("staff")?))
    /// };
    /// let for_anna = staff()?.for_email(Email::parse("anna@example.com")?);
    /// let created = invitations.create_many(&admin, vec![for_anna, staff()?]).await?;
    /// let batch = created[0].invitation().batch().ok_or("a batch")?;
    ///
    /// let deliveries = Deliveries::new(invitations, store);
    /// let resend = Resend::new().with_key(IdempotencyKey::new("once-more")?);
    /// let of_batch = Criteria::new().in_batch(batch);
    /// let page = deliveries.resend_all(&admin, &of_batch, resend, Paging::default()).await?;
    /// // One of them is not for an address.
    /// assert_eq!((page.queued(), page.invitations().len(), page.next()), (1, 2, None));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn resend_all(
        &self,
        caller: impl Into<Caller<'_>>,
        criteria: &Criteria,
        resend: Resend,
        paging: Paging,
    ) -> Result<ResentPage, Error> {
        let (caller, service) = (caller.into(), &self.invitations);
        let call = service.call_by(caller)?;
        let named = criteria.division.as_ref();
        service.permit(caller, &call, Right::Resend, Action::Resend, named).await?;
        if resend.rotates() {
            service.permit(caller, &call, Right::Rotate, Action::Rotate, named).await?;
        }
        let now = paging.time(call.now);
        let list_of = ListOf::invitations(criteria.order);
        let page = paging.page(list_of)?;
        let (filter, query) = service.filter(caller, criteria, now)?;
        let scope = service.reach(caller, &call, named, Action::Resend).await?;
        let listing = service.store.list(&scope, &filter, &page).await?;

        let mut meant = Vec::with_capacity(listing.items.len());
        for record in &listing.items {
            let code = query.as_ref().and_then(|_| service.open(record).ok());
            if service.is_meant(query.as_ref(), record, code.as_ref()).await? {
                meant.push(record);
            }
        }
        // The hooks are asked only about invitations that can be sent.
        let sendable = |record: &&Record| self.sendable(record, &resend, &call).is_ok();
        let allowed: Vec<_> = meant.iter().copied().filter(sendable).collect();
        if service.has_hooks() && !allowed.is_empty() {
            let intent = service.intent(CommandKind::Resend, &call, allowed.iter().copied());
            let place = Place::named_or_home(named.cloned(), caller);
            service.consent_or_refuse(intent, &call, Action::Resend, place).await?;
        }

        let (mut invitations, mut sent) = (Vec::with_capacity(meant.len()), Vec::new());
        let mut next = listing.next.map(|position| Cursor::behind(list_of, position, now));
        let mut before: Option<&Record> = None;
        for record in meant {
            let own = service.call_by(caller)?;
            let version = allowed.iter().any(|one| one.id == record.id).then_some(record.version);
            let outcome = match self.send_again(caller, &own, record.id, &resend, version).await {
                Ok(SentAgain::Now(delivery, record)) => {
                    sent.push(*record);
                    ResendOutcome::Queued(delivery)
                }
                Ok(SentAgain::Before(delivery)) => ResendOutcome::Queued(delivery),
                Err(Error::Refused(refused)) => ResendOutcome::LeftOut(refused),
                Err(error) => {
                    // The caller must learn what was sent. The next call begins with this invitation.
                    let Some(before) = before else { return Err(error) };
                    let position = criteria.order.position(before);
                    next = Some(Cursor::behind(list_of, position, now));
                    break;
                }
            };
            invitations.push(ResentInvitation { invitation: record.id, outcome });
            before = Some(record);
        }
        if !sent.is_empty() {
            send(service.notice(CommandKind::Resend, &call, &sent)).await;
        }
        Ok(ResentPage { invitations, next })
    }
}
