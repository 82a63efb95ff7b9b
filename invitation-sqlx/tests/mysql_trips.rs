//! Round trips to MariaDB, counted by a proxy: their number matches the documentation.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

mod support;

use std::{num::NonZeroU32, str::FromStr};

use invitation_core::{Draft, Email, Invitations, Refusal, Role, VerifiedEmail, feed::Feed};
use invitation_sqlx::{
    MySqlStore,
    sqlx::{
        self,
        mysql::{MySqlConnectOptions, MySqlPoolOptions},
    },
};
use invitation_testkit::{MariaDb, Proxy};
use support::{admin, create, manager, redeemer};

/// A service on one connection, through a proxy.
struct Wired {
    invitations: Invitations<MySqlStore>,
    proxy: Proxy,
}

impl Wired {
    async fn new() -> Self {
        let options = MySqlConnectOptions::from_str(&MariaDb::shared().create_database()).unwrap();
        let proxy = Proxy::to(options.get_port()).unwrap();
        let pool = MySqlPoolOptions::new().max_connections(1).test_before_acquire(false);
        let pool = pool.connect_with(options.port(proxy.port())).await.unwrap();
        let store = MySqlStore::new(pool);
        store.migrate().await.unwrap();
        Self { invitations: Invitations::new(store), proxy }
    }

    async fn code_for(&self, uses: u32) -> String {
        let created = self.invitations.create(&admin(), for_uses(uses)).await.unwrap();
        created.code().reveal().to_string()
    }

    /// Returns the number of requests by `work`, without the pool's own ping each time that
    /// the connection is returned. `work` borrows the connection `times` times.
    async fn trips<T>(&self, times: u64, work: impl Future<Output = T>) -> (u64, T) {
        let pool = self.invitations.store().pool();
        let before = {
            // While the connection is borrowed, no earlier message is in flight.
            let _conn = pool.acquire().await.unwrap();
            self.proxy.requests()
        };
        let done = work.await;
        let _conn = pool.acquire().await.unwrap();
        (self.proxy.requests() - before - 1 - times, done)
    }
}

fn for_uses(uses: u32) -> Draft {
    let uses = NonZeroU32::new(uses).unwrap();
    Draft::new().with_role(Role::new("staff").unwrap()).for_uses(uses)
}

#[tokio::test(flavor = "multi_thread")]
async fn redemption_takes_one_round_trip() {
    let wired = Wired::new().await;
    let Wired { invitations, .. } = &wired;
    let (_, code) = create(invitations).await;
    let (trips, told) = wired.trips(1, invitations.redeem(&code, &redeemer("anna"))).await;
    told.unwrap();
    assert_eq!(trips, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn use_of_a_multi_use_code_takes_one_round_trip() {
    let wired = Wired::new().await;
    let Wired { invitations, .. } = &wired;
    let code = wired.code_for(3).await;
    for name in ["anna", "ben", "cleo"] {
        let (trips, told) = wired.trips(1, invitations.redeem(&code, &redeemer(name))).await;
        assert!(!told.unwrap().is_replayed(), "{name}");
        assert_eq!(trips, 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redemption_with_a_proven_address_takes_one_round_trip() {
    let wired = Wired::new().await;
    let Wired { invitations, .. } = &wired;
    let address = Email::parse("anna@example.com").unwrap();
    let draft = Draft::new().for_email(address.clone());
    let created = invitations.create(&manager(), draft).await.unwrap();
    let anna = redeemer("anna").with_email(VerifiedEmail::vouched_by_host(address));
    let code = created.code().reveal();
    let (trips, told) = wired.trips(1, invitations.redeem(&code, &anna)).await;
    told.unwrap();
    assert_eq!(trips, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_takes_two_round_trips_and_one_for_its_event() {
    let wired = Wired::new().await;
    let Wired { invitations, .. } = &wired;
    for uses in [1, 2] {
        let code = wired.code_for(uses).await;
        for n in 0..uses {
            invitations.redeem(&code, &redeemer(&format!("first-{n}"))).await.unwrap();
        }
        let (trips, told) = wired.trips(2, invitations.redeem(&code, &redeemer("ben"))).await;
        assert_eq!(told.unwrap_err().refusal(), Some(&Refusal::Used));
        assert_eq!(trips, 2 + 1, "{uses}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_redemption_takes_two_round_trips() {
    let wired = Wired::new().await;
    let Wired { invitations, .. } = &wired;
    for uses in [1, 2] {
        let code = wired.code_for(uses).await;
        let anna = redeemer("anna");
        invitations.redeem(&code, &anna).await.unwrap();
        let (trips, told) = wired.trips(1, invitations.redeem(&code, &anna)).await;
        assert!(told.unwrap().is_replayed());
        assert_eq!(trips, 2, "{uses}");
    }
}

/// The row with the last position is locked within one message, so that no process that freezes
/// between two messages holds it.
#[tokio::test(flavor = "multi_thread")]
async fn feed_takes_four_round_trips_with_new_events_and_two_without() {
    let wired = Wired::new().await;
    let Wired { invitations, .. } = &wired;
    let (store, page) = (invitations.store(), NonZeroU32::new(10).unwrap());
    create(invitations).await;
    // The first calls also prepare their statements.
    for limit in [page, NonZeroU32::MIN] {
        store.feed(None, limit).await.unwrap();
    }
    create(invitations).await;
    for (expected, events) in [(4, 2), (2, 2)] {
        let (trips, told) = wired.trips(1, store.feed(None, page)).await;
        assert_eq!((trips, told.unwrap().events.len()), (expected, events));
    }
    let (trips, told) = wired.trips(1, store.feed(None, NonZeroU32::MIN)).await;
    assert_eq!((trips, told.unwrap().more), (1, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn joined_redemption_takes_three_round_trips_and_a_refusal_four() {
    let wired = Wired::new().await;
    let Wired { invitations, proxy } = &wired;
    let mut tx = invitations.store().pool().begin().await.unwrap();
    for uses in [1, 3] {
        let inside = invitations.on(invitations.store().join(&mut tx));
        let created = inside.create(&admin(), for_uses(uses)).await.unwrap();
        let code = created.code().reveal();
        for n in 0..uses {
            // Flushes messages of the previous call that are sent with the next statement.
            sqlx::raw_sql("DO 0").execute(&mut *tx).await.unwrap();
            let before = proxy.requests();
            let inside = invitations.on(invitations.store().join(&mut tx));
            inside.redeem(&code, &redeemer(&format!("first-{n}"))).await.unwrap();
            sqlx::raw_sql("DO 0").execute(&mut *tx).await.unwrap();
            // The savepoint, the redemption, the end of the savepoint; plus the host's
            // statement.
            assert_eq!(proxy.requests() - before, 3 + 1, "{n} of {uses}");
        }
        let before = proxy.requests();
        let inside = invitations.on(invitations.store().join(&mut tx));
        let refused = inside.redeem(&code, &redeemer("ben")).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::Used));
        sqlx::raw_sql("DO 0").execute(&mut *tx).await.unwrap();
        // The savepoint, the redemption, the query for the reason, the end of the
        // savepoint.
        assert_eq!(proxy.requests() - before, 4 + 1, "{uses}");
    }
    tx.commit().await.unwrap();
}
