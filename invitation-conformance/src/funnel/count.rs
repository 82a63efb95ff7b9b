//! The numbers of one counter.

use std::sync::Arc;

use invitation_core::{Action, Event, InvitationId, audit::Detail, funnel::FunnelCounter};

use super::{
    FunnelFixture,
    people::{CREATED, DELETED, House},
};
use crate::support::{
    factory::Factory,
    samples::{division, later, start},
};

/// The counter counts each invitation and what became of it, for each division, inviter and batch.
/// Counting again changes nothing, and a recount comes to the same numbers.
pub async fn funnel_counts_what_became_of_invitations(fixture: FunnelFixture) {
    let house = House::new(fixture);
    let batch = house.filled().await;
    house.count(CREATED, 5, DELETED).await;
    house.has_each_once(batch).await;
    house.count(CREATED, 5, DELETED).await;
    house.has_each_once(batch).await;
    let counter = FunnelCounter::new(Arc::clone(&house.source));
    counter.recount(start()).await.expect("the store answers");
    assert_eq!(house.figures().await.created(), 0, "begun anew");
    house.count(CREATED, 5, DELETED).await;
    house.has_each_once(batch).await;
}

/// Events of more invitations than one step counts are counted once each.
pub async fn funnel_of_more_invitations_than_one_step_counts_each_once(fixture: FunnelFixture) {
    let (house, factory) = (House::new(fixture), Factory::new());
    let ids: Vec<InvitationId> = (0..400).map(|_| factory.invitation_id()).collect();
    for (action, seconds) in [(Action::Create, 0), (Action::Deliver, 60), (Action::Redeem, 3_600)] {
        let events = ids.iter().map(|id| Event {
            invitation: Some(*id),
            division: Some(division("sales")),
            detail: Detail::none().with("max_uses", "1"),
            ..factory.event(action, later(start(), seconds * 1_000_000))
        });
        let events: Vec<_> = events.collect();
        house.harness.store.record(&events).await.expect("the store records");
    }
    house.count(400, 400, 0).await;
    let figures = house.figures().await;
    assert_eq!((figures.sent(), figures.used()), (400, 400));
    let median = figures.times().median().expect("all were redeemed");
    assert_eq!(median.until, Some(time::Duration::HOUR));
}
