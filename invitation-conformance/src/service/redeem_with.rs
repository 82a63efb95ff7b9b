//! Reserving, creating the account and committing in one call: the code is redeemed
//! exactly when the account is created.

use std::sync::atomic::{AtomicU32, Ordering};

use invitation_core::{Draft, IfVersion, RedeemWithError, Refusal, Released};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        samples::{admin, newcomer, role},
    },
};

/// The host creates the account once, from the data of the reservation, and then the code
/// is redeemed. A repeat by the same redeemer creates no second account.
pub async fn redeem_with_creates_one_account_and_redeems(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let accounts = AtomicU32::new(0);
    let mut first = None;
    for n in 0..3 {
        let done = harness
            .service
            .redeem_with(&code, &newcomer("anna"), async |reservation| {
                accounts.fetch_add(1, Ordering::SeqCst);
                assert_eq!(reservation.role(), &role("staff"), "the role of the account");
                Ok::<_, std::io::Error>(reservation.id())
            })
            .await
            .unwrap_or_else(|error| panic!("{n}: {error:?}"));
        assert_eq!(done.created.is_some(), n == 0, "{n}: created the first time");
        assert_eq!(done.redeemed.is_replayed(), n > 0, "{n}: redeemed the first time");
        assert_eq!(done.redeemed.invitation(), id);
        let redemption = done.redeemed.redemption().clone();
        assert_eq!(&redemption, first.get_or_insert(redemption.clone()), "{n}: the same");
    }
    assert_eq!(accounts.into_inner(), 1, "one account");
    let stored = harness.stored(id).await;
    assert_eq!((stored.uses, stored.held), (1, 0), "one use");
    let other = harness
        .service
        .redeem_with(&code, &newcomer("bob"), async |_| -> Result<(), std::io::Error> {
            panic!("without a reservation nothing is created")
        })
        .await;
    match other {
        Err(RedeemWithError::NotReserved(error)) => {
            assert_eq!(error.refusal(), Some(&Refusal::Used));
        }
        other => panic!("it is used: {other:?}"),
    }
}

/// If the account is not created, the use is free again at once.
pub async fn failed_creation_releases_the_use(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    for n in 0..3 {
        let failed = harness
            .service
            .redeem_with(&code, &newcomer(&format!("n{n}")), async |_| Err::<(), _>("no account"))
            .await;
        match failed {
            Err(RedeemWithError::NotCreated { error: "no account", released: Released::Now }) => {}
            other => panic!("{n}: the host's step failed: {other:?}"),
        }
        let stored = harness.stored(id).await;
        assert_eq!((stored.uses, stored.held), (0, 0), "{n}: neither used nor held");
    }
    harness.service.redeem(&code, &newcomer("anna")).await.expect("it is free");
}

/// If the commit is refused, the host gets back the account it created and the
/// reservation. That reservation cannot be committed any more.
pub async fn refused_commit_returns_the_account_to_the_host(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let done = harness
        .service
        .redeem_with(&code, &newcomer("anna"), async |_| {
            // Meanwhile an administrator revokes the invitation.
            let admin = admin();
            let revoked = harness.service.revoke(&admin, id, None, IfVersion::Any).await;
            revoked.map(|_| "account")
        })
        .await;
    match done {
        Err(RedeemWithError::NotCommitted { created: "account", reservation, error }) => {
            assert_eq!(error.refusal(), Some(&Refusal::Revoked), "why");
            let again = harness.service.commit(reservation, &newcomer("anna")).await;
            assert_eq!(refusal(again), Refusal::Revoked, "nor later");
        }
        other => panic!("it was revoked in between: {other:?}"),
    }
    assert_eq!(harness.stored(id).await.uses, 0, "no use is redeemed");
}

/// If the call is dropped while the account is being created, the use stays reserved. The
/// same person can resume it; after it has expired, another person can take it over.
pub async fn dropped_creation_keeps_the_reservation(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for takes_up in [true, false] {
        let created = harness.create(Draft::new()).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        let anna = newcomer(&format!("anna{takes_up}"));
        let begun = tokio::sync::Notify::new();
        let creating = harness.service.redeem_with(&code, &anna, async |_| {
            begun.notify_one();
            std::future::pending::<Result<(), std::io::Error>>().await
        });
        tokio::select! {
            done = creating => panic!("the account is never created: {done:?}"),
            () = begun.notified() => {}
        }
        let stored = harness.stored(id).await;
        assert_eq!((stored.uses, stored.held), (0, 1), "it is held");
        if takes_up {
            let mut found = false;
            let done = harness.service.redeem_with(&code, &anna, async |reservation| {
                found = reservation.is_replayed();
                Ok::<_, std::io::Error>(())
            });
            done.await.expect("it is held for anna");
            assert!(found, "an account may exist already: the host has to look");
        } else {
            harness.clock.advance(time::Duration::minutes(10));
            let other = harness.service.redeem(&code, &newcomer("bob")).await;
            assert!(other.is_ok(), "it has expired: {other:?}");
        }
        assert_eq!(harness.stored(id).await.uses, 1, "one is in");
    }
}

/// A repeated call whose creation fails keeps the reservation if an earlier call of the
/// same person may still be creating the account.
pub async fn failed_repeat_keeps_the_reservation_of_the_first_call(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let anna = newcomer("anna");
    let done = harness
        .service
        .redeem_with(&code, &anna, async |first| {
            // A double click before the first call is done: the account's name is already
            // taken.
            let second = harness.service.redeem_with(&code, &anna, async |again| {
                assert_eq!(again.id(), first.id(), "the same reservation");
                assert!(again.is_replayed(), "and the host sees that");
                Err::<(), _>("the name is taken")
            });
            match second.await {
                Err(RedeemWithError::NotCreated {
                    released: Released::WithEarlierCall, ..
                }) => {}
                other => panic!("it is the first call's: {other:?}"),
            }
            Ok::<_, std::io::Error>(first.id())
        })
        .await
        .expect("the first call has the use");
    assert_eq!(done.redeemed.reservation(), done.created, "redeemed by the reservation");
    let stored = harness.stored(id).await;
    assert_eq!((stored.uses, stored.held), (1, 0), "one use");
}
