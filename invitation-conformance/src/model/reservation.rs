//! Expected results of operations on reservations, and which callers may see them.

use invitation_core::{
    Action, EventId, Lease, OpenLease, OpenReservation, Reason, Refusal, ReservationId, Right,
};

use super::{
    answer::Answer,
    identities::{ActingUser, DivisionName, Newcomer},
    read::out_of_reach,
    redeem::granted,
    state::{Expected, ExpectedRefusal, Model, ModelInvitation, newcomer},
    step::{AccountCreation, Pick, ReservationPick},
};

impl Model {
    /// `id` is the id of the redemption, which the model cannot predict.
    pub(super) fn commit(
        &mut self,
        of: ReservationPick,
        person: Newcomer,
        id: EventId,
    ) -> Expected {
        let (reservation, person) = (self.reservation(of), self.presenting(of, person));
        self.commit_as(reservation, person, id)
    }

    pub(super) fn release(&mut self, of: ReservationPick, person: Newcomer) -> Expected {
        let (reservation, person) = (self.reservation(of), self.presenting(of, person));
        self.release_as(reservation, person)
    }

    fn commit_as(&mut self, of: ReservationId, person: Newcomer, id: EventId) -> Expected {
        let action = Action::Redeem;
        let n = match self.holding(of, person, action) {
            Ok(n) => n,
            Err(expected) => return *expected,
        };
        let row = &self.rows[n];
        if let Some(mine) = row.redemption_of(person) {
            if mine.lease == Some(of.lease()) {
                return Expected::without_events(granted(row, mine, true));
            }
            let refusal = (Refusal::ReservationLost, Reason::ReservationLost);
            return self.refused(newcomer(person), action, refusal, Some(row), None);
        }
        let own = match self.commits(row, of, person) {
            Ok(own) => own,
            Err(refusal) => {
                return self.refused(newcomer(person), action, refusal, Some(row), None);
            }
        };
        let event = self.event(newcomer(person), action).with("reservation", &of.lease());
        self.end_lease(n, of.lease());
        self.used(n, person, id, Some(own), event)
    }

    /// Returns the lease that a person without a redemption of the invitation commits, or the
    /// refusal. Checks in the order of the guard's conditions.
    fn commits(
        &self,
        row: &ModelInvitation,
        of: ReservationId,
        person: Newcomer,
    ) -> Result<Lease, ExpectedRefusal> {
        if row.is_deleted() {
            return Err((Refusal::NotFound, Reason::Deleted));
        }
        if row.facts.revocation.is_some() {
            return Err((Refusal::Revoked, Reason::Revoked));
        }
        let Some(own) = row.held_by(of, person) else {
            return Err((Refusal::ReservationLost, Reason::ReservationLost));
        };
        self.not_expired(row)?;
        self.grantable_still(row)?;
        if self.now >= own.until {
            self.vouched_for(row)?;
        }
        Ok(own.clone())
    }

    fn release_as(&mut self, of: ReservationId, person: Newcomer) -> Expected {
        let action = Action::Release;
        let n = match self.holding(of, person, action) {
            Ok(n) => n,
            Err(expected) => return *expected,
        };
        let row = &self.rows[n];
        if row.redemption_of(person).is_some_and(|mine| mine.lease == Some(of.lease())) {
            let refusal = (Refusal::Used, Reason::Used);
            return self.refused(newcomer(person), action, refusal, Some(row), None);
        }
        if row.held_by(of, person).is_none() {
            return Expected::without_events(Answer::Done);
        }
        let event = self.event(newcomer(person), action).with("reservation", &of.lease());
        self.end_lease(n, of.lease());
        Expected { answer: Answer::Done, events: vec![event.about(&self.rows[n])] }
    }

    /// Returns the row of a reservation, as far as the newcomer may know it. The context
    /// is one division, or all divisions.
    fn holding(
        &self,
        of: ReservationId,
        person: Newcomer,
        action: Action,
    ) -> Result<usize, Box<Expected>> {
        let n = self.rows.iter().position(|row| row.facts.id == of.invitation() && !row.purged);
        let division = person.division.map(DivisionName::division);
        let within =
            |n: &usize| division.is_none_or(|division| self.rows[*n].facts.division == division);
        let reason = if n.is_some() { Reason::OutOfScope } else { Reason::Unknown };
        let about = n.map(|n| &self.rows[n]);
        n.filter(within).ok_or_else(|| {
            let refusal = (Refusal::NotFound, reason);
            Box::new(self.refused(newcomer(person), action, refusal, about, None))
        })
    }

    /// Expects a reservation that is committed or released some time later.
    pub(super) fn redeem_with(
        &mut self,
        code: Pick,
        person: Newcomer,
        creation: AccountCreation,
        seen: &Answer,
    ) -> Expected {
        let Expected { answer, mut events } = self.reserve(code, person, seen.lease());
        let hold = match answer {
            Answer::Reserved(hold) => hold,
            Answer::Redeemed(grant) => {
                return Expected { answer: Answer::Made(grant, None), events };
            }
            other => return Expected { answer: Answer::NotReserved(Box::new(other)), events },
        };
        let (AccountCreation::Works(time) | AccountCreation::Fails(time)) = creation;
        self.now = self.after(time);
        if matches!(creation, AccountCreation::Fails(_)) && hold.replayed {
            // The use is left to the earlier call.
            let answer = Answer::NotCreated(hold, Some(Box::new(Answer::Done)));
            return Expected { answer, events };
        }
        let second = match creation {
            AccountCreation::Works(_) => self.commit_as(hold.id, person, seen.redemption()),
            AccountCreation::Fails(_) => self.release_as(hold.id, person),
        };
        events.extend(second.events);
        let answer = match (creation, second.answer) {
            (AccountCreation::Works(_), Answer::Redeemed(grant)) => Answer::Made(grant, Some(hold)),
            (AccountCreation::Works(_), error) => Answer::NotCommitted(hold, Box::new(error)),
            (AccountCreation::Fails(_), Answer::Done) => Answer::NotCreated(hold, None),
            (AccountCreation::Fails(_), error) => Answer::NotCreated(hold, Some(Box::new(error))),
        };
        Expected { answer, events }
    }

    pub(super) fn redemptions(&self, by: ActingUser, of: Pick) -> Expected {
        if !self.rules.allows(by.role(), Right::View) {
            return self.refused_about(by, Action::View, self.forbidden(by, Right::View), of);
        }
        match self.visible(by, of) {
            Ok(n) => Expected::without_events(Answer::Used(self.rows[n].newest_redemptions())),
            Err(refusal) => self.refused_about(by, Action::View, refusal, of),
        }
    }

    pub(super) fn reservations(&self, by: ActingUser, division: Option<DivisionName>) -> Expected {
        let right = Right::Reservations;
        if !self.rules.allows(by.role(), right) {
            return self.refused_reading(by, Action::View, self.forbidden(by, right), division);
        }
        if let Some(refusal) = out_of_reach(by, division) {
            return self.refused_reading(by, Action::View, refusal, division);
        }
        let within = division.or(by.reach()).map(DivisionName::division);
        let mut open = Vec::new();
        for row in &self.rows {
            let division = &row.facts.division;
            if within.as_ref().is_some_and(|within| within != division) {
                continue;
            }
            for lease in &row.leases {
                let (invitation, lease) = (row.facts.id, lease.clone());
                open.push(OpenLease { invitation, division: division.clone(), lease });
            }
        }
        open.sort_by_key(|open| std::cmp::Reverse((open.lease.since, open.lease.id)));
        let listed =
            open.into_iter().map(|open| Open { expired: self.now >= open.lease.until, open });
        Expected::without_events(Answer::Open(listed.collect()))
    }
}

/// An open reservation as the service lists it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Open {
    pub(super) open: OpenLease,
    pub(super) expired: bool,
}

impl Open {
    pub(super) fn of(listed: &OpenReservation) -> Result<Self, String> {
        let open = listed.open().clone();
        if listed.id() != ReservationId::new(open.invitation, open.lease.id) {
            return Err(format!("a reservation under another id: {listed:?}"));
        }
        Ok(Self { open, expired: listed.has_expired() })
    }
}

impl ModelInvitation {
    /// Returns this lease, if it still exists and belongs to this person.
    fn held_by(&self, of: ReservationId, person: Newcomer) -> Option<&Lease> {
        self.leases.iter().find(|lease| lease.id == of.lease() && lease.user == person.user())
    }

    pub(super) fn newest_redemptions(&self) -> Vec<invitation_core::Redemption> {
        let mut all = self.redemptions.clone();
        all.sort_by_key(|redemption| std::cmp::Reverse((redemption.at, redemption.id)));
        all
    }
}
