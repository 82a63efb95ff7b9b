//! Tests of the page that says what became of invitations.

use std::sync::Arc;

use invitation_core::{MemoryStore, funnel::FunnelCounter};
use serde_json::json;

use crate::support::{Harness, MOUNT};

fn host() -> (Harness, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store)).with_web(|web| {
        web.with_funnel(Arc::<MemoryStore>::clone(&store), Arc::<MemoryStore>::clone(&store))
    });
    (harness, store)
}

async fn count(store: &MemoryStore) {
    while FunnelCounter::new(store).run().await.expect("it counts").more {}
}

#[tokio::test]
async fn funnel_is_shown_as_tables_and_as_a_picture_with_a_text() {
    let (harness, store) = host();
    let page = harness.get("admin", "").await.is(200);
    page.says(&format!("href=\"{MOUNT}/funnel\">Funnel<"));
    let page = harness.get("admin", "/funnel").await.is(200);
    page.says("None was redeemed yet.").says("Created 0, Sent 0, Redeemed 0");
    for (n, of) in ["sales", "sales", "sales", "operations"].iter().enumerate() {
        let created = harness.create("admin", &json!({"division": of, "role": "staff"})).await;
        if n == 0 {
            let code = created["code"].as_str().expect("a code");
            harness.redeem(code, "anna").await.expect("it is good");
        }
    }
    let page = harness.get("admin", "/funnel").await.is(200);
    page.says("Not counted yet: what happened since").says(">0+<").says_nothing_of("Up to date.");
    count(&store).await;
    let page = harness.get("admin", "/funnel").await.is(200);
    let page = page.says("role=\"img\" aria-label=\"Created 4, Sent 0, Redeemed 1\"");
    let page = page.says("<h1>Funnel</h1>").says("All divisions").says("Up to date.");
    page.says("Half of them were redeemed within 1 minute.").says("25%").says("More than 90 days");
    let page = harness.get("sales-manager", "/funnel").await.is(200);
    page.says("Created 3, Sent 0, Redeemed 1").says("<bdi>sales</bdi>");
}

#[tokio::test]
async fn filters_of_the_funnel_lead_to_a_url_unless_they_resemble_a_code() {
    let (harness, store) = host();
    let created = harness.create("admin", &json!({"division": "sales", "role": "staff"})).await;
    count(&store).await;
    let form = [("division", "sales"), ("inviter", "admin"), ("batch", "")];
    let found = harness.post_form("admin", "/funnel", &form).await.is(303);
    let path = format!("{MOUNT}/funnel?division=sales&inviter=admin");
    assert_eq!(found.leads_to(), path);
    let path = path.strip_prefix(MOUNT).expect("below the mount point");
    harness.get("admin", path).await.is(200).says("Created 1,").says("Clear filters");
    let code = created["code"].as_str().expect("a code");
    let found = harness.post_form("admin", "/funnel", &[("inviter", code)]).await;
    found.is(200).says("Created 0,");
    let wrong = harness.get("admin", "/funnel?batch=x").await.is(422);
    wrong.says("Must be a UUID").says_nothing_of("Created 0,");
    let batch = "01890000-0000-7000-8000-000000000000";
    let both = harness.get("admin", &format!("/funnel?inviter=mia&batch={batch}")).await;
    both.is(422).says("Does not go with an inviter");
}

#[tokio::test]
async fn funnel_is_for_those_who_may_view_invitations() {
    let (harness, _) = host();
    harness.get("sales-staff", "/funnel").await.is(403);
    harness.get("sales-manager", "/funnel?division=operations").await.is(403);
    let without = Harness::dashboard();
    without.get("admin", "/funnel").await.is(404);
    without.get("admin", "").await.is(200).says_nothing_of("/funnel");
}
