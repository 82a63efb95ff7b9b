//! The same-origin check: a page of another site must not make changes in a user's name.

use axum::http::{HeaderMap, HeaderValue, Method, Uri, header, uri::Authority};

use crate::problem::{Problem, ProblemKind};

/// Refuses a request for a change that comes from a page of another origin.
///
/// Browsers report in `Sec-Fetch-Site`, which no page can forge, whether the page has the same
/// origin as the URL that it sends to. With DNS rebinding, both may have an attacker's name that
/// resolves to this server. `Origin` is therefore compared as well: with the configured origins, or
/// with the host of the request if none is configured. A request without either header does not come
/// from a browser.
pub(crate) fn check<'a>(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    own: impl Iterator<Item = &'a str>,
) -> Result<(), Problem> {
    if method.is_safe() || (is_same_site(headers) && is_own_origin(uri, headers, own)) {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Forbidden)
        .with_detail("a page of another origin may change nothing here"))
}

/// Refuses a request to read that a page of another site makes, where reading leaves evidence. A
/// link on such a page must not record in a user's name that they copied codes.
pub(crate) fn check_reading(headers: &HeaderMap) -> Result<(), Problem> {
    if is_same_site(headers) {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Forbidden)
        .with_detail("a page of another site may not lead here: opening this file is recorded"))
}

fn is_same_site(headers: &HeaderMap) -> bool {
    matches!(one(headers, "sec-fetch-site"), None | Some(b"same-origin" | b"none"))
}

fn is_own_origin<'a>(uri: &Uri, headers: &HeaderMap, own: impl Iterator<Item = &'a str>) -> bool {
    let Some(origin) = one(headers, header::ORIGIN.as_str()) else {
        return true;
    };
    let mut own = own.peekable();
    if own.peek().is_some() {
        return own.any(|own| own.as_bytes() == origin);
    }
    let schemes = [&b"https://"[..], b"http://"];
    let named = schemes.iter().find_map(|scheme| origin.strip_prefix(*scheme));
    named.is_some() && named == host(uri, headers)
}

/// Returns the host and port that the request is sent to. HTTP/2 has no `Host` header; browsers send
/// `:authority` instead, which is a part of the URI here.
fn host<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r [u8]> {
    let authority = || uri.authority().map(Authority::as_str).map(str::as_bytes);
    one(headers, header::HOST.as_str()).or_else(authority)
}

/// Returns the value of a header. A repeated header yields a value that equals no valid
/// one.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(HeaderValue::as_bytes);
    if values.next().is_some() { Some(b"") } else { first }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn verdict(headers: &[(&'static str, &'static str)], own: &[&str]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        check(&Method::POST, &Uri::from_static("/new"), &map, own.iter().copied()).is_ok()
    }

    #[test]
    fn a_browser_must_come_from_the_same_origin() {
        let own = ["https://example.com", "http://localhost:3000"];
        let cases: [(&[_], bool); 19] = [
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://example.com")], false),
            (&[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://example.com")], true),
            (&[("origin", "http://example.com")], false),
            (&[("origin", "https://example.com.evil.test")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://evil.test"), ("x-forwarded-host", "evil.test")], false),
            (&[("origin", "http://localhost:3000")], true),
            (&[("origin", "http://localhost:3001")], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://example.com")], true),
            (&[("sec-fetch-site", "none"), ("origin", "https://example.com")], true),
            // The attacker's name resolves to this server (DNS rebinding).
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "http://evil.test:3000"),
                    ("host", "evil.test:3000"),
                ],
                false,
            ),
            // A page can hide its origin by its referrer policy.
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "")], false),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://example.com"),
                    ("origin", "http://evil.test"),
                ],
                false,
            ),
        ];
        for (headers, expected) in cases {
            assert_eq!(verdict(headers, &own), expected, "{headers:?}");
        }
    }

    #[test]
    fn without_a_base_url_the_host_header_is_the_measure() {
        let of = |origin, host| verdict(&[("origin", origin), ("host", host)], &[]);
        assert!(of("http://127.0.0.1:3000", "127.0.0.1:3000"));
        assert!(!of("http://127.0.0.1:3001", "127.0.0.1:3000"));
        assert!(!of("null", "null"));
        assert!(!verdict(&[("origin", "https://")], &[]));
        let browser = |origin, host| {
            verdict(&[("sec-fetch-site", "same-origin"), ("origin", origin), ("host", host)], &[])
        };
        assert!(browser("http://127.0.0.1:3000", "127.0.0.1:3000"));
        assert!(!browser("http://evil.test", "127.0.0.1:3000"));
        assert!(!browser("null", "127.0.0.1:3000"));
    }

    #[test]
    fn without_a_host_header_the_authority_of_the_uri_is_the_measure() {
        let of = |uri: &'static str, headers: &[(&'static str, &'static str)]| {
            let headers = headers.iter().map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            let (uri, none) = (Uri::from_static(uri), std::iter::empty());
            check(&Method::POST, &uri, &headers.collect::<HeaderMap>(), none).is_ok()
        };
        let origin = ("origin", "https://example.com");
        assert!(of("https://example.com/new", &[origin]));
        assert!(!of("https://example.com:444/new", &[origin]));
        assert!(!of("https://evil.test/new", &[origin]));
        assert!(!of("/new", &[origin]));
        // Where both are present, the header counts, as a proxy may have set it.
        assert!(!of("https://example.com/new", &[origin, ("host", "evil.test")]));
        assert!(of("https://evil.test/new", &[origin, ("host", "example.com")]));
    }

    #[test]
    fn reading_is_free() {
        let headers = [("sec-fetch-site", "cross-site")];
        let mut map = HeaderMap::new();
        map.insert(headers[0].0, headers[0].1.parse().unwrap());
        let check = |method| check(&method, &Uri::default(), &map, std::iter::empty());
        assert!(check(Method::GET).is_ok());
        assert!(check(Method::HEAD).is_ok());
        assert!(check(Method::DELETE).is_err());
    }
}
