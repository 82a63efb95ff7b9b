//! The example as a separate process, and requests to it.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use http_body_util::BodyExt;
pub(crate) use invitation_testkit::Answer;
use invitation_testkit::{ListeningProgram, MariaDb, Postgres, Redis};
use reqwest::{Method, RequestBuilder, Response, redirect};
use serde_json::{Value, json};

/// A store for one test, and the folder that the host starts in.
pub(crate) struct Store {
    pub(crate) folder: tempfile::TempDir,
    url: Option<String>,
    /// Keeps the server running until the end of the test.
    server: Option<Redis>,
}

impl Store {
    /// The default store: a file in the working directory.
    pub(crate) fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), url: None, server: None }
    }

    pub(crate) fn postgres() -> Self {
        Self { url: Some(Postgres::shared().create_database()), ..Self::sqlite() }
    }

    pub(crate) fn mariadb() -> Self {
        Self { url: Some(MariaDb::shared().create_database()), ..Self::sqlite() }
    }

    pub(crate) fn redis() -> Self {
        let server = Redis::start().expect("a server");
        Self { url: Some(server.url()), server: Some(server), ..Self::sqlite() }
    }

    /// Returns whether the invitations are in Redis, whose steps no transaction spans.
    pub(crate) fn is_redis(&self) -> bool {
        self.server.is_some()
    }

    /// Returns the URL of the store, unless it is the default one.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Returns the Redis server of the store.
    pub(crate) fn redis_server(&self) -> &Redis {
        self.server.as_ref().expect("a store on Redis")
    }

    /// Returns the SQLite file that holds the host's users, after a first start.
    pub(crate) fn users_file(&self) -> PathBuf {
        if !self.is_redis() {
            return self.folder.path().join("invitation-demo.db");
        }
        let files = fs::read_dir(self.folder.path()).expect("a folder");
        let mut paths = files.map(|file| file.expect("a file").path());
        paths.find(|path| path.extension().is_some_and(|end| end == "db")).expect("users")
    }

    /// Returns the command of the example, not started yet, on a free port.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_invitation-demo"));
        command.current_dir(self.folder.path()).env("PORT", "0");
        for name in ["DATABASE_URL", "DEMO_RESET", "BASE_URL", "SMTP_URL", "MAIL_FROM"] {
            command.env_remove(name);
        }
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
    program: ListeningProgram,
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
}

impl Host {
    pub(crate) async fn start(mut command: Command) -> Self {
        let started = tokio::task::spawn_blocking(move || ListeningProgram::start(&mut command));
        let program = started.await.expect("no panic").unwrap_or_else(|error| panic!("{error}"));
        Self {
            base: program.base().to_owned(),
            program,
            client: reqwest::Client::builder()
                .redirect(redirect::Policy::none())
                .timeout(Duration::from_mins(1))
                .build()
                .expect("a client"),
        }
    }

    /// Kills the process like a crash. Returns its output.
    pub(crate) fn kill(&mut self) -> String {
        self.program.kill()
    }

    /// Stops the process. Returns whether it ended successfully, and its output.
    pub(crate) fn stop(self) -> (bool, String) {
        self.program.stop().expect("it ends")
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
        answer(created).await.is(201).json()
    }

    /// Returns the code of an unbound invitation.
    pub(crate) async fn code(&self) -> String {
        text(&self.invite(json!({})).await["code"])
    }

    /// Returns the present state of an invitation.
    pub(crate) async fn invitation(&self, id: &Value) -> Value {
        let path = format!("/api/invitations/{}", text(id));
        answer(self.ask_as("admin", Method::GET, &path)).await.json()
    }

    /// Returns whether an account of this name exists and can act. A newcomer is staff, who
    /// get 403 for invitations; a request without an account gets 401.
    pub(crate) async fn has_account(&self, name: &str) -> bool {
        let answer = answer(self.ask_as(name, Method::GET, "/api/invitations")).await;
        match answer.status.as_u16() {
            403 => true,
            401 => false,
            other => panic!("{name}: {other} {}", answer.text()),
        }
    }

    /// Returns the mails to an address, newest first.
    pub(crate) async fn mails(&self, to: &str) -> Vec<Value> {
        let request = self.ask_as("admin", Method::GET, "/api/demo/mail").query(&[("to", to)]);
        let answer = answer(request).await;
        answer.is(200).json()["items"].as_array().expect("a list").clone()
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    read(response).await
}

pub(crate) async fn read(response: Response) -> Answer {
    let (parts, body) = http::Response::from(response).into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    Answer::new(parts, bytes)
}

/// Returns the text of a string value.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}
