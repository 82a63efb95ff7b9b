//! The example as a separate process, and requests to it.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use invitation_testkit::{MariaDb, Postgres, Redis};
use reqwest::{Method, RequestBuilder, Response, StatusCode, redirect};
use serde_json::{Value, json};

/// The maximum duration of a start.
const PATIENCE: Duration = Duration::from_mins(1);

/// A store for one test, and the folder that the host starts in.
pub(crate) struct Store {
    pub(crate) folder: tempfile::TempDir,
    url: Option<String>,
    /// Keeps the server running until the end of the test.
    _server: Option<Redis>,
}

impl Store {
    /// The default store: a file in the working directory.
    pub(crate) fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), url: None, _server: None }
    }

    pub(crate) fn postgres() -> Self {
        Self { url: Some(Postgres::shared().create_database()), ..Self::sqlite() }
    }

    pub(crate) fn mariadb() -> Self {
        Self { url: Some(MariaDb::shared().create_database()), ..Self::sqlite() }
    }

    pub(crate) fn redis() -> Self {
        let server = Redis::start().expect("a server");
        Self { url: Some(server.url()), _server: Some(server), ..Self::sqlite() }
    }

    /// Returns the command of the example, not started yet, on a free port.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_invitation-demo"));
        command.current_dir(self.folder.path()).env("PORT", "0");
        command.env_remove("DATABASE_URL").env_remove("DEMO_RESET").env_remove("BASE_URL");
        if let Some(url) = &self.url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Starts the example on the existing data.
    pub(crate) async fn start(&self) -> Host {
        Host::start(self.command()).await
    }
}

/// A running example, killed when this is dropped.
pub(crate) struct Host {
    child: Child,
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Host {
    pub(crate) async fn start(mut command: Command) -> Self {
        let (tell, told) = mpsc::channel();
        let mut child = tokio::task::spawn_blocking(move || {
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
        })
        .await
        .expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut stderr = child.stderr.take().expect("a pipe");
        let complaints = std::thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).ok();
            String::from_utf8_lossy(&text).into_owned()
        });
        let log = std::thread::spawn(move || {
            let mut first = String::new();
            stdout.read_line(&mut first).ok();
            tell.send(first.clone()).ok();
            let mut rest = Vec::new();
            stdout.read_to_end(&mut rest).ok();
            let complaints = complaints.join().unwrap_or_default();
            format!("{first}{}{complaints}", String::from_utf8_lossy(&rest))
        });
        let first = tokio::task::spawn_blocking(move || told.recv_timeout(PATIENCE))
            .await
            .expect("no panic")
            .expect("it says where it listens, in time");
        let base = first.trim_end().strip_prefix("listening on ").map(str::to_owned);
        let mut host = Self {
            child,
            base: String::new(),
            client: reqwest::Client::builder()
                .redirect(redirect::Policy::none())
                .timeout(Duration::from_mins(1))
                .build()
                .expect("a client"),
            log: Some(log),
        };
        match base {
            Some(base) if base.starts_with("http://127.0.0.1:") => host.base = base,
            _ => panic!("the first line must say where it listens: {first}{}", host.kill()),
        }
        host
    }

    /// Kills the process like a crash. Returns its output.
    pub(crate) fn kill(&mut self) -> String {
        self.child.kill().ok();
        self.child.wait().ok();
        self.log.take().map(|log| log.join().unwrap_or_default()).unwrap_or_default()
    }

    /// Stops the process. Returns whether it ended successfully, and its output.
    pub(crate) fn stop(mut self) -> (bool, String) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(asked.expect("kill runs").success());
        let ended = self.child.wait().expect("it has ended");
        let log = self.log.take().map(|log| log.join().unwrap_or_default());
        (ended.success(), log.unwrap_or_default())
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) fn ask_as(&self, name: &str, method: Method, path: &str) -> RequestBuilder {
        self.ask(method, path).header("authorization", format!("Bearer demo-{name}"))
    }

    /// Posts a body and returns the status and body of the answer.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.ask(Method::POST, path).json(body)).await
    }

    pub(crate) async fn register(&self, code: &str, username: &str) -> Answer {
        self.post("/api/register", &json!({"code": code, "username": username})).await
    }

    /// Creates an invitation for staff of sales, as the administrator.
    pub(crate) async fn invite(&self, mut draft: Value) -> Value {
        draft["role"] = json!("staff");
        draft["division"] = json!("sales");
        let created = self.ask_as("admin", Method::POST, "/api/invitations").json(&draft);
        let created = answer(created).await;
        assert_eq!(created.status, 201, "{}", created.body);
        created.body
    }

    /// Returns the code of an unbound invitation.
    pub(crate) async fn code(&self) -> String {
        text(&self.invite(json!({})).await["code"])
    }

    /// Returns the present state of an invitation.
    pub(crate) async fn invitation(&self, id: &Value) -> Value {
        let path = format!("/api/invitations/{}", text(id));
        answer(self.ask_as("admin", Method::GET, &path)).await.body
    }

    /// Returns whether an account of this name exists and can act. A newcomer is staff, who
    /// get 403 for invitations; a request without an account gets 401.
    pub(crate) async fn has_account(&self, name: &str) -> bool {
        let answer = answer(self.ask_as(name, Method::GET, "/api/invitations")).await;
        match answer.status.as_u16() {
            403 => true,
            401 => false,
            other => panic!("{name}: {other} {}", answer.body),
        }
    }

    /// Returns the mails to an address, newest first.
    pub(crate) async fn mails(&self, to: &str) -> Vec<Value> {
        let request = self.ask_as("admin", Method::GET, "/api/demo/mail").query(&[("to", to)]);
        let answer = answer(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["items"].as_array().expect("a list").clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let said = self.kill();
        if std::thread::panicking() {
            eprintln!("the host said:\n{said}");
        }
    }
}

/// An answer with a JSON body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    /// Asserts that the answer is this problem, with this status in its body and as its
    /// HTTP status.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, name: &str) {
        let kind = format!("urn:invitation:problem:{name}");
        assert_eq!((self.status.as_u16(), &self.body["type"]), (status, &json!(kind)), "{self:?}");
        assert_eq!(self.body["status"], json!(status), "{self:?}");
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    read(response).await
}

pub(crate) async fn read(response: Response) -> Answer {
    let status = response.status();
    let kind = response.headers().get("content-type").cloned();
    let is_error = status.is_client_error() || status.is_server_error();
    let expected = if is_error { "application/problem+json" } else { "application/json" };
    assert_eq!(kind.as_ref().and_then(|kind| kind.to_str().ok()), Some(expected), "{status}");
    Answer { status, body: response.json().await.expect("JSON") }
}

/// Returns the text of a string value.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}
