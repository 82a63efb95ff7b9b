//! Tests of `Joined` that hold on every database.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Amendment, Cap, Clock, Criteria, Draft, Error, EventOutcome, Expiry, IdempotencyKey,
    IfVersion, Limits, ManualClock, Paging, Purged, Refusal, Reserved, Status, SystemClock,
};
use invitation_sqlx::sqlx::Connection;
use invitation_testkit::DropAfter;
use time::Duration;

use crate::support::{
    admin, create,
    host::{Host, Kind, add_user, try_to_add_user},
    manager, redeemer, staff, trail, uses,
};

/// Creates a test of each promise, on one database.
macro_rules! promises {
    ($database:ty) => {
        $crate::support::host::tests!($database, promises:
            host_commit_keeps_account_and_redemption
            host_rollback_undoes_both_and_leaves_no_success_event
            joined_refusal_keeps_the_transaction_usable_and_returns_its_evidence
            refusal_outside_a_transaction_returns_no_evidence
            whole_service_works_in_a_host_transaction
            joined_change_without_a_transaction_is_an_error
            dropped_call_keeps_the_hosts_work
            dropped_change_on_a_new_connection_keeps_the_hosts_work
            keys_quotas_reservations_and_purges_commit_with_the_host
        );
    };
}

pub(crate) use promises;

pub(crate) async fn host_commit_keeps_account_and_redemption<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let mut tx = host.begin().await;
    let redeemed = host
        .invitations
        .on(host.invitations.store().join(&mut tx))
        .redeem(&code, &redeemer("anna"))
        .await
        .unwrap();
    add_user(&mut tx, redeemed.username().as_str()).await;

    assert_eq!(uses(&host.invitations).await, 0, "nothing is committed behind the host's back");
    tx.commit().await.unwrap();
    assert_eq!((uses(&host.invitations).await, host.users().await), (1, 1));
    let last = trail(&host.invitations).await.pop().unwrap();
    assert_eq!((last.action, last.outcome), (Action::Redeem, EventOutcome::Succeeded));
}

pub(crate) async fn host_rollback_undoes_both_and_leaves_no_success_event<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let before = trail(&host.invitations).await;
    for way in ["rollback", "drop"] {
        let mut tx = host.begin().await;
        host.invitations
            .on(host.invitations.store().join(&mut tx))
            .redeem(&code, &redeemer("anna"))
            .await
            .unwrap();
        add_user(&mut tx, "anna").await;
        if way == "rollback" {
            tx.rollback().await.unwrap();
        } else {
            drop(tx);
        }
        assert_eq!((uses(&host.invitations).await, host.users().await), (0, 0), "{way}");
        assert_eq!(trail(&host.invitations).await, before, "{way}");
    }
    // The code is unused again: any user can redeem it.
    host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
}

pub(crate) async fn joined_refusal_keeps_the_transaction_usable_and_returns_its_evidence<
    DB: Kind,
>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
    let before = trail(&host.invitations).await;

    let mut tx = host.begin().await;
    add_user(&mut tx, "before").await;
    let refused = host
        .invitations
        .on(host.invitations.store().join(&mut tx))
        .redeem(&code, &redeemer("anna"))
        .await;
    let Err(Error::Refused(refused)) = refused else { panic!("it is used") };
    assert_eq!(*refused.refusal(), Refusal::Used);
    assert_eq!(refused.unrecorded().len(), 1);
    add_user(&mut tx, "after").await;
    tx.commit().await.unwrap();

    assert_eq!(host.users().await, 2);
    assert_eq!(trail(&host.invitations).await, before, "the evidence is still in our hands");
    for _ in 0..2 {
        host.invitations.record(&refused).await.unwrap();
    }
    let after = trail(&host.invitations).await;
    assert_eq!(after[before.len()..], *refused.unrecorded(), "recorded, and only once");
}

pub(crate) async fn refusal_outside_a_transaction_returns_no_evidence<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
    let refused = host.invitations.redeem(&code, &redeemer("anna")).await;
    let Err(Error::Refused(refused)) = refused else { panic!("it is used") };
    assert!(refused.unrecorded().is_empty());
    let before = trail(&host.invitations).await;
    host.invitations.record(&refused).await.unwrap();
    assert_eq!(trail(&host.invitations).await, before);
}

pub(crate) async fn whole_service_works_in_a_host_transaction<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let mut tx = host.begin().await;
    {
        let inside = host.invitations.on(host.invitations.store().join(&mut tx));
        let uses = 3.try_into().unwrap();
        let created = inside.create(&admin(), staff().for_uses(uses)).await.unwrap();
        let (id, code) = (created.invitation().id(), created.code().reveal());
        inside.redeem(&code, &redeemer("anna")).await.unwrap();
        assert!(inside.redeem(&code, &redeemer("anna")).await.unwrap().is_replayed());
        inside.redeem(&code, &redeemer("ben")).await.unwrap();
        let longer = Amendment::new().expiring(Expiry::InDays(30));
        inside.amend(&admin(), id, longer, IfVersion::Exactly(1)).await.unwrap();
        let rotated = inside.rotate(&admin(), id, IfVersion::Any).await.unwrap();
        let unknown = inside.redeem(&code, &redeemer("cleo")).await.unwrap_err();
        assert_eq!(unknown.refusal(), Some(&Refusal::CodeUnknown));
        inside.revoke(&admin(), id, None, IfVersion::Any).await.unwrap();
        inside.reinstate(&admin(), id, IfVersion::Any).await.unwrap();
        inside.copy(&admin(), id).await.unwrap();
        inside.redeem(&rotated.code().reveal(), &redeemer("cleo")).await.unwrap();
        assert_eq!(inside.get(&admin(), id).await.unwrap().status(), Status::Used);
        inside.delete(&admin(), id, IfVersion::Any).await.unwrap();
        inside.create_many(&admin(), vec![staff(); 3]).await.unwrap();
        let page = inside.list(&manager(), &Criteria::new(), Paging::default()).await.unwrap();
        assert_eq!(page.items().len(), 3);
    }
    tx.commit().await.unwrap();
    let page = host.invitations.list(&manager(), &Criteria::new(), Paging::default()).await;
    assert_eq!(page.unwrap().items().len(), 3);
}

pub(crate) async fn joined_change_without_a_transaction_is_an_error<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let mut conn = host.pool().acquire().await.unwrap();
    let inside = host.invitations.on(host.invitations.store().join_connection(&mut conn));
    let error = inside.redeem(&code, &redeemer("anna")).await;
    let Err(Error::Store(error)) = error else { panic!("there is none") };
    assert!(!error.is_retryable());
    assert_eq!(uses(&host.invitations).await, 0);
}

pub(crate) async fn dropped_call_keeps_the_hosts_work<DB: Kind>() {
    let host = Host::<DB>::new().await;
    for polls in 0..40 {
        let (_, code) = create(&host.invitations).await;
        let mut tx = host.begin().await;
        add_user(&mut tx, &format!("user-{polls}")).await;
        let anna = redeemer("anna");
        let done = {
            let inside = host.invitations.on(host.invitations.store().join(&mut tx));
            DropAfter::new(inside.redeem(&code, &anna), polls).await.is_some()
        };
        // The transaction goes on, and the code can be redeemed in it.
        let inside = host.invitations.on(host.invitations.store().join(&mut tx));
        let redeemed = inside.redeem(&code, &anna).await.unwrap();
        // A dropped call may or may not have redeemed the code; a completed call has.
        assert!(redeemed.is_replayed() || !done, "dropped after {polls} polls");
        tx.commit().await.unwrap();
        let expected = (u32::try_from(polls + 1).unwrap(), i64::try_from(polls + 1).unwrap());
        let made = (uses(&host.invitations).await, host.users().await);
        assert_eq!(made, expected, "dropped after {polls} polls");
    }
}

pub(crate) async fn dropped_change_on_a_new_connection_keeps_the_hosts_work<DB: Kind>() {
    let (host, admin) = (Host::<DB>::new().await, admin());
    for polls in 0..40 {
        let (invitation, _) = create(&host.invitations).await;
        // A new connection each time, which has no prepared statements.
        let mut conn = host.pool().acquire().await.unwrap();
        conn.close_on_drop();
        let mut tx = conn.begin().await.unwrap();
        add_user(&mut tx, &format!("before-{polls}")).await;
        {
            let inside = host.invitations.on(host.invitations.store().join(&mut tx));
            let revoke = inside.revoke(&admin, invitation.id(), None, IfVersion::Any);
            DropAfter::new(revoke, polls).await;
        }
        // No statement may hang.
        let patience = std::time::Duration::from_secs(20);
        let rest = async {
            add_user(&mut tx, &format!("after-{polls}")).await;
            tx.commit().await.unwrap();
        };
        tokio::time::timeout(patience, rest).await.unwrap();
        assert_eq!(host.users().await, 2 * i64::try_from(polls + 1).unwrap(), "{polls} polls");
    }
}

pub(crate) async fn keys_quotas_reservations_and_purges_commit_with_the_host<DB: Kind>() {
    let host = Host::<DB>::new().await;
    let clock = ManualClock::new(SystemClock.now());
    let one = Cap::AtMost(NonZeroU32::MIN);
    let limits = Limits::default().with_pending_per_inviter(one);
    let invitations = host.invitations.clone().with_clock(clock.clone()).with_limits(limits);
    let (key, anna) = (IdempotencyKey::new("k-1").unwrap(), redeemer("anna"));
    let nothing = trail(&invitations).await;
    for commits in [false, true] {
        let mut tx = host.begin().await;
        let inside = invitations.on(invitations.store().join(&mut tx));
        let created = inside.create_once(&manager(), &key, Draft::new()).await.unwrap();
        assert!(!created.is_replayed(), "what was rolled back is not known");
        let again = inside.create_once(&manager(), &key, Draft::new()).await.unwrap();
        assert!(again.is_replayed());
        let full = inside.create(&manager(), Draft::new()).await.unwrap_err();
        assert!(matches!(full.refusal(), Some(Refusal::QuotaExceeded { .. })));
        let Reserved::Open(reservation) =
            inside.reserve(&again.code().reveal(), &anna).await.unwrap()
        else {
            panic!("nothing is redeemed")
        };
        inside.commit(reservation.id(), &anna).await.unwrap();
        if commits {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
            assert_eq!(trail(&invitations).await, nothing, "no success is on record");
        }
    }
    assert_eq!(uses(&invitations).await, 1);
    assert_eq!(trail(&invitations).await.len(), nothing.len() + 3, "created, reserved, redeemed");

    clock.advance(Duration::days(3));
    let mut tx = host.begin().await;
    let age = Duration::days(2);
    let inside = invitations.on(invitations.store().join(&mut tx));
    let purged = inside.purge(&admin(), age, NonZeroU32::MIN).await.unwrap();
    assert_eq!(purged, Purged { removed: 1, more: true });
    let empty = inside.purge(&admin(), age, NonZeroU32::MIN).await.unwrap();
    assert_eq!(empty, Purged { removed: 0, more: false });
    tx.rollback().await.unwrap();
    assert_eq!(uses(&invitations).await, 1, "it is still there");
}

/// A call whose statements may carry a code or an address.
#[derive(Clone, Copy)]
pub(crate) enum Call {
    Creation,
    Search,
}

/// Drops calls after an increasing number of polls. Returns how often the host's next statement
/// failed because of that; the rest of the host's work must succeed.
pub(crate) async fn dropped_calls_and_their_failures<DB: Kind>(call: Call) -> u32 {
    let host = Host::<DB>::new().await;
    let mut users = 0;
    let mut failures = 0;
    for polls in 0..40 {
        // A new connection each time, which has no prepared statements.
        let mut conn = host.pool().acquire().await.unwrap();
        conn.close_on_drop();
        let mut tx = conn.begin().await.unwrap();
        try_to_add_user(&mut tx, &format!("before-{polls}")).await.unwrap();
        let done = {
            let inside = host.invitations.on(host.invitations.store().join(&mut tx));
            let found = Criteria::new().matching("anna@example.com");
            let called = async {
                match call {
                    Call::Creation => drop(inside.create(&manager(), Draft::new()).await.unwrap()),
                    Call::Search => {
                        drop(inside.list(&admin(), &found, Paging::default()).await.unwrap());
                    }
                }
            };
            DropAfter::new(called, polls).await.is_some()
        };
        // No statement may hang.
        let patience = std::time::Duration::from_secs(20);
        let rest = async {
            let next = try_to_add_user(&mut tx, &format!("next-{polls}")).await;
            assert!(next.is_ok() || !done, "{next:?}");
            failures += u32::from(next.is_err());
            try_to_add_user(&mut tx, &format!("after-{polls}")).await.unwrap();
            tx.commit().await.unwrap();
            users += if next.is_ok() { 3 } else { 2 };
        };
        tokio::time::timeout(patience, rest).await.unwrap();
        assert_eq!(host.users().await, users, "dropped after {polls} polls");
        let made = trail(&host.invitations).await.len();
        let all = Paging::first(200).unwrap();
        let page = host.invitations.list(&admin(), &Criteria::new(), all).await.unwrap();
        assert_eq!(page.items().len(), made, "dropped after {polls} polls");
    }
    failures
}
