//! Servers that do not answer, and servers that refuse for the moment.

use std::time::Duration as StdDuration;

use invitation_core::{
    InvitationId,
    delivery::{DeliveryState, FailureKind},
};
use invitation_delivery::mail::{MailWorker, SmtpMailer};
use time::Duration;

use crate::{
    house::{House, Store},
    scripted::{Script, Scripted, Seen, WILLING},
};

/// The time that a silent server has.
const SHORT: StdDuration = StdDuration::from_millis(300);

/// The time of a server that answers, on a busy machine.
const LONG: StdDuration = StdDuration::from_secs(20);

fn worker(house: &House, server: &Scripted, step: StdDuration) -> MailWorker<Store> {
    let mailer = SmtpMailer::new(&server.url(), "no-reply@example.com").unwrap();
    house.worker_with(mailer.with_time_limits(step, step * 4))
}

/// Lets a worker make this number of attempts, as time passes.
async fn attempt(house: &House, worker: &MailWorker<Store>, times: usize) {
    for _ in 0..times {
        let run = worker.run().await.unwrap();
        assert_eq!((run.due, run.failed), (1, 1));
        house.clock.advance(Duration::hours(1));
    }
}

async fn failure(house: &House, id: InvitationId) -> (DeliveryState, FailureKind, Option<u16>) {
    let delivery = house.delivery(id).await;
    let failure = delivery.failure().unwrap();
    (delivery.state(), failure.kind(), failure.reply())
}

#[tokio::test]
async fn connection_to_a_server_that_is_silent_at_any_step_is_closed() {
    let silent: [Script; 6] = [
        Script { greeting: None, ..WILLING },
        Script { hello: None, ..WILLING },
        Script { sender: None, ..WILLING },
        Script { recipient: None, ..WILLING },
        Script { data: None, ..WILLING },
        Script { acceptance: None, ..WILLING },
    ];
    for (step, script) in silent.into_iter().enumerate() {
        let (house, server) = (House::new(), Scripted::start(script).await);
        let id = house.invite("anna@example.com").await.invitation().id();
        house.queue().await;
        attempt(&house, &worker(&house, &server, SHORT), 3).await;
        let timed_out = (DeliveryState::Queued, FailureKind::TimedOut, None);
        assert_eq!(failure(&house, id).await, timed_out, "step {step}");
        server.until(|seen| seen.connections == 3 && seen.open == 0).await;
    }
}

#[tokio::test]
async fn mail_is_sent_once_accepted_although_quit_is_not_answered() {
    let house = House::new();
    let server = Scripted::start(Script { quit: None, ..WILLING }).await;
    let id = house.invite("anna@example.com").await.invitation().id();
    let worker = worker(&house, &server, LONG * 100);
    let delivered = house.deliver(&worker, Duration::hours(1));
    let run = tokio::time::timeout(LONG, delivered).await.expect("no wait for QUIT's answer");
    assert_eq!((run.sent, run.failed), (1, 0));
    assert_eq!(house.delivery(id).await.state(), DeliveryState::Sent);
    let seen = server.until(|seen| seen.open == 0).await;
    assert_eq!(seen, Seen { connections: 1, open: 0, mails: 1, quits: 1 });
}

#[tokio::test]
async fn dropped_worker_leaves_no_connection() {
    let (house, server) = (House::new(), Scripted::start(WILLING).await);
    server.set(Script { recipient: None, ..WILLING });
    house.invite("anna@example.com").await;
    house.queue().await;
    let worker = worker(&house, &server, LONG);
    tokio::select! {
        run = worker.run() => panic!("{run:?}"),
        _ = server.until(|seen| seen.open == 1) => {}
    }
    let seen = server.until(|seen| seen.open == 0).await;
    assert_eq!((seen.connections, seen.mails), (1, 0));
}

#[tokio::test]
async fn refusal_that_is_not_about_the_mail_is_repeated_until_it_ends() {
    for refusing in [
        Script { greeting: Some("554 no service"), ..WILLING },
        Script { hello: Some("550 not you"), ..WILLING },
        Script { sender: Some("550 sender unknown"), ..WILLING },
        Script { recipient: Some("554 5.7.1 Relay access denied"), ..WILLING },
        Script { recipient: Some("550 5.1.8 Sender address rejected"), ..WILLING },
    ] {
        let (house, server) = (House::new(), Scripted::start(refusing).await);
        let id = house.invite("anna@example.com").await.invitation().id();
        house.queue().await;
        let worker = worker(&house, &server, LONG);
        attempt(&house, &worker, 3).await;
        let (state, kind, reply) = failure(&house, id).await;
        assert_eq!((state, kind), (DeliveryState::Queued, FailureKind::Deferred));
        assert!(matches!(reply, Some(550 | 554)), "{reply:?}");
        server.set(WILLING);
        assert_eq!(worker.run().await.unwrap().sent, 1);
        let seen = server.until(|seen| seen.open == 0).await;
        assert_eq!((seen.connections, seen.mails), (4, 1));
    }
}

#[tokio::test]
async fn refusal_of_the_recipient_or_of_the_mail_is_final() {
    for refusing in [
        Script { recipient: Some("550 no mailbox"), ..WILLING },
        Script { recipient: Some("550 5.1.1 User unknown"), ..WILLING },
        Script { data: Some("554 no valid recipients"), ..WILLING },
        Script { acceptance: Some("554 looks like spam"), ..WILLING },
    ] {
        let (house, server) = (House::new(), Scripted::start(refusing).await);
        let id = house.invite("anna@example.com").await.invitation().id();
        house.queue().await;
        attempt(&house, &worker(&house, &server, LONG), 1).await;
        let (state, kind, _) = failure(&house, id).await;
        assert_eq!((state, kind), (DeliveryState::Failed, FailureKind::Refused));
        let seen = server.until(|seen| seen.open == 0).await;
        assert_eq!(seen.quits, 1);
    }
}
