//! Deciding on redemptions and reservations.

use std::{iter, sync::Arc};

use super::call::Call;
use crate::{
    actor::Redeemer,
    change::Change,
    code::CodeDigest,
    detail::Detail,
    email::EmailKey,
    event::Action,
    facts::Facts,
    guard::{Condition, Guard},
    id::EventId,
    lease::{ConsumedLease, Lease, ReservationId},
    policy::RolePair,
    scope::Scope,
    target::Target,
    time::Timestamp,
    transition::Transition,
};

/// The use that a redemption or a reservation takes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no other way")]
pub enum UseSource {
    /// A use that no lease holds.
    Free,
    /// The use that this lease of the redeemer holds.
    Own(Lease),
    /// The use that the first expired lease still holds, whatever its redeemer.
    Expired,
    /// The use that an expired lease with this mailbox still holds, whatever its redeemer.
    /// The mailbox is the redeemer's proved address.
    Mailbox(EmailKey),
}

/// A redeemer's operation on one invitation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RedeemCommand<'a> {
    /// Redeems the code: counts a use and stores who redeemed it.
    Redeem {
        /// The digests under which the code may be stored.
        code: Vec<CodeDigest>,
        /// The user who presents the code.
        redeemer: &'a Redeemer,
        /// The pairs of a grantor's role and a role that the current policy lets it grant.
        ceiling: &'a Arc<[RolePair]>,
        /// The version of the terms for which the host has vouched; none if it is not asked. See
        /// [`standing`](crate::standing).
        vouched: Option<u64>,
        /// The use that the redemption takes.
        source: UseSource,
    },
    /// Holds a use of the code for a redeemer.
    Reserve {
        /// The digests under which the code may be stored.
        code: Vec<CodeDigest>,
        /// The user who presents the code.
        redeemer: &'a Redeemer,
        /// The pairs of a grantor's role and a role that the current policy lets it grant.
        ceiling: &'a Arc<[RolePair]>,
        /// The version of the terms for which the host has vouched; none if it is not asked. See
        /// [`standing`](crate::standing).
        vouched: Option<u64>,
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
        /// The pairs of a grantor's role and a role that the current policy lets it grant.
        ceiling: &'a Arc<[RolePair]>,
        /// The version of the terms for which the host has vouched; none if it is not asked. See
        /// [`standing`](crate::standing).
        vouched: Option<u64>,
    },
    /// Releases a held use.
    Release {
        /// The id of the reservation to release.
        reservation: ReservationId,
        /// The user who holds the reservation.
        redeemer: &'a Redeemer,
    },
}

/// Decides a redeemer's command: returns the one step that carries it out. Its guard
/// contains every rule, so that the store refuses it on the facts of that moment.
#[must_use]
pub fn decide_redemption(command: RedeemCommand<'_>, scope: Scope, call: &Call) -> Transition {
    match command {
        RedeemCommand::Redeem { code, redeemer, ceiling, vouched, source } => {
            let presented = Presented::with_proof(code, redeemer, ceiling, vouched);
            presented.redeem(&source, scope, call)
        }
        RedeemCommand::Reserve { code, redeemer, ceiling, vouched, until, source } => {
            let presented = Presented::with_proof(code, redeemer, ceiling, vouched);
            presented.reserve(until, &source, scope, call)
        }
        RedeemCommand::Commit { reservation, redeemer, ceiling, vouched } => {
            let granted = Granted { ceiling, vouched };
            commit(reservation, redeemer, granted, scope, call)
        }
        RedeemCommand::Release { reservation, redeemer } => {
            release(reservation, redeemer, scope, call)
        }
    }
}

/// The consequence of a refused redemption or reservation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// The redeemer has already redeemed the invitation: that redemption is the result.
    Redeemed,
    /// The redeemer's lease has not expired: it is the result of a reservation.
    Leased(Lease),
    /// The step is to be tried again, and then takes this use.
    Try(UseSource),
    /// The step stays refused, because of this condition.
    Refuse(Condition),
}

/// The operation for which a code is presented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// To redeem the code.
    Redemption,
    /// To hold a use of the code until the account exists.
    Reservation,
}

/// Returns what follows from facts that the guard refused.
pub(crate) fn next(wanted: Wanted, guard: &Guard, facts: &Facts, now: Timestamp) -> Next {
    let Some(failed) = guard.first_refusal(facts) else {
        // The current facts satisfy the guard: the invitation has changed meanwhile.
        return Next::Try(UseSource::Free);
    };
    let refuse = || Next::Refuse(failed.clone());
    let unexpired = |own: &&Lease| wanted == Wanted::Reservation && !own.has_expired(now);
    match failed {
        Condition::FirstUseBy(_) => Next::Redeemed,
        // The use that was tried is not available, or no longer: try another one.
        Condition::FirstHoldBy(_) => match &facts.lease {
            Some(own) if unexpired(&own) => Next::Leased(own.clone()),
            Some(own) => Next::Try(UseSource::Own(own.clone())),
            None => refuse(),
        },
        Condition::OwnLeaseExpired { .. } => match facts.lease.as_ref().filter(unexpired) {
            Some(own) => Next::Leased(own.clone()),
            None => Next::Try(UseSource::Free),
        },
        // With another version the host vouched for the grantor of earlier terms: it is asked about
        // the present ones.
        Condition::HoldsLease { .. } | Condition::Version(_) => Next::Try(UseSource::Free),
        Condition::UseFree => match &facts.first_lease {
            Some(first) if first.has_expired(now) => Next::Try(UseSource::Expired),
            Some(_) | None => refuse(),
        },
        Condition::LeaseExpired { .. } if facts.invitation.has_free_use() => {
            Next::Try(UseSource::Free)
        }
        // An expired lease with the mailbox gives way. Its use is taken even if another use is
        // free, so that at most one lease has the mailbox.
        Condition::MailboxUnused(mailbox) => match facts.lease_with_mailbox(mailbox) {
            Some(held) if held.has_expired(now) => Next::Try(UseSource::Mailbox(mailbox.clone())),
            Some(_) | None => refuse(),
        },
        Condition::MailboxLeaseExpired { mailbox, .. }
            if facts.lease_with_mailbox(mailbox).is_none() =>
        {
            Next::Try(UseSource::Free)
        }
        Condition::MailboxLeaseExpired { .. }
        | Condition::LeaseExpired { .. }
        | Condition::NotDeleted
        | Condition::UsesLeft
        | Condition::NotRevoked
        | Condition::NotExpired { .. }
        | Condition::AddressProved(_)
        | Condition::Grantable(_) => refuse(),
    }
}

/// What is known about grants, other than the invitation.
#[derive(Clone, Copy)]
struct Granted<'a> {
    /// The role pairs that may be granted.
    ceiling: &'a Arc<[RolePair]>,
    /// The version of the terms for which the host has vouched.
    vouched: Option<u64>,
}

impl Granted<'_> {
    /// Returns the conditions: the role may be granted, and the grantor is the one whom the host
    /// vouched for. Every change of the grantor, the role or the binding changes the version.
    fn conditions(self) -> impl Iterator<Item = Condition> {
        let grantable = Condition::Grantable(Arc::clone(self.ceiling));
        iter::once(grantable).chain(self.vouched.map(Condition::Version))
    }
}

/// A presented code, with its redeemer and what may be granted.
struct Presented<'a> {
    code: Vec<CodeDigest>,
    redeemer: &'a Redeemer,
    /// The address that is compared with the binding.
    address: Option<EmailKey>,
    granted: Granted<'a>,
}

impl<'a> Presented<'a> {
    /// Creates the value with the redeemer's proved address.
    fn with_proof(
        code: Vec<CodeDigest>,
        redeemer: &'a Redeemer,
        ceiling: &'a Arc<[RolePair]>,
        vouched: Option<u64>,
    ) -> Self {
        let address = redeemer.email().map(|proof| proof.email().key().clone());
        Self { code, redeemer, address, granted: Granted { ceiling, vouched } }
    }

    /// Returns all conditions. The condition on leases comes last, because a lease passes.
    ///
    /// The redeemer's own lease comes before the mailbox, so that a repeated call stays a
    /// repetition whatever address it proves.
    fn guard(&self, call: &Call, source: &UseSource) -> Vec<Condition> {
        let user = self.redeemer.user();
        let mut guard = conditions(self.redeemer, self.address.clone(), self.granted, call.now);
        match source {
            UseSource::Free => {
                guard.push(Condition::FirstHoldBy(user.clone()));
                guard.extend(self.mailbox_unused());
                guard.push(Condition::UseFree);
            }
            UseSource::Own(own) => {
                guard.push(Condition::HoldsLease { lease: own.id, user: user.clone() });
            }
            UseSource::Expired => {
                guard.push(Condition::FirstHoldBy(user.clone()));
                guard.extend(self.mailbox_unused());
                guard.push(Condition::LeaseExpired { now: call.now });
            }
            UseSource::Mailbox(mailbox) => {
                let (mailbox, now) = (mailbox.clone(), call.now);
                let expired = Condition::MailboxLeaseExpired { mailbox, now };
                guard.extend([Condition::FirstHoldBy(user.clone()), expired]);
            }
        }
        guard
    }

    fn mailbox_unused(&self) -> Option<Condition> {
        self.address.clone().map(Condition::MailboxUnused)
    }

    /// Returns the address that a redemption or a new lease may keep as its mailbox. A lease
    /// that is renewed keeps its own.
    fn mailbox(&self, source: &UseSource) -> Option<EmailKey> {
        match source {
            UseSource::Free | UseSource::Expired => self.address.clone(),
            UseSource::Own(own) => own.mailbox.clone(),
            UseSource::Mailbox(mailbox) => Some(mailbox.clone()),
        }
    }

    /// Adds the condition that a lease which has not expired is not begun again.
    fn guard_of_hold(&self, call: &Call, source: &UseSource) -> Guard {
        let mut guard = self.guard(call, source);
        if let UseSource::Own(own) = source {
            let (user, now) = (own.user.clone(), call.now);
            guard.push(Condition::OwnLeaseExpired { user, now });
        }
        Guard::new(guard)
    }

    fn redeem(self, source: &UseSource, scope: Scope, call: &Call) -> Transition {
        let (detail, address) = match source {
            UseSource::Own(own) => (of_lease(own.id), None),
            UseSource::Free | UseSource::Expired | UseSource::Mailbox(_) => {
                (Detail::none(), self.mailbox(source))
            }
        };
        let taken_over_from = taken_over_from(source, call);
        Transition {
            guard: Guard::new(self.guard(call, source)),
            target: Target::Code(self.code),
            scope,
            quotas: Vec::new(),
            change: redemption(self.redeemer, call, address, taken_over_from),
            event: call.done(Action::Redeem, detail),
        }
    }

    fn reserve(
        self,
        until: Timestamp,
        source: &UseSource,
        scope: Scope,
        call: &Call,
    ) -> Transition {
        // A renewed lease keeps its id and its start.
        let (id, since) = match source {
            UseSource::Own(own) => (own.id, own.since),
            UseSource::Free | UseSource::Expired | UseSource::Mailbox(_) => (call.id, call.now),
        };
        let (user, username) = (self.redeemer.user().clone(), self.redeemer.username().clone());
        let lease = Lease { id, user, username, since, until, mailbox: self.mailbox(source) };
        Transition {
            guard: self.guard_of_hold(call, source),
            target: Target::Code(self.code),
            scope,
            quotas: Vec::new(),
            change: Change::Hold { lease, taken_over_from: taken_over_from(source, call) },
            event: call.done(Action::Reserve, of_lease(id).with("until", &until.to_string())),
        }
    }
}

fn commit(
    reservation: ReservationId,
    redeemer: &Redeemer,
    granted: Granted<'_>,
    scope: Scope,
    call: &Call,
) -> Transition {
    let (lease, user) = (reservation.lease(), redeemer.user().clone());
    // The lease has the mailbox to itself, so no condition on the mailbox can fail here.
    let own = Some(ConsumedLease::Own { lease });
    let mut guard = vec![
        Condition::FirstUseBy(user.clone()),
        Condition::NotDeleted,
        Condition::NotRevoked,
        Condition::HoldsLease { lease, user },
        Condition::NotExpired { now: call.now },
    ];
    guard.extend(granted.conditions());
    Transition {
        target: Target::Id(reservation.invitation()),
        scope,
        guard: Guard::new(guard),
        quotas: Vec::new(),
        change: redemption(redeemer, call, None, own),
        event: call.done(Action::Redeem, of_lease(lease)),
    }
}

fn release(
    reservation: ReservationId,
    redeemer: &Redeemer,
    scope: Scope,
    call: &Call,
) -> Transition {
    let (lease, user) = (reservation.lease(), redeemer.user().clone());
    let guard = Guard::new(vec![
        Condition::FirstUseBy(user.clone()),
        Condition::HoldsLease { lease, user: user.clone() },
    ]);
    Transition {
        target: Target::Id(reservation.invitation()),
        scope,
        guard,
        quotas: Vec::new(),
        change: Change::Release { user, lease },
        event: call.done(Action::Release, of_lease(lease)),
    }
}

/// Returns the conditions of a redemption on the invitation itself, whatever use it takes.
/// They follow the order of `Record::status`, so that a refusal and the list agree.
fn conditions(
    redeemer: &Redeemer,
    address: Option<EmailKey>,
    granted: Granted<'_>,
    now: Timestamp,
) -> Vec<Condition> {
    let mut conditions = vec![
        Condition::FirstUseBy(redeemer.user().clone()),
        Condition::NotDeleted,
        Condition::UsesLeft,
        Condition::NotRevoked,
        Condition::NotExpired { now },
        Condition::AddressProved(address),
    ];
    conditions.extend(granted.conditions());
    conditions
}

/// Returns the guard that says whether a code can be redeemed once `address` is proved. It
/// ignores leases, because they are temporary.
pub(crate) fn guard_of_check(
    redeemer: &Redeemer,
    address: Option<EmailKey>,
    ceiling: &Arc<[RolePair]>,
    now: Timestamp,
) -> Guard {
    Guard::new(conditions(redeemer, address, Granted { ceiling, vouched: None }, now))
}

/// Returns the guard that says whether a code may be redeemed or reserved, apart from the use to
/// take. The host is asked about its grantor then. Of the leases, it looks at the redeemer's own,
/// because a reservation that is there is the result.
pub(crate) fn guard_of_look(
    redeemer: &Redeemer,
    ceiling: &Arc<[RolePair]>,
    now: Timestamp,
) -> Guard {
    let address = redeemer.email().map(|proof| proof.email().key().clone());
    let mut guard = conditions(redeemer, address, Granted { ceiling, vouched: None }, now);
    guard.push(Condition::FirstHoldBy(redeemer.user().clone()));
    Guard::new(guard)
}

fn redemption(
    redeemer: &Redeemer,
    call: &Call,
    address: Option<EmailKey>,
    taken_over_from: Option<ConsumedLease>,
) -> Change {
    Change::Redeem {
        id: call.id,
        user: redeemer.user().clone(),
        username: redeemer.username().clone(),
        at: call.now,
        address,
        taken_over_from,
    }
}

fn taken_over_from(source: &UseSource, call: &Call) -> Option<ConsumedLease> {
    match source {
        UseSource::Free => None,
        UseSource::Own(own) => Some(ConsumedLease::Own { lease: own.id }),
        UseSource::Expired => Some(ConsumedLease::Expired { now: call.now }),
        UseSource::Mailbox(_) => Some(ConsumedLease::Mailbox { now: call.now }),
    }
}

fn of_lease(lease: EventId) -> Detail {
    Detail::none().with("reservation", &lease.to_string())
}
