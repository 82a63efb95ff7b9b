//! Expected results of administrators' changes.

use invitation_core::{Action, IfVersion, Reason, Refusal, Right, Timestamp};

use super::{
    answer::{Answer, Issue},
    create::set_code,
    identities::{ActingUser, Creator},
    state::{Expected, ExpectedEvent, ExpectedRefusal, Model, ModelInvitation, user},
    step::{AmendmentSpec, BindingSpec, Pick, RevocationReason, Version},
};

impl Model {
    pub(super) fn amend(
        &mut self,
        by: ActingUser,
        of: Pick,
        terms: AmendmentSpec,
        version: Version,
    ) -> Expected {
        let (action, right) = (Action::Amend, Right::Amend);
        if !self.rules.allows(by.role(), right) {
            return self.refused_about(by, action, self.forbidden(by, right), of);
        }
        if terms == (AmendmentSpec { binding: None, role: None, until: None }) {
            return Expected::invalid("amendment");
        }
        let expires_at = match terms.until.map(|until| self.expiry(until)).transpose() {
            Ok(expires_at) => expires_at,
            Err(field) => return Expected::invalid(field),
        };
        if let Some(role) = terms.role
            && !self.rules.grants(by.role()).contains(&role)
        {
            return self.refused_about(by, action, self.not_grantable(role), of);
        }
        let domain = matches!(terms.binding, Some(BindingSpec::Domain(_)));
        if domain && !self.rules.allows(by.role(), Right::BindDomain) {
            let refusal = Refusal::Forbidden { right: Right::BindDomain };
            return self.refused_about(by, action, (refusal, Reason::DomainNotAllowed), of);
        }
        // The state and the rights come before the number of uses.
        if matches!(terms.binding, Some(BindingSpec::Address(..)))
            && let Ok(n) = self.visible(by, of)
            && let row = &self.rows[n]
            && self.not_open(of, row, version).or_else(|| self.present_form(by, row)).is_none()
            && row.facts.max_uses.get() > 1
        {
            return Expected::invalid("email");
        }
        let refusal = |model: &Self, row: &ModelInvitation| {
            // An actor without the right to the form first learns about the state, which
            // every viewer can see.
            model.not_open(of, row, version).or_else(|| model.present_form(by, row))
        };
        self.change(by, of, action, refusal, |row, _| {
            if let Some(binding) = terms.binding {
                row.binding = binding;
                row.facts.binding = binding.binding();
            }
            if let Some(role) = terms.role {
                row.role = role;
                row.facts.role = role.role();
            }
            row.facts.expires_at = expires_at.unwrap_or(row.facts.expires_at);
            if terms.role.is_some() || expires_at.is_some() {
                row.grant(by);
            }
            row.facts.version += 1;
            // The leases were made for the former terms.
            if terms.binding.is_some() || terms.role.is_some() {
                row.end_leases();
            }
            let mut detail = Vec::new();
            detail.extend(terms.role.map(|role| ("role", role.role().to_string())));
            detail.extend(expires_at.map(|at| ("expires_at", at.to_string())));
            detail
        })
    }

    /// `seen` provides the new code, which the model cannot predict.
    pub(super) fn rotate(
        &mut self,
        by: ActingUser,
        of: Pick,
        version: Version,
        seen: &Answer,
    ) -> Expected {
        let (action, right) = (Action::Rotate, Right::Rotate);
        if !self.rules.allows(by.role(), right) {
            return self.refused_about(by, action, self.forbidden(by, right), of);
        }
        let refusal = |model: &Self, row: &ModelInvitation| {
            // An actor without the right to the form first learns about the state, which
            // every viewer can see.
            model.not_open(of, row, version).or_else(|| model.present_form(by, row))
        };
        let code = match seen {
            Answer::Issued(issued) if issued.len() == 1 => issued[0].code.clone(),
            _ => self.stranger.clone(),
        };
        let key = self.key;
        let repeated = self.codes.iter().any(|(former, _)| *former == code);
        let mut expected = self.change(by, of, action, refusal, |row, _| {
            set_code(key, &mut row.facts, &code);
            row.code.clone_from(&code);
            row.grant(by);
            row.facts.version += 1;
            row.end_leases();
            Vec::new()
        });
        if let Answer::Changed(changed) = expected.answer {
            if repeated {
                return Expected::without_events(Answer::Broken("a code twice".to_owned()));
            }
            let n = self.rows.iter().position(|row| row.facts.id == changed.id());
            self.codes.push((code.clone(), n.unwrap_or_default()));
            let issue = Issue { invitation: *changed, code, replayed: false };
            expected.answer = Answer::Issued(vec![issue]);
        }
        expected
    }

    pub(super) fn revoke(
        &mut self,
        by: ActingUser,
        of: Pick,
        reason: RevocationReason,
        version: Version,
    ) -> Expected {
        let (action, right) = (Action::Revoke, Right::Revoke);
        if !self.rules.allows(by.role(), right) {
            return self.refused_about(by, action, self.forbidden(by, right), of);
        }
        if !reason.is_valid() {
            return Expected::invalid("reason");
        }
        let refusal = |model: &Self, row: &ModelInvitation| model.not_open(of, row, version);
        self.change(by, of, action, refusal, |row, now| {
            row.revoke(now, reason.text());
            reason.text().into_iter().map(|reason| ("reason", reason)).collect()
        })
    }

    pub(super) fn reinstate(&mut self, by: ActingUser, of: Pick, version: Version) -> Expected {
        let (action, right) = (Action::Reinstate, Right::Reinstate);
        if !self.rules.allows(by.role(), right) {
            return self.refused_about(by, action, self.forbidden(by, right), of);
        }
        let refusal = |model: &Self, row: &ModelInvitation| {
            let not_revoked = (Refusal::NotRevoked, Reason::NotRevoked);
            model
                .other_version(of, row, version)
                .or_else(|| used(row))
                .or_else(|| row.facts.revocation.is_none().then_some(not_revoked))
                .or_else(|| model.present_form(by, row))
        };
        self.change(by, of, action, refusal, |row, _| {
            row.facts.revocation = None;
            row.grant(by);
            row.facts.version += 1;
            Vec::new()
        })
    }

    pub(super) fn delete(&mut self, by: ActingUser, of: Pick, version: Version) -> Expected {
        let (action, right) = (Action::Delete, Right::Delete);
        if !self.rules.allows(by.role(), right) {
            return self.refused_about(by, action, self.forbidden(by, right), of);
        }
        let refusal = |model: &Self, row: &ModelInvitation| model.other_version(of, row, version);
        let mut expected = self.change(by, of, action, refusal, |row, now| {
            row.facts.deleted_at = Some(now);
            row.end_leases();
            Vec::new()
        });
        if matches!(expected.answer, Answer::Changed(_)) {
            expected.answer = Answer::Done;
        }
        expected
    }

    /// Expects a change of an invitation that `by` can reach and that neither `no` nor a
    /// quota refuses. `make` changes the row and returns the details of the event.
    fn change(
        &mut self,
        by: ActingUser,
        of: Pick,
        action: Action,
        refusal: impl FnOnce(&Self, &ModelInvitation) -> Option<ExpectedRefusal>,
        make: impl FnOnce(&mut ModelInvitation, Timestamp) -> Vec<(&'static str, String)>,
    ) -> Expected {
        let n = match self.visible(by, of) {
            Ok(n) => n,
            Err(refusal) => return self.refused_about(by, action, refusal, of),
        };
        if let Some(refusal) = refusal(self, &self.rows[n]) {
            return self.refused_about(by, action, refusal, of);
        }
        let mut after = self.rows[n].clone();
        let detail = make(&mut after, self.now);
        // The quota is checked last, for an invitation that becomes pending again.
        if let Some(refusal) = self.revival_refusal(&self.rows[n], &after) {
            return self.refused_about(by, action, refusal, of);
        }
        let event = ExpectedEvent { detail, ..self.event(user(by), action) }.about(&after);
        let answer = Answer::Changed(Box::new(after.facts.clone().into()));
        self.rows[n] = after;
        Expected { answer, events: vec![event] }
    }

    /// Returns the refusal if the version differs, or the invitation is used or revoked.
    fn not_open(
        &self,
        of: Pick,
        row: &ModelInvitation,
        version: Version,
    ) -> Option<ExpectedRefusal> {
        self.other_version(of, row, version).or_else(|| used(row)).or_else(|| revoked(row))
    }

    /// Changing an invitation needs every right that creating it in its present form
    /// needs.
    fn present_form(&self, by: ActingUser, row: &ModelInvitation) -> Option<ExpectedRefusal> {
        let uses = row.facts.max_uses.get();
        self.missing_right(Creator::User(by), row.role, row.binding, uses)
    }

    fn other_version(
        &self,
        of: Pick,
        row: &ModelInvitation,
        version: Version,
    ) -> Option<ExpectedRefusal> {
        let current = row.facts.version;
        match self.if_version(of, version) {
            IfVersion::Exactly(wanted) if wanted != current => {
                Some((Refusal::VersionMismatch { current }, Reason::VersionMismatch))
            }
            _ => None,
        }
    }

    /// Returns the version condition that a step names.
    pub(super) fn if_version(&self, of: Pick, version: Version) -> IfVersion {
        let current = of.of(self.rows.len()).map_or(0, |n| self.rows[n].facts.version);
        match version {
            Version::Any => IfVersion::Any,
            Version::Current => IfVersion::Exactly(current),
            Version::Former => IfVersion::Exactly(current.wrapping_sub(1)),
            Version::Later => IfVersion::Exactly(current + 1),
        }
    }
}

fn used(row: &ModelInvitation) -> Option<ExpectedRefusal> {
    (!row.has_uses_left()).then_some((Refusal::Used, Reason::Used))
}

fn revoked(row: &ModelInvitation) -> Option<ExpectedRefusal> {
    row.facts.revocation.is_some().then_some((Refusal::Revoked, Reason::Revoked))
}
