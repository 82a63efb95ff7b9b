//! Every page, light and dark, wide and narrow: screenshots for review, and the checks of
//! axe-core.

use invitation_core::{Criteria, Paging, Status};
use invitation_testkit::Look;

use crate::{host::person, scene::Scene};

const DESK: Look = Look { size: (1440, 900), dark: false, scripts: true };
const SMALL: Look = Look { size: (1000, 700), dark: false, scripts: true };
const PHONE: Look = Look { size: (390, 800), dark: false, scripts: true };

async fn kept(scene: &mut Scene, name: &str) {
    let dark = Look { dark: true, ..DESK };
    for (kind, look) in [("light", DESK), ("dark", dark), ("small", SMALL), ("phone", PHONE)] {
        scene.window.look(look).await;
        scene.keep(&format!("{name}-{kind}")).await;
        // No element overflows, so that sideways scrolling is never needed.
        scene
            .until(
                "return [document.documentElement, ...document.querySelectorAll('.inv-table-wrap')]\
                 .every((part) => part.scrollWidth <= part.clientWidth)",
            )
            .await;
        scene.is_accessible(&format!("{name}, {kind}")).await;
    }
    scene.window.look(DESK).await;
}

#[tokio::test]
async fn every_page_is_accessible() {
    let mut scene = Scene::open(DESK).await;
    scene.sign_in("sales-manager").await;
    kept(&mut scene, "empty-manager").await;
    scene.host.fill(40).await;
    scene.at("/invitations").await;
    kept(&mut scene, "list-manager").await;
    scene.at("/invitations/new").await;
    kept(&mut scene, "new-manager").await;

    scene.sign_in("admin").await;
    kept(&mut scene, "list-admin").await;
    scene.at("/invitations/new").await;
    kept(&mut scene, "new-admin").await;
    scene.at("/invitations?status=used&division=nowhere").await;
    kept(&mut scene, "nothing-found").await;
    scene.at("/invitations/events").await;
    kept(&mut scene, "events").await;
    scene.count().await;
    scene.at("/invitations/funnel").await;
    kept(&mut scene, "funnel").await;
    for status in [Status::Active, Status::Used, Status::Revoked] {
        let admin = person("admin").unwrap();
        let criteria = Criteria::new().with_status(status);
        let page = scene.host.service.list(&admin, &criteria, Paging::default()).await.unwrap();
        let id = page.items()[0].invitation().id();
        scene.at(&format!("/invitations/{id}")).await;
        kept(&mut scene, &format!("detail-{status}")).await;
        let more: &[&str] = match status {
            Status::Active => &["edit", "revoke", "rotate", "delete"],
            Status::Revoked => &["reinstate"],
            _ => &["edit"],
        };
        for word in more {
            scene.at(&format!("/invitations/{id}/{word}")).await;
            kept(&mut scene, &format!("{word}-{status}")).await;
        }
    }
    scene.at("/invitations/import").await;
    let csv = "email,role,division\nanna@example.com,staff,sales\nben,staff,sales\n";
    scene.find("#inv-csv").await.send_keys(csv).await.unwrap();
    scene.follow("Check first").await;
    kept(&mut scene, "import-checked").await;
    scene.host.fill_with_long_texts().await;
    scene.at("/invitations").await;
    kept(&mut scene, "long-texts").await;
    scene.at("/invitations/events").await;
    kept(&mut scene, "long-texts-events").await;
    scene.at("/invitations/new").await;
    scene.find("#inv-email").await.send_keys("anna at home").await.unwrap();
    scene.follow("Create").await;
    kept(&mut scene, "new-mistakes").await;
    scene.sign_in("sales-staff").await;
    kept(&mut scene, "forbidden").await;
    scene.window.close().await;
}

#[tokio::test]
async fn pages_with_new_codes_are_accessible_too() {
    let mut scene = Scene::open(DESK).await;
    scene.sign_in("sales-manager").await;
    scene.at("/invitations/new").await;
    scene.click("Create").await;
    scene.find(".inv-reveal-code").await;
    kept(&mut scene, "created").await;

    scene.sign_in("admin").await;
    let admin = person("admin").unwrap();
    let page = scene.host.service.list(&admin, &Criteria::new(), Paging::default()).await.unwrap();
    let id = page.items()[0].invitation().id();
    scene.at(&format!("/invitations/{id}/rotate")).await;
    scene.click("New code").await;
    scene.find(".inv-reveal-code").await;
    kept(&mut scene, "rotated").await;

    scene.at("/invitations/import").await;
    let csv = "email,role,division\nanna@example.com,staff,sales\nben@example.com,staff,sales\n";
    scene.find("#inv-csv").await.send_keys(csv).await.unwrap();
    scene.follow("Check first").await;
    scene.click("Create all").await;
    scene.says("h1", &["The invitations were created"]).await;
    kept(&mut scene, "imported").await;
    scene.window.close().await;
}

#[tokio::test]
async fn two_hundred_rows_are_laid_out() {
    let mut scene = Scene::open(DESK).await;
    scene.host.fill(201).await;
    scene.sign_in("admin").await;
    scene.at("/invitations?limit=200").await;
    scene.until("return document.querySelectorAll('tbody tr').length === 200").await;
    kept(&mut scene, "list-long").await;
    scene.window.close().await;
}

/// `scripts/pictures` copies these pictures for the README.
#[tokio::test]
async fn list_is_pictured_for_the_readme() {
    const LIGHT: Look = Look { size: (1280, 640), dark: false, scripts: true };
    let mut scene = Scene::open(LIGHT).await;
    scene.host.fill(7).await;
    scene.sign_in("admin").await;
    scene.until("return document.querySelectorAll('tbody tr').length === 7").await;
    for (kind, look) in [("light", LIGHT), ("dark", Look { dark: true, ..LIGHT })] {
        scene.window.look(look).await;
        scene.keep(&format!("readme-{kind}")).await;
    }
    scene.window.close().await;
}
