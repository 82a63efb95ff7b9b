//! One conversation with a mail server, each step of it within a time limit.

use std::{io, net::SocketAddr, time::Duration};

use futures_util::FutureExt as _;
use invitation_core::delivery::{DeliveryFailure, FailureKind};
use lettre::{
    Address, Message,
    transport::smtp::{
        Error as SmtpError,
        authentication::DEFAULT_MECHANISMS,
        client::{AsyncSmtpConnection, Tls},
        commands::{Data, Mail, Rcpt},
        extension::{Extension, MailBodyParameter, MailParameter},
    },
};
use tokio::{net::lookup_host, time::timeout};

use super::server::Server;

/// The time that the server has to accept a mail after its last byte (RFC 5321, section
/// 4.5.3.2.6). A client that gives up earlier sends a mail again that the server may have accepted.
const ACCEPTANCE: Duration = Duration::from_mins(10);

/// What an answer of the server is about.
#[derive(Clone, Copy)]
enum About {
    /// The server or the sender: another mail would get the same answer.
    Server,
    /// The recipient. Many servers refuse here, too, what is about the server or the sender.
    Recipient,
    /// The mail.
    Mail,
}

/// Sends a mail over a connection of its own, and returns as soon as the server has accepted it.
///
/// `command` is the time of each step; the acceptance has more. When the future is dropped, the
/// connection is closed and nothing goes on.
pub(super) async fn send(
    server: &Server,
    command: Duration,
    message: &Message,
) -> Result<(), DeliveryFailure> {
    let mut connection = connected(server, command).await?;
    let sent = async {
        prepared(&mut connection, server, command).await?;
        transferred(&mut connection, command, message).await
    }
    .await;
    if sent.as_ref().err().is_none_or(|failure| failure.reply().is_some()) {
        // Written, and the answer not waited for: the mail's fate is decided. Written it is at the
        // first poll, as the server has read all before.
        let _ = connection.quit().now_or_never();
    }
    sent
}

/// Connects to the first address of the server that answers, up to the answer to EHLO.
async fn connected(
    server: &Server,
    command: Duration,
) -> Result<AsyncSmtpConnection, DeliveryFailure> {
    let unreachable = |_: io::Error| DeliveryFailure::new(FailureKind::Unreachable);
    let found = timeout(command, lookup_host((server.host.as_str(), server.port))).await;
    let addresses: Vec<SocketAddr> =
        found.map_err(|_| timed_out())?.map_err(unreachable)?.collect();
    let mut failure = DeliveryFailure::new(FailureKind::Unreachable);
    for address in addresses {
        let tls = match &server.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            Tls::None | Tls::Opportunistic(_) | Tls::Required(_) => None,
        };
        let opening = AsyncSmtpConnection::connect_tokio1(address, None, &server.hello, tls, None);
        match within(command, About::Server, opening).await {
            Ok(connection) => return Ok(connection),
            // The server is there. Its other addresses say the same.
            Err(refused) if refused.reply().is_some() => return Err(refused),
            Err(failed) => failure = failed,
        }
    }
    Err(failure)
}

/// Encrypts the connection and authenticates, as the server's URL asks for it.
async fn prepared(
    connection: &mut AsyncSmtpConnection,
    server: &Server,
    command: Duration,
) -> Result<(), DeliveryFailure> {
    let parameters = match &server.tls {
        Tls::Required(_) if !connection.can_starttls() => {
            return Err(DeliveryFailure::new(FailureKind::Insecure));
        }
        Tls::Required(parameters) => Some(parameters),
        Tls::Opportunistic(parameters) => Some(parameters).filter(|_| connection.can_starttls()),
        Tls::None | Tls::Wrapper(_) => None,
    };
    if let Some(parameters) = parameters {
        let upgrade = connection.starttls(parameters.clone(), &server.hello);
        within(command, About::Server, upgrade).await?;
    }
    if let Some(credentials) = &server.credentials {
        let login = connection.auth(DEFAULT_MECHANISMS, credentials);
        within(command, About::Server, login).await?;
    }
    Ok(())
}

/// Transfers the mail, up to the server's acceptance.
async fn transferred(
    connection: &mut AsyncSmtpConnection,
    command: Duration,
    message: &Message,
) -> Result<(), DeliveryFailure> {
    let (envelope, content) = (message.envelope(), message.formatted());
    let needs = |extension| {
        let offers = connection.server_info().supports_feature(extension);
        offers.then_some(()).ok_or(DeliveryFailure::new(FailureKind::Other))
    };
    let mut parameters = Vec::new();
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.to().iter().chain(envelope.from()).all(is_ascii) {
        needs(Extension::SmtpUtfEight)?;
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !content.is_ascii() {
        needs(Extension::EightBitMime)?;
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let sender = Mail::new(envelope.from().cloned(), parameters);
    within(command, About::Server, connection.command(sender)).await?;
    for recipient in envelope.to() {
        let recipient = Rcpt::new(recipient.clone(), Vec::new());
        within(command, About::Recipient, connection.command(recipient)).await?;
    }
    within(command, About::Mail, connection.command(Data)).await?;
    within(ACCEPTANCE, About::Mail, connection.message(&content)).await?;
    Ok(())
}

/// Takes one step within `limit`.
async fn within<T>(
    limit: Duration,
    about: About,
    step: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, DeliveryFailure> {
    match timeout(limit, step).await {
        Ok(done) => done.map_err(|error| failure(&error, about)),
        Err(_) => Err(timed_out()),
    }
}

pub(super) fn timed_out() -> DeliveryFailure {
    DeliveryFailure::new(FailureKind::TimedOut)
}

/// Returns whether the enhanced status of a reply says that it is about the sender's address, the mail
/// system or its policy (RFC 3463): 5.1.7, 5.1.8, 5.3.x and 5.7.x. Some servers refuse a client or a
/// sender only in their answer to `RCPT`.
fn is_about_server(error: &SmtpError) -> bool {
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    ["5.1.7 ", "5.1.8 ", "5.3.", "5.7."].iter().any(|status| text.starts_with(status))
}

/// Classifies an error. Its text may repeat the address or a part of the mail, so it is dropped.
fn failure(error: &SmtpError, about: About) -> DeliveryFailure {
    if let Some(code) = error.status() {
        let reply = u16::from(code);
        let kind = match (reply, about) {
            // RFC 4954, section 6. A corrected password lets the mail through.
            (530 | 534 | 535 | 538, _) => FailureKind::Unauthenticated,
            (500..=599, About::Recipient) if is_about_server(error) => FailureKind::Deferred,
            (500..=599, About::Recipient | About::Mail) => FailureKind::Refused,
            // A server that takes no mail at the moment may say so with 5yz, too. Were that final,
            // an hour of it would cost all mails of that hour.
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
