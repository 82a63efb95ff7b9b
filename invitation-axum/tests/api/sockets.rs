//! Tests over a real connection: slow bodies, endless bodies, and `HEAD` requests.

use std::{io, num::NonZeroU16, time::Duration};

use invitation_axum::WebLimits;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    harness::serve,
    imports::Scene,
    support::{Harness, MOUNT},
};

pub(crate) async fn open(address: std::net::SocketAddr, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("it takes the head");
    stream
}

/// Returns the bytes that arrive until the other side closes the connection.
pub(crate) async fn answer(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    match read.expect("an answer in time") {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn head(method: &str, path: &str, more: &str) -> String {
    format!(
        "{method} {MOUNT}{path} HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\
         authorization: Bearer admin\r\n{more}\r\n"
    )
}

pub(crate) fn with_body(path: &str, length: usize) -> String {
    head("POST", path, &format!("content-type: application/json\r\ncontent-length: {length}\r\n"))
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_408() {
    let limits = WebLimits::default().with_body_time(Duration::from_millis(100));
    let harness = Harness::api().with_web(|web| web.with_limits(limits));
    let address = serve(harness.app()).await;
    let mut stream = open(address, &with_body("", 100)).await;
    stream.write_all(b"{").await.unwrap();
    let answer = answer(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("urn:invitation:problem:request-timeout"));
}

#[tokio::test]
async fn a_body_that_breaks_off_creates_nothing() {
    let harness = Harness::api();
    let address = serve(harness.app()).await;
    let mut stream = open(address, &with_body("", 100)).await;
    stream.write_all(b"{\"role\":\"staff\",\"division\":\"sales\"}").await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = answer(stream).await;
    assert_eq!(harness.get("admin", "").await.json()["items"], json!([]));
}

#[tokio::test]
async fn ten_megabytes_are_413_and_the_client_sees_it() {
    let harness = Harness::api();
    let address = serve(harness.app()).await;
    for path in ["", "/bulk"] {
        let mut stream = open(address, &with_body(path, 10_000_000)).await;
        let chunk = vec![b' '; 1_000_000];
        for _ in 0..10 {
            stream.write_all(&chunk).await.expect("it is still read");
        }
        let answer = answer(stream).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{path}: {answer}");
    }
    // A body without an end and without a stated length.
    let chunked = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
    let mut stream = open(address, &head("POST", "", chunked)).await;
    let chunk = [b"100000\r\n".to_vec(), vec![b' '; 0x10_0000], b"\r\n".to_vec()].concat();
    let mut sent = 0;
    while sent < 100 && stream.write_all(&chunk).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 100, "a body without an end is not read without an end");
}

#[tokio::test]
async fn head_has_no_body_on_the_wire() {
    let harness = Harness::api();
    let address = serve(harness.app()).await;
    for path in ["", "/export.csv", "/01890000-0000-7000-8000-000000000000"] {
        let stream = open(address, &head("HEAD", path, "")).await;
        let answer = answer(stream).await;
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn so_many_imports_at_a_time_and_no_more() {
    let limits = WebLimits::default().with_bulk_at_once(NonZeroU16::MIN);
    let harness = Harness::api().with_web(|web| web.with_limits(limits));
    let address = serve(harness.app()).await;
    let body = json!([{"role": "staff", "division": "sales"}]).to_string();
    let mut first = begin_import(address, body.len()).await;
    let refused = answer(open(address, &head("GET", "/export.csv", "")).await).await;
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    assert!(refused.contains("urn:invitation:problem:too-many-requests"));
    assert!(refused.contains("retry-after: 5"));
    first.write_all(body.as_bytes()).await.unwrap();
    assert!(answer(first).await.starts_with("HTTP/1.1 201 "));
    let third = answer(open(address, &head("GET", "/export.csv", "")).await).await;
    assert!(third.starts_with("HTTP/1.1 200 "), "{third}");
}

/// Begins the import of a body that the server has asked for, so that it has its permit.
async fn begin_import(address: std::net::SocketAddr, length: usize) -> TcpStream {
    let expecting = with_body("/bulk", length).replace("host: ", "expect: 100-continue\r\nhost: ");
    let mut first = open(address, &expecting).await;
    let mut asked = [0; 25];
    first.read_exact(&mut asked).await.expect("it is asked");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    first
}

#[tokio::test]
async fn request_that_is_not_valid_is_no_429() {
    let limits = WebLimits::default().with_bulk_at_once(NonZeroU16::MIN);
    let scene = Scene::new();
    let harness = scene.harness.with_web(|web| web.with_limits(limits));
    let address = serve(harness.app()).await;
    let _running = begin_import(address, 100).await;
    let of_kind = |path: &str, kind: &str| {
        head("POST", path, &format!("content-type: {kind}\r\ncontent-length: 0\r\n"))
    };
    for (head, status) in [
        (of_kind("/bulk", "text/plain"), "415"),
        (of_kind("/bulk?mode=some", "text/csv"), "422"),
        (of_kind("/imports", "text/plain"), "415"),
        (of_kind("/imports", "multipart/form-data"), "415"),
        (of_kind("/imports?mode=some", "text/csv"), "422"),
        (head("GET", "/export.csv?search=...", ""), "422"),
        (head("GET", "/export.csv?status=used&sort=expires", ""), "422"),
        (of_kind("/bulk", "text/csv"), "429"),
        (of_kind("/imports", "text/csv"), "429"),
        (head("GET", "/export.csv", ""), "429"),
    ] {
        let answer = answer(open(address, &head).await).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}{answer}");
    }
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_503() {
    let limits = WebLimits::default().with_request_time(Duration::from_millis(50));
    let harness = Harness::api().with_web(|web| web.with_limits(limits));
    let address = serve(harness.app()).await;
    let stream = open(address, &with_body("", 100)).await;
    let answer = answer(stream).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: "));
}
