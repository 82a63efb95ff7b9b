//! On SQLite.

use std::sync::atomic::{AtomicUsize, Ordering};

use invitation_core::{Clock, Invitations, ManualClock, Refusal, Reservation, SystemClock};
use invitation_sqlx::{
    SqliteStore,
    sqlx::{self, Sqlite},
};
use invitation_testkit::DropAfter;

use crate::{
    promises::{Failing, promises},
    support::{admin, create, host::Host, redeemer, redemptions_on_record, uses},
};

promises!(Sqlite);

impl Failing for Sqlite {
    const FILL: &'static str = "CREATE TRIGGER no_room BEFORE INSERT ON invitation_events \
         BEGIN SELECT RAISE(ABORT, 'no room for evidence'); END";
    const CLEAR: &'static str = "DROP TRIGGER no_room";
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_call_is_made_with_its_event_or_not_made() {
    let host = Host::<Sqlite>::new().await;
    let invitations = &host.invitations;
    let anna = redeemer("anna");
    for polls in 0..40 {
        let (_, code) = create(invitations).await;
        DropAfter::new(invitations.redeem(&code, &anna), polls).await;
        let used = uses(invitations).await as usize;
        assert_eq!(used, redemptions_on_record(invitations).await, "after {polls} polls");
        // The rightful holder asks again: never "used", never twice.
        invitations.redeem(&code, &anna).await.unwrap();
        assert_eq!(redemptions_on_record(invitations).await, polls + 1);
    }
    assert_eq!(uses(invitations).await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_redeem_with_is_committed_with_its_event_or_free_after_the_lease() {
    let host = Host::<Sqlite>::new().await;
    let invitations = &host.invitations;
    let clock = ManualClock::new(SystemClock.now());
    let invitations = &invitations.clone().with_clock(clock.clone());
    let (mut made, mut spent, mut dropped) = (0, 0, 0);
    let mut polls = 0;
    // A call that is answered quickly is over after a few polls: then another one is dropped.
    while dropped <= 8 || spent == 0 {
        assert!(made < 200, "dropped {dropped} times, {spent} were spent");
        let (invitation, code) = create(invitations).await;
        let accounts = AtomicUsize::new(0);
        let creating = async |_: Reservation| {
            tokio::task::yield_now().await;
            accounts.fetch_add(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(())
        };
        let anna = redeemer("anna");
        let call = invitations.redeem_with(&code, &anna, creating);
        let finished = DropAfter::new(call, polls).await.is_some();
        made += 1;

        clock.advance(invitations.limits().lease());
        let second = invitations.redeem(&code, &redeemer("ben")).await;
        let facts = invitations.get(&admin(), invitation.id()).await.unwrap();
        let row = facts.invitation();
        assert_eq!((row.uses(), row.held()), (1, 0), "after {polls} polls");
        assert_eq!(redemptions_on_record(invitations).await, made, "each with evidence");
        if let Err(refused) = second {
            assert_eq!(refused.refusal(), Some(&Refusal::Used), "after {polls} polls");
            assert_eq!(row.last_use().unwrap().username.as_str(), "anna");
            assert_eq!(accounts.load(Ordering::SeqCst), 1, "one account");
            spent += 1;
        }
        dropped += usize::from(!finished);
        polls = if finished { 0 } else { polls + 1 };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory_database_lives_as_long_as_its_store() {
    let invitations = Invitations::new(SqliteStore::in_memory().await.unwrap());
    let (_, code) = create(&invitations).await;
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    assert_eq!(uses(&invitations).await, 1);
}

/// What the documents say of a file that the library opens.
#[tokio::test(flavor = "multi_thread")]
async fn opened_file_survives_a_power_cut() {
    let host = Host::<Sqlite>::new().await;
    let invitations = &host.invitations;
    let pool = invitations.store().pool();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(pool).await.unwrap();
    let wait: i64 = sqlx::query_scalar("PRAGMA busy_timeout").fetch_one(pool).await.unwrap();
    // FULL is 2: https://www.sqlite.org/pragma.html#pragma_synchronous
    assert_eq!((journal.as_str(), synchronous, wait), ("wal", 2, 5_000));
}

/// A host's file keeps the mode that the host gave it.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn new_file_is_readable_by_its_owner_only() {
    use std::{fs, os::unix::fs::PermissionsExt};

    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| {
        let path = folder.path().join(name);
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    let new = SqliteStore::open(folder.path().join("new.db")).await.unwrap();
    create(&Invitations::new(new.clone())).await;
    for name in ["new.db", "new.db-wal", "new.db-shm"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }

    let old = folder.path().join("old.db");
    fs::write(&old, "").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
    let old = SqliteStore::open(old).await.unwrap();
    create(&Invitations::new(old.clone())).await;
    for name in ["old.db", "old.db-wal", "old.db-shm"] {
        assert_eq!(mode(name), 0o640, "{name}");
    }
}
