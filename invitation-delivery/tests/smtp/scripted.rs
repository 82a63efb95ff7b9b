//! A mail server whose answer to each step is given by the test.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader, Lines},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// The answer to each step of a conversation. Where it is none, the server is silent from then on.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    pub(crate) greeting: Option<&'static str>,
    pub(crate) hello: Option<&'static str>,
    pub(crate) sender: Option<&'static str>,
    pub(crate) recipient: Option<&'static str>,
    pub(crate) data: Option<&'static str>,
    pub(crate) acceptance: Option<&'static str>,
    pub(crate) quit: Option<&'static str>,
}

/// A server that accepts every mail.
pub(crate) const WILLING: Script = Script {
    greeting: Some("220 ready"),
    hello: Some("250 hello"),
    sender: Some("250 OK"),
    recipient: Some("250 OK"),
    data: Some("354 go on"),
    acceptance: Some("250 kept"),
    quit: Some("221 bye"),
};

/// What happened to the server.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Seen {
    /// The connections that were opened.
    pub(crate) connections: usize,
    /// Those of them that the client has not closed yet.
    pub(crate) open: usize,
    /// The mails whose last byte has arrived.
    pub(crate) mails: usize,
    /// The times that the client said QUIT.
    pub(crate) quits: usize,
}

pub(crate) struct Scripted {
    port: u16,
    script: Arc<Mutex<Script>>,
    seen: watch::Receiver<Seen>,
}

impl Scripted {
    pub(crate) async fn start(script: Script) -> Self {
        // Not 127.0.0.1, where the other servers of the tests take free ports a moment later.
        let listener = TcpListener::bind(("127.0.0.2", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(script));
        let (reports, seen) = watch::channel(Seen::default());
        let current = Arc::clone(&script);
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let (script, reports) = (*current.lock().unwrap(), reports.clone());
                tokio::spawn(async move {
                    reports.send_modify(|seen| {
                        seen.connections += 1;
                        seen.open += 1;
                    });
                    converse(connection, script, &reports).await;
                    reports.send_modify(|seen| seen.open -= 1);
                });
            }
        });
        Self { port, script, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.2:{}", self.port)
    }

    /// Sets the answers of later connections.
    pub(crate) fn set(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    /// Returns what was seen as soon as it is as expected, and panics if it does not become so.
    pub(crate) async fn until(&self, expected: impl Fn(&Seen) -> bool + Send + Sync) -> Seen {
        let mut seen = self.seen.clone();
        let limit = std::time::Duration::from_mins(1);
        let found = tokio::time::timeout(limit, seen.wait_for(|seen| expected(seen))).await;
        let last = *self.seen.borrow();
        *found.unwrap_or_else(|_| panic!("{last:?}")).unwrap()
    }
}

/// Answers until the client closes the connection.
async fn converse(connection: TcpStream, script: Script, reports: &watch::Sender<Seen>) {
    let (reading, mut writing) = connection.into_split();
    let mut lines = BufReader::new(reading).lines();
    let mut answer = script.greeting;
    loop {
        let Some(text) = answer else { return drain(&mut lines).await };
        if writing.write_all(format!("{text}\r\n").as_bytes()).await.is_err() {
            return;
        }
        let Ok(Some(line)) = lines.next_line().await else { return };
        answer = match line.get(..4).unwrap_or_default() {
            "EHLO" => script.hello,
            "MAIL" => script.sender,
            "RCPT" => script.recipient,
            "DATA" => match script.data {
                Some(go_on) if go_on.starts_with("354") => {
                    if writing.write_all(format!("{go_on}\r\n").as_bytes()).await.is_err() {
                        return;
                    }
                    loop {
                        match lines.next_line().await {
                            Ok(Some(line)) if line == "." => break,
                            Ok(Some(_)) => {}
                            _ => return,
                        }
                    }
                    reports.send_modify(|seen| seen.mails += 1);
                    script.acceptance
                }
                refused => refused,
            },
            "QUIT" => {
                reports.send_modify(|seen| seen.quits += 1);
                script.quit
            }
            _ => Some("500 unknown"),
        };
    }
}

/// Reads until the client closes the connection.
async fn drain(lines: &mut Lines<BufReader<impl AsyncRead + Unpin>>) {
    while let Ok(Some(_)) = lines.next_line().await {}
}
