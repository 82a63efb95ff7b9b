//! Support code of the tests.

// Each test program uses a part of it.
#![allow(dead_code, unreachable_pub, unused_imports, unused_macros)]
#![allow(clippy::allow_attributes, clippy::unwrap_used)]

pub mod host;

pub use invitation_conformance::people::{admin, manager, redeemer, staff};
use invitation_core::{
    Criteria, Draft, Event, EventCriteria, Invitation, Invitations, Paging, Store,
};

pub async fn create<S: Store>(invitations: &Invitations<S>) -> (Invitation, String) {
    let created = invitations.create(&manager(), Draft::new()).await.unwrap();
    (created.invitation().clone(), created.code().reveal().to_string())
}

/// Returns every event, oldest first.
pub async fn trail<S: Store>(invitations: &Invitations<S>) -> Vec<Event> {
    let paging = Paging::first(200).unwrap();
    let page = invitations.events(&admin(), &EventCriteria::new(), paging).await.unwrap();
    assert!(page.next().is_none(), "a test writes fewer events");
    page.items().iter().rev().cloned().collect()
}

/// Returns the number of successful redemptions of any code in the trail.
pub async fn redemptions_on_record<S: Store>(invitations: &Invitations<S>) -> usize {
    let succeeded =
        |event: &&Event| event.action == invitation_core::Action::Redeem && event.reason.is_none();
    trail(invitations).await.iter().filter(succeeded).count()
}

/// Returns the total number of uses of the listed invitations.
pub async fn uses<S: Store>(invitations: &Invitations<S>) -> u32 {
    let paging = Paging::first(200).unwrap();
    let page = invitations.list(&admin(), &Criteria::new(), paging).await.unwrap();
    page.items().iter().map(|view| view.invitation().uses()).sum()
}
