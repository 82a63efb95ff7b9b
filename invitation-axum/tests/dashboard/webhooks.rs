//! Tests of the page about webhooks.

use std::sync::Arc;

use invitation_core::{MemoryStore, webhook::EndpointState};
use invitation_delivery::webhook::Webhooks;

use crate::{
    harness::hooks,
    support::{Harness, MOUNT},
};

const CHANGES: &str = "/webhooks/crm%20hooks";

type AnyWebhooks = Webhooks<Arc<MemoryStore>>;

/// A host with an endpoint that was stopped.
async fn host() -> (Harness, AnyWebhooks) {
    let store = Arc::new(MemoryStore::new());
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store));
    let webhooks = hooks::webhooks(&store, &harness.clock);
    let harness = harness.with_web(|web| web.with_webhooks(webhooks.clone()));
    // Boxed, because the future is large.
    hooks::stop_one(&webhooks, Box::pin(harness.invite())).await;
    (harness, webhooks)
}

async fn state(webhooks: &AnyWebhooks) -> EndpointState {
    webhooks.list().await.expect("a list")[0].state
}

#[tokio::test]
async fn stopped_endpoint_is_shown_with_its_failure_and_retried_disabled_and_enabled() {
    let (harness, webhooks) = Box::pin(host()).await;
    let page = harness.get("admin", "/webhooks").await.is(200);
    let page = page.says("crm hooks").says("http://127.0.0.1:").says(">Stopped<");
    let page = page.says("No connection to the receiver").says(">Retry<").says(">Leave out<");
    page.says(">Disable<").says_nothing_of(">Enable<").says_nothing_of("T0KEN");
    for (change, says, state_after) in [
        ("retry", "The event is sent again.", EndpointState::Active),
        ("disable", "The endpoint gets no more messages.", EndpointState::Disabled),
        ("disable", "The endpoint gets no more messages.", EndpointState::Disabled),
        ("enable", "The endpoint goes on where it was", EndpointState::Active),
    ] {
        let done = harness.post_form("admin", &format!("{CHANGES}/{change}"), &[]).await.is(303);
        let place = format!("{MOUNT}/webhooks?done={change}");
        assert_eq!(done.leads_to(), place);
        assert_eq!(state(&webhooks).await, state_after);
        let page = harness.get("admin", &format!("/webhooks?done={change}")).await.is(200);
        let page = page.says(says);
        assert_eq!(page.text().contains(">Enable<"), state_after == EndpointState::Disabled);
    }
    let back = harness.get("admin", &format!("{CHANGES}/retry")).await.is(303);
    assert_eq!(back.leads_to(), format!("{MOUNT}/webhooks"));
}

#[tokio::test]
async fn event_that_is_not_accepted_is_left_out_by_its_own_form_only() {
    let (harness, webhooks) = Box::pin(host()).await;
    let page = harness.get("admin", "/webhooks").await;
    let event = page.text().split("name=\"event\" value=\"").nth(1).expect("a form");
    let event = event.split('"').next().expect("an id").to_owned();
    let skip = format!("{CHANGES}/skip");
    let other = "01890000-0000-7000-8000-000000000000";
    harness.post_form("admin", &skip, &[("event", other)]).await.is(303);
    assert_eq!(state(&webhooks).await, EndpointState::Stopped, "it is about another event");
    harness.post_form("admin", &skip, &[("event", &event)]).await.is(303);
    assert_eq!(state(&webhooks).await, EndpointState::Active);
    harness.post_form("admin", &skip, &[]).await.is(422);
    harness.post_form("admin", "/webhooks/erp/retry", &[]).await.is(404);
    harness.post_form("admin", &format!("{CHANGES}/explode"), &[]).await.is(404);
}

#[tokio::test]
async fn page_is_for_administrators_of_all_divisions() {
    let (harness, webhooks) = Box::pin(host()).await;
    harness.get("admin", "").await.is(200).says(">Webhooks<");
    harness.get("sales-manager", "").await.is(200).says_nothing_of("Webhooks");
    harness.get("sales-manager", "/webhooks").await.is(403);
    harness.post_form("sales-manager", &format!("{CHANGES}/retry"), &[]).await.is(403);
    assert_eq!(state(&webhooks).await, EndpointState::Stopped);
}

#[tokio::test]
async fn without_webhooks_no_page_speaks_of_them() {
    let harness = Harness::dashboard();
    harness.get("admin", "").await.is(200).says_nothing_of("Webhooks");
    harness.get("admin", "/webhooks").await.is(404);
    harness.post_form("admin", &format!("{CHANGES}/retry"), &[]).await.is(404);
}

#[tokio::test]
async fn page_without_endpoints_says_how_to_get_one() {
    let store = Arc::new(MemoryStore::new());
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store));
    let webhooks = hooks::webhooks(&store, &harness.clock);
    let harness = harness.with_web(|web| web.with_webhooks(webhooks));
    harness.get("admin", "/webhooks").await.is(200).says("No webhooks");
}
