//! A worker that dies: the mail is sent again, with the same Message-ID.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use invitation_core::delivery::{DeliveryFailure, DeliveryState};
use invitation_delivery::mail::{Mail, Mailer, SmtpMailer};
use invitation_testkit::DropAfter;
use time::Duration;
use tokio::sync::Notify;

use crate::house::House;

/// A mailer that sends, and then never returns: its worker dies between sending and marking.
#[derive(Debug)]
struct DyingAfterSend {
    mailer: SmtpMailer,
    sent: Arc<Notify>,
}

#[async_trait]
impl Mailer for DyingAfterSend {
    async fn send(&self, mail: &Mail) -> Result<(), DeliveryFailure> {
        self.mailer.send(mail).await?;
        self.sent.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn worker_that_dies_between_send_and_mark_sends_again_with_the_same_message_id() {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    house.queue().await;
    let sent = Arc::new(Notify::new());
    let dying = DyingAfterSend { mailer: house.mailer(), sent: Arc::clone(&sent) };
    let dying = house.worker_with(dying);
    tokio::select! {
        worked = dying.run() => panic!("{worked:?}"),
        () = sent.notified() => {}
    }
    assert_eq!(house.worker().run().await.unwrap().due, 0, "the claim still holds");
    house.clock.advance(Duration::minutes(15));
    assert_eq!(house.worker().run().await.unwrap().sent, 1);
    let mails = house.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].message_id, mails[1].message_id);
    assert_eq!(mails[0].message_id, format!("<{}@example.com>", house.delivery(id).await.id()));
    assert_eq!(house.delivery(id).await.state(), DeliveryState::Sent);
    house.clock.advance(Duration::days(1));
    assert_eq!(house.worker().run().await.unwrap().due, 0);
}

#[tokio::test]
async fn worker_dropped_at_any_await_loses_no_mail() {
    // The number of polls differs from run to run, because the mail server answers in pieces.
    for polls in 0..40 {
        let house = House::new();
        house.invite("anna@example.com").await;
        house.queue().await;
        let worker = house.worker();
        let done = DropAfter::new(worker.run(), polls).await.is_some();
        house.clock.advance(Duration::minutes(15));
        let sent = worker.run().await.unwrap().sent;
        let mails = house.mails();
        let ids: std::collections::BTreeSet<_> =
            mails.iter().map(|mail| &mail.message_id).collect();
        assert!(!mails.is_empty() && ids.len() == 1, "{polls} polls: {} mails", mails.len());
        if done {
            assert_eq!((sent, mails.len()), (0, 1), "{polls} polls");
            return;
        }
    }
    panic!("it never completed");
}

/// A mailer that fails once with an unknown result after the server took the mail.
#[derive(Debug)]
struct LosingTheAnswer {
    mailer: SmtpMailer,
    lost: AtomicBool,
}

#[async_trait]
impl Mailer for LosingTheAnswer {
    async fn send(&self, mail: &Mail) -> Result<(), DeliveryFailure> {
        self.mailer.send(mail).await?;
        if self.lost.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        Err(DeliveryFailure::new(invitation_core::delivery::FailureKind::Unreachable))
    }
}

#[tokio::test]
async fn lost_answer_of_the_server_sends_again_with_the_same_message_id() {
    let house = House::new();
    house.invite("anna@example.com").await;
    let mailer = LosingTheAnswer { mailer: house.mailer(), lost: AtomicBool::new(false) };
    let worked = house.deliver(&house.worker_with(mailer), Duration::minutes(2)).await;
    assert_eq!((worked.sent, worked.failed), (1, 1));
    let mails = house.mails();
    assert!(mails.len() == 2 && mails[0].message_id == mails[1].message_id);
}
