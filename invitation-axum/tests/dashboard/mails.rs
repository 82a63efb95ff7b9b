//! Tests of the pages about mails.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    InvitationId, Limits, MemoryStore, Store, SystemActor,
    delivery::{Deliveries, DeliveryFailure, FailureKind},
    feed::Feed,
};
use serde_json::json;
use time::Duration;

use crate::support::{Harness, MOUNT};

const FORM: [(&str, &str); 1] = [("key", "form-1")];

fn host() -> (Harness, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store));
    (harness.with_web(|web| web.with_deliveries(Arc::<MemoryStore>::clone(&store))), store)
}

async fn invite(harness: &Harness) -> String {
    let body = json!({"email": "anna@example.com", "division": "sales", "role": "staff"});
    let created = harness.create("admin", &body).await;
    created["id"].as_str().expect("an id").to_owned()
}

/// Queues the mails of new invitations, and lets each that is due fail.
async fn fail(harness: &Harness, store: &Arc<MemoryStore>) {
    let deliveries: Deliveries<Arc<dyn Store>> =
        Deliveries::new(harness.service().clone(), Arc::<MemoryStore>::clone(store));
    let hundred = NonZeroU32::new(100).expect("not zero");
    let page = store.feed(None, hundred).await.expect("a page");
    let events: Vec<_> = page.events.into_iter().map(|one| one.event).collect();
    deliveries.queue(&events).await.expect("it is queued");
    let worker = SystemActor::new("mail").expect("a name");
    for due in deliveries.due(hundred).await.expect("a list") {
        let claimed = deliveries.claim(&worker, &due, Duration::MINUTE, 3).await;
        let claimed = claimed.expect("a claim").expect("no other worker");
        let refused = DeliveryFailure::new(FailureKind::Refused).with_reply(550);
        assert!(deliveries.failed(&worker, &claimed, refused, None).await.expect("it is written"));
    }
}

#[tokio::test]
async fn failed_mail_is_shown_with_its_reason_and_retried() {
    let (harness, store) = host();
    let id = invite(&harness).await;
    fail(&harness, &store).await;
    let page = harness.get("admin", &format!("/{id}")).await;
    let page = page.is(200).says("Failed").says("Refused (550)").says(">Retry<");
    let list = harness.get("admin", "/deliveries").await.is(200).says("Failed mails");
    let retry = list.text().split("action=\"").find(|part| part.contains("/retry"));
    let retry = retry.and_then(|part| part.split('"').next()).expect("a form");
    assert!(page.text().contains(retry), "both pages have it");
    let retry = retry.strip_prefix(MOUNT).expect("below the mount point");
    let retried = harness.post_form("admin", retry, &[]).await.is(303);
    assert_eq!(retried.leads_to(), format!("{MOUNT}/{id}?done=resent"));
    let page = harness.get("admin", &format!("/{id}?done=resent")).await;
    page.is(200).says("The mail is on its way.").says("Queued").says_nothing_of(">Retry<");
    harness.get("admin", "/deliveries").await.is(200).says("No failed mails");
    let back = harness.get("admin", retry).await.is(303);
    assert_eq!(back.leads_to(), format!("{MOUNT}/deliveries"));
}

#[tokio::test]
async fn invitation_is_sent_again_once_however_often_the_form_is_sent() {
    let (harness, _) = host();
    let id = invite(&harness).await;
    let page = harness.get("admin", &format!("/{id}")).await.is(200);
    let page = page.says(">Send again<").says(">Send with a new code<").says("None yet.");
    assert!(page.text().contains("name=\"key\" value=\""));
    for _ in 0..2 {
        let sent = harness.post_form("admin", &format!("/{id}/resend"), &FORM).await.is(303);
        assert_eq!(sent.leads_to(), format!("{MOUNT}/{id}?done=resent"));
    }
    let page = harness.get("admin", &format!("/{id}")).await.is(200);
    assert_eq!(page.text().matches(">Queued<").count(), 1, "one mail");
    let before = harness.service().get(&crate::support::person("admin").unwrap(), id_of(&id)).await;
    let before = before.expect("it exists").code().expect("shown").reveal().to_string();
    let form = [("key", "form-2"), ("rotate", "1")];
    harness.post_form("admin", &format!("/{id}/resend"), &form).await.is(303);
    harness.get("admin", &format!("/{id}")).await.is(200).says_nothing_of(&before);
    harness.post_form("admin", &format!("/{id}/resend"), &[]).await.is(400);
}

fn id_of(text: &str) -> InvitationId {
    text.parse().expect("an id")
}

#[tokio::test]
async fn pages_offer_and_accept_mails_only_from_those_who_may() {
    let (harness, store) = host();
    let id = invite(&harness).await;
    fail(&harness, &store).await;
    let page = harness.get("sales-manager", &format!("/{id}")).await.is(200);
    page.says("Refused (550)").says_nothing_of(">Retry<").says_nothing_of("Send again");
    harness.get("sales-manager", "/deliveries").await.is(403);
    harness.post_form("sales-manager", &format!("/{id}/resend"), &FORM).await.is(403);
    harness.get("sales-manager", "").await.is(200).says_nothing_of("Failed mails");
    harness.get("admin", "").await.is(200).says("Failed mails");
}

#[tokio::test]
async fn resend_beyond_the_limit_shows_what_to_do() {
    let (harness, store) = host();
    let limits = Limits::default().with_resends_per_address(NonZeroU32::MIN).expect("a limit");
    let harness = harness.with_service(|service| service.with_limits(limits));
    let harness = harness.with_web(|web| web.with_deliveries(store));
    let id = invite(&harness).await;
    harness.post_form("admin", &format!("/{id}/resend"), &FORM).await.is(303);
    let refused = harness.post_form("admin", &format!("/{id}/resend"), &[("key", "b")]).await;
    refused.is(429).says("Too many mails were sent again, try later");
}

#[tokio::test]
async fn without_deliveries_no_page_speaks_of_mails() {
    let harness = Harness::dashboard();
    let id = invite(&harness).await;
    harness.get("admin", &format!("/{id}")).await.is(200).says_nothing_of("Send again");
    harness.get("admin", "").await.is(200).says_nothing_of("Failed mails");
    harness.get("admin", "/deliveries").await.is(404);
    harness.post_form("admin", &format!("/{id}/resend"), &FORM).await.is(404);
}
