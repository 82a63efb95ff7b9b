//! Comparisons other than the answers: everything that the store holds.

use invitation_core::{
    Error, Event, EventCriteria, Limits, PageRequest, Scope, Store, Target, TimeRange, Timestamp,
};

use super::{
    answer::Answer,
    identities::{ActingUser, Mailbox},
    perform::ServiceUnderTest,
    state::{ExpectedEvent, Model, ModelInvitation},
    step::ListCriteria,
};

/// Returns an error that describes the difference, if there is one.
pub(super) fn compare_answers(what: &str, expected: &Answer, seen: &Answer) -> Result<(), String> {
    if expected == seen {
        return Ok(());
    }
    Err(format!("{what} differs\n  expected {expected:?}\n      seen {seen:?}"))
}

impl ServiceUnderTest {
    /// Compares all invitations, the counts and the open reservations, as an
    /// administrator sees them.
    pub(super) async fn compare_facts(&self, model: &Model) -> Result<(), String> {
        let all = ListCriteria::default();
        let seen = self.list(ActingUser::Admin, &all, Limits::MAX_PAGE, 0, model).await;
        compare_answers("the whole list", &model.list(ActingUser::Admin, all).answer, &seen)?;
        let seen = self.counts(ActingUser::Admin, &all, model).await;
        compare_answers("the counts", &model.counts(ActingUser::Admin, all).answer, &seen)?;
        let seen = self.reservations(ActingUser::Admin, None, Limits::MAX_PAGE, model).await;
        compare_answers(
            "the open reservations",
            &model.reservations(ActingUser::Admin, None).answer,
            &seen,
        )
    }

    /// Compares the redemptions of that invitation, which may be purged or deleted.
    pub(super) async fn compare_redemptions(&self, row: &ModelInvitation) -> Result<(), String> {
        let page = PageRequest { after: None, limit: Limits::MAX_PAGE };
        let store = self.service.store();
        let seen = match store.redemptions(&Scope::All, row.facts.id, &page).await {
            Ok(found) => Answer::Used(found.items),
            Err(error) => Error::from(error).into(),
        };
        compare_answers("who redeemed it", &Answer::Used(row.newest_redemptions()), &seen)
    }

    /// Compares the events since `before` with the expected ones, and adds them to the
    /// model's trail.
    pub(super) async fn compare_events(
        &self,
        model: &mut Model,
        before: Timestamp,
        mut expected: Vec<ExpectedEvent>,
    ) -> Result<(), String> {
        let from = before.min(model.now);
        let now = TimeRange { from: Some(from), until: Some(model.after(1)) };
        let criteria = EventCriteria::new().within(now);
        let answer = self.trail(ActingUser::Admin, &criteria, Limits::MAX_PAGE, model).await;
        let Answer::Trail(events) = answer else {
            return Err(format!("the audit trail cannot be read: {answer:?}"));
        };
        for event in events {
            if model.trail.iter().any(|known| known.id == event.id) {
                continue;
            }
            leaks_nothing(&event, model)?;
            match expected.iter().position(|wanted| matches_event(wanted, &event)) {
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

    /// Compares the complete audit trail, and the remaining data of deleted invitations.
    pub(super) async fn compare_all(&self, model: &Model) -> Result<(), String> {
        let mut events = model.trail.clone();
        events.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
        let seen = self.trail(ActingUser::Admin, &EventCriteria::new(), 7, model).await;
        compare_answers("the complete audit trail", &Answer::Trail(events), &seen)?;
        for row in &model.rows {
            let target = Target::Id(row.facts.id);
            let seen = self.service.store().get(&target, &Scope::All).await;
            match seen {
                Ok(Some(facts)) if facts == row.facts && !row.purged => {}
                Ok(None) if row.purged => {}
                other => {
                    let expected = &row.facts;
                    return Err(format!(
                        "what is kept differs\n  expected {expected:?}\n      seen {other:?}"
                    ));
                }
            }
            self.compare_redemptions(row).await?;
        }
        Ok(())
    }
}

/// The details of an event that are compared.
const DETAIL_NAMES: [&str; 12] = [
    "reservation",
    "until",
    "taken_over_from",
    "role",
    "expires_at",
    "max_uses",
    "batch",
    "reason",
    "before",
    "removed",
    "rows",
    "key",
];

fn matches_event(wanted: &ExpectedEvent, event: &Event) -> bool {
    let named =
        |(name, value)| Some((DETAIL_NAMES.into_iter().find(|known| *known == name)?, value));
    let mut detail: Vec<(&str, &str)> = event.detail.iter().filter_map(named).collect();
    let mut wanted_detail: Vec<(&str, &str)> =
        wanted.detail.iter().map(|(name, value)| (*name, value.as_str())).collect();
    detail.sort_unstable();
    wanted_detail.sort_unstable();
    if detail != wanted_detail {
        return false;
    }
    let seen = ExpectedEvent {
        id: wanted.id.and(Some(event.id)),
        at: event.at,
        performer: event.performer.clone(),
        action: event.action,
        outcome: event.outcome,
        reason: event.reason,
        invitation: event.invitation,
        division: event.division.clone(),
        context: event.context.clone(),
        detail: wanted.detail.clone(),
    };
    seen == *wanted
}

/// Checks that no event contains a code or a whole address.
fn leaks_nothing(event: &Event, model: &Model) -> Result<(), String> {
    let mut text = String::new();
    for (_, value) in event.detail.iter() {
        text.push_str(value);
        text.push('\n');
    }
    // Codes are found with or without hyphens.
    let bare = text.replace('-', "");
    let code = model.codes.iter().any(|(code, _)| bare.contains(&code.replace('-', "")));
    let all =
        [Mailbox::Anna, Mailbox::AnnaUntagged, Mailbox::Bob, Mailbox::BobElsewhere, Mailbox::Carol];
    let address = text.contains('@')
        && all.iter().any(|mailbox| {
            [false, true].iter().any(|&other| text.contains(mailbox.spelling(other)))
                || text.contains(mailbox.email(false).key().as_str())
        });
    if code || address {
        return Err(format!("the detail of an event tells a secret: {event:?}"));
    }
    Ok(())
}
