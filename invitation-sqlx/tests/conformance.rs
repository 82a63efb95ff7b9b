//! Every database passes the conformance suite.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::num::NonZeroU32;

use invitation_conformance::{
    Fixture,
    races::{race_rounds, race_rounds_for_uses, race_rounds_with_leases},
};
use invitation_sqlx::SqlStore;
use support::host::{Kind, careless_pool};

/// Returns a store in a database of its own, without durability against a power loss.
async fn fixture<DB: Kind>() -> Fixture {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(careless_pool(&database.url, 16).await);
    store.migrate().await.unwrap();
    Fixture::new(store).keeping(database)
}

async fn crowds_for<DB: Kind>(uses: impl IntoIterator<Item = u32>, rounds: u32) {
    for uses in uses {
        let uses = NonZeroU32::new(uses).unwrap();
        race_rounds_for_uses(fixture::<DB>().await, rounds, uses).await;
    }
}

async fn crowds_with_leases<DB: Kind>(rounds: u32) {
    for uses in [1, 3, 5] {
        let uses = NonZeroU32::new(uses).unwrap();
        race_rounds_with_leases(fixture::<DB>().await, rounds, uses).await;
    }
}

/// Runs the suite on a database server, with this number of race rounds.
macro_rules! server {
    ($name:ident, $database:ty: rounds $rounds:expr, rounds_for_uses $for_uses:expr) => {
        mod $name {
            mod promises {
                invitation_conformance::conformance!(crate::fixture::<$database>);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn crowds_redeem_codes_once_each() {
                crate::race_rounds(crate::fixture::<$database>().await, $rounds).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn crowds_redeem_codes_for_several() {
                crate::crowds_for::<$database>([1, 3, 5], $for_uses).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn crowds_redeem_and_reserve() {
                crate::crowds_with_leases::<$database>($for_uses).await;
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
    use invitation_conformance::Fixture;
    use invitation_sqlx::{SqliteStore, sqlx::Sqlite};

    use crate::{crowds_for, crowds_with_leases, race_rounds, support::host::Kind};

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

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_thousand_crowds_redeem_a_thousand_codes_once_each() {
        race_rounds(on_a_file().await, 1_000).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_thousand_crowds_redeem_codes_for_several() {
        crowds_for::<Sqlite>([3, 5], 1_000).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_thousand_crowds_redeem_and_reserve() {
        crowds_with_leases::<Sqlite>(1_000).await;
    }
}
