//! Codes that a stranger must not tell apart: never issued, of another division, and deleted.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use invitation_core::{
    Draft, Error, EventFilter, IfVersion, Intercept, Interceptor, Operation, Reason, Refusal,
    StoreCall, StoreError,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::Harness,
        samples::{admin, division, email, newcomer},
    },
};

/// Notes the calls to the store.
#[derive(Debug, Default)]
struct Calls(Mutex<Vec<Operation>>);

impl Calls {
    fn take(&self) -> Vec<Operation> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Interceptor for Calls {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
        // The error reaches the caller as it is.
        let _ = call.await;
        Ok(())
    }
}

/// A stranger gets the same answer for each of the three. The number of calls to the store is the
/// same too, because the time of the answer would show a difference. Only the trail has the reason.
pub async fn unknown_foreign_and_deleted_codes_are_alike(fixture: Fixture) {
    let (harness, factory) = (Harness::with_unlimited_denials(fixture), Factory::new());
    let bound =
        |name: &str| Draft::new().in_division(division(name)).for_email(email("anna@example.com"));
    let foreign = harness.create(bound("hr")).await;
    let (gone, used) = (harness.create(bound("sales")).await, harness.create_for_uses(3).await);
    let redeemed = harness.service.redeem(&used.code().reveal(), &newcomer("zoe")).await;
    redeemed.expect("it is free");
    for created in [&gone, &used] {
        let deleted =
            harness.service.delete(&admin(), created.invitation().id(), IfVersion::Any).await;
        deleted.expect("the administrator may");
    }
    let codes = [
        (factory.code().reveal(), Reason::Unknown, None),
        (foreign.code().reveal(), Reason::OutOfScope, Some(foreign.invitation().id())),
        (gone.code().reveal(), Reason::Deleted, Some(gone.invitation().id())),
        (used.code().reveal(), Reason::Deleted, Some(used.invitation().id())),
    ];
    let store = Intercept::new(&harness.store, Calls::default());
    let service = harness.service.on(&store);
    let mut first: Option<[(String, Vec<Operation>); 3]> = None;
    for (n, (code, reason, id)) in codes.iter().enumerate() {
        let stranger = newcomer(&format!("eve-{n}")).in_division(division("sales"));
        let told = |error: Option<Error>| {
            let error = error.expect("it is refused");
            assert_eq!(error.refusal(), Some(&Refusal::CodeUnknown), "{reason}");
            (format!("{error:?} {error}"), store.interceptor().take())
        };
        let answers = [
            told(service.redeem(code, &stranger).await.err()),
            told(service.reserve(code, &stranger).await.err()),
            told(service.check(code, &stranger, None).await.err()),
        ];
        assert_eq!(first.get_or_insert_with(|| answers.clone()), &answers, "{reason}");

        let filter = EventFilter { user: Some(stranger.user().clone()), ..EventFilter::default() };
        let events = harness.events_matching(&filter).await;
        assert_eq!(events.len(), 3, "{reason}");
        for event in events {
            assert_eq!((event.reason, event.invitation), (Some(*reason), *id), "{reason}");
        }
    }
}
