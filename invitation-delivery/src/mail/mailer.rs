//! The port that sends a mail.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use invitation_core::{
    Email,
    delivery::{DeliveryFailure, MessageId},
};

use super::{Content, UnsubscribeUrl};

/// A mail to one recipient. It contains the code, so `Debug` shows only its Message-ID.
pub struct Mail {
    to: Email,
    message_id: MessageId,
    content: Content,
    unsubscribe: Option<UnsubscribeUrl>,
}

impl Mail {
    pub(super) fn new(
        to: Email,
        message_id: MessageId,
        content: Content,
        unsubscribe: Option<UnsubscribeUrl>,
    ) -> Self {
        Self { to, message_id, content, unsubscribe }
    }

    /// Returns the address of the only recipient.
    #[must_use]
    pub fn to(&self) -> &Email {
        &self.to
    }

    /// Returns the Message-ID. A mail that is sent again has the same one.
    #[must_use]
    pub fn message_id(&self) -> &MessageId {
        &self.message_id
    }

    /// Returns the subject, which has no line break.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.content.subject()
    }

    /// Returns the plain text. It contains the code.
    #[must_use]
    pub fn text(&self) -> &str {
        self.content.text()
    }

    /// Returns the text as HTML, if there is one. It contains the code.
    #[must_use]
    pub fn html(&self) -> Option<&str> {
        self.content.html()
    }

    /// Returns the value of the header `List-Unsubscribe` (RFC 2369), which a reminder may have.
    #[must_use]
    pub fn unsubscribe(&self) -> Option<&UnsubscribeUrl> {
        self.unsubscribe.as_ref()
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// A sender of mails.
///
/// # For implementors
///
/// - `send` MUST end within the [lease](super::MailWorker::with_lease) of the worker: otherwise
///   another worker sends the mail, too.
/// - It MUST return success only if the mail server is now responsible for the mail.
/// - It MUST send the mail with its [Message-ID](Mail::message_id), to its recipient only.
/// - A failure MUST NOT contain text of the server, which may repeat a part of the mail.
#[async_trait]
pub trait Mailer: fmt::Debug + Send + Sync {
    /// Sends a mail once.
    ///
    /// # Errors
    ///
    /// [`DeliveryFailure`] when the mail was not accepted, or when this is unknown.
    async fn send(&self, mail: &Mail) -> Result<(), DeliveryFailure>;
}

#[async_trait]
impl<M: Mailer + ?Sized> Mailer for Arc<M> {
    async fn send(&self, mail: &Mail) -> Result<(), DeliveryFailure> {
        (**self).send(mail).await
    }
}
