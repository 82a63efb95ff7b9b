//! A connection breaks between any two messages: the answer to the caller is correct, and
//! repeating the call returns the actual result.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "postgres")]

mod support;

use std::{num::NonZeroU32, str::FromStr, time::Duration};

use invitation_core::{Draft, Error, IdempotencyKey, Invitations, StoreErrorKind};
use invitation_sqlx::{
    PgStore,
    sqlx::{
        postgres::{PgConnectOptions, PgPoolOptions},
        query_scalar, raw_sql,
    },
};
use invitation_testkit::{Postgres, Proxy};
use support::{admin, manager, redeemer, redemptions_on_record, trail, uses};

/// One database with two services: one on a direct connection, one through a breaking
/// proxy.
struct Wires {
    sound: Invitations<PgStore>,
    broken: Invitations<PgStore>,
    proxy: Proxy,
}

impl Wires {
    async fn new() -> Self {
        let url = Postgres::shared().create_database();
        let options = PgConnectOptions::from_str(&url).unwrap();
        let proxy = Proxy::to(options.get_port()).unwrap();
        let pool = |options: PgConnectOptions| {
            // One connection without a ping, so that each message belongs to the call.
            PgPoolOptions::new()
                .max_connections(1)
                .test_before_acquire(false)
                .acquire_timeout(Duration::from_secs(10))
                .connect_with(options)
        };
        let sound = PgStore::new(pool(options.clone()).await.unwrap());
        sound.migrate().await.unwrap();
        let broken = PgStore::new(pool(options.port(proxy.port())).await.unwrap());
        Self { sound: Invitations::new(sound), broken: Invitations::new(broken), proxy }
    }

    /// Waits until the pool has its connection back. The pool pings it on return, and that
    /// message must not count as the call's.
    async fn settled(&self) {
        let pool = self.broken.store().pool();
        for _ in 0..10_000 {
            if pool.num_idle() == usize::try_from(pool.size()).unwrap() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("the connection does not come back");
    }

    async fn code(&self, uses: u32) -> String {
        let draft = Draft::new().for_uses(NonZeroU32::new(uses).unwrap());
        let role = invitation_core::Role::new("staff").unwrap();
        let created = self.sound.create(&admin(), draft.with_role(role)).await.unwrap();
        created.code().reveal().to_string()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lost {
    Request,
    Answer,
}

/// Returns whether the error says that nothing was done.
fn says_nothing_was_done(error: &Error) -> bool {
    let Error::Store(error) = error else { panic!("a broken wire is no refusal: {error:?}") };
    match error.kind() {
        StoreErrorKind::Unavailable => true,
        StoreErrorKind::OutcomeUnknown => false,
        other => panic!("a broken wire is not {other:?}"),
    }
}

async fn redeems_survive(max_uses: u32) {
    for lost in [Lost::Request, Lost::Answer] {
        let wires = Wires::new().await;
        // The first redemption prepares statements, for names with the same number of
        // terms.
        let first = wires.code(max_uses).await;
        wires.broken.redeem(&first, &redeemer("anna-first")).await.unwrap();
        let (mut made, mut unknown_but_made) = (1, 0);
        for passing in 0.. {
            assert!(passing < 60, "a redeem is not that long");
            let code = wires.code(max_uses).await;
            let anna = redeemer(&format!("anna-{passing}"));
            wires.settled().await;
            match lost {
                Lost::Request => wires.proxy.lose_request_after(passing),
                Lost::Answer => wires.proxy.lose_answer_after(passing),
            }
            let told = wires.broken.redeem(&code, &anna).await;
            let lost_nothing = wires.proxy.stop_faults();
            // This query waits for the locks of the broken connection, so the server has
            // finished its work by then.
            let before = uses(&wires.sound).await;
            match &told {
                Ok(_) => assert_eq!(before, made + 1, "{lost:?} {passing}: it was said to be made"),
                Err(error) if says_nothing_was_done(error) => {
                    assert_eq!(before, made, "{lost:?} {passing}: it was said not to be made");
                }
                Err(_) => unknown_but_made += before - made,
            }

            // The user tries again.
            let again = wires.broken.redeem(&code, &anna).await.unwrap();
            made += 1;
            assert_eq!(uses(&wires.sound).await, made, "{lost:?} {passing}: one use");
            let on_record = u32::try_from(redemptions_on_record(&wires.sound).await).unwrap();
            assert_eq!(on_record, made, "{lost:?} {passing}: one event");
            if before == made {
                assert!(again.is_replayed(), "{lost:?} {passing}: the same redemption");
            }
            if lost_nothing {
                told.unwrap();
                break;
            }
        }
        if lost == Lost::Answer {
            assert!(unknown_but_made > 0, "an answer was lost after the redemption was made");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_redeem_reports_its_true_outcome_when_repeated() {
    redeems_survive(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redeem_of_a_multi_use_code_survives_a_lost_connection() {
    redeems_survive(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_creation_is_found_by_its_key() {
    for lost in [Lost::Request, Lost::Answer] {
        let wires = Wires::new().await;
        let first = IdempotencyKey::new("first").unwrap();
        wires.broken.create_once(&manager(), &first, Draft::new()).await.unwrap();
        let mut created = 1;
        for passing in 0.. {
            assert!(passing < 60, "a creation is not that long");
            let key = IdempotencyKey::new(format!("key-{passing}")).unwrap();
            wires.settled().await;
            match lost {
                Lost::Request => wires.proxy.lose_request_after(passing),
                Lost::Answer => wires.proxy.lose_answer_after(passing),
            }
            let told = wires.broken.create_once(&manager(), &key, Draft::new()).await;
            let lost_nothing = wires.proxy.stop_faults();
            let before = trail(&wires.sound).await.len();
            if let Err(error) = &told
                && says_nothing_was_done(error)
            {
                assert_eq!(before, created, "{lost:?} {passing}: it was said not to be made");
            }
            let again = wires.broken.create_once(&manager(), &key, Draft::new()).await.unwrap();
            created += 1;
            assert_eq!(trail(&wires.sound).await.len(), created, "{lost:?} {passing}: one event");
            assert_eq!(again.is_replayed(), before == created, "{lost:?} {passing}");
            if lost_nothing {
                told.unwrap();
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn host_ignoring_a_lost_connection_keeps_neither_account_nor_redemption() {
    for lost in [Lost::Request, Lost::Answer] {
        let wires = Wires::new().await;
        let pool = wires.sound.store().pool().clone();
        raw_sql("CREATE TABLE users (name TEXT)").execute(&pool).await.unwrap();
        for passing in 0.. {
            assert!(passing < 60, "a redeem is not that long");
            let code = wires.code(1).await;
            wires.settled().await;
            let mut tx = wires.broken.store().pool().begin().await.unwrap();
            raw_sql("INSERT INTO users VALUES ('anna')").execute(&mut *tx).await.unwrap();
            match lost {
                Lost::Request => wires.proxy.lose_request_after(passing),
                Lost::Answer => wires.proxy.lose_answer_after(passing),
            }
            let joined = wires.broken.on(wires.broken.store().join(&mut tx));
            let redeemed = joined.redeem(&code, &redeemer("anna")).await;
            drop(joined);
            let lost_nothing = wires.proxy.stop_faults();
            if let Err(error) = &redeemed {
                let Error::Store(error) = error else { panic!("no refusal: {error:?}") };
                assert!(error.transaction_ended(), "{lost:?} {passing}: {error:?}");
            }
            // The answer to this does not matter: where the connection was lost while the
            // savepoint was set, sqlx counts no transaction and sends nothing.
            let committed = tx.commit().await;
            // Waits for the locks of the broken connection, as above.
            let users: i64 =
                query_scalar("SELECT COUNT(*) FROM users").fetch_one(&pool).await.unwrap();
            assert_eq!(users, i64::from(lost_nothing), "{lost:?} {passing}: {committed:?}");
            assert_eq!(uses(&wires.sound).await, u32::from(lost_nothing), "{lost:?} {passing}");
            if lost_nothing {
                committed.unwrap();
                break;
            }
        }
    }
}
