//! Makes the calls of a step.

use std::{num::NonZeroU32, sync::Arc};

use time::Duration;

use super::{
    answer::{Answer, Grant, View, answered},
    cast::{Creator, Who, origin},
    codes,
    creating::metadata,
    state::Model,
    step::{Bound, Step, Terms, Until, Wanted, WantedEvents, Wish},
};
use crate::{
    actor::SystemActor,
    draft::{Amendment, Draft},
    invitation::Status,
    limits::Expiry,
    query::Span,
    service::{Count, Created, Criteria, EventCriteria, Invitations, Paging, Redeemed},
    store::Store,
    time::ManualClock,
};

/// The service that is tried.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) service: Invitations<Arc<dyn Store>>,
    pub(super) clock: ManualClock,
}

/// More pages than any list of a sequence can have.
const PAGES: usize = 1_000;

impl Subject {
    /// Makes the call of a step that is one. The model says which invitations
    /// and codes are picked, and nothing else.
    pub(super) async fn perform(&self, step: &Step, model: &Model) -> Answer {
        let service = &self.service;
        let actor = |who: Who| who.actor(origin(model.step));
        match step {
            Step::Create { by, draft } => self.create(*by, draft, model).await,
            Step::CreateMany { by, drafts } => self.create_many(*by, drafts, model).await,
            Step::Redeem { code, typing, newcomer } => {
                let text = codes::typed(model.code(*code), *typing);
                let redeemer = newcomer.redeemer(origin(model.step));
                answered(service.redeem(&text, &redeemer).await, |it| redeemed(&it))
            }
            Step::Mistype { code, mistake, newcomer } => {
                let (text, _) = codes::mistyped(model.code(*code), *mistake);
                let redeemer = newcomer.redeemer(origin(model.step));
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
                answered(call, |created| Answer::Issued(vec![issued(&created)]))
            }
            Step::Revoke { by, of, because, version } => {
                let (reason, version) = (because.text(), model.if_version(*of, *version));
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
            Step::Counts { by, wanted } => self.counts(*by, wanted, model).await,
            Step::Events { by, wanted, limit } => self.events(*by, wanted, *limit, model).await,
            Step::Clock(_) | Step::Reopen | Step::Policy(_) => Answer::Done,
        }
    }

    async fn create(&self, by: Creator, wish: &Wish, model: &Model) -> Answer {
        let draft = draft(wish, model);
        let created = match by {
            Creator::User(who) => self.service.create(&who.actor(origin(model.step)), draft).await,
            Creator::System => self.service.create(&system(model), draft).await,
        };
        answered(created, |created| Answer::Issued(vec![issued(&created)]))
    }

    async fn create_many(&self, by: Creator, wishes: &[Wish], model: &Model) -> Answer {
        let drafts = wishes.iter().map(|wish| draft(wish, model)).collect();
        let created = match by {
            Creator::User(who) => {
                self.service.create_many(&who.actor(origin(model.step)), drafts).await
            }
            Creator::System => self.service.create_many(&system(model), drafts).await,
        };
        answered(created, |created| Answer::Issued(created.iter().map(issued).collect()))
    }

    /// Walks all pages; time passes between them.
    pub(super) async fn list(
        &self,
        by: Who,
        wanted: &Wanted,
        limit: u32,
        pause: i64,
        model: &Model,
    ) -> Answer {
        let actor = by.actor(origin(model.step));
        let criteria = criteria(wanted, model);
        let Ok(first) = Paging::first(limit) else { return Answer::Broken("limit".to_owned()) };
        let (mut paging, mut views) = (first, Vec::new());
        for _ in 0..PAGES {
            let page = match self.service.list(&actor, &criteria, paging).await {
                Ok(page) => page,
                Err(error) => return error.into(),
            };
            if page.items().len() > usize::try_from(limit).unwrap_or(usize::MAX) {
                return Answer::Broken("a page longer than its limit".to_owned());
            }
            views.extend(page.items().iter().map(View::of));
            let Some(next) = page.next() else {
                self.clock.set(model.now);
                return Answer::Listed(views);
            };
            paging = first.after(next);
            self.clock.advance(Duration::microseconds(pause));
        }
        Answer::Broken("a list without end".to_owned())
    }

    pub(super) async fn counts(&self, by: Who, wanted: &Wanted, model: &Model) -> Answer {
        let actor = by.actor(origin(model.step));
        answered(self.service.counts(&actor, &criteria(wanted, model)).await, |counts| {
            let all = [Status::Active, Status::Used, Status::Expired, Status::Revoked];
            Answer::Counted(all.map(|status| match counts.of(status) {
                Count::Exactly(n) => n,
                Count::MoreThan(_) => u32::MAX,
            }))
        })
    }

    async fn events(&self, by: Who, wanted: &WantedEvents, limit: u32, model: &Model) -> Answer {
        let mut criteria = EventCriteria::new();
        if let Some(pick) = wanted.about {
            criteria = criteria.about(model.id(pick));
        }
        if let Some(who) = wanted.by {
            criteria = criteria.by_user(who.user());
        }
        if let Some(action) = wanted.action {
            criteria = criteria.of_action(action);
        }
        if let Some(outcome) = wanted.outcome {
            criteria = criteria.with_outcome(outcome);
        }
        if let Some(place) = wanted.place {
            criteria = criteria.in_division(place.division());
        }
        if let Some(from) = wanted.now {
            criteria = criteria.within(span(model.now, from));
        }
        self.trail(by, &criteria, limit, model).await
    }

    /// Walks all pages of the audit trail.
    pub(super) async fn trail(
        &self,
        by: Who,
        criteria: &EventCriteria,
        limit: u32,
        model: &Model,
    ) -> Answer {
        let actor = by.actor(origin(model.step));
        let Ok(first) = Paging::first(limit) else { return Answer::Broken("limit".to_owned()) };
        let (mut paging, mut events) = (first, Vec::new());
        for _ in 0..PAGES {
            let page = match self.service.events(&actor, criteria, paging).await {
                Ok(page) => page,
                Err(error) => return error.into(),
            };
            if page.items().len() > usize::try_from(limit).unwrap_or(usize::MAX) {
                return Answer::Broken("a page longer than its limit".to_owned());
            }
            events.extend_from_slice(page.items());
            match page.next() {
                Some(next) => paging = first.after(next),
                None => return Answer::Trail(events),
            }
        }
        Answer::Broken("a trail without end".to_owned())
    }
}

fn system(model: &Model) -> SystemActor {
    SystemActor::for_bootstrap().with_origin(origin(model.step))
}

fn expiry(until: Until, model: &Model) -> Expiry {
    match until {
        Until::Default => Expiry::Default,
        Until::Days(days) => Expiry::InDays(days),
        Until::After(micros) => Expiry::At(model.after(micros)),
    }
}

fn draft(wish: &Wish, model: &Model) -> Draft {
    let mut draft = match wish.bound {
        Bound::Anyone => Draft::new(),
        Bound::Address(mailbox, other) => Draft::new().for_email(mailbox.email(other)),
        Bound::Domain(site) => Draft::new().for_domain(site.domain()),
    };
    if let Some(part) = wish.role {
        draft = draft.with_role(part.role());
    }
    if let Some(place) = wish.place {
        draft = draft.in_division(place.division());
    }
    if let Some(note) = wish.note {
        draft = draft.with_metadata(metadata(note));
    }
    let uses = NonZeroU32::new(wish.uses).unwrap_or(NonZeroU32::MIN);
    draft.expiring(expiry(wish.until, model)).for_uses(uses)
}

fn amendment(terms: Terms, model: &Model) -> Amendment {
    let mut amendment = match terms.bound {
        None => Amendment::new(),
        Some(Bound::Anyone) => Amendment::new().for_anyone(),
        Some(Bound::Address(mailbox, other)) => Amendment::new().for_email(mailbox.email(other)),
        Some(Bound::Domain(site)) => Amendment::new().for_domain(site.domain()),
    };
    if let Some(part) = terms.role {
        amendment = amendment.with_role(part.role());
    }
    match terms.until {
        Some(until) => amendment.expiring(expiry(until, model)),
        None => amendment,
    }
}

fn criteria(wanted: &Wanted, model: &Model) -> Criteria {
    let mut criteria = Criteria::new();
    if let Some(status) = wanted.status {
        criteria = criteria.with_status(status);
    }
    if let Some(part) = wanted.role {
        criteria = criteria.with_role(part.role());
    }
    if let Some(place) = wanted.place {
        criteria = criteria.in_division(place.division());
    }
    if let Some(who) = wanted.inviter {
        criteria = criteria.by_inviter(who.user());
    }
    if let Some((pick, from)) = wanted.created {
        let at = model.picked(pick).map_or(model.now, |row| row.facts.created_at);
        criteria = criteria.created_within(span(at, from));
    }
    if let Some((pick, from)) = wanted.expires {
        let at = model.picked(pick).map_or(model.now, |row| row.facts.expires_at);
        criteria = criteria.expiring_within(span(at, from));
    }
    match wanted.sought {
        Some(sought) => criteria.matching(model.sought(sought)),
        None => criteria,
    }
}

/// From, or until, `at`.
fn span(at: crate::time::Timestamp, from: bool) -> Span {
    let (from, until) = if from { (Some(at), None) } else { (None, Some(at)) };
    Span { from, until }
}

fn issued(created: &Created) -> (crate::invitation::Invitation, String) {
    (created.invitation().clone(), created.code().reveal().to_string())
}

fn redeemed(redeemed: &Redeemed) -> Answer {
    let redemption = redeemed.redemption().clone();
    let told = (redeemed.username(), redeemed.role(), redeemed.at());
    if told != (&redemption.username, &redemption.role, redemption.at) {
        return Answer::Broken(format!("a redemption that says {told:?}"));
    }
    Answer::Redeemed(Box::new(Grant {
        redemption,
        invitation: redeemed.invitation(),
        division: redeemed.division().clone(),
        metadata: redeemed.metadata().cloned(),
        replayed: redeemed.is_replayed(),
    }))
}
