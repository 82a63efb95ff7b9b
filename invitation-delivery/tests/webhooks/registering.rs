//! A registration whose store fails at once afterwards.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    Actor, Intercept, Interceptor, MemoryStore, Operation, Role, StoreCall, StoreError,
    StoreErrorKind, UserId,
    webhook::{EndpointDraft, EndpointState, Endpoints},
};

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
    let admin = Actor::across_divisions(UserId::new("u-1").unwrap(), Role::new("admin").unwrap());
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
