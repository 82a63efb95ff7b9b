//! The outbox. Without `SMTP_URL` this demonstration sends no mail; an administrator reads it here
//! instead. The mails that confirm an address stay here in either case.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use invitation::{
    Email,
    delivery::{
        DeliveryFailure,
        mail::{Mail as InvitationMail, Mailer},
    },
    store::EmailKey,
};
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// The maximum number of mails that are kept; older ones are removed.
const KEPT: usize = 1_000;

/// The maximum number of mails to an address within [`WINDOW_SECONDS`]. The holder of a
/// code must not be able to flood another person's mailbox.
const PER_ADDRESS: usize = 5;
const WINDOW_SECONDS: i64 = 15 * 60;

/// All mails of this process, in memory only. They contain tokens and codes in clear text. A real
/// host hands them to a mail server.
#[derive(Default)]
pub(crate) struct Outbox(Mutex<VecDeque<Sent>>);

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbox(…)")
    }
}

struct Sent {
    to: EmailKey,
    /// The time in seconds of a mail that counts against the limit of its address. The library
    /// limits the mails of invitations.
    at: Option<i64>,
    mail: Mail,
}

/// A mail, as the administrator sees it.
#[derive(Clone, Serialize)]
pub(crate) struct Mail {
    to: String,
    subject: Cow<'static, str>,
    body: String,
    /// The registration and the token, separately, for tests and demonstrations.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The Message-ID of the mail of an invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
}

/// What a mail is for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MailKind {
    /// It asks to confirm a registration.
    #[default]
    Confirmation,
    /// It brings the code of an invitation.
    Invitation,
}

impl Mail {
    fn kind(&self) -> MailKind {
        if self.token.is_some() { MailKind::Confirmation } else { MailKind::Invitation }
    }
}

/// The error for an address that received too many mails recently.
#[derive(Debug)]
pub(crate) struct TooManyMails;

impl Outbox {
    /// Asks the reader of the mailbox `to` to confirm a registration.
    pub(crate) fn ask_to_confirm(
        &self,
        to: &Email,
        registration: &Secret,
        token: &Secret,
        page: &str,
        now: i64,
    ) -> Result<(), TooManyMails> {
        let (registration, token) = (registration.reveal(), token.reveal());
        // The token is in the fragment, which browsers do not send: no server logs it.
        let body = format!(
            "Somebody, probably you, wants to register with an invitation for this address.\n\
             \n\
             To confirm, open\n\
             {page}#{registration}~{token}\n\
             or enter there\n\
             registration: {registration}\n\
             token: {token}\n\
             \n\
             If it was not you, do nothing.\n"
        );
        let mail = Mail {
            to: to.as_str().to_owned(),
            subject: "Confirm your registration".into(),
            body,
            registration: Some(registration.to_owned()),
            token: Some(token.to_owned()),
            message_id: None,
        };
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |earlier: &&Sent| {
            earlier.to == *to.key() && earlier.at.is_some_and(|at| now - at < WINDOW_SECONDS)
        };
        if sent.iter().filter(is_recent).count() >= PER_ADDRESS {
            return Err(TooManyMails);
        }
        keep(&mut sent, Sent { to: to.key().clone(), at: Some(now), mail });
        Ok(())
    }

    /// Returns the mails of a kind to an address, or to all addresses, newest first.
    pub(crate) fn read(&self, to: Option<&Email>, kind: MailKind) -> Vec<Mail> {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted =
            |sent: &&Sent| sent.mail.kind() == kind && to.is_none_or(|to| sent.to == *to.key());
        sent.iter().rev().filter(wanted).map(|sent| sent.mail.clone()).collect()
    }
}

fn keep(all: &mut VecDeque<Sent>, sent: Sent) {
    if all.len() >= KEPT {
        all.pop_front();
    }
    all.push_back(sent);
}

/// The mails of invitations, for the worker of the library.
#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, mail: &InvitationMail) -> Result<(), DeliveryFailure> {
        let kept = Mail {
            to: mail.to().as_str().to_owned(),
            subject: mail.subject().to_owned().into(),
            body: mail.text().to_owned(),
            registration: None,
            token: None,
            message_id: Some(mail.message_id().to_string()),
        };
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keep(&mut sent, Sent { to: mail.to().key().clone(), at: None, mail: kept });
        Ok(())
    }
}
