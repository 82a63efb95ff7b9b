//! The code is in the mail, and nowhere else.

use invitation_core::delivery::Resend;
use invitation_testkit::{Canary, Log};
use time::Duration;
use tracing::Level;

use crate::house::{House, admin};

#[tokio::test]
async fn logs_and_debug_output_of_sending_contain_neither_code_nor_address() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.writer())
        .with_max_level(Level::TRACE)
        .with_ansi(false)
        .finish();
    // The log has the other tests of this program too, which changes nothing.
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let house = House::new();
    let canary = house.invite("canary@example.com").await;
    let refused = house.invite("refused-canary@example.com").await;
    let worker = house.worker();
    let run = house.deliver(&worker, Duration::minutes(1)).await;
    assert_eq!((run.sent, run.failed), (1, 1));
    house.deliveries.resend(&admin(), canary.invitation().id(), Resend::new()).await.unwrap();
    house.server.stop_now().unwrap();
    house.deliver(&worker, Duration::minutes(1)).await;
    let shown =
        format!("{} {worker:?} {:?} {:?}", log.text(), house.deliveries, house.failed().await);
    assert!(log.text().contains("action=\"deliver\""), "the log is on: {}", log.text());
    for code in [canary.code().reveal(), refused.code().reveal()] {
        assert_eq!(Canary::new(&code).trace_in(shown.as_bytes()), None, "{shown}");
    }
    assert!(!shown.contains("canary@example.com"), "{shown}");
}
