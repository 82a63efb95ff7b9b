//! Webhooks in the browser: a stopped endpoint is seen, retried, disabled and enabled, with and
//! without scripts.

use invitation_core::{Division, Draft, Role};
use invitation_testkit::Look;

use crate::{harness::hooks, host::person, scene::Scene};

#[tokio::test]
async fn stopped_endpoint_is_seen_retried_disabled_and_enabled_with_and_without_scripts() {
    for scripts in [true, false] {
        let scene = Scene::open(Look { scripts, ..Look::default() }).await;
        let webhooks = hooks::webhooks(&scene.host.store, &scene.host.clock);
        let draft = Draft::new()
            .with_role(Role::new("staff").unwrap())
            .in_division(Division::new("sales").unwrap());
        let admin = person("admin").unwrap();
        hooks::stop_one(&webhooks, scene.host.service.create(&admin, draft)).await;
        scene.sign_in("admin").await;
        scene.at("/invitations").await;
        scene.find("a[href$='/webhooks']").await.click().await.unwrap();
        assert_eq!(scene.text(".inv-outcome-failed").await, "Stopped");
        if scripts {
            scene.keep("webhooks").await;
            scene.is_accessible("webhooks").await;
        }
        for (button, state, notice) in [
            ("retry", "Active", "The event is sent again."),
            ("disable", "Disabled", "The endpoint gets no more messages."),
            (
                "enable",
                "Active",
                "The endpoint goes on where it was, as far as its events are still there.",
            ),
        ] {
            let form = format!("form[action$='/{button}'] button");
            scene.find(&form).await.click().await.unwrap();
            scene.window.says(".inv-notice", &[notice]).await;
            scene.window.says(".inv-outcome", &[state]).await;
        }
        scene.window.close().await;
    }
}
