//! Copying from the page of a new code, which may be the only one that shows the code.

#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use invitation_axum::Web;
use invitation_core::{Action, EventCriteria, Paging, Sealing};
use invitation_testkit::{Look, keys};

use crate::{harness::people::who, host::person, scene::Scene};

const COPIED: &str = "return document.querySelector('.inv-reveal button').textContent === 'Copied'";

/// Opens a host that keeps no codes.
async fn open_without_kept_codes(look: Look) -> Scene {
    let set = |web: Web| Web::new(web.service().clone().with_sealing(Sealing::hash_only()), who);
    Scene::open_with(look, set).await
}

/// Creates an invitation by the form, and returns the code that the page shows.
async fn create(scene: &Scene) -> String {
    scene.sign_in("sales-manager").await;
    scene.follow("Create Invitation").await;
    scene.follow("Create").await;
    scene.says("h1", &["The invitation was created"]).await;
    scene.text(".inv-reveal-code").await.replace('\n', "")
}

async fn copies(scene: &Scene) -> usize {
    let criteria = EventCriteria::new().of_action(Action::Copy);
    let admin = person("admin").unwrap();
    let events = scene.host.service.events(&admin, &criteria, Paging::default()).await;
    events.unwrap().items().len()
}

/// Asserts that the page of the code is still shown, and that the clipboard has the code.
async fn is_on_the_clipboard(scene: &Scene, code: &str) {
    scene.says("h1", &["The invitation was created"]).await;
    assert_eq!(scene.text(".inv-reveal-code").await.replace('\n', ""), code);
    scene.follow("Back to all codes").await;
    scene.find("#inv-search").await.send_keys(keys::PASTE).await.unwrap();
    assert_eq!(scene.value("#inv-search").await, code);
}

#[tokio::test]
async fn new_code_that_is_not_kept_is_copied_from_the_page() {
    let scene = open_without_kept_codes(Look::default()).await;
    let code = create(&scene).await;
    scene.is_accessible("a new code that is not kept").await;
    scene.click("Copy").await;
    scene.until(COPIED).await;
    is_on_the_clipboard(&scene, &code).await;
    // The event of the creation says who saw the code.
    assert_eq!(copies(&scene).await, 0);
    scene.window.close().await;
}

#[tokio::test]
async fn new_code_that_is_not_kept_is_selected_if_there_is_no_clipboard() {
    let scene = open_without_kept_codes(Look::default()).await;
    let code = create(&scene).await;
    let without = "Object.defineProperty(navigator, 'clipboard', { value: undefined });\
                   document.execCommand = () => false;";
    scene.client().execute(without, Vec::new()).await.unwrap();
    scene.click("Copy").await;
    scene.until("return document.activeElement.matches('.inv-by-hand')").await;
    assert_eq!(scene.value(".inv-by-hand").await, code);
    scene.says("h1", &["The invitation was created"]).await;
    scene.window.close().await;
}

#[tokio::test]
async fn new_code_that_is_not_kept_has_no_button_without_scripts() {
    let scene = open_without_kept_codes(Look { scripts: false, ..Look::default() }).await;
    let code = create(&scene).await;
    assert!(!code.is_empty());
    assert!(!scene.find(".inv-reveal button").await.is_displayed().await.unwrap());
    scene.window.close().await;
}

#[tokio::test]
async fn copy_that_fails_leaves_the_page_of_a_new_code() {
    for failure in
        ["throw new TypeError('Failed to fetch')", "return new Response('', { status: 503 })"]
    {
        let scene = Scene::open(Look::default()).await;
        let code = create(&scene).await;
        let script = format!("window.fetch = async () => {{ {failure}; }};");
        scene.client().execute(&script, Vec::new()).await.unwrap();
        scene.click("Copy").await;
        scene.until(COPIED).await;
        is_on_the_clipboard(&scene, &code).await;
        assert_eq!(copies(&scene).await, 0, "{failure}");
        scene.window.close().await;
    }
}
