//! Tests of the guard on a store whose calls pass through an interceptor, on every database.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use invitation_core::{
    Error, Intercept, Interceptor, Invitations, Operation, StoreCall, StoreError, StoreErrorKind,
};
use invitation_sqlx::SqlStore;

use crate::{
    promises::add,
    support::{
        create,
        host::{Host, Kind},
        redeemer, uses,
    },
};

/// Creates a test of each promise, on one database.
macro_rules! promises {
    ($database:ty) => {
        $crate::support::host::tests!($database, intercepted:
            calls_of_an_admission_pass_through_the_interceptor
            interceptor_that_fails_at_begin_or_commit_leaves_neither
        );
    };
}

pub(crate) use promises;

/// A call of the store, and its outcome.
type Call = (Operation, Result<(), StoreErrorKind>);

/// Notes the calls, and replaces the answer of one operation by an error.
#[derive(Clone, Debug, Default)]
struct Noting {
    noted: Arc<Mutex<Vec<Call>>>,
    fails: Option<Operation>,
}

impl Noting {
    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.noted.lock().unwrap())
    }
}

#[async_trait]
impl Interceptor for Noting {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        if self.fails == Some(operation) && operation.is_write() {
            return Err(StoreError::new(StoreErrorKind::Unavailable, operation.as_str()));
        }
        let outcome = call.await;
        self.noted.lock().unwrap().push((operation, outcome));
        if self.fails == Some(operation) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, operation.as_str()));
        }
        Ok(())
    }
}

type Service<DB> = Invitations<Intercept<SqlStore<DB>, Noting>>;

fn intercepted<DB: Kind>(host: &Host<DB>, noting: &Noting) -> Service<DB> {
    Invitations::new(Intercept::new(host.invitations.store().clone(), noting.clone()))
}

pub(crate) async fn calls_of_an_admission_pass_through_the_interceptor<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let noting = Noting::default();
    let invitations = intercepted(&host, &noting);

    let mut admission = invitations.admit(&code, &redeemer("anna")).await.unwrap();
    add::<DB>(admission.tx(), "anna").await.unwrap();
    assert_eq!(noting.take(), [(Operation::Begin, Ok(())), (Operation::Apply, Ok(()))]);
    admission.commit().await.unwrap();
    assert_eq!(noting.take(), [(Operation::Commit, Ok(()))]);
    assert_eq!((host.users().await, uses(&host.invitations).await), (1, 1));

    let refused = invitations.admit(&code, &redeemer("ben")).await.unwrap_err();
    assert!(refused.refusal().is_some(), "{refused}");
    let noted: Vec<_> = noting.take().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(noted, [Operation::Begin, Operation::Apply, Operation::Record]);
}

pub(crate) async fn interceptor_that_fails_at_begin_or_commit_leaves_neither<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    for fails in [Operation::Begin, Operation::Commit] {
        let noting = Noting { fails: Some(fails), ..Noting::default() };
        let invitations = intercepted(&host, &noting);
        let failed = match invitations.admit(&code, &redeemer("anna")).await {
            Ok(mut admission) => {
                add::<DB>(admission.tx(), "anna").await.unwrap();
                admission.commit().await.unwrap_err()
            }
            Err(failed) => failed,
        };
        let Error::Store(failed) = failed else { panic!("{failed}") };
        assert_eq!(
            (failed.kind(), failed.operation()),
            (StoreErrorKind::Unavailable, fails.as_str())
        );
        assert_eq!((host.users().await, uses(&host.invitations).await), (0, 0), "{fails}");
    }
    let mut admission = host.invitations.admit(&code, &redeemer("anna")).await.unwrap();
    add::<DB>(admission.tx(), "anna").await.unwrap();
    admission.commit().await.unwrap();
    assert_eq!((host.users().await, uses(&host.invitations).await), (1, 1));
}
