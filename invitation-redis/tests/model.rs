//! Redis agrees with the model, over 500 random sequences.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;

use invitation_conformance::model;
use invitation_core::Store;
use invitation_redis::{RedisOptions, RedisStore};
use invitation_testkit::Redis;

/// A namespace for one sequence, which reconnects to it several times.
struct Place(RedisOptions);

#[async_trait::async_trait]
impl model::StoreProvider for Place {
    async fn open(&mut self) -> Arc<dyn Store> {
        let store = RedisStore::connect(&Redis::shared().url(), self.0.clone()).await;
        Arc::new(store.unwrap())
    }
}

#[test]
fn sequences_agree() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let place = || Place(support::options());
    model::check(31, 350, 10, &runtime, place);
    model::check(32, 150, 25, &runtime, place);
}
