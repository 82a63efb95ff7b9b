//! Runs the example as a separate process, and checks that its minimal host works.

#![expect(clippy::unwrap_used, reason = "a helper of a test")]

use std::process::Command;

use invitation_testkit::ListeningProgram;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// The running example.
struct Host(ListeningProgram);

impl Host {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_axum_minimal"));
        Self(ListeningProgram::start(command.env("PORT", "0")).unwrap())
    }

    fn ask_as(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        let request = Client::new().request(method, format!("{}{path}", self.0.base()));
        request.header("authorization", format!("Bearer {token}"))
    }
}

#[tokio::test]
async fn the_minimal_host_serves_api_dashboard_and_document() {
    let host = Host::start();
    let ask = |method, path: &str| host.ask_as("secret-of-mia", method, path);
    let create = host.ask_as("guessed", Method::POST, "/api/invitations").json(&json!({}));
    assert_eq!(create.send().await.unwrap().status(), 401);

    let created = ask(Method::POST, "/api/invitations").json(&json!({})).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let created: Value = created.json().await.unwrap();
    assert_eq!(created["division"], json!("sales"));
    let (id, code) = (created["id"].as_str().unwrap(), created["code"].as_str().unwrap());

    let copy = ask(Method::POST, &format!("/api/invitations/{id}/copy")).send().await.unwrap();
    let copy: Value = copy.json().await.unwrap();
    assert_eq!(copy["link"], json!(format!("{}/register#{code}", host.0.base())));

    assert_eq!(ask(Method::GET, "/openapi.json").send().await.unwrap().status(), 200);
    let page = ask(Method::GET, "/invitations").send().await.unwrap().text().await.unwrap();
    assert!(page.contains(&format!("href=\"/invitations/{id}\"")), "{page}");
}
