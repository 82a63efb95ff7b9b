//! The port that makes the text of a mail.

use std::fmt;

use invitation_core::{
    Email, Invitation, InvitationCode, RegistrationLink, delivery::DeliveryPurpose,
};

use super::{Content, ContentError, UnsubscribeUrl};

/// What a template knows about a mail.
#[derive(Debug)]
pub struct MailContext<'a> {
    pub(super) purpose: DeliveryPurpose,
    pub(super) invitation: &'a Invitation,
    pub(super) address: &'a Email,
    pub(super) code: &'a InvitationCode,
    pub(super) link: Option<RegistrationLink>,
    pub(super) unsubscribe: Option<&'a UnsubscribeUrl>,
}

impl MailContext<'_> {
    /// Returns the reason for which the mail is sent.
    #[must_use]
    pub fn purpose(&self) -> DeliveryPurpose {
        self.purpose
    }

    /// Returns the invitation: its role, division, expiry and metadata.
    ///
    /// A host with several languages finds the recipient's language in the metadata.
    #[must_use]
    pub fn invitation(&self) -> &Invitation {
        self.invitation
    }

    /// Returns the address of the recipient.
    #[must_use]
    pub fn address(&self) -> &Email {
        self.address
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> &InvitationCode {
        self.code
    }

    /// Returns the registration link; none if the worker has no
    /// [page](super::MailWorker::with_page).
    #[must_use]
    pub fn link(&self) -> Option<&RegistrationLink> {
        self.link.as_ref()
    }

    /// Returns the address by which the recipient refuses reminders. Only a reminder has one.
    #[must_use]
    pub fn unsubscribe(&self) -> Option<&UnsubscribeUrl> {
        self.unsubscribe
    }
}

/// A maker of the texts of mails.
///
/// [`StandardTemplate`](super::StandardTemplate) is one. A host with its own template engine
/// implements the trait:
///
/// ```
/// # mod invitation { pub use invitation_delivery as delivery; }
/// use invitation::delivery::mail::{Content, ContentError, MailContext, MailTemplate};
///
/// #[derive(Debug)]
/// struct German;
///
/// impl MailTemplate for German {
///     fn content(&self, mail: &MailContext<'_>) -> Result<Content, ContentError> {
///         let code = mail.code().reveal();
///         let text = format!("Ihr Code: {}\n", code.as_str());
///         Content::new("Ihre Einladung", text)
///     }
/// }
/// ```
pub trait MailTemplate: fmt::Debug + Send + Sync {
    /// Makes the subject and the text of a mail.
    ///
    /// # Errors
    ///
    /// [`ContentError`] when this is not possible. The mail then fails, and a person can retry.
    fn content(&self, mail: &MailContext<'_>) -> Result<Content, ContentError>;
}
