//! Performs the calls of a step.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Actor, Amendment, Caller, Criteria, Draft, Expiry, IdempotencyKey, Invitations, ManualClock,
    Paging, Purged, RedeemWithError, Redeemed, RedeemedWith, Released, Reservation, Reserved,
    Scope, Status, Store, SystemActor, Target, TimeRange,
};
use time::Duration;

use super::{
    answer::{Answer, Grant, Hold, Issue, View, answered},
    codes,
    create::metadata,
    identities::{ActingUser, Creator, Newcomer, context},
    state::Model,
    step::{
        AccountCreation, AmendmentSpec, BindingSpec, DraftSpec, ExpirySpec, ListCriteria, Pick,
        Spelling, Step,
    },
};

/// The service under test.
#[derive(Debug)]
pub(super) struct ServiceUnderTest {
    pub(super) service: Invitations<Arc<dyn Store>>,
    pub(super) clock: ManualClock,
}

impl ServiceUnderTest {
    /// Performs the call of a step, if it has one. The model provides only the
    /// invitations and codes that are picked.
    pub(super) async fn perform(&self, step: &Step, model: &Model) -> Answer {
        let service = &self.service;
        let actor = |who: ActingUser| who.actor(context(model.step));
        match step {
            Step::Create { by, draft, key } => self.create(*by, draft, *key, model).await,
            Step::CreateMany { by, drafts, key } => {
                self.create_many(*by, drafts, *key, model).await
            }
            Step::Redeem { code, spelling, newcomer } => {
                let text = codes::typed(model.code(*code), *spelling);
                let redeemer = newcomer.redeemer(context(model.step));
                answered(service.redeem(&text, &redeemer).await, |it| redeemed(&it))
            }
            Step::Reserve { code, spelling, newcomer } => {
                let text = codes::typed(model.code(*code), *spelling);
                let redeemer = newcomer.redeemer(context(model.step));
                answered(service.reserve(&text, &redeemer).await, |it| match it {
                    Reserved::Open(reservation) => {
                        Answer::Reserved(Box::new(Hold::of(&reservation)))
                    }
                    Reserved::AlreadyRedeemed(it) => redeemed(&it),
                })
            }
            Step::Commit { of, newcomer } => {
                let redeemer = model.presenting(*of, *newcomer).redeemer(context(model.step));
                let call = service.commit(model.reservation(*of), &redeemer).await;
                answered(call, |it| redeemed(&it))
            }
            Step::Release { of, newcomer } => {
                let redeemer = model.presenting(*of, *newcomer).redeemer(context(model.step));
                let call = service.release(model.reservation(*of), &redeemer).await;
                answered(call, |()| Answer::Done)
            }
            Step::RedeemWith { code, newcomer, creation } => {
                self.redeem_with(*code, *newcomer, *creation, model).await
            }
            Step::Mistype { code, mistake, newcomer } => {
                let (text, _) = codes::mistyped(model.code(*code), *mistake);
                let redeemer = newcomer.redeemer(context(model.step));
                answered(service.redeem(&text, &redeemer).await, |it| redeemed(&it))
            }
            Step::Copy { by, of } => {
                let code = service.copy(&actor(*by), model.id(*of)).await;
                answered(code, |code| Answer::Code(code.reveal().to_string()))
            }
            Step::Get { by, of } => {
                let view = service.get(&actor(*by), model.id(*of)).await;
                answered(view, |view| Answer::Seen(Box::new(View::of(&view))))
            }
            Step::Amend { by, of, terms, version } => {
                let amendment = amendment(*terms, model);
                let version = model.if_version(*of, *version);
                let call = service.amend(&actor(*by), model.id(*of), amendment, version).await;
                answered(call, |facts| Answer::Changed(Box::new(facts)))
            }
            Step::Rotate { by, of, version } => {
                let version = model.if_version(*of, *version);
                let call = service.rotate(&actor(*by), model.id(*of), version).await;
                answered(call, |created| Answer::Issued(vec![Issue::of(&created)]))
            }
            Step::Revoke { by, of, reason, version } => {
                let (reason, version) = (reason.text(), model.if_version(*of, *version));
                let actor = actor(*by);
                let call = service.revoke(&actor, model.id(*of), reason.as_deref(), version);
                answered(call.await, |facts| Answer::Changed(Box::new(facts)))
            }
            Step::Reinstate { by, of, version } => {
                let version = model.if_version(*of, *version);
                let call = service.reinstate(&actor(*by), model.id(*of), version).await;
                answered(call, |facts| Answer::Changed(Box::new(facts)))
            }
            Step::Delete { by, of, version } => {
                let version = model.if_version(*of, *version);
                let call = service.delete(&actor(*by), model.id(*of), version).await;
                answered(call, |()| Answer::Done)
            }
            Step::List { by, wanted, limit, pause } => {
                self.list(*by, wanted, *limit, *pause, model).await
            }
            Step::StatusCounts { by, wanted } => self.counts(*by, wanted, model).await,
            Step::Events { by, wanted, limit } => self.events(*by, wanted, *limit, model).await,
            Step::RevokeAll { by, wanted, reason, limit } => {
                self.revoke_all(*by, wanted, *reason, *limit, model).await
            }
            Step::Purge { by, age, max } => self.purge(*by, *age, *max, model).await,
            Step::Reseal { by, limit, .. } => self.reseal(*by, *limit, model).await,
            Step::Redemptions { by, of, limit } => {
                self.redemptions(*by, model.id(*of), *limit, model).await
            }
            Step::Reservations { by, division, limit } => {
                self.reservations(*by, *division, *limit, model).await
            }
            Step::Clock(_)
            | Step::Reopen
            | Step::Policy(_)
            | Step::Limits(_)
            | Step::Standing(_) => Answer::Done,
        }
    }

    async fn create(
        &self,
        by: Creator,
        spec: &DraftSpec,
        key: Option<u8>,
        model: &Model,
    ) -> Answer {
        let (service, draft) = (&self.service, draft(spec, model));
        let (actor, system) = caller(by, model);
        let by = actor.as_ref().map_or(Caller::from(&system), Caller::from);
        let created = match key.map(idempotency) {
            None => service.create(by, draft).await,
            Some(key) => service.create_once(by, &key, draft).await,
        };
        answered(created, |created| Answer::Issued(vec![Issue::of(&created)]))
    }

    async fn create_many(
        &self,
        by: Creator,
        wishes: &[DraftSpec],
        key: Option<u8>,
        model: &Model,
    ) -> Answer {
        let service = &self.service;
        let drafts = wishes.iter().map(|spec| draft(spec, model)).collect();
        let (actor, system) = caller(by, model);
        let by = actor.as_ref().map_or(Caller::from(&system), Caller::from);
        let created = match key.map(idempotency) {
            None => service.create_many(by, drafts).await,
            Some(key) => service.create_many_once(by, &key, drafts).await,
        };
        answered(created, |created| Answer::Issued(created.iter().map(Issue::of).collect()))
    }

    async fn redeem_with(
        &self,
        code: Pick,
        newcomer: Newcomer,
        creation: AccountCreation,
        model: &Model,
    ) -> Answer {
        let text = codes::typed(model.code(code), Spelling::AsShown);
        let redeemer = newcomer.redeemer(context(model.step));
        let create = async |reservation: Reservation| {
            let hold = Box::new(Hold::of(&reservation));
            let (AccountCreation::Works(time) | AccountCreation::Fails(time)) = creation;
            self.clock.advance(Duration::microseconds(time));
            match creation {
                AccountCreation::Works(_) => Ok(hold),
                AccountCreation::Fails(_) => Err(hold),
            }
        };
        let grant = |it: &Redeemed| match redeemed(it) {
            Answer::Redeemed(grant) => Ok(grant),
            broken => Err(broken),
        };
        match self.service.redeem_with(&text, &redeemer, create).await {
            Ok(RedeemedWith { redeemed, created }) => match grant(&redeemed) {
                Ok(grant) => Answer::Made(grant, created),
                Err(broken) => broken,
            },
            Err(RedeemWithError::NotReserved(error)) => Answer::NotReserved(Box::new(error.into())),
            Err(RedeemWithError::NotCreated { error, released }) => {
                let held = match released {
                    Released::Now => None,
                    Released::WithEarlierCall => Some(Box::new(Answer::Done)),
                    Released::NotYet(error) => Some(Box::new(error.into())),
                };
                Answer::NotCreated(error, held)
            }
            Err(RedeemWithError::NotCommitted { created, reservation, error }) => {
                if created.id != reservation {
                    return Answer::Broken(format!("another reservation: {reservation:?}"));
                }
                Answer::NotCommitted(created, Box::new(error.into()))
            }
        }
    }

    /// The store chooses which invitations it removes, so they are read back from it.
    async fn purge(&self, by: Creator, age: i64, max: u32, model: &Model) -> Answer {
        let (actor, system) = caller(by, model);
        let by = actor.as_ref().map_or(Caller::from(&system), Caller::from);
        let max = NonZeroU32::new(max).unwrap_or(NonZeroU32::MIN);
        let Purged { removed, more } =
            match self.service.purge(by, Duration::microseconds(age), max).await {
                Ok(purged) => purged,
                Err(error) => return error.into(),
            };
        let mut gone = Vec::new();
        for row in model.rows.iter().filter(|row| !row.purged) {
            let id = row.facts.id;
            match self.service.store().get(&Target::Id(id), &Scope::All).await {
                Ok(Some(_)) => {}
                Ok(None) => gone.push(id),
                Err(error) => return Answer::Broken(format!("{error:?}")),
            }
        }
        if gone.len() != removed as usize {
            return Answer::Broken(format!("{removed} removed, and these are gone: {gone:?}"));
        }
        Answer::Removed(gone, more)
    }

    async fn reseal(&self, by: Creator, limit: u32, model: &Model) -> Answer {
        let (actor, system) = caller(by, model);
        let by = actor.as_ref().map_or(Caller::from(&system), Caller::from);
        let first = Paging::first(limit).expect("a small page");
        let (mut paging, mut pages) = (first, Vec::new());
        loop {
            let page = match self.service.reseal(by, paging).await {
                Ok(page) => page,
                Err(error) => return error.into(),
            };
            if !page.unopened().is_empty() || page.outdated() != page.resealed() {
                return Answer::Broken(format!("{page:?}"));
            }
            pages.push(page.resealed());
            match page.next() {
                Some(cursor) => paging = first.after(cursor),
                None => return Answer::Resealed(pages),
            }
        }
    }

    pub(super) async fn counts(
        &self,
        by: ActingUser,
        wanted: &ListCriteria,
        model: &Model,
    ) -> Answer {
        let actor = by.actor(context(model.step));
        answered(self.service.counts(&actor, &service_criteria(wanted, model)).await, |counts| {
            let all = [Status::Active, Status::Used, Status::Expired, Status::Revoked];
            Answer::Counted(
                all.map(
                    |status| if counts.is_exact(status) { counts.of(status) } else { u32::MAX },
                ),
            )
        })
    }
}

/// Returns the user's actor, or none for the system, together with the system actor.
fn caller(by: Creator, model: &Model) -> (Option<Actor>, SystemActor) {
    let actor = match by {
        Creator::User(who) => Some(who.actor(context(model.step))),
        Creator::System => None,
    };
    (actor, SystemActor::for_bootstrap().with_context(context(model.step)))
}

fn idempotency(key: u8) -> IdempotencyKey {
    IdempotencyKey::new(format!("key-{key}")).expect("a fixed key is valid")
}

fn expiry(until: ExpirySpec, model: &Model) -> Expiry {
    match until {
        ExpirySpec::Default => Expiry::Default,
        ExpirySpec::Days(days) => Expiry::InDays(days),
        ExpirySpec::After(micros) => Expiry::At(model.after(micros)),
    }
}

fn draft(spec: &DraftSpec, model: &Model) -> Draft {
    let mut draft = match spec.binding {
        BindingSpec::Anyone => Draft::new(),
        BindingSpec::Address(mailbox, other) => Draft::new().for_email(mailbox.email(other)),
        BindingSpec::Domain(site) => Draft::new().for_domain(site.domain()),
    };
    if let Some(role) = spec.role {
        draft = draft.with_role(role.role());
    }
    if let Some(division) = spec.division {
        draft = draft.in_division(division.division());
    }
    if let Some(note) = spec.note {
        draft = draft.with_metadata(metadata(note));
    }
    let uses = NonZeroU32::new(spec.uses).unwrap_or(NonZeroU32::MIN);
    draft.expiring(expiry(spec.until, model)).for_uses(uses)
}

fn amendment(terms: AmendmentSpec, model: &Model) -> Amendment {
    let mut amendment = match terms.binding {
        None => Amendment::new(),
        Some(BindingSpec::Anyone) => Amendment::new().for_anyone(),
        Some(BindingSpec::Address(mailbox, other)) => {
            Amendment::new().for_email(mailbox.email(other))
        }
        Some(BindingSpec::Domain(site)) => Amendment::new().for_domain(site.domain()),
    };
    if let Some(role) = terms.role {
        amendment = amendment.with_role(role.role());
    }
    match terms.until {
        Some(until) => amendment.expiring(expiry(until, model)),
        None => amendment,
    }
}

pub(super) fn service_criteria(wanted: &ListCriteria, model: &Model) -> Criteria {
    let mut service_criteria = Criteria::new();
    if let Some(status) = wanted.status {
        service_criteria = service_criteria.with_status(status);
    }
    if let Some(role) = wanted.role {
        service_criteria = service_criteria.with_role(role.role());
    }
    if let Some(division) = wanted.division {
        service_criteria = service_criteria.in_division(division.division());
    }
    if let Some(who) = wanted.inviter {
        service_criteria = service_criteria.by_inviter(who.user());
    }
    if let Some(pick) = wanted.batch {
        service_criteria = service_criteria.in_batch(model.batch(pick));
    }
    if let Some((pick, from)) = wanted.created {
        let at = model.picked(pick).map_or(model.now, |row| row.facts.created_at);
        service_criteria = service_criteria.created_within(time_range(at, from));
    }
    if let Some((pick, from)) = wanted.expires {
        let at = model.picked(pick).map_or(model.now, |row| row.facts.expires_at);
        service_criteria = service_criteria.expiring_within(time_range(at, from));
    }
    if wanted.by_expiry {
        service_criteria = service_criteria.soonest_expiry_first();
    }
    match wanted.search {
        Some(search) => service_criteria.matching(model.search(search)),
        None => service_criteria,
    }
}

/// Returns the range that begins at `at`, or the one that ends there.
pub(super) fn time_range(at: invitation_core::Timestamp, from: bool) -> TimeRange {
    let (from, until) = if from { (Some(at), None) } else { (None, Some(at)) };
    TimeRange { from, until }
}

fn redeemed(redeemed: &Redeemed) -> Answer {
    let redemption = redeemed.redemption().clone();
    let answered = (redeemed.username(), redeemed.role(), redeemed.at());
    if answered != (&redemption.username, &redemption.role, redemption.at) {
        return Answer::Broken(format!("a redemption that says {answered:?}"));
    }
    Answer::Redeemed(Box::new(Grant {
        redemption,
        invitation: redeemed.invitation(),
        division: redeemed.division().clone(),
        metadata: redeemed.metadata().cloned(),
        replayed: redeemed.is_replayed(),
    }))
}
