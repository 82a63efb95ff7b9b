//! Sending to a mail server by SMTP.

use std::{fmt, net::Ipv4Addr, time::Duration};

use async_trait::async_trait;
use invitation_core::{
    Email, FieldError,
    delivery::{DeliveryFailure, FailureKind},
};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{Header, HeaderName, HeaderValue},
    },
    transport::smtp::{AsyncSmtpTransportBuilder, Error as SmtpError},
};
use url::{Host, Url};

use super::{Mail, Mailer};

/// The default time that the server has for each command.
const COMMAND: Duration = Duration::from_secs(30);

/// The default time that a mail has altogether. It is shorter than the default lease of a worker.
const TOTAL: Duration = Duration::from_mins(2);

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
/// Each mail has a connection of its own.
#[derive(Clone)]
pub struct SmtpMailer {
    builder: AsyncSmtpTransportBuilder,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
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
        let url = checked(url)?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(|_| invalid("must be an smtp or smtps address"))?
            .timeout(Some(COMMAND));
        Ok(Self { transport: builder.clone().build(), builder, from, total: TOTAL })
    }

    /// Sets the time that the server has for each command, and the time that a mail has
    /// altogether. The defaults are 30 seconds and two minutes.
    ///
    /// The second must be shorter than the [lease](super::MailWorker::with_lease) of the worker.
    #[must_use]
    pub fn with_time_limits(self, command: Duration, total: Duration) -> Self {
        let builder = self.builder.timeout(Some(command));
        Self { transport: builder.clone().build(), builder, total, ..self }
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
        let transport = self.transport.clone();
        // A task of its own, which a drop of this call does not end. If another part of the host
        // turns on lettre's feature `pool`, lettre puts a connection back into its pool in the
        // middle of a conversation when a send is dropped, and the next mail reads the answers of
        // this one. The task ends by the time limit of each command.
        let sending = tokio::spawn(async move { transport.send(message).await });
        match tokio::time::timeout(self.total, sending).await {
            Ok(Ok(Ok(_))) => Ok(()),
            Ok(Ok(Err(error))) => Err(failure(&error)),
            // The task panicked, or the runtime is shutting down.
            Ok(Err(_)) => Err(DeliveryFailure::new(FailureKind::Other)),
            Err(_) => Err(DeliveryFailure::new(FailureKind::TimedOut)),
        }
    }
}

/// Returns the address with its domain in ASCII, which each mail server understands.
fn address(email: &Email) -> Option<Address> {
    let (local, _) = email.as_str().rsplit_once('@')?;
    Address::new(local, email.domain().as_str()).ok()
}

/// Classifies an error. Its text may repeat the address or a part of the mail, so it is dropped.
fn failure(error: &SmtpError) -> DeliveryFailure {
    if let Some(code) = error.status() {
        let reply = u16::from(code);
        let kind = match reply {
            // RFC 4954, section 6. A corrected password lets the mail through.
            530 | 534 | 535 | 538 => FailureKind::Unauthenticated,
            500..=599 => FailureKind::Refused,
            _ => FailureKind::Deferred,
        };
        return DeliveryFailure::new(kind).with_reply(reply);
    }
    DeliveryFailure::new(if error.is_timeout() {
        FailureKind::TimedOut
    } else if error.is_tls() {
        FailureKind::Insecure
    } else if error.is_client() {
        FailureKind::Other
    } else {
        FailureKind::Unreachable
    })
}

fn invalid(message: &str) -> FieldError {
    FieldError::new("smtp_url", message)
}

/// Returns the URL with the TLS of the table of [`SmtpMailer`].
fn checked(url: &str) -> Result<Url, FieldError> {
    let mut url = Url::parse(url).map_err(|_| invalid("must be a URL"))?;
    let is_local = match url.host() {
        // Of a scheme that it does not know, the URL parser takes an IPv4 address for a name.
        Some(Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(invalid("must name a server")),
    };
    let has_password = url.password().is_some();
    if !url.username().is_empty() && !has_password {
        return Err(invalid("must have a password beside its user"));
    }
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let tls = match pairs.as_slice() {
        [] => None,
        [(name, value)] if name == "tls" => Some(value.as_str()),
        _ => return Err(invalid("must have no parameter but tls")),
    };
    let tls = match (url.scheme(), tls) {
        ("smtp", Some("none" | "opportunistic")) if has_password && !is_local => {
            return Err(invalid("must have tls=required, or no password"));
        }
        ("smtps", None) | ("smtp", Some("none")) => None,
        ("smtp", None) if is_local => None,
        ("smtp", None | Some("required")) => Some("required"),
        ("smtp", Some("opportunistic")) => Some("opportunistic"),
        ("smtp", Some(_)) => return Err(invalid("must have tls=required, opportunistic or none")),
        _ => return Err(invalid("must be an smtp or smtps address")),
    };
    url.set_query(tls.map(|tls| format!("tls={tls}")).as_deref());
    Ok(url)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_gets_the_tls_of_the_table_and_a_mistake_is_named_without_the_password() {
        let tls = |url: &str| checked(url).map(|url| url.query().map(str::to_owned));
        for (url, expected) in [
            ("smtps://u:p@mail.example.com", None),
            ("smtp://u:p@mail.example.com", Some("tls=required")),
            ("smtp://mail.example.com?tls=opportunistic", Some("tls=opportunistic")),
            ("smtp://u:p@localhost?tls=opportunistic", Some("tls=opportunistic")),
            ("smtp://mail.example.com?tls=none", None),
            ("smtp://localhost", None),
            ("smtp://127.0.0.1:2525", None),
            ("smtp://[::1]:2525?tls=required", Some("tls=required")),
        ] {
            assert_eq!(tls(url), Ok(expected.map(str::to_owned)), "{url}");
        }
        for url in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtp://u:s3cret@mail.example.com?tls=none",
            "smtp://u:s3cret@mail.example.com?tls=opportunistic",
            "smtp://u:s3cret@mail.example.com?tls=maybe",
            "smtp://u:s3cret@mail.example.com?tls=required&x=1",
            "smtp://u@mail.example.com",
        ] {
            let error = tls(url).unwrap_err();
            assert_eq!(error.field(), "smtp_url", "{url}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
