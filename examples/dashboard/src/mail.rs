//! The outbox. This demonstration sends no mail; an administrator reads it here instead.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use invitation::{Email, store::EmailKey};
use serde::Serialize;

use crate::secret::Secret;

/// The maximum number of mails that are kept; older ones are removed.
const KEPT: usize = 1_000;

/// The maximum number of mails to an address within [`WINDOW_SECONDS`]. The holder of a
/// code must not be able to flood another person's mailbox.
const PER_ADDRESS: usize = 5;
const WINDOW_SECONDS: i64 = 15 * 60;

/// All mails of this process, in memory only. They contain tokens in clear text. A real
/// host hands them to a mail server.
#[derive(Default)]
pub(crate) struct Outbox(Mutex<VecDeque<Sent>>);

struct Sent {
    to: EmailKey,
    at: i64,
    mail: Mail,
}

/// A mail, as the administrator sees it.
#[derive(Clone, Serialize)]
pub(crate) struct Mail {
    to: String,
    subject: &'static str,
    body: String,
    /// The registration and the token, separately, for tests and demonstrations.
    registration: String,
    token: String,
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
            subject: "Confirm your registration",
            body,
            registration: registration.to_owned(),
            token: token.to_owned(),
        };
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent =
            |earlier: &&Sent| earlier.to == *to.key() && now - earlier.at < WINDOW_SECONDS;
        if sent.iter().filter(is_recent).count() >= PER_ADDRESS {
            return Err(TooManyMails);
        }
        if sent.len() >= KEPT {
            sent.pop_front();
        }
        sent.push_back(Sent { to: to.key().clone(), at: now, mail });
        Ok(())
    }

    /// Returns the mails to an address, or all of them, newest first.
    pub(crate) fn read(&self, to: Option<&Email>) -> Vec<Mail> {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |sent: &&Sent| to.is_none_or(|to| sent.to == *to.key());
        sent.iter().rev().filter(wanted).map(|sent| sent.mail.clone()).collect()
    }
}
