//! Actions of an administrator in the browser.

use invitation_testkit::Look;
use serde_json::json;

use crate::Scene;

#[tokio::test]
async fn an_administrator_does_all_of_it() {
    let scene = Scene::open().await;
    let code = scene.host.invite(json!({"email": "anna@example.com"})).await["code"].clone();
    let code = code.as_str().expect("a code");
    let window = scene.window(Look::default()).await;
    scene.sign_in(&window, "admin").await;
    window.keep("admin-1-list").await;
    window.fill("#inv-search", code).await;
    window.follow("Apply").await;
    window.says(".inv-reveal-code", &[code]).await;

    window.click("Edit").await;
    window.fill("#inv-email", "anna.berg@example.com").await;
    window.fill("#inv-expires_in_days", "30").await;
    window.choose("#inv-role", "manager").await;
    window.click("Save changes").await;
    window.says(".inv-notice", &["The changes were saved."]).await;
    window.click("Revoke").await;
    window.says("h1", &["Revoke this invitation?"]).await;
    window.fill("#inv-reason", "Not coming after all").await;
    window.keep("admin-2-revoke").await;
    window.click("Revoke").await;
    window.says(".inv-notice", &["The invitation was revoked."]).await;
    window.keep("admin-3-revoked").await;
    window.click("Reinstate").await;
    window.says("h1", &["Reinstate this invitation?"]).await;
    window.click("Reinstate").await;
    window.says(".inv-notice", &["The invitation was reinstated."]).await;
    window.click("New code").await;
    window.says("h1", &["Replace the code of this invitation?"]).await;
    window.click("New code").await;
    window.says("h1", &["The invitation has a new code"]).await;
    assert_ne!(window.text(".inv-reveal-code").await, code);
    window.click("Back to all codes").await;
    window.fill("#inv-search", "anna.berg").await;
    window.follow("Apply").await;
    window.says("tbody td:nth-child(3) .inv-role", &["Manager"]).await;
    window.click("More").await;
    window.click("Delete").await;
    window.says("h1", &["Delete this invitation?"]).await;
    window.click("Delete").await;
    window.says(".inv-notice", &["The invitation was deleted."]).await;

    window.click("Import").await;
    let lines = "email,role,division\nchiara@example.com,staff,sales\nelif@,staff,sales\n";
    window.fill("#inv-csv", lines).await;
    window.follow("Check first").await;
    window.says(".inv-outcome", &["In order", "Mistake"]).await;
    window.choose("#inv-mode", "best_effort").await;
    window.follow("Check first").await;
    window.click("Create all").await;
    window.says("h1", &["The invitations were created"]).await;
    window.keep("admin-4-imported").await;
    window.click("Done").await;

    window.click("Audit trail").await;
    window.choose("#inv-kind", "delete").await;
    window.until("return location.search === '?kind=delete'").await;
    window.says("tbody td:nth-child(3)", &["Delete"]).await;
    // The filter acted in place.
    window.until("return document.activeElement.id === 'inv-kind'").await;
    window.follow("Clear filters").await;
    window.keep("admin-5-audit").await;
    window.close().await;
}
