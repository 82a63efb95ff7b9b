//! Webhooks whose receivers are on this machine.

use std::{net::TcpListener, sync::Arc};

use invitation_core::{ManualClock, MemoryStore};
use invitation_delivery::{
    Backoff,
    webhook::{Addresses, NewEndpoint, Transport, Webhooks},
};
use time::Duration;

/// Returns webhooks that try each event once, and may connect to this machine.
pub(crate) fn webhooks(
    store: &Arc<MemoryStore>,
    clock: &ManualClock,
) -> Webhooks<Arc<MemoryStore>> {
    let addresses = Addresses::public().and("127.0.0.0/8").expect("a network");
    let transport = Transport::default().with_addresses(addresses);
    let webhooks = Webhooks::new(Arc::clone(store), &transport).expect("a client");
    let once = Backoff::new(Duration::SECOND, Duration::SECOND, 1);
    webhooks.with_clock(clock.clone()).with_backoff(once)
}

/// Returns the URL of a receiver that does not listen.
pub(crate) fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}/hook?key=T0KEN", listener.local_addr().expect("an address"))
}

/// Registers an endpoint that does not listen, and lets the event of `invite` fail there.
pub(crate) async fn stop_one(webhooks: &Webhooks<Arc<MemoryStore>>, invite: impl Future) {
    let crm = NewEndpoint::new("crm hooks", &closed()).expect("an endpoint");
    webhooks.register(crm).await.expect("it is registered");
    invite.await;
    let run = webhooks.run().await.expect("it runs");
    assert_eq!(run.stopped.len(), 1, "{run:?}");
}
