//! Expected results of presenting a code.

use invitation_core::{
    Action, EventId, Lease, Reason, Redemption, Refusal, ReservationId, store::EmailKey,
};

use super::{
    answer::{Answer, Grant, Hold},
    identities::Newcomer,
    state::{Expected, ExpectedEvent, ExpectedRefusal, Model, ModelInvitation, Reserved, newcomer},
    step::{BindingSpec, Pick},
};

/// The use that a redeemer can take.
enum Use {
    Free,
    /// The use held by this lease of the redeemer.
    Own(Lease),
    /// The use held by this expired lease of another redeemer. If that redeemer proved the same
    /// address, this use is taken even if another one is free.
    Expired(Lease),
}

impl Model {
    /// `id` is the id of the redemption, which the model cannot predict.
    pub(super) fn redeem(&mut self, code: Pick, person: Newcomer, id: EventId) -> Expected {
        let action = Action::Redeem;
        let n = match self.presented(code, person, action) {
            Ok(n) => n,
            Err(expected) => return *expected,
        };
        match self.usable(n, person, action) {
            Ok(Use::Free) => self.used(n, person, id, None, self.event(newcomer(person), action)),
            Ok(Use::Own(own)) => {
                let event = self.event(newcomer(person), action).with("reservation", &own.id);
                self.end_lease(n, own.id);
                self.used(n, person, id, Some(own), event)
            }
            Ok(Use::Expired(other)) => {
                let event = self.event(newcomer(person), action).with("taken_over_from", &other.id);
                self.end_lease(n, other.id);
                self.used(n, person, id, None, event)
            }
            Err(refusal) => {
                self.refused(newcomer(person), action, refusal, Some(&self.rows[n]), None)
            }
        }
    }

    /// `id` is the id of a new lease, which the model cannot predict.
    pub(super) fn reserve(&mut self, code: Pick, person: Newcomer, id: EventId) -> Expected {
        let action = Action::Reserve;
        let n = match self.presented(code, person, action) {
            Ok(n) => n,
            Err(expected) => return *expected,
        };
        let asked = self.after(self.bounds.lease);
        let lease = Lease {
            id,
            user: person.user(),
            username: person.username(),
            since: self.now,
            until: asked.min(self.rows[n].facts.expires_at),
            mailbox: self.rows[n].mailbox_of(person),
        };
        let event = self.event(newcomer(person), action).with("until", &asked);
        let new = ExpectedEvent { id: Some(id), ..event.clone() }.with("reservation", &id);
        match self.usable(n, person, action) {
            Ok(Use::Own(own)) if self.now < own.until => {
                Expected::without_events(held(&self.rows[n], &own, true))
            }
            // Renews the lease under the same id.
            Ok(Use::Own(own)) => {
                let event = event.with("reservation", &own.id);
                self.end_lease(n, own.id);
                let Lease { id, since, mailbox, .. } = own;
                self.held(n, Lease { id, since, mailbox, ..lease }, true, event)
            }
            Ok(_) if self.reserved.iter().any(|former| former.lease == id) => {
                Expected::without_events(Answer::Broken("a lease twice".to_owned()))
            }
            Ok(Use::Free) => {
                self.reserved.push(Reserved { row: n, lease: id, person: person.person });
                self.held(n, lease, false, new)
            }
            Ok(Use::Expired(other)) => {
                self.reserved.push(Reserved { row: n, lease: id, person: person.person });
                self.end_lease(n, other.id);
                self.held(n, lease, false, new.with("taken_over_from", &other.id))
            }
            Err(refusal) => {
                self.refused(newcomer(person), action, refusal, Some(&self.rows[n]), None)
            }
        }
    }

    /// Returns the row of the code, unless the code already decides the answer.
    fn presented(
        &self,
        code: Pick,
        person: Newcomer,
        action: Action,
    ) -> Result<usize, Box<Expected>> {
        let unknown = |reason, about: Option<&ModelInvitation>, division| {
            let refusal = (Refusal::CodeUnknown, reason);
            Err(Box::new(self.refused(newcomer(person), action, refusal, about, division)))
        };
        let Some(n) = self.by_code(code) else {
            return unknown(Reason::Unknown, None, person.division);
        };
        let row = &self.rows[n];
        if person.division.is_some_and(|division| division.division() != row.facts.division) {
            return unknown(Reason::OutOfScope, Some(row), None);
        }
        // A redemption stays valid, whatever state the invitation is in now.
        match row.redemption_of(person) {
            Some(mine) => Err(Box::new(Expected::without_events(granted(row, mine, true)))),
            None => Ok(n),
        }
    }

    /// Returns the row whose present code this is. Replaced codes are unknown.
    fn by_code(&self, pick: Pick) -> Option<usize> {
        let (code, n) = &self.codes[pick.of(self.codes.len())?];
        let row = &self.rows[*n];
        (row.code == *code && !row.purged).then_some(*n)
    }

    /// Returns the use that a person without a redemption of the invitation can take, or
    /// the refusal. Checks in the order of the guard's conditions.
    fn usable(&self, n: usize, person: Newcomer, action: Action) -> Result<Use, ExpectedRefusal> {
        let row = &self.rows[n];
        if row.is_deleted() {
            return Err((Refusal::CodeUnknown, Reason::Deleted));
        }
        if !row.has_uses_left() {
            return Err((Refusal::Used, Reason::Used));
        }
        if row.facts.revocation.is_some() {
            return Err((Refusal::Revoked, Reason::Revoked));
        }
        self.not_expired(row)?;
        if !row.accepts(person.proof) {
            let missing = person.proof.is_none();
            let reason = if missing { Reason::AddressMissing } else { Reason::AddressDiffers };
            return Err((Refusal::AddressProofRequired, reason));
        }
        self.grantable_still(row)?;
        let own = row.leases.iter().find(|lease| lease.user == person.user());
        // A reservation that is there is returned, whatever the host says now.
        if action != Action::Reserve || own.is_none_or(|own| self.now >= own.until) {
            self.vouched_for(row)?;
        }
        if let Some(own) = own {
            return Ok(Use::Own(own.clone()));
        }
        if let Some(mailbox) = row.mailbox_of(person) {
            let used = (Refusal::Used, Reason::MailboxUsed);
            if row.redemptions.iter().any(|made| made.mailbox.as_ref() == Some(&mailbox)) {
                return Err(used);
            }
            if let Some(held) = row.leases.iter().find(|held| held.mailbox == Some(mailbox.clone()))
            {
                return if self.now < held.until {
                    Err(used)
                } else {
                    Ok(Use::Expired(held.clone()))
                };
            }
        }
        if row.facts.uses as usize + row.leases.len() < row.facts.max_uses.get() as usize {
            return Ok(Use::Free);
        }
        let first = row.leases.iter().min_by_key(|lease| (lease.until, lease.id));
        let first = first.expect("whatever is not free is held by a lease");
        if self.now >= first.until {
            return Ok(Use::Expired(first.clone()));
        }
        let until = first.until.min(row.facts.expires_at);
        Err((Refusal::Reserved { until }, Reason::Reserved))
    }

    pub(super) fn not_expired(&self, row: &ModelInvitation) -> Result<(), ExpectedRefusal> {
        let at = row.facts.expires_at;
        if self.now < at { Ok(()) } else { Err((Refusal::Expired { at }, Reason::Expired)) }
    }

    /// A role that the system granted needs no ceiling; the others need the current
    /// policy's.
    pub(super) fn grantable_still(&self, row: &ModelInvitation) -> Result<(), ExpectedRefusal> {
        match row.grantor {
            Some((_, role)) if !self.rules.grants(role).contains(&row.role) => {
                Err((Refusal::GrantWithdrawn, Reason::GrantWithdrawn))
            }
            _ => Ok(()),
        }
    }

    /// Returns the refusal if the host, when it is asked, does not vouch for the grantor. It is not
    /// asked about a grant of the system.
    pub(super) fn vouched_for(&self, row: &ModelInvitation) -> Result<(), ExpectedRefusal> {
        match row.grantor {
            Some((who, _)) if self.without_standing == Some(who) => {
                Err((Refusal::GrantWithdrawn, Reason::GrantorStanding))
            }
            _ => Ok(()),
        }
    }

    /// Expects that a use is redeemed. `own` is the person's lease that held it, if one did.
    pub(super) fn used(
        &mut self,
        n: usize,
        person: Newcomer,
        id: EventId,
        own: Option<Lease>,
        event: ExpectedEvent,
    ) -> Expected {
        let row = &mut self.rows[n];
        let (lease, mailbox) = match own {
            Some(own) => (Some(own.id), own.mailbox),
            None => (None, row.mailbox_of(person)),
        };
        let redemption = Redemption {
            id,
            user: person.user(),
            username: person.username(),
            at: self.now,
            role: row.facts.role.clone(),
            lease,
            mailbox,
        };
        row.facts.uses += 1;
        row.facts.last_use = Some(redemption.clone());
        row.redemptions.push(redemption.clone());
        let event = ExpectedEvent { id: Some(id), ..event }.about(row);
        Expected { answer: granted(row, &redemption, false), events: vec![event] }
    }

    /// Expects that a use is reserved.
    fn held(&mut self, n: usize, lease: Lease, again: bool, event: ExpectedEvent) -> Expected {
        let row = &mut self.rows[n];
        let answer = held(row, &lease, again);
        row.leases.push(lease);
        row.facts.held += 1;
        Expected { answer, events: vec![event.about(row)] }
    }

    pub(super) fn end_lease(&mut self, n: usize, id: EventId) {
        let row = &mut self.rows[n];
        row.leases.retain(|lease| lease.id != id);
        row.facts.held -= 1;
    }
}

impl ModelInvitation {
    pub(super) fn redemption_of(&self, person: Newcomer) -> Option<&Redemption> {
        self.redemptions.iter().find(|mine| mine.user == person.user())
    }

    /// Returns the mailbox that a use by this person takes: of a code for a domain only.
    fn mailbox_of(&self, person: Newcomer) -> Option<EmailKey> {
        let (proof, _) = person.proof?;
        match self.binding {
            BindingSpec::Domain(_) => Some(proof.email(false).key().clone()),
            BindingSpec::Anyone | BindingSpec::Address(..) => None,
        }
    }
}

pub(super) fn granted(row: &ModelInvitation, redemption: &Redemption, replayed: bool) -> Answer {
    Answer::Redeemed(Box::new(Grant {
        redemption: redemption.clone(),
        invitation: row.facts.id,
        division: row.facts.division.clone(),
        metadata: row.facts.metadata.clone(),
        replayed,
    }))
}

fn held(row: &ModelInvitation, lease: &Lease, replayed: bool) -> Answer {
    Answer::Reserved(Box::new(Hold {
        id: ReservationId::new(row.facts.id, lease.id),
        until: lease.until.min(row.facts.expires_at),
        role: row.facts.role.clone(),
        division: row.facts.division.clone(),
        metadata: row.facts.metadata.clone(),
        replayed,
    }))
}
