//! What holds on every database.

use invitation_core::{
    Action, Actor, Clock, Criteria, Draft, Error, Invitations, ManualClock, Paging, Refusal,
    StoreErrorKind, SystemClock,
};
use invitation_sqlx::SqlStore;

use crate::support::{
    admin, create,
    host::{Host, Kind, run, unsynced_pool},
    manager, redeemer, trail,
};

/// A test of each, on one database.
macro_rules! promises {
    ($database:ty) => {
        $crate::support::host::tests!($database, promises:
            change_without_its_event_is_not_made
            pool_of_one_connection_is_enough
            closed_pool_is_unavailable
            corrupt_row_is_an_error_naming_the_column
            acknowledged_changes_survive_reopening
            no_code_in_events_errors_or_debug_output
        );
    };
}

pub(crate) use promises;

/// How a database is made to fail.
pub(crate) trait Failing: Kind {
    /// Leaves no room for events.
    const FILL: &'static str;
    /// Makes room again.
    const CLEAR: &'static str;
}

pub(crate) async fn change_without_its_event_is_not_made<DB: Failing>() {
    let host = Host::<DB>::new().await;
    let invitations = &host.invitations;
    let (invitation, code) = create(invitations).await;
    let before = trail(invitations).await;
    run(host.pool(), DB::FILL).await;

    let anna = redeemer("anna");
    let admin = admin();
    let any = invitation_core::IfVersion::Any;
    let id = invitation.id();
    let store_failed = |error: Error| matches!(error, Error::Store(_));
    assert!(store_failed(invitations.redeem(&code, &anna).await.unwrap_err()));
    assert!(store_failed(invitations.create(&manager(), Draft::new()).await.unwrap_err()));
    assert!(store_failed(invitations.revoke(&admin, id, None, any).await.unwrap_err()));
    assert!(store_failed(invitations.rotate(&admin, id, any).await.unwrap_err()));
    assert!(store_failed(invitations.delete(&admin, id, any).await.unwrap_err()));
    // Nor is a code given out, nor a refusal made, without evidence.
    assert!(store_failed(invitations.copy(&manager(), id).await.unwrap_err()));
    let denied = invitations.delete(&manager(), id, any).await.unwrap_err();
    assert!(store_failed(denied));

    run(host.pool(), DB::CLEAR).await;
    assert_eq!(trail(invitations).await, before);
    let facts = invitations.get(&admin, id).await.unwrap();
    assert_eq!(*facts.invitation(), invitation, "nothing changed");
    invitations.redeem(&code, &anna).await.unwrap();
}

pub(crate) async fn pool_of_one_connection_is_enough<DB: Failing>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 1).await);
    store.migrate().await.unwrap();
    let invitations = &Invitations::new(store);
    let (_, code) = create(invitations).await;
    let (anna, ben) = (redeemer("anna"), redeemer("ben"));
    let both = tokio::join!(invitations.redeem(&code, &anna), invitations.redeem(&code, &ben));
    assert_eq!([both.0.is_ok(), both.1.is_ok()].iter().filter(|ok| **ok).count(), 1);
    assert_eq!(trail(invitations).await.len(), 3);
}

pub(crate) async fn closed_pool_is_unavailable<DB: Failing>() {
    let host = Host::<DB>::new().await;
    let invitations = &host.invitations;
    let (_, code) = create(invitations).await;
    invitations.store().pool().close().await;
    let Err(Error::Store(error)) = invitations.redeem(&code, &redeemer("anna")).await else {
        panic!("there is no connection")
    };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.is_retryable());
}

pub(crate) async fn corrupt_row_is_an_error_naming_the_column<DB: Failing>() {
    let host = Host::<DB>::new().await;
    let invitations = &host.invitations;
    let (invitation, code) = create(invitations).await;
    run(host.pool(), "UPDATE invitation_codes SET metadata = '['").await;
    let Err(Error::Store(error)) = invitations.get(&admin(), invitation.id()).await else {
        panic!("the metadata are no object")
    };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("metadata"), "{cause}");
    // Fail closed: no redemption either.
    invitations.redeem(&code, &redeemer("anna")).await.unwrap_err();
}

pub(crate) async fn acknowledged_changes_survive_reopening<DB: Failing>() {
    let database = DB::empty();
    let clock = ManualClock::new(SystemClock.now());
    let code = {
        let store = DB::open(&database.url).await.unwrap();
        let invitations = Invitations::new(store).with_clock(clock.clone());
        let (_, code) = create(&invitations).await;
        invitations.redeem(&code, &redeemer("anna")).await.unwrap();
        invitations.store().pool().close().await;
        code
    };
    let store = DB::open(&database.url).await.unwrap();
    let invitations = Invitations::new(store).with_clock(clock);
    let again = invitations.redeem(&code, &redeemer("ben")).await.unwrap_err();
    assert_eq!(again.refusal(), Some(&Refusal::Used));
    assert!(invitations.redeem(&code, &redeemer("anna")).await.unwrap().is_replayed());
}

/// Canary: the code occurs nowhere in what an operator sees.
pub(crate) async fn no_code_in_events_errors_or_debug_output<DB: Failing>() {
    let host = Host::<DB>::new().await;
    let invitations = &host.invitations;
    let manager: Actor = manager();
    let (invitation, code) = create(invitations).await;
    let view = invitations.get(&manager, invitation.id()).await.unwrap();
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    let error = invitations.redeem(&code, &redeemer("eve")).await.unwrap_err();
    let page = invitations.list(&manager, &Criteria::new(), Paging::default()).await.unwrap();
    let trail = trail(invitations).await;
    assert_eq!(trail.last().unwrap().action, Action::Redeem);
    let criteria = Criteria::new().matching(code.replace('-', ""));
    let found = invitations.list(&manager, &criteria, Paging::default()).await.unwrap();
    assert_eq!(found.items().len(), 1, "searched for by the whole code");
    let seen = format!(
        "{invitations:?} {invitation:?} {view:?} {error:?} {error} {page:?} {trail:?} {criteria:?}"
    );
    let bare: String = code.chars().filter(|c| *c != '-').collect();
    assert!(!seen.contains(&code) && !seen.contains(&bare) && !seen.contains(&bare[..8]));
}
