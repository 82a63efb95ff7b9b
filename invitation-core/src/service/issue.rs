//! Issuing: turning drafts into stored invitations, once for each idempotency key.

use std::collections::BTreeMap;

use super::{Created, Invitations, TRIES, evidence::Place, hooks::send};
use crate::{
    actor::Caller,
    decide::{Call, Rejected, Terms, quotas},
    draft::Draft,
    entropy::EntropyError,
    error::Error,
    event::{Action, Reason},
    field_error::ValidationErrors,
    hooks::{CommandKind, InvitationTerms},
    id::BatchId,
    limits::Limits,
    policy::Right,
    quota::{Quota, QuotaOf},
    record::Record,
    refusal::{Refusal, Verdict},
    report,
    request::{
        Fingerprinting, IdempotencyKey, IdempotentRequest, PriorRequest, ScopedIdempotencyKey,
    },
    store::{Insert, Inserted, Store},
    store_error::{StoreError, StoreErrorKind},
    text::Division,
};

/// The drafts of a call that creates invitations: one, or a batch.
#[derive(Clone, Debug)]
pub(super) enum Drafts {
    One(Draft),
    Many(Vec<Draft>),
}

/// The invitations to be created, after all checks have passed.
pub(super) struct Accepted {
    pub(super) terms: Vec<(Terms, Call)>,
    pub(super) batch: Option<BatchId>,
}

/// The result of drawing codes and storing the invitations.
pub(super) enum Drawn {
    Made(Vec<Created>),
    /// An earlier call had made the request.
    KeyKnown(PriorRequest, Option<IdempotentRequest>),
    /// A quota has no room for all of them: the quota's owner, the room it has, and the
    /// verdict.
    Full {
        of: QuotaOf,
        room: u32,
        verdict: Verdict,
    },
}

impl<S: Store> Invitations<S> {
    /// Checks the drafts, and creates the invitations.
    pub(super) async fn issue(
        &self,
        caller: Caller<'_>,
        call: &Call,
        drafts: Drafts,
        key: Option<&IdempotencyKey>,
    ) -> Result<Vec<Created>, Error> {
        let again = key.map(|key| (drafts.clone(), key));
        let accepted = match self.accept(caller, call, drafts, &self.settings.limits)? {
            Ok(accepted) => accepted,
            Err(Rejected::Invalid(found)) => {
                return match again {
                    Some((drafts, key)) => self.repeat(caller, call, drafts, key, found).await,
                    None => Err(found.into()),
                };
            }
            Err(Rejected::Denied { verdict, named }) => {
                let place = Place::named_or_home(named, caller);
                return Err(self.refuse(call, Action::Create, verdict, place).await);
            }
        };
        let request = accepted.request(call, key);
        let kind = accepted.kind();
        if self.has_hooks() {
            if let Some(known) = self.known(request.as_ref()).await? {
                return self.replay(caller, call, known, request, accepted.division()).await;
            }
            let place = Place::named_or_home(accepted.division(), caller);
            let intent = self.intent_to_create(kind, call, accepted.for_hooks(call));
            self.consent_or_refuse(intent, call, Action::Create, place).await?;
        }
        match self.store_drawn(call, &accepted, request).await? {
            Drawn::Made(created) => {
                let records = created.iter().map(|one| one.invitation().record());
                send(self.notice(kind, call, records)).await;
                Ok(created)
            }
            Drawn::KeyKnown(known, request) => {
                self.replay(caller, call, known, request, accepted.division()).await
            }
            Drawn::Full { of, verdict, .. } => {
                let place = Place::named_or_home(accepted.about(&of), caller);
                Err(self.refuse(call, Action::Create, verdict, place).await)
            }
        }
    }

    /// Draws the codes and stores the invitations, all or none of them; draws new codes
    /// if one is already in use.
    pub(super) async fn store_drawn(
        &self,
        call: &Call,
        accepted: &Accepted,
        request: Option<IdempotentRequest>,
    ) -> Result<Drawn, Error> {
        let settings = &self.settings;
        let quotas = accepted.quotas(call, &settings.limits);
        for _ in 0..TRIES {
            let n = accepted.terms.len();
            let codes = settings.format.generate_many(n, self.entropy())?;
            let ids = self.state.ids.invitations(n, call.now, self.entropy())?;
            let rows =
                accepted.terms.iter().zip(ids).zip(&codes).map(|(((terms, own), id), code)| {
                    let (sealing, entropy) = (&settings.sealing, self.entropy());
                    terms.clone().issue(id, code, accepted.batch, sealing, entropy, own)
                });
            let rows = rows.collect::<Result<_, _>>()?;
            let insert = Insert { rows, quotas: quotas.clone(), request: request.clone() };
            match self.store.insert(&insert).await? {
                Inserted::Stored => {
                    report::succeeded(Action::Create, insert.rows.len());
                    let rows = insert.rows.into_iter().zip(codes);
                    let created = rows.map(|(row, code)| Created::new(row.invitation.into(), code));
                    return Ok(Drawn::Made(created.collect()));
                }
                Inserted::KeyKnown(known) => return Ok(Drawn::KeyKnown(known, insert.request)),
                Inserted::QuotaFull { of, pending } => {
                    let quota = insert.quotas.iter().find(|quota| quota.of == of);
                    let room = quota.map_or(0, |quota| quota.max.get().saturating_sub(pending));
                    let verdict = Verdict::quota_full(of.clone(), &insert.quotas);
                    return Ok(Drawn::Full { of, room, verdict });
                }
                Inserted::CodeTaken => {}
            }
        }
        // With 55 random bits or more, repeated collisions mean a broken source of
        // randomness.
        Err(StoreError::new(StoreErrorKind::Conflict, "create")
            .because("every code that was drawn is taken")
            .into())
    }

    /// Checks the drafts: first their bounds, with the same result for one draft as for
    /// many; then the actor's rights.
    fn accept(
        &self,
        caller: Caller<'_>,
        call: &Call,
        drafts: Drafts,
        limits: &Limits,
    ) -> Result<Result<Accepted, Rejected>, EntropyError> {
        let (mut wrong, mut denied, mut terms) = (Vec::new(), None, Vec::new());
        let is_batch = matches!(drafts, Drafts::Many(_));
        for (line, draft) in drafts.into_vec().into_iter().enumerate() {
            let own = match line {
                0 if !is_batch => call.clone(),
                _ => Call { id: self.state.ids.event(call.now, self.entropy())?, ..call.clone() },
            };
            match Terms::of(draft, caller, &own, &self.settings.policy, limits) {
                Ok(accepted) => terms.push((accepted, own)),
                Err(Rejected::Invalid(found)) if is_batch => wrong.extend(found.at_line(line)),
                Err(Rejected::Invalid(found)) => return Ok(Err(Rejected::Invalid(found))),
                Err(first) => {
                    denied.get_or_insert(first);
                }
            }
        }
        if !wrong.is_empty() {
            return Ok(Err(Rejected::Invalid(ValidationErrors::new(wrong))));
        }
        if let Some(denied) = denied {
            return Ok(Err(denied));
        }
        let batch =
            if is_batch { Some(self.state.ids.batch(call.now, self.entropy())?) } else { None };
        Ok(Ok(Accepted { terms, batch }))
    }

    /// Handles drafts that are invalid now but were valid when first sent under the same
    /// key: their expiry has become too near since.
    async fn repeat(
        &self,
        caller: Caller<'_>,
        call: &Call,
        drafts: Drafts,
        key: &IdempotencyKey,
        found: ValidationErrors,
    ) -> Result<Vec<Created>, Error> {
        let limits = self.settings.limits.clone().of_any_lifetime();
        let Ok(accepted) = self.accept(caller, call, drafts, &limits)? else {
            // The drafts are invalid for another reason, too.
            return Err(found.into());
        };
        let request = accepted.request(call, Some(key));
        let question = Insert { rows: Vec::new(), quotas: Vec::new(), request };
        let is_the_same =
            |known: &PriorRequest| question.request.as_ref().is_some_and(|asked| asked.made(known));
        match self.store.insert(&question).await? {
            Inserted::KeyKnown(known) if is_the_same(&known) => {
                let about = accepted.division();
                self.replay(caller, call, known, question.request, about).await
            }
            _ => Err(found.into()),
        }
    }

    /// Refuses a request that differs from the earlier one under its key.
    pub(super) async fn must_be_same(
        &self,
        caller: Caller<'_>,
        call: &Call,
        known: &PriorRequest,
        request: Option<&IdempotentRequest>,
        about: Option<Division>,
    ) -> Result<(), Error> {
        if request.is_some_and(|request| request.made(known)) {
            return Ok(());
        }
        let verdict = Verdict::new(Refusal::IdempotencyKeyReused, Reason::IdempotencyKeyReused);
        let place = Place::named_or_home(about, caller);
        Err(self.refuse(call, Action::Create, verdict, place).await)
    }

    /// Returns what an earlier call created under the same key.
    pub(super) async fn replay(
        &self,
        caller: Caller<'_>,
        call: &Call,
        known: PriorRequest,
        request: Option<IdempotentRequest>,
        about: Option<Division>,
    ) -> Result<Vec<Created>, Error> {
        self.must_be_same(caller, call, &known, request.as_ref(), about.clone()).await?;
        // The fingerprint has the division as it was sent, and the caller may have moved to another
        // division since. Codes of a division that the caller no longer reaches are not shown.
        let scope = caller.scope();
        let beyond = known.invitations.iter().find(|one| !scope.contains(&one.division));
        if let Some(Record { division, .. }) = beyond {
            let verdict = Verdict::division_not_allowed(division.clone());
            let place = Place::Division(Some(division.clone()));
            return Err(self.refuse(call, Action::Create, verdict, place).await);
        }
        let refuse = async |verdict| {
            let place = Place::named_or_home(about, caller);
            Err(self.refuse(call, Action::Create, verdict, place).await)
        };
        let lacking = |right| caller.lacking(&self.settings.policy, right);
        // The code may have been rotated since then, and seeing the new one needs the
        // right to copy.
        let amended = |one: &Record| one.version != 1;
        if let Some(verdict) = lacking(Right::Copy)
            && known.invitations.iter().any(amended)
        {
            return refuse(verdict).await;
        }
        // Seeing the invitation's history needs the right to view.
        if let Some(verdict) = lacking(Right::View)
            && known.invitations.iter().any(Record::has_history)
        {
            return refuse(verdict).await;
        }
        if known.invitations.iter().any(|one| !self.settings.sealing.shows(&one.sealed)) {
            return refuse(Verdict::code_not_kept()).await;
        }
        let mut created = Vec::with_capacity(known.invitations.len());
        for invitation in known.invitations {
            let code = self.open(&invitation)?;
            created.push(Created::replayed(invitation.into(), code));
        }
        Ok(created)
    }
}

impl Drafts {
    fn into_vec(self) -> Vec<Draft> {
        match self {
            Self::One(draft) => vec![draft],
            Self::Many(drafts) => drafts,
        }
    }
}

impl Accepted {
    fn request(&self, call: &Call, key: Option<&IdempotencyKey>) -> Option<IdempotentRequest> {
        let key = key?.clone();
        let kind = if self.batch.is_some() { "create many" } else { "create" };
        let mut all = Fingerprinting::new(kind);
        for (terms, _) in &self.terms {
            terms.tell(&mut all);
        }
        let key = ScopedIdempotencyKey { owner: call.performer.user().cloned(), key };
        let (id, at) = (call.id, call.now);
        Some(IdempotentRequest { key, fingerprint: all.finish(), id, at, results: None })
    }

    fn kind(&self) -> CommandKind {
        if self.batch.is_some() { CommandKind::CreateMany } else { CommandKind::Create }
    }

    /// Returns the terms as the host's hooks see them.
    fn for_hooks(&self, call: &Call) -> impl Iterator<Item = InvitationTerms> {
        self.terms.iter().map(|(terms, _)| terms.for_hooks(call.inviter()))
    }

    fn quotas(&self, call: &Call, limits: &Limits) -> Vec<Quota> {
        let mut divisions = BTreeMap::new();
        for (terms, _) in &self.terms {
            *divisions.entry(terms.division()).or_insert(0_u32) += 1;
        }
        let all = divisions.values().sum();
        quotas(&call.inviter(), divisions.into_iter(), all, call, limits)
    }

    /// Returns the division that a full quota is about, or the common division of all the
    /// invitations.
    pub(super) fn about(&self, full: &QuotaOf) -> Option<Division> {
        match full {
            QuotaOf::Division(division) => Some(division.clone()),
            QuotaOf::Inviter(_) => self.division(),
        }
    }

    /// Returns the division of all the invitations, if it is the same for all.
    fn division(&self) -> Option<Division> {
        let mut divisions = self.terms.iter().map(|(terms, _)| terms.division());
        let first = divisions.next()?;
        divisions.all(|other| other == first).then(|| first.clone())
    }
}
