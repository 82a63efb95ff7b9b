//! What is compared beside the answers: everything that the store holds.

use super::{
    answer::Answer,
    cast::{Mailbox, Who},
    codes,
    perform::Subject,
    state::{Evidence, Model},
    step::Wanted,
};
use crate::{
    actor::Scope, event::Event, limits::Limits, query::Span, service::EventCriteria, store::Store,
    transition::Target,
};

/// Says what differs.
pub(super) fn same(what: &str, expected: &Answer, seen: &Answer) -> Result<(), String> {
    if expected == seen {
        return Ok(());
    }
    Err(format!("{what} differs\n  expected {expected:?}\n      seen {seen:?}"))
}

impl Subject {
    /// Compares all invitations and the counts, as an administrator sees them.
    pub(super) async fn compare_facts(&self, model: &Model) -> Result<(), String> {
        let all = Wanted::default();
        let seen = self.list(Who::Admin, &all, Limits::MAX_PAGE, 0, model).await;
        same("the whole list", &model.list(Who::Admin, all).answer, &seen)?;
        let seen = self.counts(Who::Admin, &all, model).await;
        same("the counts", &model.counts(Who::Admin, all).answer, &seen)
    }

    /// Compares the events that are new by now with those that should have been
    /// written, and remembers them.
    pub(super) async fn compare_events(
        &self,
        model: &mut Model,
        mut expected: Vec<Evidence>,
    ) -> Result<(), String> {
        let now = Span { from: Some(model.now), until: Some(model.after(1)) };
        let criteria = EventCriteria::new().within(now);
        let answer = self.trail(Who::Admin, &criteria, Limits::MAX_PAGE, model).await;
        let Answer::Trail(events) = answer else {
            return Err(format!("the audit trail cannot be read: {answer:?}"));
        };
        for event in events {
            if model.trail.iter().any(|known| known.id == event.id) {
                continue;
            }
            leaks_nothing(&event, model)?;
            match expected.iter().position(|wanted| fits(wanted, &event)) {
                Some(n) => drop(expected.remove(n)),
                None => {
                    return Err(format!(
                        "an event that should not be\n      seen {event:?}\n  expected {expected:?}"
                    ));
                }
            }
            model.trail.push(event);
        }
        match expected.first() {
            None => Ok(()),
            Some(missing) => Err(format!("an event is missing: {missing:?}")),
        }
    }

    /// Compares the complete audit trail, and what is left of the deleted.
    pub(super) async fn compare_all(&self, model: &Model) -> Result<(), String> {
        let mut events = model.trail.clone();
        events.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
        let seen = self.trail(Who::Admin, &EventCriteria::new(), 7, model).await;
        same("the complete audit trail", &Answer::Trail(events), &seen)?;
        for row in &model.rows {
            let target = Target::Id(row.facts.id);
            let seen = self.service.store().get(&target, &Scope::All).await;
            match seen {
                Ok(Some(facts)) if facts == row.facts => {}
                other => {
                    let expected = &row.facts;
                    return Err(format!(
                        "what is kept differs\n  expected {expected:?}\n      seen {other:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn fits(wanted: &Evidence, event: &Event) -> bool {
    let seen = Evidence {
        id: wanted.id.and(Some(event.id)),
        at: event.at,
        performer: event.performer.clone(),
        action: event.action,
        outcome: event.outcome,
        reason: event.reason,
        invitation: event.invitation,
        division: event.division.clone(),
        origin: event.origin.clone(),
    };
    seen == *wanted
}

/// No event tells a code or a whole address.
fn leaks_nothing(event: &Event, model: &Model) -> Result<(), String> {
    let all =
        [Mailbox::Anna, Mailbox::AnnaUntagged, Mailbox::Bob, Mailbox::BobElsewhere, Mailbox::Carol];
    for (name, value) in event.detail.iter() {
        let code = model.codes.iter().any(|(code, _)| {
            let symbols: String = codes::symbols(code).into_iter().collect();
            value.contains(code) || value.contains(&symbols)
        });
        let address = all.iter().any(|mailbox| {
            [false, true].iter().any(|&other| value.contains(mailbox.spelling(other)))
                || value.contains(mailbox.email(false).key().as_str())
        });
        if code || address {
            return Err(format!("the detail {name} of an event tells a secret: {event:?}"));
        }
    }
    Ok(())
}
