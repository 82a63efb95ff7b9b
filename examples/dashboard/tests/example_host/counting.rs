//! The funnel of the demonstration.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::host::{Host, Store, answer};

/// Reads the funnel until it counts so many created and sent invitations.
async fn funnel(host: &Host, who: &str, created: u64, sent: u64) -> Value {
    let mut last = Value::Null;
    for _ in 0..300 {
        let request = host.ask_as(who, Method::GET, "/api/invitations/funnel");
        last = answer(request).await.is(200).json();
        if last["created"] == json!(created) && last["sent"] == json!(sent) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{last}");
}

/// The invitations that the demonstration begins with are counted once, across a restart too.
pub(crate) async fn invitations_of_the_beginning_are_counted_once(store: &Store) {
    let mut host = store.start().await;
    for _ in 0..2 {
        let all = funnel(&host, "admin", 6, 1).await;
        let numbers = ["redeemed", "active", "expired", "used", "revoked", "deleted"];
        let numbers = numbers.map(|name| all[name].as_u64().expect("a number"));
        assert_eq!(numbers, [1, 3, 1, 1, 1, 0], "{all}");
        let own = funnel(&host, "operations-manager", 1, 0).await;
        assert_eq!(own["active"], json!(1));
        host.kill();
        host = store.start().await;
    }
    host.code().await;
    funnel(&host, "admin", 7, 1).await;
    let page = answer(host.ask_as("admin", Method::GET, "/invitations/funnel")).await;
    page.is(200).says("Created 7, Sent 1, Redeemed 1");
}
