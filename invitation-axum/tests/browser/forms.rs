//! Forms that change something: a double click sends them once, and their button works again.

use invitation_testkit::Look;

use crate::scene::Scene;

#[tokio::test]
async fn form_can_be_sent_again_after_the_browser_was_stopped() {
    let scene = Scene::open(Look::default()).await;
    scene.sign_in("sales-manager").await;
    scene.at("/invitations/new").await;
    // Counts what would be sent, and sends nothing: as if the user stopped the browser each time.
    let count = "window.sent = 0;\
        window.setTimeout = (later) => { window.later = later; };\
        window.addEventListener('submit', (event) => {\
          window.sent += event.defaultPrevented ? 0 : 1;\
          event.preventDefault();\
        });\
        const button = document.querySelector('.inv-form .inv-primary');\
        button.click(); button.click();";
    scene.client().execute(count, Vec::new()).await.expect("a script");
    scene.until("return window.sent === 1").await;
    // Another value makes another form.
    scene.find("#inv-email").await.send_keys("a").await.expect("a field");
    let click = "document.querySelector('.inv-form .inv-primary').click();";
    scene.client().execute(&format!("{click}{click}"), Vec::new()).await.expect("a script");
    scene.until("return window.sent === 2").await;
    // After a while, the same form is sent again.
    let later = format!("window.later(); {click}{click}");
    scene.client().execute(&later, Vec::new()).await.expect("a script");
    scene.until("return window.sent === 3").await;
    scene.window.close().await;
}
