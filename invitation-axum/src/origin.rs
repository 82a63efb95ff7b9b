//! Same origin: a page of another site may change nothing in somebody's name.

use axum::http::{HeaderMap, Method, header};

use crate::{
    base_url::BaseUrl,
    problem::{Problem, ProblemKind},
};

/// Refuses what would change something and comes from a page of another origin.
///
/// Browsers say where a request comes from in `Sec-Fetch-Site`, which no page can forge,
/// and those that do not know it yet say it in `Origin`. What has neither is no browser.
pub(crate) fn check(
    method: &Method,
    headers: &HeaderMap,
    base: Option<&BaseUrl>,
) -> Result<(), Problem> {
    if method.is_safe() || is_same_origin(headers, base) {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Forbidden)
        .with_detail("a page of another origin may change nothing here"))
}

fn is_same_origin(headers: &HeaderMap, base: Option<&BaseUrl>) -> bool {
    let one = |name| {
        let mut values = headers.get_all(name).iter();
        let first = values.next().map(axum::http::HeaderValue::as_bytes);
        // Said twice is said by nobody who can be believed.
        if values.next().is_some() { Some(&b""[..]) } else { first }
    };
    if let Some(site) = one("sec-fetch-site") {
        return matches!(site, b"same-origin" | b"none");
    }
    let Some(origin) = one(header::ORIGIN.as_str()) else {
        return true;
    };
    if let Some(base) = base {
        return origin == base.origin().as_bytes();
    }
    let schemes = [&b"https://"[..], b"http://"];
    let named = schemes.iter().find_map(|scheme| origin.strip_prefix(*scheme));
    named.is_some() && named == one(header::HOST.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(headers: &[(&'static str, &'static str)], base: Option<&str>) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let base = base.map(|base| BaseUrl::parse(base).unwrap());
        check(&Method::POST, &map, base.as_ref()).is_ok()
    }

    #[test]
    fn a_browser_must_come_from_the_same_origin() {
        let base = Some("https://example.com");
        let cases: [(&[_], bool); 11] = [
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
        ];
        for (headers, expected) in cases {
            assert_eq!(verdict(headers, base), expected, "{headers:?}");
        }
    }

    #[test]
    fn without_a_base_url_the_host_header_is_the_measure() {
        let of = |origin, host| verdict(&[("origin", origin), ("host", host)], None);
        assert!(of("http://127.0.0.1:3000", "127.0.0.1:3000"));
        assert!(!of("http://127.0.0.1:3001", "127.0.0.1:3000"));
        assert!(!of("null", "null"));
        assert!(!verdict(&[("origin", "https://")], None));
    }

    #[test]
    fn reading_is_free() {
        let headers = [("sec-fetch-site", "cross-site")];
        let mut map = HeaderMap::new();
        map.insert(headers[0].0, headers[0].1.parse().unwrap());
        assert!(check(&Method::GET, &map, None).is_ok());
        assert!(check(&Method::HEAD, &map, None).is_ok());
        assert!(check(&Method::DELETE, &map, None).is_err());
    }
}
