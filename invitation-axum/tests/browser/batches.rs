//! A batch in the browser: found from one of its invitations, sent again and revoked, by keyboard
//! and without scripts.

#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use invitation_core::{Criteria, Division, Draft, Email, Role, Status};
use invitation_testkit::{Look, keys};

use crate::{
    host::{Host, person},
    scene::Scene,
};

/// Creates three invitations together, one of them for anyone, and returns the path of one.
async fn with_batch(host: &Host) -> String {
    let draft = Draft::new()
        .with_role(Role::new("staff").unwrap())
        .in_division(Division::new("sales").unwrap());
    let bound = |address| draft.clone().for_email(Email::parse(address).unwrap());
    let drafts = vec![bound("anna@example.com"), bound("ben@example.com"), draft.clone()];
    let admin = person("admin").unwrap();
    let created = host.service.create_many(&admin, drafts).await.unwrap();
    host.service.create(&admin, draft).await.unwrap();
    format!("/invitations/{}", created[0].invitation().id())
}

async fn active(host: &Host) -> u32 {
    let counts = host.service.counts(&person("admin").unwrap(), &Criteria::new()).await;
    counts.unwrap().of(Status::Active)
}

#[tokio::test]
async fn batch_is_found_sent_again_and_revoked_with_and_without_scripts() {
    for scripts in [true, false] {
        let scene = Scene::open(Look { scripts, ..Look::default() }).await;
        let path = with_batch(&scene.host).await;
        scene.sign_in("admin").await;
        scene.at(&path).await;
        let link = scene.find(".inv-facts a[href*='batch=']").await;
        scene.leave_by(link).await;
        scene.says(".inv-summary", &["3 codes"]).await;
        scene.follow("Send all again").await;
        scene.says("h1", &["Send all invitations of this batch again?"]).await;
        scene.follow("Send all again").await;
        scene.says("h1", &["The invitations of this batch were sent again"]).await;
        scene.says(".inv-lines td:nth-child(2)", &["The invitation is not for an address"]).await;
        scene.follow("Back to the batch").await;
        // A filter acts within the batch.
        scene.choose("#inv-status", "used").await;
        if !scripts {
            scene.follow("Apply").await;
        }
        scene.says(".inv-empty h2", &["Nothing matches"]).await;
        scene.choose("#inv-status", "active").await;
        if !scripts {
            scene.follow("Apply").await;
        }
        scene.says(".inv-summary", &["3 codes"]).await;
        scene.follow("Revoke all").await;
        scene.fill("#inv-reason", "Sent to the wrong list").await;
        scene.follow("Revoke all").await;
        scene.says("h1", &["The invitations of this batch were revoked"]).await;
        assert_eq!(active(&scene.host).await, 1, "the one outside the batch stays");
        scene.follow("Done").await;
        scene.says(".inv-batch .inv-button", &[]).await;
        scene.window.close().await;
    }
}

#[tokio::test]
async fn pages_of_a_batch_are_accessible_and_need_no_mouse() {
    const PHONE: Look = Look { size: (390, 800), dark: false, scripts: true };
    const DARK: Look = Look { size: (1440, 900), dark: true, scripts: true };
    let mut scene = Scene::open(Look::default()).await;
    let path = with_batch(&scene.host).await;
    scene.sign_in("admin").await;
    scene.at(&path).await;
    let batch = scene.text(".inv-facts a[href*='batch=']").await;
    scene.tab_to(&batch).await;
    scene.press(keys::ENTER).await;
    for (name, heading, next) in [
        ("list", "Invitation Codes", "Send all again"),
        ("resend", "Send all invitations of this batch again?", "Send all again"),
        ("resent", "The invitations of this batch were sent again", "Done"),
        ("list-again", "Invitation Codes", "Revoke all"),
        ("revoke", "Revoke all invitations of this batch?", "Revoke all"),
        ("revoked", "The invitations of this batch were revoked", "Done"),
        ("list-revoked", "Invitation Codes", "Apply"),
    ] {
        scene.says("h1", &[heading]).await;
        for (kind, look) in [("phone", PHONE), ("dark", DARK), ("light", Look::default())] {
            scene.window.look(look).await;
            scene.keep(&format!("batch-{name}-{kind}")).await;
            let fits = "return document.documentElement.scrollWidth\
                <= document.documentElement.clientWidth";
            scene.until(fits).await;
            scene.is_accessible(&format!("batch, {name}, {kind}")).await;
        }
        scene.tab_to(next).await;
        scene.press(keys::ENTER).await;
    }
    assert_eq!(active(&scene.host).await, 1, "the one outside the batch stays");
    scene.window.close().await;
}
