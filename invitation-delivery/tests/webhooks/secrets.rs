//! The secrets of endpoints: rotation, and encryption under a keyring.

use std::sync::Arc;

use invitation_core::{
    MemoryStore,
    code::{
        OsEntropy, UnsealCause,
        keyring::{KeyId, KeySecret, Keyring},
    },
    documents::{DocumentKey, DocumentKind, Documents as _},
};
use invitation_delivery::webhook::{WebhookError, Webhooks};
use time::Duration;

use crate::fixture::{Fixture, Receiver, endpoint, name, transport};

#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_sign_during_the_overlap_and_only_the_new_one_after_it() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let old = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    let overlap = Duration::hours(1);
    let new = fixture.webhooks.rotate_secret(&name("crm"), overlap).await.unwrap();
    assert_ne!(old, new);
    let mut verified = Vec::new();
    for (advance, secret) in [(0, &old), (0, &new), (61, &old), (0, &new)] {
        fixture.clock.advance(Duration::minutes(advance));
        receiver.start(secret);
        fixture.events().await;
        fixture.run_to_the_end().await;
        let last = receiver.log().pop().unwrap();
        verified.push((last["verified"] == true, last["signatures"].as_u64().unwrap()));
    }
    assert_eq!(verified, [(true, 2), (true, 2), (false, 1), (true, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_without_overlap_ends_all_secrets_and_their_number_is_bounded() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let receiver = Receiver::down();
    fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    let (crm, hour) = (name("crm"), Duration::hours(1));
    for _ in 1..Webhooks::<MemoryStore>::MAX_SECRETS {
        fixture.webhooks.rotate_secret(&crm, hour).await.unwrap();
    }
    let refused = fixture.webhooks.rotate_secret(&crm, hour).await.unwrap_err();
    assert!(matches!(refused, WebhookError::TooManySecrets { .. }), "{refused}");
    fixture.webhooks.rotate_secret(&crm, Duration::ZERO).await.unwrap();
    fixture.webhooks.rotate_secret(&crm, hour).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keyring_encrypts_stored_secrets_and_its_keys_can_be_replaced() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    let base64 = secret.reveal()["whsec_".len()..].to_owned();
    let stored = async || {
        let key = DocumentKey::new(DocumentKind::new("webhook").unwrap(), "crm").unwrap();
        let document = fixture.store.document(&key).await.unwrap().unwrap();
        String::from_utf8(document.body).unwrap()
    };
    assert!(stored().await.contains(&base64), "readable without a keyring, as documented");

    let id = |text| KeyId::new(text).unwrap();
    let [first, second] = [(); 2].map(|()| KeySecret::generate(&OsEntropy).unwrap());
    let with = |ring| {
        let webhooks = Webhooks::new(Arc::clone(&fixture.store), &transport()).unwrap();
        webhooks.with_clock(fixture.clock.clone()).with_keyring(ring)
    };
    assert_eq!(with(Keyring::new(id("a"), &first)).reseal().await.unwrap(), 1);
    assert!(!stored().await.contains(&base64));
    let refused = fixture.webhooks.get(&name("crm")).await.unwrap_err();
    assert!(matches!(refused, WebhookError::NoKeyring { .. }), "{refused}");

    let both = Keyring::new(id("b"), &second).with_older(id("a"), &first).unwrap();
    assert_eq!(with(both).reseal().await.unwrap(), 1);
    let cause = match with(Keyring::new(id("a"), &first)).list().await.unwrap_err() {
        WebhookError::Unseal { cause, .. } => cause,
        other => panic!("{other}"),
    };
    assert_eq!(cause, UnsealCause::UnknownKey("b".into()));
    let webhooks = with(Keyring::new(id("b"), &second));
    receiver.start(&secret);
    fixture.events().await;
    assert_eq!(webhooks.run().await.unwrap().delivered, 2);
    assert_eq!(receiver.accepted(), fixture.feed().await);
}

#[test]
fn debug_of_webhooks_shows_no_secret() {
    let secret = KeySecret::generate(&OsEntropy).unwrap();
    let webhooks = Webhooks::new(MemoryStore::new(), &transport()).unwrap();
    let webhooks = webhooks.with_keyring(Keyring::new(KeyId::new("a").unwrap(), &secret));
    assert!(!format!("{webhooks:?}").contains(&*secret.reveal_hex()));
}
