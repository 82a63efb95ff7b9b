//! Every database passes the conformance suite.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/dump.rs"]
mod dump;
mod support;

use std::{num::NonZeroU32, sync::Arc};

use dump::{Dump, dump};
use invitation_conformance::{
    Fixture,
    budgets::run_budget_promises,
    documents::DocumentsFixture,
    erasure::{CANARIES, ErasureFixture, erase_canary},
    feed::FeedFixture,
    funnel::FunnelFixture,
    imports::ImportsFixture,
    races::{run_redemption_races, run_reservation_races},
};
use invitation_sqlx::SqlStore;
use support::host::{Kind, number, unsynced_pool};

/// Returns a store in a database of its own, without durability against a power loss.
async fn fixture<DB: Kind>() -> Fixture {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 16).await);
    store.migrate().await.unwrap();
    Fixture::new(store).keeping(database)
}

async fn feed_fixture<DB: Kind>() -> FeedFixture {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 16).await);
    store.migrate().await.unwrap();
    FeedFixture::new(store).keeping(database)
}

async fn documents_fixture<DB: Kind>() -> DocumentsFixture {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 16).await);
    store.migrate().await.unwrap();
    DocumentsFixture::new(store).keeping(database)
}

async fn funnel_fixture<DB: Kind>() -> FunnelFixture {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 16).await);
    store.migrate().await.unwrap();
    FunnelFixture::new(store).keeping(database)
}

async fn imports_fixture<DB: Kind>() -> ImportsFixture {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 16).await);
    store.migrate().await.unwrap();
    ImportsFixture::with_transactions(store).keeping(database)
}

async fn erasure_fixture<DB: Kind>() -> ErasureFixture {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 16).await);
    store.migrate().await.unwrap();
    ErasureFixture::new(store).keeping(database)
}

async fn erased_person_is_in_no_row<DB: Dump>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 4).await);
    store.migrate().await.unwrap();
    let pool = store.pool().clone();
    let found = async || {
        let contents = String::from_utf8_lossy(&dump(&pool).await).into_owned();
        CANARIES.map(|text| contents.matches(text).count())
    };
    let fixture = ErasureFixture::new(store.clone());
    erase_canary(fixture, async || assert!(found().await.iter().all(|n| *n > 3))).await;
    assert_eq!(found().await, [0; CANARIES.len()], "{CANARIES:?}");
}

async fn budget_promises<DB: Kind>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(unsynced_pool(&database.url, 16).await);
    store.migrate().await.unwrap();
    run_budget_promises(Arc::new(store.clone())).await;
    let kept = "SELECT COUNT(*) FROM invitation_budgets WHERE minute < 39999999";
    assert_eq!(number(store.pool(), kept).await, 0, "counts of former minutes are removed");
}

async fn redemption_races<DB: Kind>(uses: impl IntoIterator<Item = u32>, rounds: u32) {
    for uses in uses {
        let uses = NonZeroU32::new(uses).unwrap();
        run_redemption_races(fixture::<DB>().await, rounds, uses).await;
    }
}

async fn reservation_races<DB: Kind>(uses: impl IntoIterator<Item = u32>, rounds: u32) {
    for uses in uses {
        let uses = NonZeroU32::new(uses).unwrap();
        run_reservation_races(fixture::<DB>().await, rounds, uses).await;
    }
}

/// Runs the suite on a database server, with this number of race rounds.
macro_rules! server {
    ($name:ident, $database:ty: rounds $rounds:expr, rounds_for_uses $for_uses:expr) => {
        mod $name {
            mod promises {
                invitation_conformance::conformance!(crate::fixture::<$database>);
            }

            mod feed {
                invitation_conformance::feed_conformance!(crate::feed_fixture::<$database>);
            }

            mod documents {
                invitation_conformance::documents_conformance!(
                    crate::documents_fixture::<$database>
                );
            }

            mod funnel {
                invitation_conformance::funnel_conformance!(crate::funnel_fixture::<$database>);
            }

            mod imports {
                invitation_conformance::imports_conformance!(crate::imports_fixture::<$database>);
            }

            mod erasure {
                invitation_conformance::erasure_conformance!(crate::erasure_fixture::<$database>);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn erased_person_is_in_no_row() {
                crate::erased_person_is_in_no_row::<$database>().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn budgets_are_counted_as_specified() {
                crate::budget_promises::<$database>().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn concurrent_redeems_of_single_use_codes_succeed_once_each() {
                crate::redemption_races::<$database>([1], $rounds).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn concurrent_redeems_succeed_max_uses_times() {
                crate::redemption_races::<$database>([1, 3, 5], $for_uses).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn concurrent_reservations_redeem_max_uses_times() {
                crate::reservation_races::<$database>([1, 3, 5], $for_uses).await;
            }
        }
    };
}

#[cfg(feature = "mysql")]
server!(mysql, invitation_sqlx::sqlx::MySql: rounds 50, rounds_for_uses 15);
#[cfg(feature = "postgres")]
server!(postgres, invitation_sqlx::sqlx::Postgres: rounds 100, rounds_for_uses 100);

/// Runs the suite in memory and on files. The files of races are not durable against a
/// power loss, so that many rounds take little time.
#[cfg(feature = "sqlite")]
mod sqlite {
    use std::num::NonZeroU32;

    use invitation_conformance::{
        Fixture, documents::DocumentsFixture, feed::FeedFixture, funnel::FunnelFixture,
        imports::ImportsFixture,
    };
    use invitation_sqlx::{SqliteStore, sqlx::Sqlite};

    use crate::{redemption_races, reservation_races, run_redemption_races, support::host::Kind};

    /// Opens a file as hosts do.
    async fn on_a_file() -> Fixture {
        let database = Sqlite::empty();
        Fixture::new(Sqlite::open(&database.url).await.unwrap()).keeping(database)
    }

    async fn in_memory() -> Fixture {
        Fixture::new(SqliteStore::in_memory().await.unwrap())
    }

    mod promises_on_a_file {
        invitation_conformance::conformance!(super::on_a_file);
    }

    mod promises_in_memory {
        invitation_conformance::conformance!(super::in_memory);
    }

    async fn feed_in_memory() -> FeedFixture {
        FeedFixture::new(SqliteStore::in_memory().await.unwrap())
    }

    async fn documents_in_memory() -> DocumentsFixture {
        DocumentsFixture::new(SqliteStore::in_memory().await.unwrap())
    }

    async fn funnel_in_memory() -> FunnelFixture {
        FunnelFixture::new(SqliteStore::in_memory().await.unwrap())
    }

    mod funnel_on_a_file {
        invitation_conformance::funnel_conformance!(crate::funnel_fixture::<super::Sqlite>);
    }

    mod funnel_in_memory {
        invitation_conformance::funnel_conformance!(super::funnel_in_memory);
    }

    mod documents_on_a_file {
        invitation_conformance::documents_conformance!(crate::documents_fixture::<super::Sqlite>);
    }

    mod documents_in_memory {
        invitation_conformance::documents_conformance!(super::documents_in_memory);
    }

    async fn imports_in_memory() -> ImportsFixture {
        ImportsFixture::with_transactions(SqliteStore::in_memory().await.unwrap())
    }

    mod imports_on_a_file {
        invitation_conformance::imports_conformance!(crate::imports_fixture::<super::Sqlite>);
    }

    mod imports_in_memory {
        invitation_conformance::imports_conformance!(super::imports_in_memory);
    }

    mod erasure {
        invitation_conformance::erasure_conformance!(crate::erasure_fixture::<super::Sqlite>);
    }

    mod feed_on_a_file {
        invitation_conformance::feed_conformance!(crate::feed_fixture::<super::Sqlite>);
    }

    mod feed_in_memory {
        invitation_conformance::feed_conformance!(super::feed_in_memory);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn erased_person_is_in_no_row() {
        crate::erased_person_is_in_no_row::<Sqlite>().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn budgets_are_counted_as_specified() {
        crate::budget_promises::<Sqlite>().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn concurrent_redeems_of_1000_single_use_codes_succeed_once_each() {
        run_redemption_races(on_a_file().await, 1_000, NonZeroU32::MIN).await;
    }

    // One test per number of uses: the last one to end has a core to itself.
    macro_rules! races {
        ($($name:ident: $races:ident of $uses:literal,)+) => {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    $races::<Sqlite>([$uses], 1_000).await;
                }
            )+
        };
    }

    races! {
        concurrent_redeems_of_1000_codes_for_three_succeed_three_times: redemption_races of 3,
        concurrent_redeems_of_1000_codes_for_five_succeed_five_times: redemption_races of 5,
        concurrent_reservations_of_1000_single_use_codes_redeem_each_once: reservation_races of 1,
        concurrent_reservations_of_1000_codes_for_three_redeem_each_three_times: reservation_races of 3,
        concurrent_reservations_of_1000_codes_for_five_redeem_each_five_times: reservation_races of 5,
    }
}
