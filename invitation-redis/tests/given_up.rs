//! Calls that wait for replicas and are given up by their callers.

mod support;

use std::{num::NonZeroU32, time::Duration};

use invitation_core::{
    Invitations,
    throttle::{BudgetKey, BudgetWindow, SharedBudgets},
};
use invitation_redis::RedisStore;
use invitation_testkit::Redis;
use support::{admin, options, staff};

const TOKENS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const WINDOW: BudgetWindow = BudgetWindow::from_minute(10);

/// Two calls share a WAIT, and the one that sends it is given up meanwhile. The script of the other
/// one is not sent again, so its tokens count once.
#[tokio::test]
async fn script_that_shares_a_wait_runs_once_although_the_other_call_is_given_up() {
    let (primary, options) = (Redis::start().unwrap(), options());
    let hash = format!("{{{}}}:budgets", options.namespace());
    let options = options.wait_replicas(NonZeroU32::MIN, Duration::from_secs(1));
    let store = RedisStore::connect(&primary.url(), options).await.unwrap();
    let invitations = Invitations::new(store.clone());
    let key = BudgetKey::from_bytes([7; BudgetKey::BYTES]);
    let client = redis::Client::open(primary.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut counted = async || -> Option<String> {
        let mut get = redis::cmd("HGET");
        get.arg(&hash).arg(key.as_bytes()).query_async(&mut connection).await.unwrap()
    };
    // The server learns the scripts.
    invitations.create(&admin(), staff()).await.unwrap_err();
    let other = BudgetKey::from_bytes([8; BudgetKey::BYTES]);
    store.take_tokens(&other, WINDOW, TOKENS).await.unwrap_err();
    // While the first call waits, the second and the third one queue in this order, because the
    // runtime has one thread.
    let create = || {
        let invitations = invitations.clone();
        tokio::spawn(async move { invitations.create(&admin(), staff()).await.map(drop) })
    };
    let (first, second) = (create(), create());
    let third = tokio::spawn(async move { store.take_tokens(&key, WINDOW, TOKENS).await });
    first.await.unwrap().unwrap_err();
    // The script runs at the beginning of its WAIT.
    while counted().await.is_none() {}
    second.abort();
    third.await.unwrap().unwrap_err();
    assert_eq!(counted().await.as_deref(), Some("10:5"));
}

#[tokio::test]
async fn any_response_timeout_can_be_set() {
    let options = options().with_response_timeout(Duration::MAX);
    RedisStore::connect(&Redis::shared().url(), options).await.unwrap();
}
