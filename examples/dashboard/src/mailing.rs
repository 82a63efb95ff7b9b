//! Sends the codes of invitations to their addresses, and reminders before they expire.

use std::{process, sync::Arc, time::Duration};

use invitation::{
    Paging, Store, SystemActor,
    delivery::{
        Consumer, Deliveries, RegistrationPage,
        mail::{MailQueue, MailWorker, Mailer, Phrases, StandardTemplate},
    },
    store::feed::{CursorHolder, CursorName, Feed, FeedCursors},
};

use crate::{Result, addresses::Addresses};

/// The time between two rounds.
const PAUSE: Duration = Duration::from_secs(1);

/// The number of rounds between two searches for invitations to remind of.
const ROUNDS: u32 = 600;

/// The time before the expiry at which a recipient is reminded.
const BEFORE: time::Duration = time::Duration::days(2);

type AnyStore = Arc<dyn Store>;

/// Starts the task that sends mails until the program ends. On several machines, each runs it.
pub(crate) fn start<F>(
    feed: F,
    deliveries: Deliveries<AnyStore>,
    mailer: Arc<dyn Mailer>,
    addresses: &Addresses,
) -> Result
where
    F: Feed + FeedCursors + 'static,
{
    let holder = CursorHolder::new(format!("demo:{}", process::id()))?;
    let consumer = Consumer::new(feed, CursorName::new("mail")?, holder);
    let template = StandardTemplate::new(Phrases::english("the demonstration"));
    let domain = "invitation-demo.example".parse()?;
    let worker = MailWorker::new(deliveries.clone(), mailer, template, domain)
        .with_page(RegistrationPage::new(addresses.base.clone()));
    let queue = MailQueue::new(deliveries.clone());
    let reminder = SystemActor::new("reminder")?;
    tokio::spawn(async move {
        for round in (0..ROUNDS).cycle() {
            // A failure is passing: the next round goes on where this one stopped.
            if let Err(error) = consumer.run(&queue).await {
                tracing::warn!(%error, "the mails of new invitations are not queued");
            }
            if round == 0 {
                remind(&deliveries, &reminder).await;
            }
            if let Err(error) = worker.run().await {
                tracing::warn!(%error, "mails are not sent");
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    Ok(())
}

async fn remind(deliveries: &Deliveries<AnyStore>, reminder: &SystemActor) {
    let mut paging = Paging::default();
    loop {
        match deliveries.remind(reminder, BEFORE, paging).await {
            Ok(page) => match page.next() {
                Some(next) => paging = paging.after(next),
                None => return,
            },
            Err(error) => return tracing::warn!(%error, "reminders are not queued"),
        }
    }
}
