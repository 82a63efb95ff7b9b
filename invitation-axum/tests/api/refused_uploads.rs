//! Uploads that are refused: the client has sent its body to the end when the response comes.
//!
//! The bodies are larger than the buffers of a connection. A server that closes a connection with
//! unread bytes resets it, and a browser then shows an error of its own instead of the response.

use std::{net::SocketAddr, num::NonZeroU16};

use axum::Router;
use invitation_axum::{Dashboard, WebLimits};
use invitation_core::{
    MemoryStore,
    import::jobs::{Imports, MemorySpool},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    harness::{API, DASHBOARD, serve},
    sockets::{answer, open, with_body},
    support::Harness,
};

const FORM: &str = "multipart/form-data; boundary=f";
const SIZE: usize = 12_000_000;

/// Returns a host that serves imports of files of at most 100 kB.
fn app(limits: WebLimits) -> Router {
    let imports = Imports::new(MemoryStore::new(), MemorySpool::new()).with_max_bytes(100_000);
    Harness::api().with_web(|web| web.with_limits(limits).with_imports(imports)).app()
}

/// Returns a form whose part `name` has most of its bytes.
fn form(name: &str) -> Vec<u8> {
    let head = format!("--f\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    [head.into_bytes(), vec![b'x'; SIZE], b"\r\n--f--\r\n".to_vec()].concat()
}

/// Sends a body to its end as the administrator, and returns the response.
async fn sent(address: SocketAddr, path: &str, kind: &str, body: &[u8]) -> String {
    sent_with(address, path, "authorization: Bearer admin\r\n", kind, body).await
}

/// Sends a body to its end with further headers, and returns the response.
async fn sent_with(address: SocketAddr, path: &str, more: &str, kind: &str, body: &[u8]) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\
         {more}content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = open(address, &head).await;
    stream.write_all(body).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    answer(stream).await
}

#[tokio::test]
async fn form_that_is_refused_is_read_to_its_end() {
    let address = serve(app(WebLimits::default())).await;
    for base in [API, DASHBOARD] {
        let path = format!("{base}/imports");
        let refused = sent(address, &path, FORM, &form("file")).await;
        assert!(refused.starts_with("HTTP/1.1 413 "), "{path}: {refused}");
    }
    let refused = sent(address, &format!("{DASHBOARD}/imports"), FORM, &form("mode")).await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    let refused = sent(address, &format!("{API}/imports"), "multipart/form-data", &form("")).await;
    assert!(refused.starts_with("HTTP/1.1 415 "), "{refused}");
}

/// A refusal before the body is read, such as that of a session that has ended.
#[tokio::test]
async fn body_of_a_request_that_is_refused_is_read_to_its_end() {
    const ADMIN: &str = "authorization: Bearer admin\r\n";
    const MANAGER: &str = "authorization: Bearer sales-manager\r\n";
    let limits = WebLimits::default();
    let dashboard = Dashboard::new().with_sign_in("/login");
    let imports = Imports::new(MemoryStore::new(), MemorySpool::new());
    let serving = Harness::api().with_dashboard(dashboard);
    let serving = serving.with_web(|web| web.with_limits(limits).with_imports(imports));
    let protected = serve(serving.web.protect(serving.app())).await;
    let serving = serve(serving.app()).await;
    let none = serve(Harness::api().app()).await;
    let long = format!("{API}/bulk?x={}", "x".repeat(9_000));
    let (api, dashboard) = (format!("{API}/bulk"), format!("{DASHBOARD}/imports"));
    let unreadable = format!("{ADMIN}idempotency-key: {}\r\n", "k".repeat(2_000));
    for (address, path, more, kind, status) in [
        (serving, &*api, "", "text/csv", 401),
        (protected, &api, "", "text/csv", 401),
        (serving, &dashboard, "", FORM, 303),
        (protected, &dashboard, "", FORM, 303),
        (serving, &api, MANAGER, "text/csv", 403),
        (serving, &format!("{DASHBOARD}/import"), MANAGER, FORM, 403),
        (serving, &dashboard, MANAGER, FORM, 403),
        (serving, &format!("{api}?mode=some"), ADMIN, "text/csv", 422),
        (serving, &api, &unreadable, "text/csv", 422),
        (serving, &long, ADMIN, "text/csv", 414),
        (serving, &api, ADMIN, "text/plain", 415),
        (none, &format!("{API}/imports"), ADMIN, "text/csv", 404),
        (none, &dashboard, ADMIN, FORM, 404),
    ] {
        let refused = sent_with(address, path, more, kind, &form("file")).await;
        assert!(refused.starts_with(&format!("HTTP/1.1 {status} ")), "{path:.40}: {refused}");
    }
}

/// Takes the only place for an import, and returns the connection that holds it.
async fn occupied(address: SocketAddr) -> TcpStream {
    let body = json!([{"role": "staff", "division": "sales"}]).to_string();
    let head = with_body("/bulk", body.len());
    let mut first = open(address, &head.replace("host: ", "expect: 100-continue\r\nhost: ")).await;
    // The server asks for the body, so the import has its permit.
    let mut asked = [0; 25];
    first.read_exact(&mut asked).await.expect("it is asked");
    first
}

#[tokio::test]
async fn body_beyond_the_number_of_imports_is_read_to_its_end() {
    let limits = WebLimits::default().with_bulk_at_once(NonZeroU16::MIN);
    let address = serve(app(limits)).await;
    let _first = occupied(address).await;
    for (path, kind) in [
        (format!("{API}/bulk"), "text/csv"),
        (format!("{API}/imports"), "text/csv"),
        (format!("{API}/imports"), FORM),
        (format!("{DASHBOARD}/import"), FORM),
        (format!("{DASHBOARD}/import/create"), FORM),
        (format!("{DASHBOARD}/imports"), FORM),
    ] {
        let refused = sent(address, &path, kind, &form("file")).await;
        assert!(refused.starts_with("HTTP/1.1 429 "), "{path}: {refused}");
    }
    // A client that waits is refused before it sends its body.
    let head = with_body("/bulk", SIZE).replace("host: ", "expect: 100-continue\r\nhost: ");
    let refused = answer(open(address, &head).await).await;
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
}
