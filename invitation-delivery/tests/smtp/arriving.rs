//! Each created invitation with an address arrives, whatever the server does meanwhile.

use std::collections::BTreeMap;

use invitation_core::{
    Amendment, IfVersion,
    delivery::{DeliveryState, FailureKind, Resend},
};
use time::Duration;

use crate::house::{House, admin};

/// Asserts that the server has one mail for each of these addresses, with their own code.
fn each_has_one(house: &House, codes: &BTreeMap<String, String>) {
    let mails = house.mails();
    let recipients: Vec<_> = mails.iter().map(|mail| mail.recipients.clone()).collect();
    assert_eq!(mails.len(), codes.len(), "{recipients:?}");
    for mail in mails {
        let code = &codes[&mail.recipients];
        assert_eq!(mail.to, mail.recipients, "no other recipient");
        assert!(mail.text.contains(code.as_str()) && mail.html.contains(code.as_str()));
        assert!(mail.text.contains(&format!("https://example.com/register#{code}")));
    }
}

async fn invite_all(
    house: &House,
    names: impl Iterator<Item = String>,
) -> BTreeMap<String, String> {
    let mut codes = BTreeMap::new();
    for name in names {
        let address = format!("{name}@example.com");
        let created = house.invite(&address).await;
        codes.insert(address, created.code().reveal().to_string());
    }
    codes
}

#[tokio::test]
async fn every_invitation_arrives_once_although_some_are_deferred_and_slow() {
    let house = House::new();
    let names = (0..30).map(|n| match n % 3 {
        0 => format!("deferred{n}"),
        1 => format!("slow{n}"),
        _ => format!("anna{n}"),
    });
    let codes = invite_all(&house, names).await;
    let run = house.deliver(&house.worker(), Duration::minutes(2)).await;
    assert_eq!((run.sent, run.failed), (30, 10));
    each_has_one(&house, &codes);
    assert!(house.failed().await.is_empty());
}

#[tokio::test]
async fn invitations_arrive_when_the_server_is_started_later() {
    let house = House::new();
    house.server.stop_now().unwrap();
    let codes = invite_all(&house, (0..10).map(|n| format!("anna{n}"))).await;
    let run = house.deliver(&house.worker(), Duration::minutes(5)).await;
    assert!(run.sent == 0 && run.failed >= 10, "{run:?}");
    let created = house.failed().await;
    assert!(created.is_empty(), "they are still tried: {created:?}");
    house.server.start_again().unwrap();
    let run = house.deliver(&house.worker(), Duration::hours(1)).await;
    assert_eq!((run.sent, run.failed), (10, 0));
    each_has_one(&house, &codes);
}

#[tokio::test]
async fn refused_mail_fails_at_once_and_arrives_at_another_address() {
    let house = House::new();
    let refused = house.invite("refused@example.com").await;
    let anna = house.invite("anna@example.com").await;
    let worker = house.worker();
    let run = house.deliver(&worker, Duration::minutes(10)).await;
    assert_eq!((run.sent, run.failed), (1, 1), "one attempt");
    let [failed] = &house.failed().await[..] else { panic!("one failed") };
    assert_eq!(failed.invitation(), refused.invitation().id());
    let failure = failed.failure().unwrap();
    assert_eq!((failure.kind(), failure.reply()), (FailureKind::Refused, Some(550)));
    let retried = house.deliveries.retry(&admin(), failed.id()).await.unwrap();
    assert_eq!(retried.state(), DeliveryState::Queued);
    let run = house.deliver(&worker, Duration::minutes(10)).await;
    assert_eq!((run.sent, run.failed), (0, 1));

    let id = refused.invitation().id();
    let other = Amendment::new().for_email("ben@example.com".parse().unwrap());
    house.invitations.amend(&admin(), id, other, IfVersion::Any).await.unwrap();
    house.deliveries.resend(&admin(), id, Resend::new()).await.unwrap();
    assert_eq!(house.deliver(&worker, Duration::ZERO).await.sent, 1);
    let mails = house.mails();
    let recipients: Vec<_> = mails.iter().map(|mail| &*mail.recipients).collect();
    assert_eq!(recipients, ["anna@example.com", "ben@example.com"]);
    assert!(mails[1].text.contains(refused.code().reveal().as_str()), "the same code");
    assert_eq!(house.delivery(anna.invitation().id()).await.state(), DeliveryState::Sent);
}

#[tokio::test]
async fn server_that_hangs_is_given_up_in_time_and_gets_one_mail_afterwards() {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    let limit = std::time::Duration::from_millis(300);
    let worker = house.worker_with(house.mailer().with_time_limits(limit, limit * 4));
    house.queue().await;
    house.server.freeze().unwrap();
    for _ in 0..3 {
        assert_eq!(worker.run().await.unwrap().failed, 1);
        let failure = house.delivery(id).await.failure().unwrap();
        assert_eq!(failure.kind(), FailureKind::TimedOut);
        house.clock.advance(Duration::hours(1));
    }
    house.server.thaw().unwrap();
    assert_eq!(house.deliver(&house.worker(), Duration::minutes(1)).await.sent, 1);
    assert_eq!(house.mails().len(), 1, "the attempts of before do not go on");
}

#[tokio::test]
async fn resend_with_a_new_code_arrives_with_that_code_only() {
    let house = House::new();
    let created = house.invite("anna@example.com").await;
    let worker = house.worker();
    house.deliver(&worker, Duration::ZERO).await;
    let resend = Resend::new().with_new_code();
    house.deliveries.resend(&admin(), created.invitation().id(), resend).await.unwrap();
    assert_eq!(house.deliver(&worker, Duration::ZERO).await.sent, 1);
    let mails = house.mails();
    let code = created.code().reveal();
    assert!(mails[0].text.contains(code.as_str()) && !mails[1].text.contains(code.as_str()));
    assert_ne!(mails[0].message_id, mails[1].message_id, "another mail");
}
