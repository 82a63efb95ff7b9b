//! The mail server that a URL names.

use std::net::Ipv4Addr;

use invitation_core::FieldError;
use lettre::transport::smtp::{
    SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT,
    authentication::Credentials,
    client::{Tls, TlsParameters},
    extension::ClientId,
};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// A mail server, and how to talk to it.
#[derive(Clone)]
pub(super) struct Server {
    /// The name or the IP address.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    /// The name for EHLO.
    pub(super) hello: ClientId,
    pub(super) credentials: Option<Credentials>,
}

impl Server {
    /// Reads a URL, as the table of [`SmtpMailer`](super::SmtpMailer) has it.
    pub(super) fn of_url(url: &str) -> Result<Self, FieldError> {
        let url = checked(url)?;
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(invalid("must name a server")),
        };
        let parameters =
            || TlsParameters::new(host.clone()).map_err(|_| invalid("must name a server for TLS"));
        let (tls, port) = match (url.scheme(), url.query()) {
            ("smtps", _) => (Tls::Wrapper(parameters()?), SUBMISSIONS_PORT),
            (_, Some("tls=required")) => (Tls::Required(parameters()?), SUBMISSION_PORT),
            (_, Some(_)) => (Tls::Opportunistic(parameters()?), SUBMISSION_PORT),
            (_, None) => (Tls::None, SMTP_PORT),
        };
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        let decoded = |text| {
            let text = percent_decode_str(text).decode_utf8();
            text.map(String::from).map_err(|_| invalid("must have a user and password in UTF-8"))
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        Ok(Self { port: url.port().unwrap_or(port), host, tls, hello, credentials })
    }
}

fn invalid(message: &str) -> FieldError {
    FieldError::new("smtp_url", message)
}

/// Returns the URL with the TLS of the table of [`SmtpMailer`](super::SmtpMailer).
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
