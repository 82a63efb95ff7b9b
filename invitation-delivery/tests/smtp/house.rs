//! A host that sends mails: a store in memory, a mail server of the test's own, and a clock.

use std::{num::NonZeroU32, sync::Arc, time::Duration as StdDuration};

use invitation_core::{
    Actor, Created, Division, Draft, Email, InvitationId, Invitations, ManualClock, MemoryStore,
    Paging, Role, Timestamp, UserId,
    delivery::{BaseUrl, Deliveries, Delivery, DeliveryState, RegistrationPage},
    feed::{CursorHolder, CursorName},
};
use invitation_delivery::{
    Consumer, Progress,
    mail::{MailQueue, MailWorker, Mailer, Phrases, SmtpMailer, StandardTemplate, Worked},
};
use invitation_testkit::{ReceivedMail, Smtp};
use time::Duration;

pub(crate) type Store = Arc<MemoryStore>;

pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) invitations: Invitations<Store>,
    pub(crate) deliveries: Deliveries<Store>,
    pub(crate) server: Smtp,
}

impl House {
    pub(crate) fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = ManualClock::new(Timestamp::from_micros(1_900_000_000_000_000).unwrap());
        let invitations = Invitations::new(Arc::clone(&store)).with_clock(clock.clone());
        let deliveries = Deliveries::new(invitations.clone(), Arc::<MemoryStore>::clone(&store));
        let server = Smtp::start().unwrap();
        Self { store, clock, invitations, deliveries, server }
    }

    pub(crate) fn mailer(&self) -> SmtpMailer {
        let command = StdDuration::from_secs(5);
        SmtpMailer::new(&self.server.url(), "Perfect10 <no-reply@example.com>")
            .unwrap()
            .with_time_limits(command, StdDuration::from_secs(20))
    }

    pub(crate) fn worker(&self) -> MailWorker<Store> {
        self.worker_with(self.mailer())
    }

    pub(crate) fn worker_with(&self, mailer: impl Mailer + 'static) -> MailWorker<Store> {
        let template = StandardTemplate::new(Phrases::english("Perfect10"));
        let domain = "example.com".parse().unwrap();
        let page = RegistrationPage::new(BaseUrl::parse("https://example.com").unwrap());
        MailWorker::new(self.deliveries.clone(), mailer, template, domain).with_page(page)
    }

    pub(crate) async fn invite(&self, address: &str) -> Created {
        let draft = staff().for_email(Email::parse(address).unwrap());
        self.invitations.create(&admin(), draft).await.unwrap()
    }

    /// Queues the mails of the events that no earlier call processed.
    pub(crate) async fn queue(&self) {
        let (name, holder) = (CursorName::new("mail"), CursorHolder::new("host-1"));
        let consumer = Consumer::new(Arc::clone(&self.store), name.unwrap(), holder.unwrap())
            .with_clock(self.clock.clone())
            .with_page_size(NonZeroU32::new(7).unwrap());
        let queue = MailQueue::new(self.deliveries.clone());
        assert_eq!(consumer.run(&queue).await.unwrap(), Progress::UpToDate);
    }

    /// Queues, and runs the worker until nothing is due, as time passes.
    pub(crate) async fn deliver(&self, worker: &MailWorker<Store>, passing: Duration) -> Worked {
        self.queue().await;
        let mut all = Worked::default();
        let end = self.clock_at(passing);
        loop {
            let run = worker.run().await.unwrap();
            all.sent += run.sent;
            all.failed += run.failed;
            if self.invitations.now() >= end {
                return all;
            }
            if run.due == 0 {
                self.clock.advance(Duration::seconds(30));
            }
        }
    }

    fn clock_at(&self, ahead: Duration) -> Timestamp {
        self.invitations.now().checked_add(ahead).unwrap()
    }

    pub(crate) fn mails(&self) -> Vec<ReceivedMail> {
        self.server.mails().unwrap()
    }

    /// Returns the latest delivery of an invitation.
    pub(crate) async fn delivery(&self, id: InvitationId) -> Delivery {
        let page = self.deliveries.of_invitation(&admin(), id, Paging::default()).await.unwrap();
        page.items()[0].clone()
    }

    pub(crate) async fn failed(&self) -> Vec<Delivery> {
        let state = Some(DeliveryState::Failed);
        self.deliveries.list(&admin(), state, Paging::first(200).unwrap()).await.unwrap().items
    }
}

pub(crate) fn staff() -> Draft {
    let (role, division) = (Role::new("staff").unwrap(), Division::new("sales").unwrap());
    Draft::new().with_role(role).in_division(division)
}

pub(crate) fn admin() -> Actor {
    Actor::across_divisions(UserId::new("u-admin").unwrap(), Role::new("admin").unwrap())
}
