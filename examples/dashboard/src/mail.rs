//! The outbox. Without `SMTP_URL` this demonstration sends no mail; an administrator reads it here
//! instead. The mails that confirm an address stay here in either case.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
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

/// The maximum number of mails of each kind that are kept; older ones are removed. A campaign of
/// invitations must not remove the mail that a newcomer is about to answer.
const KEPT: usize = 1_000;

/// The maximum number of mails to an address within [`WINDOW_SECONDS`]. The holder of a
/// code must not be able to flood another person's mailbox.
const PER_ADDRESS: usize = 5;
const WINDOW_SECONDS: i64 = 15 * 60;

/// The maximum number of addresses whose mails are counted, in all and of one domain. Beyond it,
/// further addresses get no mail until the window of an earlier one has passed: the memory is bounded,
/// and so is the limit. The holder of a code for a domain must not be able to keep the mails of other
/// domains away.
const COUNTED: usize = 10_000;
const COUNTED_OF_DOMAIN: usize = 500;

/// All mails of this process, in memory only. They contain tokens and codes in clear text. A real
/// host hands them to a mail server.
#[derive(Default)]
pub(crate) struct Outbox(Mutex<Mails>);

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbox(…)")
    }
}

#[derive(Default)]
struct Mails {
    confirmations: VecDeque<Sent>,
    invitations: VecDeque<Sent>,
    /// The times, in seconds, of the recent confirmations to each address. They are counted apart
    /// from the mails, which may be removed earlier. The library limits the mails of invitations.
    recent: HashMap<EmailKey, Vec<i64>>,
}

struct Sent {
    to: EmailKey,
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

/// The error for an address that received too many mails recently, or whose domain did.
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
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mails.count(to.key(), now)?;
        mails.keep(to.key(), mail);
        Ok(())
    }

    /// Returns the mails of a kind to an address, or to all addresses, newest first.
    pub(crate) fn read(&self, to: Option<&Email>, kind: MailKind) -> Vec<Mail> {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |sent: &&Sent| to.is_none_or(|to| sent.to == *to.key());
        mails.of(kind).iter().rev().filter(wanted).map(|sent| sent.mail.clone()).collect()
    }
}

impl Mails {
    fn of(&mut self, kind: MailKind) -> &mut VecDeque<Sent> {
        match kind {
            MailKind::Confirmation => &mut self.confirmations,
            MailKind::Invitation => &mut self.invitations,
        }
    }

    fn keep(&mut self, to: &EmailKey, mail: Mail) {
        let all = self.of(mail.kind());
        if all.len() >= KEPT {
            all.pop_front();
        }
        all.push_back(Sent { to: to.clone(), mail });
    }

    /// Counts a mail against the limit of its address.
    fn count(&mut self, to: &EmailKey, now: i64) -> Result<(), TooManyMails> {
        let is_recent = |at: &i64| now - at < WINDOW_SECONDS;
        if self.is_full(to) {
            self.recent.retain(|_, times| times.iter().any(is_recent));
            if self.is_full(to) {
                return Err(TooManyMails);
            }
        }
        let times = self.recent.entry(to.clone()).or_default();
        times.retain(is_recent);
        if times.len() >= PER_ADDRESS {
            return Err(TooManyMails);
        }
        times.push(now);
        Ok(())
    }

    /// Returns whether no other address of this domain can be counted.
    fn is_full(&self, to: &EmailKey) -> bool {
        let of_domain = || self.recent.keys().filter(|other| other.domain() == to.domain()).count();
        !self.recent.contains_key(to)
            && (self.recent.len() >= COUNTED || of_domain() >= COUNTED_OF_DOMAIN)
    }
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(mail.to().key(), kept);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(name: &str) -> Email {
        Email::parse(&format!("{name}@example.com")).unwrap()
    }

    fn ask(outbox: &Outbox, to: &Email, now: i64) -> Result<(), TooManyMails> {
        outbox.ask_to_confirm(to, &Secret::new("r"), &Secret::new("t"), "https://host/confirm", now)
    }

    fn invite(outbox: &Outbox, to: &Email) {
        let mail = Mail {
            to: to.as_str().to_owned(),
            subject: "Your invitation".into(),
            body: String::new(),
            registration: None,
            token: None,
            message_id: Some("<1@example.com>".to_owned()),
        };
        outbox.0.lock().unwrap().keep(to.key(), mail);
    }

    #[test]
    fn mails_of_invitations_remove_no_confirmation_and_do_not_reset_the_limit() {
        let (outbox, nina) = (Outbox::default(), address("nina"));
        for _ in 0..PER_ADDRESS {
            ask(&outbox, &nina, 0).unwrap();
        }
        for _ in 0..=KEPT {
            invite(&outbox, &address("others"));
        }
        assert_eq!(outbox.read(Some(&nina), MailKind::Confirmation).len(), PER_ADDRESS);
        assert_eq!(outbox.read(None, MailKind::Invitation).len(), KEPT);
        assert!(ask(&outbox, &nina, WINDOW_SECONDS - 1).is_err());
        ask(&outbox, &nina, WINDOW_SECONDS).unwrap();
    }

    #[test]
    fn confirmations_to_others_do_not_reset_the_limit_of_an_address() {
        let (outbox, nina) = (Outbox::default(), address("nina"));
        for _ in 0..PER_ADDRESS {
            ask(&outbox, &nina, 0).unwrap();
        }
        let domains = 2 * KEPT / COUNTED_OF_DOMAIN;
        let at = |n: usize, domain| Email::parse(&format!("n{n}@d{domain}.example")).unwrap();
        for (n, domain) in (0..COUNTED_OF_DOMAIN).flat_map(|n| (0..domains).map(move |d| (n, d))) {
            ask(&outbox, &at(n, domain), 0).unwrap();
        }
        assert_eq!(outbox.read(None, MailKind::Confirmation).len(), KEPT);
        assert!(ask(&outbox, &nina, 1).is_err(), "her mails are counted after they are removed");
        let late = at(COUNTED_OF_DOMAIN, 0);
        assert!(ask(&outbox, &late, 1).is_err(), "no more addresses of this domain are counted");
        ask(&outbox, &address("late"), 1).expect("another domain");
        ask(&outbox, &late, WINDOW_SECONDS).unwrap();
    }
}
