//! What goes wrong on the way leaves "done, with evidence" or "not done".

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use invitation_core::testing::DropAfter;
use invitation_core::{
    Action, Actor, Clock, Criteria, Draft, Error, Invitation, Invitations, ManualClock, Paging,
    Refusal, Reservation, StoreErrorKind, SystemClock,
};
use invitation_sqlx::{
    SqliteStore,
    sqlx::{
        self,
        sqlite::{SqliteConnectOptions, SqlitePoolOptions},
    },
};
use support::{admin, create, manager, on_a_file, redeemer, redemptions_on_record, trail, uses};

#[tokio::test(flavor = "multi_thread")]
async fn without_its_event_no_change_is_made() {
    let (invitations, _folder) = on_a_file().await;
    let (invitation, code) = create(&invitations).await;
    let before = trail(&invitations).await;
    let pool = invitations.store().pool().clone();
    sqlx::raw_sql(
        "CREATE TRIGGER full BEFORE INSERT ON invitation_events
         BEGIN SELECT RAISE(ABORT, 'no room for evidence'); END",
    )
    .execute(&pool)
    .await
    .unwrap();

    let anna = redeemer("anna");
    let admin = admin();
    let any = invitation_core::IfVersion::Any;
    let id = invitation.id;
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

    sqlx::raw_sql("DROP TRIGGER full").execute(&pool).await.unwrap();
    assert_eq!(trail(&invitations).await, before);
    let facts = invitations.get(&admin, id).await.unwrap();
    assert_eq!(*facts.invitation(), invitation, "nothing changed");
    invitations.redeem(&code, &anna).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_is_done_with_evidence_or_not_done() {
    let (invitations, _folder) = on_a_file().await;
    let anna = redeemer("anna");
    for polls in 0..40 {
        let (_, code) = create(&invitations).await;
        DropAfter::new(invitations.redeem(&code, &anna), polls).await;
        let used = uses(&invitations).await as usize;
        assert_eq!(used, redemptions_on_record(&invitations).await, "after {polls} polls");
        // The rightful holder asks again: never "used", never twice.
        invitations.redeem(&code, &anna).await.unwrap();
        assert_eq!(redemptions_on_record(&invitations).await, polls + 1);
    }
    assert_eq!(uses(&invitations).await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_redeem_with_is_spent_with_evidence_or_free_after_the_lease() {
    let (invitations, _folder) = on_a_file().await;
    let clock = ManualClock::new(SystemClock.now());
    let invitations = invitations.with_clock(clock.clone());
    let (mut spent, mut finished) = (0, false);
    let mut polls = 0;
    while !finished {
        let (invitation, code) = create(&invitations).await;
        let accounts = AtomicUsize::new(0);
        let creating = async |_: Reservation| {
            tokio::task::yield_now().await;
            accounts.fetch_add(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(())
        };
        let anna = redeemer("anna");
        let call = invitations.redeem_with(&code, &anna, creating);
        finished = DropAfter::new(call, polls).await.is_some();

        clock.advance(invitations.limits().lease());
        let second = invitations.redeem(&code, &redeemer("ben")).await;
        let facts = invitations.get(&admin(), invitation.id).await.unwrap();
        let Invitation { uses, held, last_use, .. } = facts.invitation();
        assert_eq!((*uses, *held), (1, 0), "after {polls} polls");
        assert_eq!(redemptions_on_record(&invitations).await, polls + 1, "each with evidence");
        if let Err(refused) = second {
            assert_eq!(refused.refusal(), Some(&Refusal::Used), "after {polls} polls");
            assert_eq!(last_use.as_ref().unwrap().username.as_str(), "anna");
            assert_eq!(accounts.load(Ordering::SeqCst), 1, "never for nobody");
            spent += 1;
        }
        polls += 1;
    }
    assert!(spent >= 1 && polls > 8, "dropped {polls} times, {spent} were spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_one_connection_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        SqliteConnectOptions::new().filename(folder.path().join("a.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    let store = SqliteStore::new(pool);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store);
    let (_, code) = create(&invitations).await;
    let (anna, ben) = (redeemer("anna"), redeemer("ben"));
    let both = tokio::join!(invitations.redeem(&code, &anna), invitations.redeem(&code, &ben));
    assert_eq!([both.0.is_ok(), both.1.is_ok()].iter().filter(|ok| **ok).count(), 1);
    assert_eq!(trail(&invitations).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pool_is_unavailable() {
    let (invitations, _folder) = on_a_file().await;
    let (_, code) = create(&invitations).await;
    invitations.store().pool().close().await;
    let Err(Error::Store(error)) = invitations.redeem(&code, &redeemer("anna")).await else {
        panic!("there is no connection")
    };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.is_retryable());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_understood_is_an_error_that_names_the_column() {
    let (invitations, _folder) = on_a_file().await;
    let (invitation, code) = create(&invitations).await;
    sqlx::raw_sql("UPDATE invitation_codes SET role = ' staff '")
        .execute(invitations.store().pool())
        .await
        .unwrap();
    let Err(Error::Store(error)) = invitations.get(&admin(), invitation.id).await else {
        panic!("no role begins with a space")
    };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("role"), "{cause}");
    // Fail closed: no redemption either.
    invitations.redeem(&code, &redeemer("anna")).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_in_memory_database_lives_as_long_as_its_store() {
    let invitations = Invitations::new(SqliteStore::in_memory().await.unwrap());
    let (_, code) = create(&invitations).await;
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    assert_eq!(uses(&invitations).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let clock = ManualClock::new(SystemClock.now());
    let code = {
        let store = SqliteStore::open(&path).await.unwrap();
        let invitations = Invitations::new(store).with_clock(clock.clone());
        let (_, code) = create(&invitations).await;
        invitations.redeem(&code, &redeemer("anna")).await.unwrap();
        invitations.store().pool().close().await;
        code
    };
    let store = SqliteStore::open(&path).await.unwrap();
    let invitations = Invitations::new(store).with_clock(clock);
    let again = invitations.redeem(&code, &redeemer("ben")).await.unwrap_err();
    assert_eq!(again.refusal(), Some(&Refusal::Used));
    assert!(invitations.redeem(&code, &redeemer("anna")).await.unwrap().is_replayed());
}

/// What the documents say of a file that the library opens.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_opened_to_survive_a_power_cut() {
    let (invitations, _folder) = on_a_file().await;
    let pool = invitations.store().pool();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(pool).await.unwrap();
    let wait: i64 = sqlx::query_scalar("PRAGMA busy_timeout").fetch_one(pool).await.unwrap();
    // FULL is 2: https://www.sqlite.org/pragma.html#pragma_synchronous
    assert_eq!((journal.as_str(), synchronous, wait), ("wal", 2, 5_000));
}

/// Canary: the code occurs nowhere in what an operator sees.
#[tokio::test(flavor = "multi_thread")]
async fn no_code_in_events_errors_or_debug_output() {
    let (invitations, _folder) = on_a_file().await;
    let manager: Actor = manager();
    let (invitation, code) = create(&invitations).await;
    let view = invitations.get(&manager, invitation.id).await.unwrap();
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    let error = invitations.redeem(&code, &redeemer("eve")).await.unwrap_err();
    let page = invitations.list(&manager, &Criteria::new(), Paging::default()).await.unwrap();
    let trail = trail(&invitations).await;
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
