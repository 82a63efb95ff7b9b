//! What the model remembers, and what is told from it.

use super::{
    answer::{Answer, View},
    bounds::Bounds,
    cast::{Creator, Mailbox, Newcomer, Part, Place, Site, Who, origin},
    codes,
    keys::Key,
    policy::Rules,
    step::{Bound, Pick, Reserving, Until},
};
use crate::{
    actor::Redeemer,
    event::{Action, Event, EventOutcome, Origin, Performer, Reason},
    id::{EventId, InvitationId},
    invitation::{Binding, Invitation, Redemption, Revocation, Status},
    lease::{Lease, ReservationId},
    policy::Right,
    refusal::Refusal,
    text::Division,
    time::Timestamp,
};

pub(super) const HOUR: i64 = 3_600_000_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// Everything that should be so.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) now: Timestamp,
    pub(super) rules: Rules,
    pub(super) bounds: Bounds,
    /// In the order of creation, with tombstones and with what was purged.
    pub(super) rows: Vec<Row>,
    /// Every code that was issued, dead ones included, and of which row.
    pub(super) codes: Vec<(String, usize)>,
    /// Every reservation that was made, ended ones included.
    pub(super) reserved: Vec<Reserved>,
    pub(super) keys: Vec<Key>,
    /// Every event that was found and was as it should be.
    pub(super) trail: Vec<Event>,
    pub(super) stranger: String,
    /// The number of the step.
    pub(super) step: usize,
}

/// One invitation.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) facts: Invitation,
    pub(super) code: String,
    pub(super) bound: Bound,
    pub(super) part: Part,
    /// Who invited, and as what; none is the system.
    pub(super) inviter: Option<(Who, Part)>,
    pub(super) redemptions: Vec<Redemption>,
    /// Those that stand, run out or not.
    pub(super) leases: Vec<Lease>,
    /// Whether nothing is left of it.
    pub(super) purged: bool,
}

/// A reservation that was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reserved {
    pub(super) row: usize,
    pub(super) lease: EventId,
    pub(super) person: u8,
}

/// An event that should have been written.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Evidence {
    /// When it is known by another answer.
    pub(super) id: Option<EventId>,
    pub(super) at: Timestamp,
    pub(super) performer: Performer,
    pub(super) action: Action,
    pub(super) outcome: EventOutcome,
    pub(super) reason: Option<Reason>,
    pub(super) invitation: Option<InvitationId>,
    pub(super) division: Option<Division>,
    pub(super) origin: Origin,
    /// What its detail says, of that which is compared.
    pub(super) detail: Vec<(&'static str, String)>,
}

impl Evidence {
    /// This, about that invitation.
    pub(super) fn about(self, row: &Row) -> Self {
        let facts = &row.facts;
        Self { invitation: Some(facts.id), division: Some(facts.division.clone()), ..self }
    }

    pub(super) fn with(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.detail.push((name, value.to_string()));
        self
    }
}

/// What a step should answer and write.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Expected {
    pub(super) answer: Answer,
    pub(super) events: Vec<Evidence>,
}

impl Expected {
    /// An answer that leaves no trace.
    pub(super) fn quiet(answer: Answer) -> Self {
        Self { answer, events: Vec::new() }
    }

    pub(super) fn invalid(field: &str) -> Self {
        Self::quiet(Answer::Invalid(vec![(None, field.to_owned())]))
    }
}

/// Why not: what is said, and what is written.
pub(super) type No = (Refusal, Reason);

impl Row {
    /// The first that fits: used, revoked, expired, active.
    pub(super) fn status(&self, now: Timestamp) -> Status {
        if !self.has_uses_left() {
            return Status::Used;
        }
        if self.facts.revocation.is_some() {
            return Status::Revoked;
        }
        if now < self.facts.expires_at { Status::Active } else { Status::Expired }
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.facts.deleted_at.is_some()
    }

    /// Whether somebody could find it in a list.
    pub(super) fn is_there(&self) -> bool {
        !self.purged && !self.is_deleted()
    }

    pub(super) fn has_uses_left(&self) -> bool {
        self.facts.uses < self.facts.max_uses.get()
    }

    /// Withdraws it.
    pub(super) fn revoke(&mut self, at: Timestamp, reason: Option<String>) {
        self.facts.revocation = Some(Revocation { at, reason });
        self.facts.version += 1;
        self.end_leases();
    }

    pub(super) fn end_leases(&mut self) {
        self.leases.clear();
        self.facts.held = 0;
    }

    /// The address and Used By, as a list shows them.
    pub(super) fn shown(&self) -> Vec<&str> {
        let address = match self.bound {
            Bound::Address(mailbox, other) => Some(mailbox.spelling(other)),
            Bound::Anyone | Bound::Domain(_) => None,
        };
        let name = self.facts.last_use.as_ref().map(|last| last.username.as_str());
        address.into_iter().chain(name).collect()
    }

    /// Whether the proved address, if there is one, opens it.
    pub(super) fn opens_to(&self, proof: Option<(Mailbox, bool)>) -> bool {
        let site: fn(Mailbox) -> Site = Mailbox::at;
        match self.bound {
            Bound::Anyone => true,
            Bound::Address(mailbox, _) => proof.is_some_and(|(own, _)| own == mailbox),
            Bound::Domain(domain) => proof.is_some_and(|(own, _)| site(own) == domain),
        }
    }
}

impl Bound {
    pub(super) fn binding(self) -> Binding {
        match self {
            Self::Anyone => Binding::Anyone,
            Self::Address(mailbox, other) => Binding::Address(mailbox.email(other)),
            Self::Domain(site) => Binding::Domain(site.domain()),
        }
    }
}

impl Model {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            rules: Rules::Default,
            bounds: Bounds::WIDE,
            rows: Vec::new(),
            codes: Vec::new(),
            reserved: Vec::new(),
            keys: Vec::new(),
            trail: Vec::new(),
            stranger: codes::stranger(),
            step: 0,
        }
    }

    /// The id that is picked.
    pub(super) fn id(&self, pick: Pick) -> InvitationId {
        let row = pick.of(self.rows.len()).map(|n| self.rows[n].facts.id);
        row.unwrap_or(InvitationId::from_bytes([0x7a; 16]))
    }

    /// The code that is picked, as shown, dead or alive.
    pub(super) fn code(&self, pick: Pick) -> &str {
        pick.of(self.codes.len()).map_or(&self.stranger, |n| &self.codes[n].0)
    }

    /// The reservation that is picked.
    pub(super) fn reservation(&self, of: Reserving) -> ReservationId {
        match of.pick.of(self.reserved.len()) {
            Some(n) => {
                let Reserved { row, lease, .. } = self.reserved[n];
                ReservationId::new(self.rows[row].facts.id, lease)
            }
            // Of an invitation that there may be.
            None => ReservationId::new(self.id(Pick::Known(0)), EventId::from_bytes([0x7b; 16])),
        }
    }

    /// Who presents a reservation: `person`, or for whom it was made.
    pub(super) fn presenting(&self, of: Reserving, person: Newcomer) -> Newcomer {
        match of.pick.of(self.reserved.len()) {
            Some(n) if of.own => Newcomer { person: self.reserved[n].person, ..person },
            _ => person,
        }
    }

    /// `now` moved by microseconds.
    pub(super) fn after(&self, micros: i64) -> Timestamp {
        Timestamp::from_micros(self.now.as_micros() + micros).expect("sequences stay near now")
    }

    /// When something expires, or the field that is wrong: 1 hour to 365 days.
    pub(super) fn expiry(&self, until: Until) -> Result<Timestamp, &'static str> {
        let (field, lifetime) = match until {
            Until::Default => ("expires_at", 7 * DAY),
            Until::Days(days) => ("expires_in_days", i64::from(days).saturating_mul(DAY)),
            Until::After(micros) => ("expires_at", micros),
        };
        if (HOUR..=365 * DAY).contains(&lifetime) { Ok(self.after(lifetime)) } else { Err(field) }
    }

    /// The invitation that is picked, when anything is left of it.
    pub(super) fn found(&self, pick: Pick) -> Option<usize> {
        pick.of(self.rows.len()).filter(|&n| !self.rows[n].purged)
    }

    /// The invitation as `who` may know it.
    pub(super) fn look(&self, who: Who, pick: Pick) -> Result<usize, No> {
        let Some(n) = self.found(pick) else {
            return Err((Refusal::NotFound, Reason::Unknown));
        };
        if !who.reaches(&self.rows[n].facts.division) {
            return Err((Refusal::NotFound, Reason::OutOfScope));
        }
        if self.rows[n].is_deleted() {
            return Err((Refusal::NotFound, Reason::Deleted));
        }
        Ok(n)
    }

    /// What `who` may do with an invitation as it is: what would succeed.
    pub(super) fn actions(&self, who: Who, row: &Row) -> Vec<Right> {
        let unused = row.has_uses_left();
        let revoked = row.facts.revocation.is_some();
        let uses = row.facts.max_uses.get();
        let creatable = self.lacking(Creator::User(who), row.part, row.bound, uses).is_none();
        let possible = |right| match right {
            Right::Copy | Right::Delete => true,
            Right::Amend | Right::Rotate => unused && !revoked && creatable,
            Right::Revoke => unused && !revoked,
            Right::Reinstate => unused && revoked && creatable,
            _ => false,
        };
        let may = |right: &Right| possible(*right) && self.rules.allow(who.part(), *right);
        let mut actions: Vec<Right> = Right::ALL.into_iter().filter(may).collect();
        actions.sort_unstable();
        actions
    }

    /// The row of a dashboard, judged at `now`.
    pub(super) fn view(&self, who: Who, row: &Row, now: Timestamp) -> View {
        View {
            invitation: row.facts.clone(),
            code: if self.rules.allow(who.part(), Right::Copy) {
                row.code.clone()
            } else {
                String::new()
            },
            status: row.status(now),
            actions: self.actions(who, row),
        }
    }

    /// An event of this step.
    pub(super) fn event(&self, performer: Performer, action: Action) -> Evidence {
        Evidence {
            id: None,
            at: self.now,
            performer,
            action,
            outcome: EventOutcome::Succeeded,
            reason: None,
            invitation: None,
            division: None,
            origin: origin(self.step),
            detail: Vec::new(),
        }
    }

    /// The refusal of this step, with its evidence.
    pub(super) fn refused(
        &self,
        performer: Performer,
        action: Action,
        (refusal, reason): No,
        about: Option<&Row>,
        named: Option<Place>,
    ) -> Expected {
        let division = about.map(|row| row.facts.division.clone());
        let event = Evidence {
            outcome: outcome(reason),
            reason: Some(reason),
            invitation: about.map(|row| row.facts.id),
            division: division.or(named.map(Place::division)),
            ..self.event(performer, action)
        };
        Expected { answer: Answer::Refused(refusal), events: vec![event] }
    }

    /// A refusal that is about the invitation picked, wherever it is.
    pub(super) fn refused_about(&self, who: Who, action: Action, no: No, of: Pick) -> Expected {
        let about = self.found(of).map(|n| &self.rows[n]);
        self.refused(user(who), action, no, about, None)
    }
}

/// A denial is about the actor; a refusal about the state of things.
fn outcome(reason: Reason) -> EventOutcome {
    match reason {
        Reason::RightMissing
        | Reason::RoleNotGrantable
        | Reason::MultiUseNotAllowed
        | Reason::DomainNotAllowed
        | Reason::DivisionNotAllowed
        | Reason::OutOfScope => EventOutcome::Denied,
        _ => EventOutcome::Refused,
    }
}

/// A user, as the audit trail names them.
pub(super) fn user(who: Who) -> Performer {
    Performer::Actor { user: who.user(), role: who.part().role() }
}

/// A newcomer, as the audit trail names them.
pub(super) fn newcomer(person: Newcomer) -> Performer {
    let redeemer: Redeemer = person.redeemer(Origin::default());
    Performer::Redeemer { user: redeemer.user().clone(), username: redeemer.username().clone() }
}

/// That a right is missing.
pub(super) fn forbidden(right: Right) -> No {
    (Refusal::Forbidden { right }, Reason::RightMissing)
}
