//! Connections: their limits, and the end of the program.

use std::time::Duration;

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::host::{Host, Store};

const PATIENCE: Duration = Duration::from_secs(30);

/// The maximum number of connections of the host.
const MAX_CONNECTIONS: usize = 256;

fn address(host: &Host) -> &str {
    host.base.trim_start_matches("http://")
}

async fn connected(host: &Host) -> TcpStream {
    TcpStream::connect(address(host)).await.expect("a connection")
}

/// Returns what arrives until the host closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    read.expect("the host closes the connection").expect("no reset");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn client_that_does_not_finish_its_headers_is_disconnected() {
    let store = Store::sqlite();
    let host = store.start().await;
    let mut stream = connected(&host).await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ").await.expect("a head");
    let answered = rest(stream).await;
    assert!(!answered.starts_with("HTTP/1.1 200"), "{answered}");
}

#[tokio::test]
async fn client_beyond_the_maximum_waits_for_a_connection() {
    let store = Store::sqlite();
    let host = store.start().await;
    let mut idle = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        idle.push(connected(&host).await);
    }
    let home = || host.ask(Method::GET, "/").timeout(Duration::from_secs(1)).send();
    assert!(home().await.expect_err("no answer").is_timeout());
    idle.truncate(MAX_CONNECTIONS / 2);
    assert_eq!(home().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn request_in_progress_is_answered_before_the_program_ends() {
    let store = Store::sqlite();
    let host = store.start().await;
    let at = address(&host).to_owned();
    let mut stream = connected(&host).await;
    let head = format!(
        "POST /api/register HTTP/1.1\r\nhost: {at}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: 2\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("a head");
    // The host asks for the body, so the request is in progress.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.expect("it is asked");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");

    let stopped = tokio::task::spawn_blocking(move || host.stop());
    let refusing = async {
        while TcpStream::connect(&at).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refusing).await.expect("new clients are refused");
    stream.write_all(b"{}").await.expect("it takes the body");
    let answered = rest(stream).await;
    assert!(answered.starts_with("HTTP/1.1 422 "), "{answered}");
    let (is_success, output) = stopped.await.expect("no panic");
    assert!(is_success, "{output}");
}
