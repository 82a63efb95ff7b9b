//! From the invitation to the account: the manager's side, and the newcomer's.

use invitation_testkit::{Look, Window, keys};
use serde_json::json;

use crate::{DARK, Scene};

/// Creates an invitation through the form, and returns its code.
async fn create(manager: &Window, email: &str) -> String {
    manager.click("Create Invitation").await;
    assert_eq!(manager.value("#inv-role").await, "Staff");
    manager.fill("#inv-email", email).await;
    manager.click("Create").await;
    let code = manager.text(".inv-reveal-code").await;
    assert_eq!(code.len(), 29, "{code}");
    code
}

/// Registers through the host's page.
async fn register(scene: &Scene, newcomer: &Window, code: &str, username: &str) {
    scene.at(newcomer, "/register").await;
    newcomer.fill("#code", code).await;
    newcomer.fill("#username", username).await;
    newcomer.click("Register").await;
}

#[tokio::test]
async fn a_manager_invites_and_a_newcomer_registers() {
    let scene = Scene::open().await;
    let manager = scene.window(Look::default()).await;
    scene.sign_in(&manager, "sales-manager").await;
    manager.says("h1", &["Invitation Codes"]).await;
    manager.says(".inv-menu a", &["Invitation"]).await;
    manager.keep("flow-1-list").await;

    let bound = create(&manager, "anna@example.com").await;
    manager.keep("flow-2-created").await;
    manager.click("Done").await;
    let code = create(&manager, "").await;
    manager.click("Copy").await;
    manager.says(".inv-copy button", &["Copied"]).await;
    manager.click("Done").await;

    // The clipboard contains the code; pasted into the search, it finds its invitation.
    manager.find("#inv-search").await.send_keys(keys::PASTE).await.expect("keys");
    assert_eq!(manager.value("#inv-search").await, code);
    manager.follow("Apply").await;
    manager.says(".inv-reveal-code", &[&code]).await;
    let address = manager.client().current_url().await.expect("an address");
    assert!(address.query().is_none() && !address.path().contains(&code[..4]), "{address}");
    manager.follow("Back to all codes").await;
    manager.fill("#inv-search", "anna").await;
    manager.press(keys::ENTER).await;
    manager.says("tbody .inv-code", &[&bound]).await;
    manager.says("tbody .inv-status", &["Active"]).await;
    manager.follow("Clear filters").await;

    // Filters by each status; a page without matches says so.
    for (value, label) in [("used", "Used"), ("expired", "Expired"), ("active", "Active")] {
        manager.choose("#inv-status", value).await;
        manager
            .until(&format!(
                "const found = [...document.querySelectorAll('tbody .inv-status')]; \
                 return found.length > 0 && found.every((one) => one.textContent === '{label}')"
            ))
            .await;
    }

    // The newcomer uses another browser.
    let newcomer = scene.window(Look::default()).await;
    register(&scene, &newcomer, &code, "ben").await;
    newcomer.says("h1", &["Welcome, ben"]).await;
    register(&scene, &newcomer, &code, "carla").await;
    newcomer.says("h1", &["Register"]).await;
    newcomer.find("#code-error, [role=alert]").await;
    register(&scene, &newcomer, &bound, "anna").await;
    newcomer.find("[role=alert], #email-error, #code-error").await;

    scene.at(&manager, "/invitations").await;
    manager.fill("#inv-search", "ben").await;
    manager.follow("Apply").await;
    manager.says("tbody .inv-code", &[&code]).await;
    manager.says("tbody td:nth-child(4)", &["Used"]).await;
    manager.says("tbody td:nth-child(6)", &["ben"]).await;
    manager.keep("flow-3-used-by").await;
    newcomer.close().await;
    manager.close().await;
}

/// Over plain HTTP on a host name, browsers send no `Sec-Fetch-Site` and offer no
/// clipboard. Every form works there too.
#[tokio::test]
async fn every_form_works_over_plain_http_on_a_host_name() {
    let scene = Scene::open_under_a_name().await;
    let window = scene.window(Look::default()).await;
    window.until("return !window.isSecureContext").await;
    scene.sign_in(&window, "sales-manager").await;
    let code = create(&window, "").await;
    window.click("Done").await;
    window.fill("#inv-search", &code).await;
    window.follow("Apply").await;
    window.says(".inv-reveal-code", &[&code]).await;
    register(&scene, &window, &code, "ben").await;
    window.says("h1", &["Welcome, ben"]).await;

    let bound = scene.host.invite(json!({"email": "anna@example.com"})).await;
    scene.at(&window, "/register").await;
    window.fill("#code", bound["code"].as_str().expect("a code")).await;
    window.fill("#username", "anna").await;
    window.fill("#email", "anna@example.com").await;
    window.click("Register").await;
    window.says("h1", &["Confirm your address"]).await;
    let mails = scene.host.mails("anna@example.com").await;
    let token = mails[0]["token"].as_str().expect("a token");
    window.fill("#token", &format!("{} {}", &token[..20], &token[20..])).await;
    window.click("Confirm").await;
    window.says("h1", &["Welcome, anna"]).await;

    scene.sign_in(&window, "admin").await;
    let open = scene.host.invite(json!({})).await;
    let page = format!("/invitations/{}", open["id"].as_str().expect("an id"));
    for (word, done) in [
        ("edit", ".inv-notice-good"),
        ("rotate", ".inv-reveal-code"),
        ("revoke", ".inv-notice-good"),
        ("reinstate", ".inv-notice-good"),
        ("delete", ".inv-notice-good"),
    ] {
        scene.at(&window, &format!("{page}/{word}")).await;
        window.find("form.inv-form").await;
        if word == "edit" {
            window.fill("#inv-email", "ben@example.com").await;
        }
        window.leave_by(window.find("form.inv-form button").await).await;
        window.find(done).await;
    }
    window.leave_by(window.find(".inv-side-foot button").await).await;
    scene.at(&window, "/invitations").await;
    window.says("h1", &["Sign in"]).await;
    window.close().await;
}

#[tokio::test]
async fn pages_of_the_list_lead_on_and_back() {
    let scene = Scene::open().await;
    for _ in 0..120 {
        scene.host.invite(json!({})).await;
    }
    let manager = scene.window(Look::default()).await;
    scene.sign_in(&manager, "sales-manager").await;
    let rows = "return document.querySelectorAll('tbody tr').length";
    manager.until(&format!("{rows} === 50")).await;
    let first = manager.text("tbody .inv-code").await;
    manager.click("Next").await;
    manager.until("return document.querySelectorAll('.inv-pager a').length === 2").await;
    manager.click("Next").await;
    manager.until("return document.querySelector('.inv-next') === null").await;
    manager.click("Previous").await;
    manager.until("return document.querySelectorAll('.inv-pager a').length === 2").await;
    manager.click("Previous").await;
    manager.until("return document.querySelector('.inv-prev') === null").await;
    assert_eq!(manager.text("tbody .inv-code").await, first);
    manager.choose("#inv-limit", "200").await;
    manager.until(&format!("{rows} > 100")).await;
    manager.keep("flow-many-rows").await;
    manager.close().await;
}

#[tokio::test]
async fn without_scripts_a_code_is_created_and_redeemed() {
    let scene = Scene::open().await;
    let window = scene.window(Look { scripts: false, ..Look::default() }).await;
    scene.sign_in(&window, "sales-manager").await;
    let code = create(&window, "").await;
    register(&scene, &window, &code, "ben").await;
    window.says("h1", &["Welcome, ben"]).await;
    scene.at(&window, "/invitations").await;
    window.choose("#inv-status", "used").await;
    window.fill("#inv-search", "ben").await;
    window.follow("Apply").await;
    window.says("tbody td:nth-child(6)", &["ben"]).await;
    window.close().await;
}

#[tokio::test]
async fn the_hosts_own_pages_are_accessible_too() {
    let scene = Scene::open().await;
    let mut window = scene.window(Look::default()).await;
    scene.sign_in(&window, "sales-manager").await;
    for look in [Look::default(), DARK] {
        window.look(look).await;
        for path in ["/", "/login", "/register", "/register/confirm", "/invitations"] {
            scene.at(&window, path).await;
            window.is_accessible(path).await;
            let name = path.replace('/', "-");
            window.keep(&format!("host{name}-{}", if look.dark { "dark" } else { "light" })).await;
        }
    }
    window.leave_by(window.find(".inv-side-foot button").await).await;
    scene.at(&window, "/invitations").await;
    window.says("h1", &["Sign in"]).await;
    window.close().await;
}
