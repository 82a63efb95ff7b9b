//! The state of the model, and the values derived from it.

use invitation_core::{
    Action, Binding, Division, Event, EventId, EventOutcome, InvitationId, Lease, Performer,
    Reason, Record, Redeemer, Redemption, Refusal, RequestContext, ReservationId, Revocation,
    Right, Status, Timestamp,
};

use super::{
    answer::{Answer, Issue, View},
    codes,
    idempotency::Key,
    identities::{
        ActingUser, Creator, DivisionName, MailDomain, Mailbox, Newcomer, RoleName, context,
    },
    keys::KeyChoice,
    limits::LimitsSpec,
    policy::PolicyChoice,
    step::{BindingSpec, ExpirySpec, Pick, ReservationPick},
};

pub(super) const HOUR: i64 = 3_600_000_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// The state that the store should have.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) now: Timestamp,
    pub(super) rules: PolicyChoice,
    pub(super) bounds: LimitsSpec,
    /// The user for whom the host no longer vouches.
    pub(super) without_standing: Option<ActingUser>,
    pub(super) key: KeyChoice,
    /// All invitations in the order of creation, including tombstones and purged ones.
    pub(super) rows: Vec<ModelInvitation>,
    /// Every code that was issued, replaced ones included, with the index of its row.
    pub(super) codes: Vec<(String, usize)>,
    /// Every reservation that was made, ended ones included.
    pub(super) reserved: Vec<Reserved>,
    pub(super) keys: Vec<Key>,
    /// Every event that was read from the store and was as expected.
    pub(super) trail: Vec<Event>,
    pub(super) stranger: String,
    /// The number of the current step.
    pub(super) step: usize,
}

/// An invitation with every fact that the store should hold about it.
#[derive(Clone, Debug)]
pub(super) struct ModelInvitation {
    pub(super) facts: Record,
    pub(super) code: String,
    pub(super) binding: BindingSpec,
    pub(super) role: RoleName,
    /// The inviter and their role at creation; `None` is the system.
    pub(super) inviter: Option<(ActingUser, RoleName)>,
    /// The user who last granted the role, and their role then; `None` is the system.
    pub(super) grantor: Option<(ActingUser, RoleName)>,
    pub(super) redemptions: Vec<Redemption>,
    /// The leases that exist, expired ones included.
    pub(super) leases: Vec<Lease>,
    /// Whether the invitation was purged.
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
pub(super) struct ExpectedEvent {
    /// The event's id, if an answer reveals it.
    pub(super) id: Option<EventId>,
    pub(super) at: Timestamp,
    pub(super) performer: Performer,
    pub(super) action: Action,
    pub(super) outcome: EventOutcome,
    pub(super) reason: Option<Reason>,
    pub(super) invitation: Option<InvitationId>,
    pub(super) division: Option<Division>,
    pub(super) context: RequestContext,
    /// The event's details that are compared.
    pub(super) detail: Vec<(&'static str, String)>,
}

impl ExpectedEvent {
    /// Makes the event be about that invitation.
    pub(super) fn about(self, row: &ModelInvitation) -> Self {
        let facts = &row.facts;
        Self { invitation: Some(facts.id), division: Some(facts.division.clone()), ..self }
    }

    pub(super) fn with(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.detail.push((name, value.to_string()));
        self
    }
}

/// The expected answer and events of a step.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Expected {
    pub(super) answer: Answer,
    pub(super) events: Vec<ExpectedEvent>,
}

impl Expected {
    /// Returns an expectation without events.
    pub(super) fn without_events(answer: Answer) -> Self {
        Self { answer, events: Vec::new() }
    }

    pub(super) fn invalid(field: &str) -> Self {
        Self::without_events(Answer::Invalid(vec![(None, field.to_owned())]))
    }
}

/// The refusal that the caller gets, and the reason that is recorded.
pub(super) type ExpectedRefusal = (Refusal, Reason);

impl ModelInvitation {
    /// Returns the first status that applies: used, revoked, expired, active.
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

    /// Returns the invitation and its code, as a call that creates it returns them.
    pub(super) fn issue(&self, replayed: bool) -> Issue {
        Issue { invitation: self.facts.clone().into(), code: self.code.clone(), replayed }
    }

    /// Whether the invitation can appear in a list.
    pub(super) fn is_live(&self) -> bool {
        !self.purged && !self.is_deleted()
    }

    pub(super) fn has_uses_left(&self) -> bool {
        self.facts.uses < self.facts.max_uses.get()
    }

    /// Revokes the invitation.
    pub(super) fn revoke(&mut self, at: Timestamp, reason: Option<String>) {
        self.facts.revocation = Some(Revocation { at, reason });
        self.facts.version += 1;
        self.end_leases();
    }

    /// Grants the role anew, by the rights that `by` has now.
    pub(super) fn grant(&mut self, by: ActingUser) {
        self.facts.grantor = by.inviter();
        self.grantor = Some((by, by.role()));
    }

    pub(super) fn end_leases(&mut self) {
        self.leases.clear();
        self.facts.held = 0;
    }

    /// Returns the address and the names of all redeemers.
    pub(super) fn shown(&self) -> Vec<&str> {
        let address = match self.binding {
            BindingSpec::Address(mailbox, other) => Some(mailbox.spelling(other)),
            BindingSpec::Anyone | BindingSpec::Domain(_) => None,
        };
        let names = self.redemptions.iter().map(|redemption| redemption.username.as_str());
        address.into_iter().chain(names).collect()
    }

    /// Whether the proved address, if there is one, satisfies the binding.
    pub(super) fn accepts(&self, proof: Option<(Mailbox, bool)>) -> bool {
        let site: fn(Mailbox) -> MailDomain = Mailbox::at;
        match self.binding {
            BindingSpec::Anyone => true,
            BindingSpec::Address(mailbox, _) => proof.is_some_and(|(own, _)| own == mailbox),
            BindingSpec::Domain(domain) => proof.is_some_and(|(own, _)| site(own) == domain),
        }
    }
}

impl BindingSpec {
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
            rules: PolicyChoice::Default,
            bounds: LimitsSpec::WIDE,
            without_standing: None,
            key: KeyChoice::None,
            rows: Vec::new(),
            codes: Vec::new(),
            reserved: Vec::new(),
            keys: Vec::new(),
            trail: Vec::new(),
            stranger: codes::stranger(),
            step: 0,
        }
    }

    /// Returns the picked id.
    pub(super) fn id(&self, pick: Pick) -> InvitationId {
        let row = pick.of(self.rows.len()).map(|n| self.rows[n].facts.id);
        row.unwrap_or(InvitationId::from_bytes([0x7a; 16]))
    }

    /// Returns the picked code as shown, valid or replaced.
    pub(super) fn code(&self, pick: Pick) -> &str {
        pick.of(self.codes.len()).map_or(&self.stranger, |n| &self.codes[n].0)
    }

    /// Returns the picked reservation.
    pub(super) fn reservation(&self, of: ReservationPick) -> ReservationId {
        match of.pick.of(self.reserved.len()) {
            Some(n) => {
                let Reserved { row, lease, .. } = self.reserved[n];
                ReservationId::new(self.rows[row].facts.id, lease)
            }
            // The id of a reservation that was never made, on an invitation that may
            // exist.
            None => ReservationId::new(self.id(Pick::Known(0)), EventId::from_bytes([0x7b; 16])),
        }
    }

    /// Returns the presenter of a reservation: `person`, or the person for whom it was
    /// made.
    pub(super) fn presenting(&self, of: ReservationPick, person: Newcomer) -> Newcomer {
        match of.pick.of(self.reserved.len()) {
            Some(n) if of.own => Newcomer { person: self.reserved[n].person, ..person },
            _ => person,
        }
    }

    /// Returns `now` moved by `micros` microseconds.
    pub(super) fn after(&self, micros: i64) -> Timestamp {
        Timestamp::from_micros(self.now.as_micros() + micros).expect("sequences stay near now")
    }

    /// Returns the instant of expiry, or the name of the invalid field. A lifetime is 1
    /// hour to 365 days.
    pub(super) fn expiry(&self, until: ExpirySpec) -> Result<Timestamp, &'static str> {
        let (field, lifetime) = match until {
            ExpirySpec::Default => ("expires_at", 7 * DAY),
            ExpirySpec::Days(days) => ("expires_in_days", i64::from(days).saturating_mul(DAY)),
            ExpirySpec::After(micros) => ("expires_at", micros),
        };
        if (HOUR..=365 * DAY).contains(&lifetime) { Ok(self.after(lifetime)) } else { Err(field) }
    }

    /// Returns the picked invitation, unless it never existed or was purged.
    pub(super) fn found(&self, pick: Pick) -> Option<usize> {
        pick.of(self.rows.len()).filter(|&n| !self.rows[n].purged)
    }

    /// Returns the invitation as far as `who` may know it.
    pub(super) fn visible(&self, who: ActingUser, pick: Pick) -> Result<usize, ExpectedRefusal> {
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

    /// Returns the actions that would succeed for `who` on the invitation in its present
    /// state.
    pub(super) fn actions(&self, who: ActingUser, row: &ModelInvitation) -> Vec<Right> {
        let unused = row.has_uses_left();
        let revoked = row.facts.revocation.is_some();
        let uses = row.facts.max_uses.get();
        let creatable =
            self.missing_right(Creator::User(who), row.role, row.binding, uses).is_none();
        let possible = |right| match right {
            Right::Copy | Right::Delete => true,
            Right::Amend | Right::Rotate => unused && !revoked && creatable,
            Right::Revoke => unused && !revoked,
            Right::Reinstate => unused && revoked && creatable,
            _ => false,
        };
        let may = |right: &Right| possible(*right) && self.rules.allows(who.role(), *right);
        let mut actions: Vec<Right> = Right::ALL.into_iter().filter(may).collect();
        actions.sort_unstable();
        actions
    }

    /// Returns the row of a dashboard, with the status at `now`.
    pub(super) fn view(&self, who: ActingUser, row: &ModelInvitation, now: Timestamp) -> View {
        View {
            invitation: row.facts.clone().into(),
            code: if self.rules.allows(who.role(), Right::Copy) {
                row.code.clone()
            } else {
                String::new()
            },
            status: row.status(now),
            actions: self.actions(who, row),
        }
    }

    /// Returns an event of this step.
    pub(super) fn event(&self, performer: Performer, action: Action) -> ExpectedEvent {
        ExpectedEvent {
            id: None,
            at: self.now,
            performer,
            action,
            outcome: EventOutcome::Succeeded,
            reason: None,
            invitation: None,
            division: None,
            context: context(self.step),
            detail: Vec::new(),
        }
    }

    /// Returns the refusal of this step, with its event.
    pub(super) fn refused(
        &self,
        performer: Performer,
        action: Action,
        (refusal, reason): ExpectedRefusal,
        about: Option<&ModelInvitation>,
        named: Option<DivisionName>,
    ) -> Expected {
        let division = about.map(|row| row.facts.division.clone());
        let event = ExpectedEvent {
            outcome: outcome(reason),
            reason: Some(reason),
            invitation: about.map(|row| row.facts.id),
            division: division.or(named.map(DivisionName::division)),
            ..self.event(performer, action)
        };
        Expected { answer: Answer::Refused(refusal), events: vec![event] }
    }

    /// Returns a refusal whose event is about the picked invitation, in whatever division
    /// it is.
    pub(super) fn refused_about(
        &self,
        who: ActingUser,
        action: Action,
        refusal: ExpectedRefusal,
        of: Pick,
    ) -> Expected {
        let about = self.found(of).map(|n| &self.rows[n]);
        self.refused(user(who), action, refusal, about, None)
    }

    /// Returns the refusal of a user whose role lacks a right.
    pub(super) fn forbidden(&self, who: ActingUser, right: Right) -> ExpectedRefusal {
        let role = who.role();
        if self.rules.knows(role) {
            (Refusal::Forbidden { right }, Reason::RightMissing)
        } else {
            (Refusal::UnknownRole { role: role.role() }, Reason::UnknownRole)
        }
    }

    /// Returns the refusal of a role that the user may not grant.
    pub(super) fn not_grantable(&self, role: RoleName) -> ExpectedRefusal {
        let refusal = if self.rules.knows(role) {
            Refusal::RoleNotGrantable { role: role.role() }
        } else {
            Refusal::UnknownRole { role: role.role() }
        };
        (refusal, Reason::RoleNotGrantable)
    }
}

/// A denial depends on the actor's rights; a refusal depends on the invitation's state.
fn outcome(reason: Reason) -> EventOutcome {
    match reason {
        Reason::RightMissing
        | Reason::RoleNotGrantable
        | Reason::MultiUseNotAllowed
        | Reason::DomainNotAllowed
        | Reason::DivisionNotAllowed
        | Reason::UnknownRole
        | Reason::OutOfScope => EventOutcome::Denied,
        _ => EventOutcome::Refused,
    }
}

/// Returns a user as the audit trail names them.
pub(super) fn user(who: ActingUser) -> Performer {
    Performer::Actor { user: who.user(), role: who.role().role(), name: who.name() }
}

/// Returns a newcomer as the audit trail names them.
pub(super) fn newcomer(person: Newcomer) -> Performer {
    let redeemer: Redeemer = person.redeemer(RequestContext::default());
    Performer::Redeemer { user: redeemer.user().clone(), username: redeemer.username().clone() }
}
