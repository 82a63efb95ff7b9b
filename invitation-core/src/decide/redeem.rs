//! Deciding on redemptions and reservations.

use std::sync::Arc;

use super::Call;
use crate::{
    actor::{Redeemer, Scope},
    change::Change,
    code::CodeDigest,
    email::EmailKey,
    event::{Action, Detail},
    guard::{Condition, Guard},
    id::EventId,
    invitation::Facts,
    lease::{Held, Lease, ReservationId},
    policy::RolePair,
    time::Timestamp,
    transition::{Target, Transition},
};

/// The use that a redemption or a reservation takes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth way")]
pub enum Taking {
    /// A use that no lease holds.
    Free,
    /// The use that this lease of the redeemer holds.
    Own(Lease),
    /// The use that the first expired lease still holds, whatever its redeemer.
    RunOut,
}

/// The consequence of a refused redemption or reservation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// The redeemer has already redeemed the invitation: that redemption is the result.
    Redeemed,
    /// The redeemer's lease has not expired: it is the result of a reservation.
    Leased(Lease),
    /// The step is to be tried again, taking this use.
    Try(Taking),
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
        return Next::Try(Taking::Free);
    };
    match (failed, &facts.lease, &facts.first_lease) {
        (Condition::FirstUseBy(_), _, _) => Next::Redeemed,
        // The use that was tried is not available, or no longer: try another one.
        (Condition::FirstHoldBy(_) | Condition::OwnLeaseRunOut { .. }, Some(own), _)
            if wanted == Wanted::Reservation && !own.has_run_out(now) =>
        {
            Next::Leased(own.clone())
        }
        (Condition::FirstHoldBy(_), Some(own), _) => Next::Try(Taking::Own(own.clone())),
        (Condition::UseFree, _, Some(first)) if first.has_run_out(now) => Next::Try(Taking::RunOut),
        (Condition::LeaseRunOut { .. }, _, _) if facts.invitation.has_free_use() => {
            Next::Try(Taking::Free)
        }
        (Condition::HoldsLease { .. } | Condition::OwnLeaseRunOut { .. }, _, _) => {
            Next::Try(Taking::Free)
        }
        _ => Next::Refuse(failed.clone()),
    }
}

/// A presented code, with its redeemer and the role pairs that may be granted.
pub(super) struct Presented<'a> {
    pub(super) code: Vec<CodeDigest>,
    pub(super) redeemer: &'a Redeemer,
    /// The address that is compared with the binding.
    pub(super) address: Option<EmailKey>,
    pub(super) ceiling: &'a Arc<[RolePair]>,
}

impl<'a> Presented<'a> {
    /// Creates the value with the redeemer's proved address.
    pub(super) fn with_proof(
        code: Vec<CodeDigest>,
        redeemer: &'a Redeemer,
        ceiling: &'a Arc<[RolePair]>,
    ) -> Self {
        let address = redeemer.email().map(|proof| proof.email().key().clone());
        Self { code, redeemer, address, ceiling }
    }

    /// The conditions follow the order of `Invitation::status`, so that a refusal and the
    /// list agree. The condition on leases comes last, because a lease passes.
    fn guard(&self, call: &Call, taking: &Taking) -> Vec<Condition> {
        let user = self.redeemer.user();
        let mut guard = vec![
            Condition::FirstUseBy(user.clone()),
            Condition::NotDeleted,
            Condition::UsesLeft,
            Condition::NotRevoked,
            Condition::NotExpired { now: call.now },
            Condition::AddressProved(self.address.clone()),
            Condition::Grantable(Arc::clone(self.ceiling)),
        ];
        match taking {
            Taking::Free => {
                guard.extend([Condition::FirstHoldBy(user.clone()), Condition::UseFree]);
            }
            Taking::Own(own) => {
                guard.push(Condition::HoldsLease { lease: own.id, user: user.clone() });
            }
            Taking::RunOut => {
                let run_out = Condition::LeaseRunOut { now: call.now };
                guard.extend([Condition::FirstHoldBy(user.clone()), run_out]);
            }
        }
        guard
    }

    /// Adds the condition that a lease which has not expired is not begun again.
    fn guard_of_hold(&self, call: &Call, taking: &Taking) -> Guard {
        let mut guard = self.guard(call, taking);
        if let Taking::Own(own) = taking {
            let (user, now) = (own.user.clone(), call.now);
            guard.push(Condition::OwnLeaseRunOut { user, now });
        }
        Guard::new(guard)
    }

    pub(super) fn redeem(self, taking: &Taking, scope: Scope, call: &Call) -> Transition {
        let detail = match taking {
            Taking::Own(own) => of_lease(own.id),
            Taking::Free | Taking::RunOut => Detail::none(),
        };
        Transition {
            guard: Guard::new(self.guard(call, taking)),
            target: Target::Code(self.code),
            scope,
            quotas: Vec::new(),
            change: redemption(self.redeemer, call, in_place_of(taking, call)),
            event: call.done(Action::Redeem, detail),
        }
    }

    /// Returns a redemption that is never made: it would take the use of a lease that
    /// cannot exist, because its id is that of this call. Its guard has all conditions
    /// that redeeming has on the invitation itself, and the store's refusal returns the
    /// facts.
    pub(super) fn check(self, scope: Scope, call: &Call) -> Transition {
        let nobodys = Lease {
            id: call.id,
            user: self.redeemer.user().clone(),
            username: self.redeemer.username().clone(),
            since: call.now,
            until: call.now,
        };
        self.redeem(&Taking::Own(nobodys), scope, call)
    }

    pub(super) fn reserve(
        self,
        until: Timestamp,
        taking: &Taking,
        scope: Scope,
        call: &Call,
    ) -> Transition {
        // A renewed lease keeps its id and its start.
        let (id, since) = match taking {
            Taking::Own(own) => (own.id, own.since),
            Taking::Free | Taking::RunOut => (call.id, call.now),
        };
        let user = self.redeemer.user().clone();
        let lease = Lease { id, user, username: self.redeemer.username().clone(), since, until };
        Transition {
            guard: self.guard_of_hold(call, taking),
            target: Target::Code(self.code),
            scope,
            quotas: Vec::new(),
            change: Change::Hold { lease, in_place_of: in_place_of(taking, call) },
            event: call.done(Action::Reserve, of_lease(id).with("until", &until.to_string())),
        }
    }
}

pub(super) fn commit(
    reservation: ReservationId,
    redeemer: &Redeemer,
    ceiling: &Arc<[RolePair]>,
    scope: Scope,
    call: &Call,
) -> Transition {
    let (lease, user) = (reservation.lease(), redeemer.user().clone());
    let guard = Guard::new(vec![
        Condition::FirstUseBy(user.clone()),
        Condition::NotDeleted,
        Condition::NotRevoked,
        Condition::HoldsLease { lease, user },
        Condition::NotExpired { now: call.now },
        Condition::Grantable(Arc::clone(ceiling)),
    ]);
    Transition {
        target: Target::Id(reservation.invitation()),
        scope,
        guard,
        quotas: Vec::new(),
        change: redemption(redeemer, call, Some(Held::Own { lease: reservation.lease() })),
        event: call.done(Action::Redeem, of_lease(lease)),
    }
}

pub(super) fn release(
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

fn redemption(redeemer: &Redeemer, call: &Call, in_place_of: Option<Held>) -> Change {
    Change::Redeem {
        id: call.id,
        user: redeemer.user().clone(),
        username: redeemer.username().clone(),
        at: call.now,
        in_place_of,
    }
}

fn in_place_of(taking: &Taking, call: &Call) -> Option<Held> {
    match taking {
        Taking::Free => None,
        Taking::Own(own) => Some(Held::Own { lease: own.id }),
        Taking::RunOut => Some(Held::RunOut { now: call.now }),
    }
}

fn of_lease(lease: EventId) -> Detail {
    Detail::none().with("reservation", &lease.to_string())
}
