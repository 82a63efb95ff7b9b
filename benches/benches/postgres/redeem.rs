//! Single-use codes, each redeemed once.

use invitation::sql::sqlx;
use invitation_testkit::Postgres;

use crate::{
    Extent, Pool,
    compare::{self, Variant},
    reference::{Reference, Script},
    store,
};

pub(crate) async fn run(server: &Postgres, extent: &Extent) {
    let url = server.create_database();
    let reference = Reference::new(&url, extent.is_test).await;
    let ours = store(&url, Pool::Default).await;
    let mut variants = [
        Variant::new("default", ours.clone()),
        Variant::new("without batches", ours.clone().without_batches()),
        Variant::new("without the single statement", ours.clone().without_fast_path()),
        Variant::new("without the connection cache", ours.clone().with_connection_cache(0)),
        Variant::new("test_before_acquire(false)", store(&url, Pool::Untested).await),
        Variant::with_consumer(ours.clone()),
        Variant::with_keyring(ours.clone()),
        Variant::with_keyring_and_throttle(ours),
    ];
    println!(
        "\nredeem: against pgbench with one statement per redeem, one connection for one caller, \
         else 16\n"
    );
    let pgbench = async |callers| {
        let connections = if callers == 1 { 1 } else { 16 };
        reference.rate(Script::Redeem, connections, extent.time).await
    };
    let parts = compare::Extent {
        rounds: extent.rounds,
        time: extent.time,
        callers: extent.callers.clone(),
    };
    compare::run(&parts, &mut variants, Some(("pgbench", pgbench)), async |store| {
        sqlx::raw_sql("CHECKPOINT").execute(store.pool()).await.unwrap();
    })
    .await;
}
