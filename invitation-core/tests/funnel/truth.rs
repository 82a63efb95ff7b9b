//! A naive recount: reads all events at once, and keeps nothing.

use std::collections::{BTreeMap, BTreeSet};

use invitation_core::{
    Action, BatchId, Division, Event, EventOutcome, InvitationId, Performer, UserId,
    funnel::TimesToRedeem,
};

/// The invitations that a funnel is about.
#[derive(Clone, Default, Debug)]
pub(crate) struct About {
    pub(crate) division: Option<Division>,
    pub(crate) inviter: Option<UserId>,
    pub(crate) batch: Option<BatchId>,
}

/// Returns the numbers in the order of [`numbers`](crate::support::numbers).
pub(crate) fn recount(events: &[Event], about: &About) -> Vec<u64> {
    let done = || events.iter().filter(|event| event.outcome == EventOutcome::Succeeded);
    let mut creations: BTreeMap<InvitationId, &Event> = BTreeMap::new();
    for event in done().filter(|event| event.action == Action::Create) {
        if let Some(id) = event.invitation {
            creations.entry(id).or_insert(event);
        }
    }
    let mut numbers = vec![0; 8 + TimesToRedeem::ENDS.len() + 1];
    for (id, creation) in creations {
        if !is_about(creation, about) {
            continue;
        }
        let of = |action| {
            done().filter(move |event| event.invitation == Some(id) && event.action == action)
        };
        let max: u64 = creation.detail.get("max_uses").expect("stated").parse().expect("a number");
        let redemptions: BTreeSet<_> = of(Action::Redeem).map(|event| event.id).collect();
        let uses = u64::try_from(redemptions.len()).expect("few").min(max);
        let mut changes = done().filter(|event| {
            let is_of = event.invitation == Some(id);
            is_of && matches!(event.action, Action::Revoke | Action::Reinstate)
        });
        let is_revoked = changes.next_back().is_some_and(|event| event.action == Action::Revoke);
        let is_deleted = of(Action::Delete).next().is_some();
        numbers[0] += 1;
        numbers[1] += u64::from(of(Action::Deliver).next().is_some());
        numbers[2] += u64::from(uses > 0);
        numbers[3] += uses;
        let state = match (is_deleted, uses >= max, is_revoked) {
            (true, ..) => 7,
            (_, true, _) => 5,
            (.., true) => 6,
            _ => 4,
        };
        numbers[state] += 1;
        if let Some(first) = of(Action::Redeem).next() {
            let time = first.at.since(creation.at);
            let range = TimesToRedeem::ENDS.iter().filter(|end| time > **end).count();
            numbers[8 + range] += 1;
        }
    }
    numbers
}

fn is_about(creation: &Event, about: &About) -> bool {
    let by = match &creation.performer {
        Performer::Actor { user, .. } => Some(user),
        _ => None,
    };
    let batch = creation.detail.get("batch").map(|batch| batch.parse().expect("an id"));
    (about.division.is_none() || creation.division == about.division)
        && (about.inviter.is_none() || by == about.inviter.as_ref())
        && (about.batch.is_none() || batch == about.batch)
}
