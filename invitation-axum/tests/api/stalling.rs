//! Clients that stop reading or sending: they lose their places to other clients.

use std::{net::SocketAddr, time::Duration};

use axum::{body::Body, http::Method};
use invitation_axum::WebLimits;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tower::ServiceExt;

use crate::{
    harness::{API, DASHBOARD, serve_on},
    sockets::{answer, head, open},
    support::{Harness, request},
};

const PLACES: usize = 8;
const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_mins(10);

/// Creates more invitations than fit into the buffers of a connection when exported.
async fn filled(limits: WebLimits) -> Harness {
    let harness = Harness::api().with_web(|web| web.with_limits(limits));
    let email = |n| format!("{}.{n:04}@{}.example.com", "a".repeat(59), "b".repeat(63));
    let division = "d".repeat(64);
    for batch in 0..4 {
        let row = |n| json!({"email": email(n), "role": "staff", "division": division});
        let rows: Vec<_> = (batch * 1_000..).take(1_000).map(row).collect();
        assert_eq!(harness.post_json("admin", "/bulk", &json!(rows)).await.status, 201);
    }
    harness
}

/// Runs the host on connections with small buffers.
fn serve(harness: &Harness) -> SocketAddr {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_send_buffer_size(4_096).expect("a small buffer");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    serve_on(socket.listen(64).expect("a listener"), harness.app())
}

/// Requests an export, and reads only the beginning of the response.
async fn stalled(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut stream = socket.connect(address).await.expect("a connection");
    stream.write_all(head("GET", "/export.csv", "").as_bytes()).await.expect("it takes the head");
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).await.expect("an answer begins");
    assert_eq!(&begun, b"HTTP/1.1 200");
    stream
}

async fn exported(address: SocketAddr) -> String {
    answer(open(address, &head("GET", "/export.csv", "")).await).await
}

/// Requests exports until one succeeds.
async fn export_succeeds(address: SocketAddr) {
    let asking = async {
        let mut moments = tokio::time::interval(Duration::from_millis(20));
        loop {
            moments.tick().await;
            let answer = exported(address).await;
            if answer.starts_with("HTTP/1.1 200 ") {
                assert!(answer.ends_with("\r\n0\r\n\r\n"), "the file is complete");
                return;
            }
            assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("a place becomes free");
}

#[tokio::test]
async fn exports_that_nobody_reads_give_up_their_places() {
    let defaults = WebLimits::default();
    for limits in [
        defaults.with_export_page_time(SHORT).with_export_time(LONG),
        // Whole exports have to succeed within this time, on a busy machine too.
        defaults.with_export_page_time(LONG).with_export_time(Duration::from_secs(2)),
    ] {
        let harness = filled(limits).await;
        let address = serve(&harness);
        let mut clients = Vec::new();
        for _ in 0..PLACES {
            clients.push(stalled(address).await);
        }
        export_succeeds(address).await;
        let rows = json!([{"role": "staff", "division": "sales"}]);
        assert_eq!(harness.post_json("admin", "/bulk", &rows).await.status, 201);
        // A client that reads on afterwards does not take the file for complete.
        let rest = answer(clients.remove(0)).await;
        assert!(!rest.ends_with("\r\n0\r\n\r\n"));
    }
}

#[tokio::test]
async fn stalled_exports_take_all_places_until_their_time_is_up() {
    let harness = filled(WebLimits::default()).await;
    let address = serve(&harness);
    let mut clients = Vec::new();
    for _ in 0..PLACES {
        clients.push(stalled(address).await);
    }
    assert!(exported(address).await.starts_with("HTTP/1.1 429 "));
    // A client that disconnects frees its place at once.
    drop(clients.pop());
    export_succeeds(address).await;
}

#[tokio::test]
async fn a_body_that_is_never_polled_gives_up_its_place() {
    let harness = filled(WebLimits::default().with_export_page_time(SHORT)).await;
    let mut bodies = Vec::new();
    for _ in 0..PLACES {
        let asked = request(Method::GET, "admin", "/export.csv").body(Body::empty()).unwrap();
        bodies.push(harness.app().oneshot(asked).await.unwrap());
    }
    harness.get("admin", "/export.csv").await.problem(429, "too-many-requests");
    let asking = async {
        let mut moments = tokio::time::interval(Duration::from_millis(20));
        while harness.get("admin", "/export.csv").await.status != 200 {
            moments.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("a place becomes free");
}

/// An import takes its place before its body is read, so that no more bodies are in memory
/// than there are places.
#[tokio::test]
async fn imports_that_nobody_sends_give_up_their_places() {
    let form = "multipart/form-data; boundary=frontier";
    for (path, kind) in [
        (format!("{API}/bulk"), "application/json"),
        (format!("{DASHBOARD}/import"), form),
        (format!("{DASHBOARD}/import/create"), form),
    ] {
        let limits = WebLimits::default().with_body_time(SHORT);
        let harness = Harness::api().with_web(|web| web.with_limits(limits));
        let address = serve(&harness);
        let expecting = format!(
            "POST {path} HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\
             expect: 100-continue\r\nauthorization: Bearer admin\r\n\
             sec-fetch-site: same-origin\r\ncontent-type: {kind}\r\n\
             content-length: 1000\r\n\r\n"
        );
        let mut clients = Vec::new();
        for _ in 0..PLACES {
            let mut stream = open(address, &expecting).await;
            // The server asks for the body, so the import has its place.
            let mut asked = [0; 25];
            stream.read_exact(&mut asked).await.expect("it is asked");
            assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
            stream.write_all(b"[").await.expect("it takes the beginning");
            clients.push(stream);
        }
        assert!(exported(address).await.starts_with("HTTP/1.1 429 "), "{path}");
        // A further import is refused without its body being asked for.
        let refused = answer(open(address, &expecting).await).await;
        assert!(refused.starts_with("HTTP/1.1 429 "), "{path}: {refused}");
        export_succeeds(address).await;
        for client in clients {
            assert!(answer(client).await.starts_with("HTTP/1.1 408 "), "{path}");
        }
    }
}
