//! A cluster of three primaries passes the conformance suite and agrees with the model,
//! over 500 random sequences. Each test has a namespace of its own; they lie in many slots,
//! on all primaries.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;

use invitation_conformance::{
    Fixture, documents::DocumentsFixture, erasure::ErasureFixture, feed::FeedFixture, model,
};
use invitation_core::Store;
use invitation_redis::{RedisOptions, RedisStore};
use invitation_testkit::RedisCluster;

async fn connect(options: RedisOptions) -> RedisStore {
    let urls = RedisCluster::shared().urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    RedisStore::connect_cluster(&urls, options).await.unwrap()
}

async fn in_a_namespace() -> Fixture {
    Fixture::new(connect(support::options()).await)
}

mod promises {
    invitation_conformance::conformance!(super::in_a_namespace);
}

async fn feed_in_a_namespace() -> FeedFixture {
    FeedFixture::new(connect(support::options()).await)
}

mod feed {
    invitation_conformance::feed_conformance!(super::feed_in_a_namespace);
}

async fn documents_in_a_namespace() -> DocumentsFixture {
    DocumentsFixture::new(connect(support::options()).await)
}

async fn erasure_in_a_namespace() -> ErasureFixture {
    ErasureFixture::new(connect(support::options()).await)
}

mod erasure {
    invitation_conformance::erasure_conformance!(super::erasure_in_a_namespace);
}

mod documents {
    invitation_conformance::documents_conformance!(super::documents_in_a_namespace);
}

struct Place(RedisOptions);

#[async_trait::async_trait]
impl model::StoreProvider for Place {
    async fn open(&mut self) -> Arc<dyn Store> {
        Arc::new(connect(self.0.clone()).await)
    }
}

#[test]
fn sequences_agree() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let place = || Place(support::options());
    model::check(33, 350, 10, &runtime, place);
    model::check(34, 150, 25, &runtime, place);
}
