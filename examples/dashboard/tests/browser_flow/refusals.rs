//! Actions that each role is refused.

use invitation_testkit::Look;
use serde_json::json;

use crate::Scene;

#[tokio::test]
async fn others_are_refused_and_shown_nothing() {
    let scene = Scene::open().await;
    let invitation = scene.host.invite(json!({"email": "anna@example.com"})).await;
    let (id, code) = (invitation["id"].as_str(), invitation["code"].as_str());
    let (id, code) = (id.expect("an id"), code.expect("a code"));
    let window = scene.window(Look::default()).await;

    // A manager of another division does not find the invitation, by search or by its URL.
    scene.sign_in(&window, "operations-manager").await;
    window.says("h1", &["Invitation Codes"]).await;
    for search in [code, "anna"] {
        window.fill("#inv-search", search).await;
        window.follow("Apply").await;
        window.says(".inv-empty h2", &["Nothing matches"]).await;
        window.follow("Clear filters").await;
        window.until("return document.querySelector('#inv-search').value === ''").await;
    }
    scene.at(&window, &format!("/invitations/{id}")).await;
    window.says("h1", &["Not found"]).await;
    window.keep("refused-operations-manager").await;

    // Staff see no part of the dashboard.
    scene.sign_in(&window, "sales-staff").await;
    for path in ["", "/new", "/events", &format!("/{id}")] {
        scene.at(&window, &format!("/invitations{path}")).await;
        window.says("h1", &["This is not for your role"]).await;
    }
    window.keep("refused-staff").await;

    // The division's manager sees the invitation, and can only copy its code.
    scene.sign_in(&window, "sales-manager").await;
    window.fill("#inv-search", "anna").await;
    window.follow("Apply").await;
    window.says("tbody td:last-child button, tbody td:last-child a", &["Copy"]).await;
    let words = ["edit", "revoke", "reinstate", "rotate", "delete"];
    let pages = words.map(|word| format!("/{id}/{word}"));
    for path in pages.iter().map(String::as_str).chain(["/events", "/import"]) {
        scene.at(&window, &format!("/invitations{path}")).await;
        window.says("h1", &["This is not for your role"]).await;
    }
    window.keep("refused-sales-manager").await;
    let by_api = scene.host.invitation(&invitation["id"]).await;
    assert_eq!((&by_api["version"], &by_api["status"]), (&invitation["version"], &json!("active")));
    window.close().await;
}
