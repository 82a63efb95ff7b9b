//! The worker that sends what is due.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};

use futures_util::{
    future::{Either, select},
    stream::{self, StreamExt as _},
};
use invitation_core::{
    EmailDomain, Error, RegistrationPage, Store, SystemActor,
    delivery::{
        ClaimedDelivery, Deliveries, Delivery, DeliveryFailure, DeliveryPurpose, FailureKind,
    },
};
use time::Duration;

use super::{Mail, MailContext, MailTemplate, Mailer, Unsubscribe, unsubscribe};
use crate::Backoff;

/// The default lease of a claim. It is longer than the time that `SmtpMailer` has for a mail.
const LEASE: Duration = Duration::minutes(15);

/// The default number of deliveries of one run.
const BATCH: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// The default number of mails that are sent at a time.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).expect("not zero");

/// The number of counts of mails that one run removes at most.
const COUNTS: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// The result of one run of a [`MailWorker`], as numbers of deliveries.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Worked {
    /// The deliveries that were due.
    pub due: usize,
    /// The mails that were sent.
    pub sent: usize,
    /// The attempts that failed.
    pub failed: usize,
    /// Whether there may be more deliveries that are due. Run again at once.
    pub more: bool,
}

/// The worker that sends the mails that are due.
///
/// Any number of machines may run it on one store: each delivery is claimed by one of them.
/// [The module](super) shows its use.
#[derive(Clone, Debug)]
pub struct MailWorker<S> {
    deliveries: Deliveries<S>,
    mailer: Arc<dyn Mailer>,
    template: Arc<dyn MailTemplate>,
    domain: EmailDomain,
    page: Option<RegistrationPage>,
    unsubscribe: Option<Arc<dyn Unsubscribe>>,
    actor: SystemActor,
    backoff: Backoff,
    lease: Duration,
    batch: NonZeroU32,
    in_parallel: NonZeroUsize,
}

/// The result of one attempt.
enum Attempt {
    Sent,
    Failed,
    /// The delivery has ended, or another worker has it.
    None,
}

impl<S: Store> MailWorker<S> {
    /// Creates a worker. `domain` is one of the host's; the Message-IDs of its mails end with it.
    #[must_use]
    pub fn new(
        deliveries: Deliveries<S>,
        mailer: impl Mailer + 'static,
        template: impl MailTemplate + 'static,
        domain: EmailDomain,
    ) -> Self {
        Self {
            deliveries,
            mailer: Arc::new(mailer),
            template: Arc::new(template),
            domain,
            page: None,
            unsubscribe: None,
            actor: SystemActor::new("mail").unwrap_or_else(|_| SystemActor::for_bootstrap()),
            backoff: Backoff::default(),
            lease: LEASE,
            batch: BATCH,
            in_parallel: AT_ONCE,
        }
    }

    /// Sets the host's page that accepts codes. Without it, a mail has no link.
    #[must_use]
    pub fn with_page(self, page: RegistrationPage) -> Self {
        Self { page: Some(page), ..self }
    }

    /// Lets recipients refuse reminders: a reminder has the header `List-Unsubscribe`.
    #[must_use]
    pub fn with_unsubscribe(self, unsubscribe: impl Unsubscribe + 'static) -> Self {
        Self { unsubscribe: Some(Arc::new(unsubscribe)), ..self }
    }

    /// Sets the actor of the events. The default has the name `mail`.
    #[must_use]
    pub fn with_actor(self, actor: SystemActor) -> Self {
        Self { actor, ..self }
    }

    /// Sets the waiting times between the attempts of a delivery.
    #[must_use]
    pub fn with_backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Sets the lease of a claim: the time in which an attempt must end. After it, another worker
    /// sends the mail. The default is 15 minutes.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Sets the maximum number of deliveries of one run. The default is 100.
    #[must_use]
    pub fn with_batch(self, batch: NonZeroU32) -> Self {
        Self { batch, ..self }
    }

    /// Sets the maximum number of mails that are sent at a time. The default is 4.
    #[must_use]
    pub fn with_mails_at_once(self, in_parallel: NonZeroUsize) -> Self {
        Self { in_parallel, ..self }
    }

    /// Sends the mails that are due, at most one [batch](Self::with_batch), and returns what
    /// became of them.
    ///
    /// Dropping the call is safe: the claimed mails are due again at the end of the lease.
    ///
    /// A run ends with its slowest mail, with [`SmtpMailer`](super::SmtpMailer) after up to 12 minutes.
    /// Several runs at a time, also in one process, share the deliveries, so that a slow mail does not
    /// hold up the others.
    ///
    /// Two round trips, and three for each delivery: four if it is counted or draws a code. One more
    /// for each old count that is removed.
    ///
    /// # Errors
    ///
    /// [`Error`] of the store. The other deliveries of the batch are worked on nevertheless.
    pub async fn run(&self) -> Result<Worked, Error> {
        let due = self.deliveries.due(self.batch).await?;
        let batch = usize::try_from(self.batch.get()).unwrap_or(usize::MAX);
        let mut worked = Worked { due: due.len(), more: due.len() >= batch, ..Worked::default() };
        let mut first_error = None;
        // Collected first: of a lazy map the compiler does not see that the futures can be sent.
        let attempts: Vec<_> = due.iter().map(|delivery| self.attempt(delivery)).collect();
        let mut attempts = stream::iter(attempts).buffer_unordered(self.in_parallel.get());
        while let Some(attempt) = attempts.next().await {
            match attempt {
                Ok(Attempt::Sent) => worked.sent += 1,
                Ok(Attempt::Failed) => worked.failed += 1,
                Ok(Attempt::None) => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        // Whatever became of the mails: each of them may have added a count.
        let removed = self.deliveries.remove_old_counts(COUNTS.max(self.batch)).await;
        if let Some(error) = first_error {
            return Err(error);
        }
        removed?;
        Ok(worked)
    }

    async fn attempt(&self, delivery: &Delivery) -> Result<Attempt, Error> {
        let attempts = self.backoff.attempts();
        let claimed = self.deliveries.claim(&self.actor, delivery, self.lease, attempts).await?;
        let Some(claimed) = claimed else { return Ok(Attempt::None) };
        let mail = match self.mail(&claimed).await {
            Ok(Some(mail)) => mail,
            Ok(None) => {
                self.deliveries.unsubscribed(&self.actor, &claimed).await?;
                return Ok(Attempt::None);
            }
            Err(failure) => return self.failed(&claimed, failure).await,
        };
        match self.mailer.send(&mail).await {
            Ok(()) => {
                self.deliveries.sent(&self.actor, &claimed, mail.message_id()).await?;
                Ok(Attempt::Sent)
            }
            Err(failure) => self.failed(&claimed, failure).await,
        }
    }

    async fn failed(
        &self,
        claimed: &ClaimedDelivery,
        failure: DeliveryFailure,
    ) -> Result<Attempt, Error> {
        let wait = self.backoff.wait_after(claimed.delivery().attempts());
        self.deliveries.failed(&self.actor, claimed, failure, wait).await?;
        Ok(Attempt::Failed)
    }

    /// Makes the mail; none if its recipient refused reminders.
    async fn mail(&self, claimed: &ClaimedDelivery) -> Result<Option<Mail>, DeliveryFailure> {
        let delivery = claimed.delivery();
        let unsubscribe = match (&self.unsubscribe, delivery.purpose()) {
            (Some(unsubscribe), DeliveryPurpose::Reminder) => {
                let answer = unsubscribe.is_unsubscribed(claimed.address());
                match select(answer, unsubscribe.sleep(unsubscribe::TIME_LIMIT)).await {
                    Either::Left((Ok(false), _)) => Some(unsubscribe.url(claimed.invitation())),
                    Either::Left((Ok(true), _)) => return Ok(None),
                    Either::Left((Err(_), _)) => {
                        return Err(DeliveryFailure::new(FailureKind::Other));
                    }
                    Either::Right(_) => return Err(DeliveryFailure::new(FailureKind::TimedOut)),
                }
            }
            _ => None,
        };
        let context = MailContext {
            purpose: delivery.purpose(),
            invitation: claimed.invitation(),
            address: claimed.address(),
            code: claimed.code(),
            link: self.page.as_ref().map(|page| page.link(claimed.code())),
            unsubscribe: unsubscribe.as_ref(),
        };
        let rendered = self
            .template
            .content(&context)
            .map_err(|_| DeliveryFailure::new(FailureKind::NotRendered))?;
        let message_id = claimed.message_id(&self.domain);
        Ok(Some(Mail::new(claimed.address().clone(), message_id, rendered, unsubscribe)))
    }
}
