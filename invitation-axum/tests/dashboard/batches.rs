//! The list of a batch, and the pages that send all of it again or revoke it.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use async_trait::async_trait;
use invitation_core::{
    Action, BatchId, Division, Draft, Email, EventCriteria, Limits, MemoryStore, Paging, Role,
    hooks::{Hooks, Intent, Veto},
};

use crate::support::{Answer, Harness, MOUNT, person};

/// A host that sends mails, with these limits.
fn host(limits: Limits) -> Harness {
    let store = Arc::new(MemoryStore::new());
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store));
    let harness = harness.with_service(|service| service.with_limits(limits));
    harness.with_web(|web| web.with_deliveries(store))
}

/// Creates invitations of sales together, each for an address or for anyone.
async fn batch_of(harness: &Harness, addresses: &[Option<&str>]) -> BatchId {
    let drafts = addresses.iter().map(|address| {
        let draft = Draft::new().with_role(Role::new("staff").expect("a role"));
        let draft = draft.in_division(Division::new("sales").expect("a division"));
        match address {
            Some(address) => draft.for_email(Email::parse(address).expect("an address")),
            None => draft,
        }
    });
    let admin = person("admin").expect("a person");
    let created = harness.service().create_many(&admin, drafts.collect()).await;
    created.expect("an administrator may")[0].invitation().batch().expect("a batch")
}

/// Creates invitations together, each for an address of its own.
async fn batch_of_many(harness: &Harness, number: usize) -> BatchId {
    let addresses: Vec<_> = (0..number).map(|n| format!("p{n}@example.com")).collect();
    let addresses: Vec<_> = addresses.iter().map(|address| Some(&**address)).collect();
    batch_of(harness, &addresses).await
}

fn fact(label: &str, value: &str) -> String {
    format!("<dt>{label}</dt><dd class=\"inv-long\">{value}</dd>")
}

/// Returns the hidden fields of the form on a page whose button has this label.
fn fields_of(page: &Answer, label: &str) -> Vec<(String, String)> {
    let button = format!(">{label}</button>");
    let mut forms = page.text().split("<form").filter(|form| form.contains(&button));
    let form = forms.next().unwrap_or_else(|| panic!("no {label}:\n{}", page.text()));
    let fields = form.split("type=\"hidden\" name=\"").skip(1).map(|field| {
        let (name, rest) = field.split_once("\" value=\"").expect("a value");
        let (value, _) = rest.split_once('"').expect("an end");
        (name.to_owned(), value.to_owned())
    });
    fields.collect()
}

/// Presses a button of a page whose form leads to `path`.
async fn press(harness: &Harness, page: &Answer, label: &str, path: &str) -> Answer {
    assert!(page.text().contains(&format!("action=\"{MOUNT}{path}\"")), "{}", page.text());
    let fields = fields_of(page, label);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    harness.post_form("admin", path, &fields).await
}

async fn events_of(harness: &Harness, action: Action) -> Vec<String> {
    let admin = person("admin").expect("a person");
    let criteria = EventCriteria::new().of_action(action);
    let events = harness.service().events(&admin, &criteria, Paging::default()).await;
    events.expect("events").items().iter().map(|event| format!("{:?}", event.detail)).collect()
}

#[tokio::test]
async fn list_of_a_batch_has_its_heading_its_numbers_and_its_actions() {
    let harness = host(Limits::default());
    let alone = harness.invite().await;
    let batch = batch_of(&harness, &[Some("a@example.com"), None]).await;
    let page = harness.get("admin", &format!("?batch={batch}")).await.is(200);
    let page = page.says(&format!("Batch <bdi class=\"inv-id\">{batch}</bdi>")).says("2 codes");
    let link = format!("{MOUNT}?batch={batch}&#38;status=active\"><span class=\"inv-figure\">2<");
    let page = page.says(&link).says("Clear filters");
    let page = page.says(&format!("href=\"{MOUNT}/batches/{batch}/resend\">Send all again<"));
    let page = page.says(&format!("href=\"{MOUNT}/batches/{batch}/revoke\">Revoke all<"));
    page.says_nothing_of(&alone.invitation().id().to_string());

    // The filters of the form apply within the batch.
    let form = [("status", "active"), ("search", "a@example.com"), ("batch", &*batch.to_string())];
    let found = harness.post_form("admin", "/search", &form).await;
    let there = found.leads_to().strip_prefix(MOUNT).expect("the list").to_owned();
    assert_eq!(there, format!("?status=active&search=a%40example.com&batch={batch}"));
    let found = harness.get("admin", &there).await.is(200).says("1 code<");
    found.says(&format!("type=\"hidden\" name=\"batch\" value=\"{batch}\""));

    let whole = harness.get("admin", "").await.is(200).says("3 codes");
    whole.says_nothing_of("Send all again").says_nothing_of("name=\"batch\"");
}

#[tokio::test]
async fn further_pages_of_a_batch_keep_it_and_its_actions() {
    let harness = host(Limits::default());
    harness.invite().await;
    let batch = batch_of_many(&harness, 60).await;
    let first = harness.get("admin", &format!("?batch={batch}")).await.is(200);
    let next = first.text().split("rel=\"next\"").nth(1).expect("a link");
    let next = next.split("href=\"").nth(1).and_then(|link| link.split('"').next());
    let next = next.expect("a path").replace("&#38;", "&").replace("&amp;", "&");
    let second = harness.get("admin", next.strip_prefix(MOUNT).expect("the list")).await.is(200);
    second.says("10 codes").says(&batch.to_string()).says("Revoke all").says("Send all again");
}

#[tokio::test]
async fn batch_that_is_no_id_is_a_mistake_and_stays_out_of_links() {
    let harness = host(Limits::default());
    let page = harness.get("admin", "?batch=nonsense").await.is(422);
    page.says("Must be a UUID").says("Clear filters").says_nothing_of("Revoke all");
    let form = [("batch", "nonsense"), ("status", "active")];
    harness.post_form("admin", "/search", &form).await.is(422).says_nothing_of("batch=nonsense");
}

#[tokio::test]
async fn batch_is_revoked_after_a_confirmation() {
    let harness = host(Limits::default());
    let alone = harness.invite().await.invitation().id();
    let batch = batch_of(&harness, &[None, None, Some("a@example.com")]).await;
    let path = format!("/batches/{batch}/revoke");
    let page = harness.get("admin", &path).await.is(200);
    let page = page.says("Revoke all invitations of this batch?").says("name=\"reason\"");
    page.says(&fact("Active", "3")).says(&fact("Expired", "0")).says("inv-bad");
    let too_long = "a".repeat(501);
    let refused = harness.post_form("admin", &path, &[("reason", &*too_long)]).await.is(422);
    refused.says("inv-reason-error").says(&too_long);

    let done = harness.post_form("admin", &path, &[("reason", "sent to the wrong list")]).await;
    let done = done.is(200).says("The invitations of this batch were revoked");
    done.says(&fact("Revoked now", "3")).says(&format!("href=\"{MOUNT}?batch={batch}\""));
    let reasons = events_of(&harness, Action::Revoke).await;
    assert_eq!(reasons.len(), 3);
    assert!(reasons.iter().all(|event| event.contains("sent to the wrong list")), "{reasons:?}");
    let again = harness.post_form("admin", &path, &[]).await.is(200);
    again.says("No invitation was left to revoke").says(&fact("Revoked now", "0"));
    let list = harness.get("admin", &format!("?batch={batch}")).await.is(200);
    list.says_nothing_of("Revoke all").says_nothing_of("Send all again");
    harness.get("admin", &format!("/{alone}")).await.is(200).says("inv-status-active");
}

#[tokio::test]
async fn large_batch_is_revoked_in_steps_that_add_up() {
    let harness = host(Limits::default().with_batch(NonZeroU32::new(1_100).expect("not zero")));
    let batch = batch_of(&harness, &vec![None; 1_100]).await;
    let path = format!("/batches/{batch}/revoke");
    let step = harness.post_form("admin", &path, &[("reason", "too many")]).await.is(200);
    let step =
        step.says("Not all invitations of this batch are revoked yet").says("role=\"alert\"");
    let step = step.says(&fact("Revoked now", "1000")).says(&fact("Still to do", "100"));
    let done = press(&harness, &step, "Go on", &path).await.is(200);
    done.says(&fact("Revoked now", "1100")).says_nothing_of("Go on").says_nothing_of("alert");
    let latest = events_of(&harness, Action::Revoke).await;
    assert!(latest[0].contains("too many"), "the reason goes on: {}", latest[0]);
}

/// A hook that allows commands up to a number.
#[derive(Debug)]
struct Closing(std::sync::atomic::AtomicU32);

#[async_trait]
impl Hooks for Closing {
    async fn before(&self, _: &Intent) -> Result<(), Veto> {
        let left = self.0.fetch_update(
            std::sync::atomic::Ordering::SeqCst,
            std::sync::atomic::Ordering::SeqCst,
            |left| left.checked_sub(1),
        );
        left.map(drop).map_err(|_| Veto::because("closed for today"))
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[tokio::test]
async fn step_that_breaks_off_tells_what_it_has_revoked() {
    let closing = Closing(std::sync::atomic::AtomicU32::new(2));
    let harness = host(Limits::default()).with_service(|service| service.with_hooks(closing));
    let batch = batch_of(&harness, &[None; 300]).await;
    let path = format!("/batches/{batch}/revoke");
    let step = harness.post_form("admin", &path, &[]).await.is(200);
    let step = step.says(&fact("Revoked now", "200")).says(&fact("Still to do", "100"));
    press(&harness, &step, "Go on", &path).await.is(403).says("Closed for today");
}

#[tokio::test]
async fn batch_is_sent_again_once_however_often_the_form_is_sent() {
    let harness = host(Limits::default());
    let batch = batch_of(&harness, &[Some("a@example.com"), None, Some("c@example.com")]).await;
    let path = format!("/batches/{batch}/resend");
    let page = harness.get("admin", &path).await.is(200);
    let page = page.says("Send all invitations of this batch again?").says(&fact("Active", "3"));
    for _ in 0..2 {
        let sent = press(&harness, &page, "Send all again", &path).await.is(200);
        let sent = sent.says("The invitations of this batch were sent again");
        let sent = sent.says(&fact("Mails on their way", "2")).says(&fact("Left out", "1"));
        sent.says("The invitation is not for an address").says_nothing_of("Go on");
    }
    assert_eq!(events_of(&harness, Action::Resend).await.len(), 2 + 2, "two mails, two refusals");
    harness.post_form("admin", &path, &[]).await.is(400);
    harness.post_form("admin", &path, &[("key", "k"), ("cursor", "x")]).await.is(400);
    let nobody = batch_of(&harness, &[None]).await;
    let path = format!("/batches/{nobody}/resend");
    let sent = harness.post_form("admin", &path, &[("key", "k")]).await.is(200);
    sent.says("No invitation of this batch was sent again");
}

#[tokio::test]
async fn large_batch_is_sent_again_in_steps_that_add_up() {
    let limits = Limits::default();
    let most = NonZeroU32::new(Limits::MAX_RESENDS).expect("not zero");
    let harness = host(limits.with_resends_per_actor(most).expect("a limit"));
    let batch = batch_of_many(&harness, 230).await;
    let path = format!("/batches/{batch}/resend");
    let step = harness.post_form("admin", &path, &[("key", "k")]).await.is(200);
    let step = step.says("Not all invitations of this batch are sent again yet");
    let step = step.says(&fact("Mails on their way", "200")).says(&fact("Still to do", "30"));
    let done = press(&harness, &step, "Go on", &path).await.is(200);
    let done = done.says("The invitations of this batch were sent again");
    done.says(&fact("Mails on their way", "230")).says_nothing_of("Go on");
}

#[tokio::test]
async fn limit_of_mails_is_told_and_the_rest_is_sent_later() {
    let two = NonZeroU32::new(2).expect("not zero");
    let harness = host(Limits::default().with_resends_per_actor(two).expect("a limit"));
    let batch = batch_of_many(&harness, 3).await;
    let path = format!("/batches/{batch}/resend");
    let step = harness.post_form("admin", &path, &[("key", "k")]).await.is(200);
    let step = step.says("Not all invitations of this batch are sent again yet");
    let step = step.says("A limit of mails is reached").says("try later (in 1 hour)");
    let step = step.says(&fact("Mails on their way", "2")).says(&fact("Left out", "1"));
    harness.clock.advance(time::Duration::HOUR);
    let done = press(&harness, &step, "Try again", &path).await.is(200);
    let done = done.says(&fact("Mails on their way", "3")).says(&fact("Left out", "0"));
    done.says("The invitations of this batch were sent again").says_nothing_of("Try again");
}

#[tokio::test]
async fn actions_on_a_batch_are_for_those_who_may_and_for_batches_in_reach() {
    let harness = host(Limits::default());
    let batch = batch_of(&harness, &[Some("a@example.com")]).await;
    let key = [("key", "k")];
    let list = harness.get("sales-manager", &format!("?batch={batch}")).await.is(200);
    list.says("1 code<").says_nothing_of("Revoke all").says_nothing_of("Send all again");
    let list = harness.get("operations-manager", &format!("?batch={batch}")).await.is(200);
    list.says("Nothing matches");
    let unknown = BatchId::from_bytes([7; 16]).to_string();
    for word in ["revoke", "resend"] {
        for id in [&*batch.to_string(), "nonsense"] {
            let path = format!("/batches/{id}/{word}");
            harness.get("sales-manager", &path).await.is(403);
            harness.post_form("sales-manager", &path, &key).await.is(403);
        }
        for id in [&*unknown, "nonsense"] {
            let path = format!("/batches/{id}/{word}");
            harness.get("admin", &path).await.is(404);
            harness.post_form("admin", &path, &key).await.is(404);
        }
    }
    let list = harness.get("admin", &format!("?batch={unknown}")).await.is(200);
    list.says_nothing_of("Revoke all").says_nothing_of("Send all again");
    for action in [Action::Revoke, Action::Resend] {
        let events = events_of(&harness, action).await;
        assert_eq!(events.len(), 4, "each denial is recorded, and nothing else: {events:?}");
    }
}

#[tokio::test]
async fn without_deliveries_a_batch_is_only_revoked() {
    let harness = Harness::dashboard();
    let batch = batch_of(&harness, &[Some("a@example.com")]).await;
    let list = harness.get("admin", &format!("?batch={batch}")).await.is(200);
    list.says("Revoke all").says_nothing_of("Send all again");
    let path = format!("/batches/{batch}/resend");
    harness.get("admin", &path).await.is(404);
    harness.post_form("admin", &path, &[("key", "k")]).await.is(404);
}

#[tokio::test]
async fn invitation_leads_to_its_batch() {
    let harness = Harness::dashboard();
    let batch = batch_of(&harness, &[None]).await;
    let list = harness.get("admin", &format!("?batch={batch}")).await.is(200);
    let id = list.text().split("class=\"inv-code\" href=\"").nth(1).expect("a row");
    let id = id.split('"').next().and_then(|link| link.strip_prefix(MOUNT)).expect("a path");
    let link = format!("<a href=\"{MOUNT}?batch={batch}\"><bdi>{batch}</bdi></a>");
    harness.get("sales-manager", id).await.is(200).says(&link);
    let alone = harness.invite().await.invitation().id();
    harness.get("admin", &format!("/{alone}")).await.is(200).says_nothing_of("batch");
}
