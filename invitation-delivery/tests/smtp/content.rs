//! What a mail says, and what nobody can make it say.

use async_trait::async_trait;
use invitation_core::{
    Division, Email, Invitation,
    delivery::{DeliveryState, FailureKind},
};
use invitation_delivery::mail::{
    Content, ContentError, MailContext, MailTemplate, MailWorker, Unsubscribe, UnsubscribeError,
    UnsubscribeUrl,
};
use time::Duration;

use crate::house::{House, admin, staff};

#[tokio::test]
async fn names_with_markup_are_escaped_and_headers_cannot_be_added() {
    let house = House::new();
    let markup = "<b>&\"Sales\"</b> {{7*7}}";
    let draft = staff()
        .in_division(Division::new(markup).unwrap())
        .for_email(Email::parse("anna@example.com").unwrap());
    house.invitations.create(&admin(), draft).await.unwrap();
    assert_eq!(house.deliver(&house.worker(), Duration::ZERO).await.sent, 1);
    let [mail] = &house.mails()[..] else { panic!("one mail") };
    assert!(mail.text.contains(markup), "{}", mail.text);
    assert!(!mail.html.contains("<b>") && mail.html.contains("&#60;b&#62;&#38;"), "{}", mail.html);
    assert!(mail.html.contains("{{7*7}}"), "{}", mail.html);
    assert_eq!((&*mail.subject, &*mail.unsubscribe), ("Your invitation to Perfect10", ""));
    assert!(mail.text.contains("valid until 24 March 2030, 17:46 UTC."), "{}", mail.text);
}

/// A template whose subject would add a header.
#[derive(Debug)]
struct Injecting;

impl MailTemplate for Injecting {
    fn content(&self, _: &MailContext<'_>) -> Result<Content, ContentError> {
        Content::new("Hello\r\nBcc: everybody@example.com", "text".to_owned())
    }
}

#[tokio::test]
async fn template_that_makes_no_mail_fails_the_delivery_for_good() {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    let domain = "example.com".parse().unwrap();
    let worker = MailWorker::new(house.deliveries.clone(), house.mailer(), Injecting, domain);
    assert_eq!(house.deliver(&worker, Duration::minutes(1)).await.failed, 1);
    let delivery = house.delivery(id).await;
    assert_eq!(delivery.state(), DeliveryState::Failed);
    assert_eq!(delivery.failure().unwrap().to_string(), "not_rendered");
    assert!(house.mails().is_empty());
}

/// A host's list of recipients who refused reminders.
#[derive(Debug)]
struct Refusers(&'static [&'static str]);

#[async_trait]
impl Unsubscribe for Refusers {
    fn url(&self, invitation: &Invitation) -> UnsubscribeUrl {
        UnsubscribeUrl::parse(&format!("https://example.com/stop?i={}", invitation.id())).unwrap()
    }

    async fn is_unsubscribed(&self, recipient: &Email) -> Result<bool, UnsubscribeError> {
        if recipient.as_str().starts_with("unknown") {
            return Err(UnsubscribeError::new("the list cannot be read"));
        }
        if recipient.as_str().starts_with("hanging") {
            return std::future::pending().await;
        }
        Ok(self.0.contains(&recipient.as_str()))
    }

    async fn sleep(&self, time: std::time::Duration) {
        assert_eq!(time.as_secs(), 5);
        tokio::time::sleep(time / 100).await;
    }
}

#[tokio::test]
async fn list_of_refusers_that_does_not_answer_holds_up_no_other_mail() {
    let house = House::new();
    let hanging = house.invite("hanging@example.com").await.invitation().id();
    let worker = house.worker().with_unsubscribe(Refusers(&[]));
    assert_eq!(house.deliver(&worker, Duration::ZERO).await.sent, 1);
    house.clock.advance(Duration::days(6));
    let system = invitation_core::SystemActor::new("mail").unwrap();
    let paging = invitation_core::Paging::default();
    let page = house.deliveries.remind(&system, Duration::days(2), paging).await.unwrap();
    assert_eq!(page.queued(), 1);
    house.invite("anna@example.com").await;
    let limit = std::time::Duration::from_mins(1);
    let run = tokio::time::timeout(limit, house.deliver(&worker, Duration::ZERO)).await.unwrap();
    assert_eq!((run.sent, run.failed), (1, 1));
    let waiting = house.delivery(hanging).await;
    assert_eq!(waiting.state(), DeliveryState::Queued);
    assert_eq!(waiting.failure().unwrap().kind(), FailureKind::TimedOut);
}

#[tokio::test]
async fn reminder_has_a_way_to_refuse_it_and_refusers_get_none() {
    let house = House::new();
    let anna = house.invite("anna@example.com").await.invitation().id();
    let ben = house.invite("ben@example.com").await.invitation().id();
    let unknown = house.invite("unknown@example.com").await.invitation().id();
    let worker = house.worker().with_unsubscribe(Refusers(&["ben@example.com"]));
    assert_eq!(house.deliver(&worker, Duration::ZERO).await.sent, 3);
    assert!(house.mails().iter().all(|mail| mail.unsubscribe.is_empty()), "no reminders");
    house.clock.advance(Duration::days(6));
    let system = invitation_core::SystemActor::new("mail").unwrap();
    let paging = invitation_core::Paging::default();
    let page = house.deliveries.remind(&system, Duration::days(2), paging).await.unwrap();
    assert_eq!(page.queued(), 3);
    let run = house.deliver(&worker, Duration::ZERO).await;
    assert_eq!((run.sent, run.failed), (1, 1));
    let reminder = house.mails().pop().unwrap();
    assert_eq!(reminder.recipients, "anna@example.com");
    assert_eq!(reminder.unsubscribe, format!("<https://example.com/stop?i={anna}>"));
    assert_eq!(reminder.subject, "Your invitation to Perfect10 expires soon");
    assert!(reminder.text.contains(&format!("https://example.com/stop?i={anna}")));
    let cancelled = house.delivery(ben).await;
    assert_eq!(cancelled.state(), DeliveryState::Cancelled);
    assert_eq!(cancelled.reason(), Some(invitation_core::Reason::Unsubscribed));
    assert_eq!(house.delivery(unknown).await.state(), DeliveryState::Queued, "asked again");
}

#[tokio::test]
async fn address_with_an_international_domain_is_sent_to_in_ascii() {
    let house = House::new();
    house.invite("Anna@B\u{fc}cher.example").await;
    assert_eq!(house.deliver(&house.worker(), Duration::ZERO).await.sent, 1);
    assert_eq!(house.mails()[0].recipients, "Anna@xn--bcher-kva.example");
}
