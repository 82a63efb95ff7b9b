//! Raw requests that no client library would write. None of them causes a server error.

use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::{
    harness::serve,
    sockets::{answer, open},
    support::{Harness, MOUNT},
};

async fn raw(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = open(address, "").await;
    stream.write_all(bytes).await.expect("it takes the request");
    answer(stream).await
}

fn status(answer: &str) -> u16 {
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// Returns the bytes of an administrator's request.
fn written(method: &str, path: &str, headers: &[u8], body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {MOUNT}{path} HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\
         authorization: Bearer admin\r\n"
    );
    let length = match body {
        [] => String::new(),
        body => format!("content-length: {}\r\n", body.len()),
    };
    [head.as_bytes(), headers, length.as_bytes(), b"\r\n", body].concat()
}

#[tokio::test]
async fn no_address_or_method_is_an_error_of_the_server() {
    let harness = Harness::api();
    let address = serve(harness.app()).await;
    for (method, path, expected) in [
        ("GET", "?search=%ff", 400),
        ("GET", "?search=%", 422),
        ("GET", "?search=%zz", 200),
        // U+FFFD, which stands for undecodable bytes elsewhere, is a character like others.
        ("GET", "?search=a%ef%bf%bd", 200),
        ("GET", "?search=ab%00cd", 200),
        ("GET", "?limit=1&limit=1", 422),
        ("GET", "?limit=1&%6cimit=2", 422),
        ("GET", "?&&&", 200),
        ("GET", "?=", 422),
        ("GET", "?limit", 422),
        ("GET", "?limit=%31", 200),
        ("GET", "?limit=1+1", 422),
        ("GET", "/%ff", 404),
        ("GET", "/%00", 404),
        ("GET", "/%", 404),
        ("GET", "/..%2f..%2fetc", 404),
        ("GET", "/{id}", 404),
        ("POST", "/%ff/copy", 404),
        ("PROPFIND", "", 405),
        ("FOO", "/counts", 405),
        ("OPTIONS", "/bulk", 405),
        ("get", "", 405),
    ] {
        let answer = raw(address, &written(method, path, b"", b"")).await;
        assert_eq!(status(&answer), expected, "{method} {path}: {answer}");
        assert_eq!(expected == 405, answer.contains("\r\nallow: "), "{method} {path}: {answer}");
    }
    let long = format!("?search={}", "a".repeat(100_000));
    assert_eq!(status(&raw(address, &written("GET", &long, b"", b"")).await), 414);
    let options = b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert!(status(&raw(address, options).await) < 500);
}

#[tokio::test]
async fn no_header_is_an_error_of_the_server() {
    let harness = Harness::api();
    let address = serve(harness.app()).await;
    let json = b"content-type: application/json\r\n";
    let large = [b"x-large: ".to_vec(), vec![b'a'; 20_000], b"\r\n".to_vec()].concat();
    for (header, expected) in [
        (&b"x-request-id: \xff\xfe\r\n"[..], 201),
        (b"x-request-id: a\r\nx-request-id: b\r\n", 201),
        (b"idempotency-key: \xff\r\n", 422),
        (b"idempotency-key: \r\n", 422),
        (b"idempotency-key: a\r\nidempotency-key: a\r\n", 422),
        (b"origin: \xff\r\n", 403),
        (b"sec-fetch-site: \xff\r\n", 403),
        (b"cookie: \xff=\x80\r\n", 201),
        (b"accept: \xff\r\n", 201),
        (b"if-match: \xff\r\n", 201),
        (b"expect: nonsense\r\n", 201),
        (b"content-encoding: gzip\r\n", 415),
        (b"content-encoding: identity, br\r\n", 415),
        (b"content-encoding: \xff\r\n", 415),
        (b"content-encoding: Identity\r\n", 201),
        (b"range: bytes=0-1\r\n", 201),
        (&large, 431),
    ] {
        let body = json!({"role": "staff", "division": "sales"}).to_string();
        let headers = [json, header].concat();
        let answer = raw(address, &written("POST", "", &headers, body.as_bytes())).await;
        let named = String::from_utf8_lossy(&header[..header.len().min(60)]);
        assert_eq!(status(&answer), expected, "{named}: {answer}");
    }
    let created = harness.get("admin", "").await.json();
    let one = format!("/{}", created["items"][0]["id"].as_str().expect("an id"));
    for (tag, expected) in [
        (&b"\"7\""[..], 412),
        (b"W/\"1\"", 412),
        (b"\"01\"", 412),
        (b"\"\xff\"", 422),
        (b"\"1\", \"2\"", 422),
        (b"1", 422),
        (b"", 422),
        (b"\"1\"\r\nif-match: \"1\"", 422),
        (b"*", 200),
    ] {
        let headers = [&b"if-match: "[..], tag, b"\r\n"].concat();
        let path = format!("{one}/rotate");
        let answer = raw(address, &written("POST", &path, &headers, b"")).await;
        let named = String::from_utf8_lossy(tag);
        assert_eq!(status(&answer), expected, "{named}: {answer}");
    }
    let no_host = format!("GET {MOUNT} HTTP/1.0\r\nauthorization: Bearer admin\r\n\r\n");
    assert!(raw(address, no_host.as_bytes()).await.contains(" 200 "));
}

#[tokio::test]
async fn no_body_is_an_error_of_the_server() {
    let harness = Harness::api();
    let address = serve(harness.app()).await;
    let json = b"content-type: application/json;charset=\"UTF-8\"\r\n";
    for (body, expected) in [
        (&br#"{"role":"staff","role":"staff"}"#[..], 422),
        (br#"{"role":"staff","division":"sales","metadata":{"a":1,"a":2}}"#, 422),
        (b"{\"role\":\"sta\0ff\"}", 400),
        (br#"{"role":"sta\u0000ff","division":"sales"}"#, 422),
        (br#"{"role":"\ud800"}"#, 400),
        (b"\xef\xbb\xbf{}", 400),
        (b"{\"role\":\"\xff\"}", 400),
        (br#"{"max_uses":1e400}"#, 422),
        (br#"{"max_uses":99999999999999999999}"#, 422),
        (br#"{"max_uses":-0}"#, 422),
        (br#"{"max_uses":1.5}"#, 422),
        (br#"{"expires_in_days":4294967295,"role":"staff","division":"sales"}"#, 422),
        (br#"{"expires_at":"9999-12-31T23:59:60Z","role":"staff","division":"sales"}"#, 422),
        (br#"{"expires_at":"-9999-01-01T00:00:00+23:59","role":"staff"}"#, 422),
        (b"null", 422),
        (b"[]", 422),
        (b"\"\"", 422),
        (b"   ", 400),
        (b"{}{}", 400),
    ] {
        let answer = raw(address, &written("POST", "", json, body)).await;
        let named = String::from_utf8_lossy(body);
        assert_eq!(status(&answer), expected, "{named}: {answer}");
        let bulk = [b"[", body, b"]"].concat();
        let answer = raw(address, &written("POST", "/bulk", json, &bulk)).await;
        assert!(status(&answer) < 500, "{named}: {answer}");
    }
    let chunked = [&json[..], b"transfer-encoding: chunked\r\n"].concat();
    for (body, expected) in [
        (&b"2\r\n{}\r\n0\r\n\r\n"[..], 422),
        (b"2;ext=\"x\"\r\n{}\r\n0\r\ntrailer: a\r\n\r\n", 422),
        (b"zz\r\n{}\r\n0\r\n\r\n", 400),
        (b"ffffffffffffffffff\r\n{}", 400),
    ] {
        let request = [written("POST", "", &chunked, b""), body.to_vec()].concat();
        let answer = raw(address, &request).await;
        assert_eq!(status(&answer), expected, "{}: {answer}", String::from_utf8_lossy(body));
    }
    let with_body = written("GET", "", json, b"{\"ignored\": true}");
    assert_eq!(status(&raw(address, &with_body).await), 200);
    let lengths = [&json[..], b"content-length: 2\r\ncontent-length: 3\r\n"].concat();
    let request = [written("POST", "", &lengths, b""), b"{}".to_vec()].concat();
    assert_eq!(status(&raw(address, &request).await), 400);
}
