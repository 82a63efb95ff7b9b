//! Expected results of creating invitations.

use std::num::NonZeroU32;

use invitation_core::{
    Action, BatchId, CodeDigest, CodeFormat, CodeTag, InvitationId, Inviter, Metadata, Performer,
    QuotaOf, Reason, Record, Refusal, Right, SealedCode, Timestamp,
};

use super::{
    answer::{Answer, Issue},
    idempotency::KeyRequest,
    identities::{Creator, DivisionName, RoleName},
    keys::{ConstantNonces, KeyChoice},
    limits::{MAX_BATCH, MAX_USES},
    state::{Expected, ExpectedRefusal, Model, ModelInvitation, user},
    step::{BindingSpec, DraftSpec},
};

/// The version of an invitation that was never changed.
const FIRST_VERSION: u64 = 1;

/// A draft with every field filled in.
pub(super) struct CompleteTerms {
    pub(super) spec: DraftSpec,
    pub(super) role: RoleName,
    pub(super) division: DivisionName,
    pub(super) expires_at: Timestamp,
    max_uses: NonZeroU32,
}

/// The reason why a draft is not accepted.
enum Rejected {
    Fields(Vec<&'static str>),
    ExpectedRefusal(ExpectedRefusal, Option<DivisionName>),
}

impl Model {
    /// `seen` provides the ids and codes, which the model cannot predict.
    pub(super) fn create(
        &mut self,
        by: Creator,
        draft: DraftSpec,
        key: Option<u8>,
        seen: &Answer,
    ) -> Expected {
        if let Some(refusal) = self.right_missing(by, Right::Create) {
            return self.refused(
                performer(by),
                Action::Create,
                refusal,
                None,
                named(by, Some(draft)),
            );
        }
        match self.complete_terms(by, draft) {
            Ok(whole) => self.issue(by, vec![whole], false, key, seen),
            Err(Rejected::Fields(fields)) => {
                Expected::without_events(invalid(fields.into_iter().map(|field| (None, field))))
            }
            Err(Rejected::ExpectedRefusal(refusal, division)) => {
                self.refused(performer(by), Action::Create, refusal, None, division)
            }
        }
    }

    pub(super) fn create_many(
        &mut self,
        by: Creator,
        drafts: &[DraftSpec],
        key: Option<u8>,
        seen: &Answer,
    ) -> Expected {
        if let Some(refusal) = self.right_missing(by, Right::Bulk) {
            return self.refused(performer(by), Action::Create, refusal, None, named(by, None));
        }
        if drafts.is_empty() || drafts.len() > MAX_BATCH as usize {
            return Expected::invalid("drafts");
        }
        let mut wholes = Vec::new();
        let mut wrong = Vec::new();
        let mut refused = None;
        for (line, draft) in drafts.iter().enumerate() {
            match self.complete_terms(by, *draft) {
                Ok(whole) => wholes.push(whole),
                Err(Rejected::Fields(fields)) => {
                    wrong.extend(fields.into_iter().map(|field| (Some(line), field)));
                }
                Err(Rejected::ExpectedRefusal(refusal, division)) => {
                    refused = refused.or(Some((refusal, division)));
                }
            }
        }
        if !wrong.is_empty() {
            return Expected::without_events(invalid(wrong.into_iter()));
        }
        match refused {
            Some((refusal, division)) => {
                self.refused(performer(by), Action::Create, refusal, None, division)
            }
            None => self.issue(by, wholes, true, key, seen),
        }
    }

    /// The system has every right; a user has the rights of their role.
    fn right_missing(&self, by: Creator, right: Right) -> Option<ExpectedRefusal> {
        match by {
            Creator::User(who) if !self.rules.allows(who.role(), right) => {
                Some(self.forbidden(who, right))
            }
            _ => None,
        }
    }

    /// Fills in a draft and checks it: first its limits, then the rights to the values it
    /// names.
    fn complete_terms(&self, by: Creator, spec: DraftSpec) -> Result<CompleteTerms, Rejected> {
        let mut wrong = Vec::new();
        let expires_at = self.expiry(spec.until).map_err(|field| wrong.push(field)).ok();
        let max_uses = NonZeroU32::new(spec.uses).filter(|uses| uses.get() <= MAX_USES);
        // One mailbox has one use.
        let is_for_address = matches!(spec.binding, BindingSpec::Address(..));
        let max_uses = max_uses.filter(|uses| !is_for_address || uses.get() == 1);
        if max_uses.is_none() {
            wrong.push("max_uses");
        }
        let role = spec.role.or_else(|| self.only_grant(by));
        if role.is_none() {
            wrong.push("role");
        }
        let division = spec.division.or_else(|| home(by));
        if division.is_none() {
            wrong.push("division");
        }
        let (Some(expires_at), Some(max_uses), Some(role), Some(division)) =
            (expires_at, max_uses, role, division)
        else {
            return Err(Rejected::Fields(wrong));
        };
        match self.forbidden_draft(by, spec, role, division) {
            Some(refusal) => Err(Rejected::ExpectedRefusal(refusal, named(by, Some(spec)))),
            None => Ok(CompleteTerms { spec, role, division, expires_at, max_uses }),
        }
    }

    fn forbidden_draft(
        &self,
        by: Creator,
        spec: DraftSpec,
        role: RoleName,
        division: DivisionName,
    ) -> Option<ExpectedRefusal> {
        let lacking = self.missing_right(by, role, spec.binding, spec.uses);
        let Creator::User(who) = by else { return lacking };
        lacking.or_else(|| {
            let division = division.division();
            let is_reached = who.reaches(&division);
            let refusal = (Refusal::DivisionNotAllowed { division }, Reason::DivisionNotAllowed);
            (!is_reached).then_some(refusal)
        })
    }

    /// Returns the refusal if `by` lacks a right that an invitation of this form needs.
    pub(super) fn missing_right(
        &self,
        by: Creator,
        role: RoleName,
        binding: BindingSpec,
        uses: u32,
    ) -> Option<ExpectedRefusal> {
        if !self.grantable(by, role) {
            return Some(self.not_grantable(role));
        }
        let Creator::User(who) = by else { return None };
        let lacks = |right| !self.rules.allows(who.role(), right);
        if uses > 1 && lacks(Right::MultiUse) {
            let refusal = Refusal::Forbidden { right: Right::MultiUse };
            return Some((refusal, Reason::MultiUseNotAllowed));
        }
        if matches!(binding, BindingSpec::Domain(_)) && lacks(Right::BindDomain) {
            let refusal = Refusal::Forbidden { right: Right::BindDomain };
            return Some((refusal, Reason::DomainNotAllowed));
        }
        None
    }

    fn grantable(&self, by: Creator, role: RoleName) -> bool {
        match by {
            Creator::System => self.rules.knows(role),
            Creator::User(who) => self.rules.grants(who.role()).contains(&role),
        }
    }

    /// Returns the role that applies when the draft names none.
    fn only_grant(&self, by: Creator) -> Option<RoleName> {
        match by {
            Creator::System => None,
            Creator::User(who) => match self.rules.grants(who.role()) {
                [only] => Some(*only),
                _ => None,
            },
        }
    }

    /// Creates the permitted drafts, unless the key is known or a quota has no room.
    fn issue(
        &mut self,
        by: Creator,
        wholes: Vec<CompleteTerms>,
        many: bool,
        key: Option<u8>,
        seen: &Answer,
    ) -> Expected {
        let places = || wholes.iter().map(|whole| whole.division);
        let only = places().next().filter(|first| places().all(|division| division == *first));
        let asked = KeyRequest::of(many, &wholes);
        if let Some(again) = key.and_then(|key| self.again(by, key, &asked, only)) {
            return again;
        }
        let inviter = match by {
            Creator::System => None,
            Creator::User(who) => Some(who),
        };
        let divisions: Vec<_> = wholes.iter().map(|whole| whole.division.division()).collect();
        if let Some(refusal) = self.quota_refusal(inviter, &divisions) {
            // The division of the event: the full one, or the only one among the drafts.
            let the_one = match &refusal.0 {
                Refusal::QuotaExceeded { of: QuotaOf::Division(full), .. } => {
                    places().find(|division| division.division() == *full)
                }
                _ => only,
            };
            return self.refused(
                performer(by),
                Action::Create,
                refusal,
                None,
                the_one.or(home(by)),
            );
        }
        let fresh = match seen {
            Answer::Issued(issued) if issued.len() == wholes.len() => issued.clone(),
            // The answer has another form, which the comparison reports as a difference.
            _ => return Expected::without_events(Answer::Issued(Vec::new())),
        };
        let batch = match fresh[0].invitation.batch() {
            _ if !many => None,
            Some(batch) if self.rows.iter().all(|row| row.facts.batch != Some(batch)) => {
                Some(batch)
            }
            _ => {
                return Expected::without_events(Answer::Broken(
                    "no batch, or one twice".to_owned(),
                ));
            }
        };
        let (mut issued, mut events) = (Vec::new(), Vec::new());
        let count = wholes.len();
        for (whole, Issue { invitation, code, .. }) in wholes.into_iter().zip(fresh) {
            let repeated = self.codes.iter().any(|(former, _)| *former == code)
                || self.rows.iter().any(|row| row.facts.id == invitation.id());
            if repeated {
                return Expected::without_events(Answer::Broken(
                    "an id or a code twice".to_owned(),
                ));
            }
            let Some(row) = self.row(by, &whole, batch, invitation.id(), code) else {
                return Expected::without_events(Answer::Broken("no readable code".to_owned()));
            };
            issued.push(row.issue(false));
            let event = self.event(performer(by), Action::Create).about(&row);
            let event = event
                .with("role", &row.facts.role)
                .with("expires_at", &row.facts.expires_at)
                .with("max_uses", &row.facts.max_uses);
            events.push(match batch {
                Some(batch) => event.with("batch", &batch),
                None => event,
            });
            self.codes.push((row.code.clone(), self.rows.len()));
            self.rows.push(row);
        }
        if let Some(key) = key {
            self.remember(by, key, asked, count);
        }
        Expected { answer: Answer::Issued(issued), events }
    }

    fn row(
        &self,
        by: Creator,
        whole: &CompleteTerms,
        batch: Option<BatchId>,
        id: InvitationId,
        code: String,
    ) -> Option<ModelInvitation> {
        let (inviter, user) = match by {
            Creator::System => (Inviter::System, None),
            Creator::User(who) => (who.inviter(), Some((who, who.role()))),
        };
        let DraftSpec { binding, note, .. } = whole.spec;
        let StoredCode { digest, tag, sealed } = StoredCode::of(self.key, id, &code)?;
        let facts = Record {
            id,
            digest,
            tag,
            sealed,
            binding: binding.binding(),
            role: whole.role.role(),
            division: whole.division.division(),
            grantor: inviter.clone(),
            inviter,
            created_at: self.now,
            expires_at: whole.expires_at,
            max_uses: whole.max_uses,
            uses: 0,
            held: 0,
            last_use: None,
            revocation: None,
            deleted_at: None,
            version: FIRST_VERSION,
            batch,
            metadata: note.map(metadata),
        };
        Some(ModelInvitation {
            facts,
            code,
            binding,
            role: whole.role,
            inviter: user,
            grantor: user,
            redemptions: Vec::new(),
            leases: Vec::new(),
            purged: false,
        })
    }
}

/// The forms in which a store keeps a code.
struct StoredCode {
    digest: CodeDigest,
    tag: CodeTag,
    sealed: SealedCode,
}

impl StoredCode {
    /// Returns the forms of the code that was shown for this invitation; none if the text is
    /// no code.
    fn of(key: KeyChoice, id: InvitationId, shown: &str) -> Option<Self> {
        let code = CodeFormat::default().parse(shown).ok()?;
        let sealing = key.sealing();
        let (digest, tag) = (sealing.digest(&code), sealing.tag(&code));
        let sealed = sealing.seal(id, &code, &ConstantNonces::new(0)).ok()?;
        Some(Self { digest, tag, sealed })
    }
}

/// Puts the code that was shown into the facts. Facts with another text stay as they are, so
/// that the comparison with the store fails.
pub(super) fn set_code(key: KeyChoice, facts: &mut Record, shown: &str) {
    if let Some(StoredCode { digest, tag, sealed }) = StoredCode::of(key, facts.id, shown) {
        (facts.digest, facts.tag, facts.sealed) = (digest, tag, sealed);
    }
}

/// Returns the metadata that the host attaches.
pub(super) fn metadata(note: u8) -> Metadata {
    Metadata::new(serde_json::json!({ "note": note })).expect("a small object is valid")
}

pub(super) fn performer(by: Creator) -> Performer {
    match by {
        Creator::System => Performer::System { name: None },
        Creator::User(who) => user(who),
    }
}

pub(super) fn home(by: Creator) -> Option<DivisionName> {
    match by {
        Creator::System => None,
        Creator::User(who) => who.home(),
    }
}

/// Returns the division that the draft names, or the creator's own.
fn named(by: Creator, draft: Option<DraftSpec>) -> Option<DivisionName> {
    draft.and_then(|draft| draft.division).or_else(|| home(by))
}

fn invalid(fields: impl Iterator<Item = (Option<usize>, &'static str)>) -> Answer {
    let mut fields: Vec<_> = fields.map(|(line, field)| (line, field.to_owned())).collect();
    fields.sort();
    Answer::Invalid(fields)
}
