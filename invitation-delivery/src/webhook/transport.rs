//! The HTTP client of webhooks.

use std::{
    error::Error as StdError,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use invitation_core::FieldError;
use reqwest::{
    Certificate, Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use time::Duration;
use url::{Host, Url};

use super::{addresses::Addresses, endpoint::FailureCause, error::WebhookError};

const USER_AGENT: &str = concat!("invitation/", env!("CARGO_PKG_VERSION"));

/// The settings of the HTTP client: which addresses it connects to, and how long it waits.
///
/// The client follows no redirect, uses no proxy, and reads nothing of an answer but its head.
/// Certificates are checked by those of the system.
#[derive(Clone, Debug)]
pub struct Transport {
    addresses: Addresses,
    connect_timeout: Duration,
    timeout: Duration,
    roots: Vec<Certificate>,
}

impl Default for Transport {
    /// Returns the settings for receivers with public addresses: 5 seconds to connect, 15 seconds
    /// in total.
    fn default() -> Self {
        Self {
            addresses: Addresses::public(),
            connect_timeout: Duration::seconds(5),
            timeout: Self::DEFAULT_TIMEOUT,
            roots: Vec::new(),
        }
    }
}

impl Transport {
    /// The default of [`with_timeout`](Self::with_timeout): 15 seconds, the shortest that
    /// Standard Webhooks recommends.
    pub const DEFAULT_TIMEOUT: Duration = Duration::seconds(15);

    /// The maximum of [`with_timeout`](Self::with_timeout).
    pub const MAX_TIMEOUT: Duration = Duration::seconds(60);

    /// Sets the addresses that webhooks may connect to. The default is the public ones.
    #[must_use]
    pub fn with_addresses(self, addresses: Addresses) -> Self {
        Self { addresses, ..self }
    }

    /// Sets the time for a whole request, from the resolution of the name to the head of the
    /// answer. It lies between 1 millisecond and [`MAX_TIMEOUT`](Self::MAX_TIMEOUT).
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        let timeout = timeout.clamp(Duration::milliseconds(1), Self::MAX_TIMEOUT);
        Self { timeout, connect_timeout: self.connect_timeout.min(timeout), ..self }
    }

    /// Adds certificates of authorities of the host's own, in PEM, to those of the system.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Client`] when the text contains no certificate, or a malformed one.
    pub fn with_root_certificates(mut self, pem: &[u8]) -> Result<Self, WebhookError> {
        let roots = Certificate::from_pem_bundle(pem);
        let roots = roots.map_err(|error| WebhookError::Client(error.into()))?;
        if roots.is_empty() {
            return Err(WebhookError::Client("there is no certificate in the text".into()));
        }
        self.roots.extend(roots);
        Ok(self)
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    fn client(&self, is_plain: bool) -> Result<Client, WebhookError> {
        let resolver = CheckedResolver { addresses: self.addresses.clone(), is_plain };
        let mut builder = Client::builder()
            // A proxy would resolve the name itself.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .https_only(!is_plain)
            .user_agent(USER_AGENT)
            .connect_timeout(self.connect_timeout.unsigned_abs())
            .timeout(self.timeout.unsigned_abs())
            .pool_max_idle_per_host(1)
            .dns_resolver(Arc::new(resolver));
        for root in &self.roots {
            builder = builder.add_root_certificate(root.clone());
        }
        builder.build().map_err(|error| WebhookError::Client(error.into()))
    }
}

/// A signed message.
pub(super) struct Message<'m> {
    pub(super) id: &'m str,
    pub(super) timestamp: i64,
    pub(super) signature: &'m str,
    pub(super) body: String,
}

/// The clients for `https` and for `http`, which differ in the addresses that they connect to.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    encrypted: Client,
    plain: Client,
    addresses: Addresses,
}

impl Sender {
    pub(super) fn new(transport: &Transport) -> Result<Self, WebhookError> {
        let (encrypted, plain) = (transport.client(false)?, transport.client(true)?);
        Ok(Self { encrypted, plain, addresses: transport.addresses.clone() })
    }

    /// Refuses a URL that itself shows that its receiver may not be connected to.
    pub(super) fn check(&self, url: &Url) -> Result<(), FieldError> {
        self.addresses.check(url)
    }

    /// Sends a message, and waits for the head of the answer.
    pub(super) async fn send(&self, url: &Url, message: Message<'_>) -> Result<(), FailureCause> {
        let is_plain = url.scheme() != "https";
        // The client asks its resolver about names only.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        if literal.is_some_and(|address| !is_allowed(&self.addresses, is_plain, address)) {
            return Err(FailureCause::AddressNotAllowed);
        }
        let client = if is_plain { &self.plain } else { &self.encrypted };
        let headers = headers(&message).ok_or(FailureCause::Broken)?;
        let answer = client.post(url.clone()).headers(headers).body(message.body).send().await;
        // The body of the answer is dropped unread, so its length does not matter.
        let status = answer.map_err(|error| cause(&error))?.status();
        if status.is_success() { Ok(()) } else { Err(FailureCause::Status(status.as_u16())) }
    }
}

/// Returns the headers of Standard Webhooks. They are made of ids, numbers and base64, so that
/// none of them is refused.
fn headers(message: &Message<'_>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("webhook-id", message.id),
        ("webhook-timestamp", &message.timestamp.to_string()),
        ("webhook-signature", message.signature),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
    }
    Some(headers)
}

fn is_allowed(addresses: &Addresses, is_plain: bool, address: IpAddr) -> bool {
    if is_plain { addresses.allow_plain(address) } else { addresses.allow(address) }
}

fn cause(error: &reqwest::Error) -> FailureCause {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(one) = next {
        if one.is::<NoAllowedAddress>() {
            return FailureCause::AddressNotAllowed;
        }
        next = one.source();
    }
    if error.is_timeout() {
        FailureCause::TimedOut
    } else if error.is_connect() {
        FailureCause::NotConnected
    } else {
        FailureCause::Broken
    }
}

/// A resolver that returns allowed addresses only. The client connects to what it returns, and
/// does not resolve the name again: a second answer of the DNS could be another address.
#[derive(Debug)]
struct CheckedResolver {
    addresses: Addresses,
    is_plain: bool,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (addresses, is_plain) = (self.addresses.clone(), self.is_plain);
        Box::pin(async move {
            // The client fills in the port.
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let is_allowed = |one: &SocketAddr| is_allowed(&addresses, is_plain, one.ip());
            let allowed: Vec<_> = all.filter(is_allowed).collect();
            if allowed.is_empty() {
                return Err(NoAllowedAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// The error of a name that has no allowed address.
#[derive(Debug)]
struct NoAllowedAddress;

impl fmt::Display for NoAllowedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name has no address that webhooks may connect to")
    }
}

impl StdError for NoAllowedAddress {}
