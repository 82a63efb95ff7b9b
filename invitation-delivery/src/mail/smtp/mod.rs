//! Sending to a mail server by SMTP.

mod conversation;
mod server;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use invitation_core::{
    Email, FieldError,
    delivery::{DeliveryFailure, FailureKind},
};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{Header, HeaderName, HeaderValue},
    },
};

use self::server::Server;
use super::{Mail, Mailer};

/// The default time that the server has for each step.
const COMMAND: Duration = Duration::from_mins(1);

/// The default time that a mail has altogether. The server has up to ten minutes of it to accept
/// the mail. It is shorter than the default lease of a worker.
const TOTAL: Duration = Duration::from_mins(12);

/// A [`Mailer`] that sends to a mail server by SMTP, over TLS by rustls.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_delivery as delivery; }
/// use invitation::delivery::mail::SmtpMailer;
///
/// let mailer = SmtpMailer::new(
///     "smtps://user:secret@mail.example.com",
///     "Perfect10 <no-reply@example.com>",
/// )?;
/// assert!(!format!("{mailer:?}").contains("secret"));
/// # Ok::<_, invitation::FieldError>(())
/// ```
///
/// | URL | Connection |
/// |---|---|
/// | `smtps://user:password@host` | TLS from the beginning, port 465 |
/// | `smtp://user:password@host` | STARTTLS, which the server must offer, port 587 |
/// | `smtp://host?tls=opportunistic` | STARTTLS if the server offers it; no password, unless the server is on this machine |
/// | `smtp://host?tls=none` | no encryption; no password, unless the server is on this machine |
/// | `smtp://localhost` | no encryption, port 25: the server is on this machine |
///
/// Without TLS, or where an attacker between the machines can remove the offer of STARTTLS, a
/// password is refused.
///
/// A port and the name for EHLO may be given as in `smtps://host:2465/my.name`. A user and a
/// password are written percent-encoded.
///
/// Each mail has a connection of its own. It is closed when the mail is accepted or refused, at the
/// end of a [time limit](Self::with_time_limits), and when the call is dropped: nothing goes on in
/// the background.
///
/// Only a refusal (5yz) of the recipient or of the mail itself is
/// [final](FailureKind::is_final). One of the connection, of the sender or of the password is
/// repeated, because the next mail would be refused just so. A refusal of `RCPT` may be of either kind.
/// It is repeated if its enhanced status (RFC 3463) is 5.1.7, 5.1.8, 5.3.x or 5.7.x.
#[derive(Clone)]
pub struct SmtpMailer {
    server: Server,
    from: Mailbox,
    command: Duration,
    total: Duration,
}

impl SmtpMailer {
    /// Creates a mailer for the server of this URL. `from` is the sender of the mails: an address,
    /// or a name with an address as in `Perfect10 <no-reply@example.com>`.
    ///
    /// It connects to nothing.
    ///
    /// # Errors
    ///
    /// [`FieldError`] for `smtp_url` or `from`. It does not repeat the URL, which may have a
    /// password.
    pub fn new(url: &str, from: &str) -> Result<Self, FieldError> {
        let from = from.parse().map_err(|_| {
            FieldError::new("from", "must be an address, as in Name <name@example.com>")
        })?;
        Ok(Self { server: Server::of_url(url)?, from, command: COMMAND, total: TOTAL })
    }

    /// Sets the time that the server has for each step, and the time that a mail has altogether.
    /// The defaults are one minute and twelve minutes.
    ///
    /// - A step is a command with its answer, the TLS handshake and EHLO behind STARTTLS, or all
    ///   from the connection to an address up to the answer to EHLO.
    /// - After the last byte of the mail, the server has up to ten minutes of the whole time to
    ///   accept it (RFC 5321, section 4.5.3.2.6). With a shorter time, a slow server gets mails
    ///   twice that it has accepted.
    /// - The whole time must be shorter than the [lease](super::MailWorker::with_lease) of the
    ///   worker, which is 15 minutes by default.
    #[must_use]
    pub fn with_time_limits(self, command: Duration, total: Duration) -> Self {
        Self { command, total, ..self }
    }

    fn message(&self, mail: &Mail) -> Option<Message> {
        let to = Mailbox::new(None, address(mail.to())?);
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject())
            .message_id(Some(format!("<{}>", mail.message_id())))
            // Vacation notices are not sent in reply (RFC 3834, section 2).
            .header(AutoSubmitted);
        if let Some(url) = mail.unsubscribe() {
            message = message.header(ListUnsubscribe(format!("<{}>", url.as_str())));
        }
        let text = mail.text().to_owned();
        let message = match mail.html() {
            Some(html) => {
                message.multipart(MultiPart::alternative_plain_html(text, html.to_owned()))
            }
            None => message.singlepart(SinglePart::plain(text)),
        };
        message.ok()
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").finish_non_exhaustive()
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), DeliveryFailure> {
        let Some(message) = self.message(mail) else {
            return Err(DeliveryFailure::new(FailureKind::NotRendered));
        };
        let sent = conversation::send(&self.server, self.command, &message);
        match tokio::time::timeout(self.total, sent).await {
            Ok(sent) => sent,
            Err(_) => Err(conversation::timed_out()),
        }
    }
}

/// Returns the address with its domain in ASCII, which each mail server understands.
fn address(email: &Email) -> Option<Address> {
    let (local, _) = email.as_str().rsplit_once('@')?;
    Address::new(local, email.domain().as_str()).ok()
}

/// `Auto-Submitted: auto-generated` (RFC 3834, section 5).
#[derive(Clone, Copy, Debug)]
struct AutoSubmitted;

/// `List-Unsubscribe` (RFC 2369, section 3.2).
#[derive(Clone, Debug)]
struct ListUnsubscribe(String);

type ParsingError = Box<dyn std::error::Error + Send + Sync>;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, ParsingError> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, ParsingError> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}
