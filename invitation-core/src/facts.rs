//! The facts that a decision about one invitation looks at.

use crate::{
    email::EmailKey,
    lease::{ConsumedLease, Lease},
    record::Record,
    redemption::Redemption,
    text::UserId,
};

/// The facts from which a decision about one invitation is made and explained.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Facts {
    /// The invitation itself.
    pub invitation: Record,
    /// The redemption by the user named in the transition, if there is one.
    pub mine: Option<Redemption>,
    /// The lease of the user named in the transition, if there is one.
    pub lease: Option<Lease>,
    /// The lease on the invitation that expires first, in [`Lease::order`], if there is
    /// one.
    pub first_lease: Option<Lease>,
    /// The redemption by any user with the mailbox of the transition
    /// ([`Transition::mailbox_on`]), if there is one.
    ///
    /// [`Transition::mailbox_on`]: crate::Transition::mailbox_on
    pub mailbox_use: Option<Redemption>,
    /// The lease of any user with the mailbox of the transition, if there is one.
    pub mailbox_lease: Option<Lease>,
}

impl Facts {
    /// Returns the facts of an invitation without leases, and without a redemption by the
    /// user or the mailbox.
    #[must_use]
    pub fn of(invitation: Record) -> Self {
        Self {
            invitation,
            mine: None,
            lease: None,
            first_lease: None,
            mailbox_use: None,
            mailbox_lease: None,
        }
    }

    /// Returns the lease in these facts if it belongs to `user`.
    pub(crate) fn lease_of(&self, user: &UserId) -> Option<&Lease> {
        self.lease.as_ref().filter(|own| own.user == *user)
    }

    /// Returns whether the redemption in these facts was made with `mailbox`.
    pub(crate) fn is_mailbox_used(&self, mailbox: &EmailKey) -> bool {
        self.mailbox_use.as_ref().is_some_and(|made| made.mailbox.as_ref() == Some(mailbox))
    }

    /// Returns the lease in these facts that has `mailbox`.
    pub(crate) fn lease_with_mailbox(&self, mailbox: &EmailKey) -> Option<&Lease> {
        self.mailbox_lease.as_ref().filter(|held| held.mailbox.as_ref() == Some(mailbox))
    }

    /// Ends the lease that `held` names, and returns it; none if there is no such lease.
    pub(crate) fn end_lease(&mut self, held: ConsumedLease) -> Option<Lease> {
        let ended = match held {
            ConsumedLease::Own { lease } => self.lease.clone().filter(|own| own.id == lease),
            ConsumedLease::Expired { now } => {
                self.first_lease.clone().filter(|lease| lease.has_expired(now))
            }
            ConsumedLease::Mailbox { now } => {
                self.mailbox_lease.clone().filter(|lease| lease.has_expired(now))
            }
        }?;
        let is_it = |lease: &Lease| lease.id == ended.id;
        self.lease.take_if(|own| is_it(own));
        self.first_lease.take_if(|first| is_it(first));
        self.mailbox_lease.take_if(|held| is_it(held));
        self.invitation.held = self.invitation.held.saturating_sub(1);
        Some(ended)
    }

    /// Begins a lease of the user named in the transition.
    pub(crate) fn begin_lease(&mut self, lease: Lease) {
        let comes_first = match &self.first_lease {
            Some(first) => lease.order() < first.order(),
            None => self.invitation.held == 0,
        };
        if comes_first {
            self.first_lease = Some(lease.clone());
        }
        if lease.mailbox.is_some() {
            self.mailbox_lease = Some(lease.clone());
        }
        self.invitation.held = self.invitation.held.saturating_add(1);
        self.lease = Some(lease);
    }

    pub(crate) fn end_all_leases(&mut self) {
        self.invitation.held = 0;
        self.lease = None;
        self.first_lease = None;
        self.mailbox_lease = None;
    }
}
