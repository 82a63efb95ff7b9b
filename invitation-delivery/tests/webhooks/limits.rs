//! What a message contains, which endpoints get it, and where it does not go.

use std::{process::Command, sync::Arc};

use invitation_core::{
    Division, Draft, MemoryStore, Role, SystemActor,
    delivery::{Deliveries, DeliveryFailure, FailureKind, Resend},
};
use invitation_delivery::webhook::{
    Addresses, FailureCause, NewEndpoint, Transport, WebhookError, Webhooks,
};

use crate::fixture::{Fixture, Receiver, endpoint, name, transport};

#[tokio::test(flavor = "multi_thread")]
async fn message_has_names_only_where_the_endpoint_asks_for_them_and_never_the_code() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let (mut without, mut with) = (Receiver::down(), Receiver::down());
    let secret = fixture.webhooks.register(endpoint(&without)).await.unwrap();
    without.start(&secret);
    let named = NewEndpoint::new("erp", &with.url()).unwrap().with_names();
    let secret = fixture.webhooks.register(named).await.unwrap();
    with.start(&secret);
    fixture.events().await;
    fixture.run_to_the_end().await;

    let types = |receiver: &Receiver| {
        let log = receiver.log();
        log.iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(types(&without), ["invitation.created", "invitation.redeemed"]);
    assert_eq!(types(&with), types(&without));
    let shown = |receiver: &Receiver| format!("{:?}", receiver.log());
    assert!(!shown(&without).contains("Lovelace"));
    assert_eq!(with.log()[1]["data"]["username"], "Ada Lovelace");
    let redeemed = &without.log()[1]["data"];
    assert_eq!((&redeemed["kind"], &redeemed["division"]), (&"redeem".into(), &"sales".into()));
    assert_eq!(redeemed["actor"], redeemed["invitation"], "the fixture's user id");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_was_given_up_is_a_message() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    receiver.start(&secret);
    let documents = Arc::<MemoryStore>::clone(&fixture.store);
    let deliveries = Deliveries::new(fixture.invitations.clone(), documents);
    let (system, staff) = (SystemActor::for_bootstrap(), Role::new("staff").unwrap());
    let (sales, anna) = (Division::new("sales").unwrap(), "anna@example.com".parse().unwrap());
    let draft = Draft::new().with_role(staff).in_division(sales).for_email(anna);
    let created = fixture.invitations.create(&system, draft).await.unwrap();
    let resent = deliveries.resend(&system, created.invitation().id(), Resend::new()).await;
    let lease = time::Duration::MINUTE;
    let claimed = deliveries.claim(&system, &resent.unwrap(), lease, 3).await.unwrap().unwrap();
    let refused = DeliveryFailure::new(FailureKind::Refused).with_reply(550);
    deliveries.failed(&system, &claimed, refused, None).await.unwrap();
    fixture.run_to_the_end().await;

    let log = receiver.log();
    let types: Vec<_> = log.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["invitation.created", "invitation.resent", "invitation.delivery_failed"]);
    let data = &log[2]["data"];
    assert_eq!((&data["kind"], &data["division"]), (&"deliver".into(), &"sales".into()));
    assert_eq!(data["detail"]["failure"], "refused (550)");
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_gets_events_of_its_division_since_its_registration() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    fixture.events_in("sales").await;
    fixture.clock.advance(time::Duration::seconds(1));
    let mut receiver = Receiver::down();
    let sales = endpoint(&receiver).in_division(Division::new("sales").unwrap());
    let secret = fixture.webhooks.register(sales.clone()).await.unwrap();
    let again = fixture.webhooks.register(sales).await.unwrap_err();
    assert!(matches!(again, WebhookError::NameTaken { .. }), "{again}");
    receiver.start(&secret);
    fixture.events_in("research").await;
    fixture.events_in("sales").await;
    fixture.run_to_the_end().await;
    assert_eq!(receiver.accepted(), fixture.feed().await[4..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_endpoint_gets_nothing_and_its_name_is_free() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    receiver.start(&secret);
    assert!(fixture.webhooks.remove(&name("crm")).await.unwrap());
    assert!(!fixture.webhooks.remove(&name("crm")).await.unwrap());
    fixture.events().await;
    fixture.run_to_the_end().await;
    assert!(receiver.log().is_empty() && fixture.webhooks.list().await.unwrap().is_empty());
    let unknown = fixture.webhooks.retry(&name("crm")).await.unwrap_err();
    assert!(matches!(unknown, WebhookError::UnknownEndpoint { .. }), "{unknown}");
    fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_at_an_address_that_is_not_allowed_gets_no_connection() {
    let mut receiver = Receiver::down();
    let port = receiver.port().to_owned();
    let other_network = Addresses::public().and("10.0.0.0/8").unwrap();
    for (url, addresses) in [
        // Literal addresses, in all spellings that URLs have for them.
        (receiver.url(), Addresses::public()),
        (receiver.url(), other_network),
        (format!("http://2130706433:{port}/"), Addresses::public()),
        (format!("http://0x7f.1:{port}/"), Addresses::public()),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), Addresses::public()),
        (format!("https://127.0.0.1:{port}/"), Addresses::public()),
        // Names, which are resolved.
        (format!("http://localhost:{port}/"), Addresses::public()),
        (format!("https://localhost:{port}/"), Addresses::public()),
    ] {
        let fixture = Fixture::new(Arc::new(MemoryStore::new()));
        let refusing = Transport::default().with_addresses(addresses);
        let webhooks = Webhooks::new(Arc::clone(&fixture.store), &refusing).unwrap();
        let webhooks = webhooks.with_clock(fixture.clock.clone());
        let new = NewEndpoint::new("crm", &url).unwrap();
        match webhooks.register(new.clone()).await.unwrap_err() {
            WebhookError::Field(refused) => assert_eq!(refused.field(), "url", "{url}"),
            other => panic!("{url}: {other}"),
        }
        // It was registered while its network was allowed.
        let secret = fixture.webhooks.register(new).await.unwrap();
        receiver.start(&secret);
        fixture.events().await;
        assert_eq!(webhooks.run().await.unwrap().failed, 1, "{url}");
        let shown = webhooks.get(&name("crm")).await.unwrap().unwrap();
        assert_eq!(shown.failure.unwrap().cause, FailureCause::AddressNotAllowed, "{url}");
        assert!(receiver.log().is_empty(), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_over_https_needs_a_certificate_that_the_host_accepts() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let (certificate, key) = (receiver.path("cert.pem"), receiver.path("key.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=test", "-addext", "subjectAltName=DNS:localhost"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.arg("-out").arg(&certificate).arg("-keyout").arg(&key);
    assert!(openssl.output().unwrap().status.success());

    let url = format!("https://localhost:{}/", receiver.port());
    let secret = fixture.webhooks.register(NewEndpoint::new("crm", &url).unwrap()).await.unwrap();
    receiver.start_with(&secret, &[certificate.clone(), key]);
    fixture.events().await;
    assert_eq!(fixture.webhooks.run().await.unwrap().failed, 1);
    let shown = fixture.webhooks.get(&name("crm")).await.unwrap().unwrap();
    assert_eq!(shown.failure.unwrap().cause, FailureCause::NotConnected);

    let pem = std::fs::read(certificate).unwrap();
    let trusting = transport().with_root_certificates(&pem).unwrap();
    let webhooks = Webhooks::new(Arc::clone(&fixture.store), &trusting).unwrap();
    let webhooks = webhooks.with_clock(fixture.clock.clone());
    webhooks.retry(&name("crm")).await.unwrap();
    assert_eq!(webhooks.run().await.unwrap().delivered, 2);
    assert_eq!(receiver.accepted(), fixture.feed().await);
    for wrong in [&pem[1..], b"", b"-----BEGIN CERTIFICATE-----\n!"] {
        assert!(transport().with_root_certificates(wrong).is_err());
    }
}
