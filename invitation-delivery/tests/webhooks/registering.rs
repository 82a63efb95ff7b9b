//! Registrations whose store fails at once afterwards, and those under an idempotency key.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    Actor, Error, IdempotencyKey, Intercept, Interceptor, MemoryStore, Operation, Refusal, Role,
    StoreCall, StoreError, StoreErrorKind, UserId,
    code::{
        OsEntropy,
        keyring::{KeyId, KeySecret, Keyring},
    },
    webhook::{EndpointDraft, EndpointState, Endpoints},
};
use time::Duration;
use tokio::{sync::Barrier, task::JoinSet};

use crate::fixture::{Fixture, Receiver, name};

/// Fails every call after a document was written.
#[derive(Debug, Default)]
struct FailsAfterAWrite(AtomicBool);

#[async_trait]
impl Interceptor for FailsAfterAWrite {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        if self.0.load(Ordering::Relaxed) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, operation.as_str()));
        }
        let _ = call.await;
        self.0.store(operation == Operation::ReplaceDocuments, Ordering::Relaxed);
        Ok(())
    }
}

/// Nobody else ever gets the secret, so nothing may fail once the endpoint is stored.
#[tokio::test]
async fn registration_returns_the_secret_although_the_store_fails_afterwards() {
    let store = Arc::new(MemoryStore::new());
    let fixture = Fixture::new(Intercept::new(Arc::clone(&store), FailsAfterAWrite::default()));
    let port = Arc::new(fixture.webhooks.clone());
    let endpoints = Endpoints::new(fixture.invitations.clone(), port);
    let admin = admin();
    let draft = EndpointDraft {
        name: "crm".to_owned(),
        url: Receiver::down().url(),
        division: None,
        has_names: true,
    };
    let (endpoint, secret) = endpoints.register(&admin, &draft).await.unwrap();
    assert!(!secret.reveal().is_empty());
    assert_eq!((endpoint.state, endpoint.has_names), (EndpointState::Active, true));
    let stored = Fixture::new(store).webhooks.get(&name("crm")).await.unwrap();
    assert_eq!(stored.unwrap().name, endpoint.name);
}

fn admin() -> Actor {
    Actor::across_divisions(UserId::new("u-1").unwrap(), Role::new("admin").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_at_the_same_time_under_one_key_make_one_endpoint() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let port = Arc::new(fixture.webhooks.clone());
    let endpoints = Endpoints::new(fixture.invitations.clone(), port);
    let draft = EndpointDraft {
        name: "crm".to_owned(),
        url: Receiver::down().url(),
        ..EndpointDraft::default()
    };
    let barrier = Arc::new(Barrier::new(8));
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (endpoints, draft, barrier) = (endpoints.clone(), draft.clone(), Arc::clone(&barrier));
        tasks.spawn(async move {
            let key = IdempotencyKey::new("k").unwrap();
            barrier.wait().await;
            endpoints.register_once(&admin(), &key, &draft).await.unwrap().1
        });
    }
    let secrets = tasks.join_all().await;
    assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    assert_eq!(fixture.webhooks.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn secret_is_given_again_under_a_keyring_until_it_is_replaced() {
    let mut fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let key = KeySecret::generate(&OsEntropy).unwrap();
    let ring = Keyring::new(KeyId::new("2026").unwrap(), &key);
    fixture.webhooks = fixture.webhooks.with_keyring(ring);
    let port = Arc::new(fixture.webhooks.clone());
    let endpoints = Endpoints::new(fixture.invitations.clone(), port);
    let draft = EndpointDraft {
        name: "crm".to_owned(),
        url: Receiver::down().url(),
        ..EndpointDraft::default()
    };
    let (anna, key) = (admin(), IdempotencyKey::new("k").unwrap());
    let (_, secret) = endpoints.register_once(&anna, &key, &draft).await.unwrap();
    let (_, again) = endpoints.register_once(&anna, &key, &draft).await.unwrap();
    assert_eq!(secret, again);
    let ben = Actor::across_divisions(UserId::new("u-2").unwrap(), Role::new("admin").unwrap());
    let refused = endpoints.register_once(&ben, &key, &draft).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)), "the key of another user: {refused}");

    // The first secret signs for another hour, but the receiver is to get the new one.
    fixture.webhooks.rotate_secret(&name("crm"), Duration::HOUR).await.unwrap();
    let refused = endpoints.register_once(&anna, &key, &draft).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::SecretReplaced));

    // The key belongs to the endpoint: with it, it is gone.
    assert!(fixture.webhooks.remove(&name("crm")).await.unwrap());
    let (_, anew) = endpoints.register_once(&anna, &key, &draft).await.unwrap();
    assert_ne!(anew, secret);
}
