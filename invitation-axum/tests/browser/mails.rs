//! Mails in the browser: a failed one is seen and retried, with and without scripts.

#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Division, Draft, Email, InvitationId, MemoryStore, Paging, Role, SystemActor,
    delivery::{Deliveries, DeliveryFailure, DeliveryState, FailureKind},
    feed::Feed,
};
use invitation_testkit::Look;
use time::Duration;

use crate::{
    host::{Host, person},
    scene::Scene,
};

type AnyDeliveries = Deliveries<std::sync::Arc<dyn invitation_core::Store>>;

fn deliveries(host: &Host) -> AnyDeliveries {
    Deliveries::new(host.service.clone(), Arc::<MemoryStore>::clone(&host.store))
}

/// Creates an invitation whose mail is refused.
async fn with_failed_mail(host: &Host) -> InvitationId {
    let draft = Draft::new()
        .with_role(Role::new("staff").unwrap())
        .in_division(Division::new("sales").unwrap())
        .for_email(Email::parse("anna@example.com").unwrap());
    let created = host.service.create(&person("admin").unwrap(), draft).await.unwrap();
    let (deliveries, hundred) = (deliveries(host), NonZeroU32::new(100).unwrap());
    let page = host.store.feed(None, hundred).await.unwrap();
    let events: Vec<_> = page.events.into_iter().map(|one| one.event).collect();
    deliveries.queue(&events).await.unwrap();
    let worker = SystemActor::new("mail").unwrap();
    let due = deliveries.due(hundred).await.unwrap();
    let claimed = deliveries.claim(&worker, &due[0], Duration::MINUTE, 3).await.unwrap().unwrap();
    let refused = DeliveryFailure::new(FailureKind::Refused).with_reply(550);
    assert!(deliveries.failed(&worker, &claimed, refused, None).await.unwrap());
    created.invitation().id()
}

#[tokio::test]
async fn failed_mail_is_seen_and_retried_with_and_without_scripts() {
    for scripts in [true, false] {
        let scene = Scene::open(Look { scripts, ..Look::default() }).await;
        let id = with_failed_mail(&scene.host).await;
        scene.sign_in("admin").await;
        scene.at("/invitations/deliveries").await;
        assert_eq!(scene.text(".inv-outcome-failed").await, "Failed");
        if scripts {
            scene.keep("failed-mails").await;
            scene.is_accessible("failed mails").await;
        }
        scene.at(&format!("/invitations/{id}")).await;
        if scripts {
            scene.keep("detail-failed-mail").await;
            scene.is_accessible("an invitation with a failed mail").await;
        }
        scene.find(".inv-mails td button").await.click().await.unwrap();
        assert!(scene.text(".inv-notice").await.contains("on its way"));
        let mails = deliveries(&scene.host);
        let page = mails.of_invitation(&person("admin").unwrap(), id, Paging::default()).await;
        assert_eq!(page.unwrap().items()[0].state(), DeliveryState::Queued, "scripts: {scripts}");
        scene.window.close().await;
    }
}
