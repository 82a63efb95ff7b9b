//! The host names of requests, and the pages that may make changes.

use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::json;

use crate::host::{Host, Store, answer, read};

/// Adds the headers that a browser sends with a form of a page of `origin`, which it
/// considers same-origin.
fn from_page(request: RequestBuilder, origin: &str, host: &str) -> RequestBuilder {
    request
        .header("sec-fetch-site", "same-origin")
        .header(header::ORIGIN, origin)
        .header(header::HOST, host)
}

async fn sign_in(host: &Host, origin: &str, name: &str) -> u16 {
    let request = from_page(host.ask(Method::POST, "/login"), origin, name);
    let answer = request.form(&[("username", "admin")]).send().await.expect("an answer");
    answer.status().as_u16()
}

/// An attacker can make their own host name resolve to the loopback interface. Every
/// request under such a name is refused.
#[tokio::test]
async fn a_name_that_is_not_the_hosts_gets_nothing() {
    let store = Store::sqlite();
    let host = store.start().await;
    let port = host.base.rsplit(':').next().expect("a port");
    for name in [
        format!("evil.test:{port}"),
        "evil.test".to_owned(),
        format!("localhost.evil.test:{port}"),
        format!("127.0.0.1.evil.test:{port}"),
        format!("0.0.0.0:{port}"),
        "null".to_owned(),
    ] {
        for path in ["/", "/login", "/register", "/invitations", "/api/invitations", "/nowhere"] {
            let request = host.ask_as("admin", Method::GET, path).header(header::HOST, &name);
            let response = request.send().await.expect("an answer");
            assert!(response.headers().contains_key("x-request-id"), "{name}{path}");
            read(response).await.problem(403, "forbidden");
        }
        assert_eq!(sign_in(&host, &format!("http://{name}"), &name).await, 403, "{name}");
        let create = host.ask_as("admin", Method::POST, "/api/invitations");
        let create = from_page(create, &format!("http://{name}"), &name);
        let draft = json!({"role": "staff", "division": "sales"});
        answer(create.json(&draft)).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn the_loopback_names_are_the_hosts() {
    let store = Store::sqlite();
    let host = store.start().await;
    let port = host.base.rsplit(':').next().expect("a port");
    for name in ["127.0.0.1", "localhost", "LOCALHOST"] {
        let name = format!("{name}:{port}");
        let page = host.ask(Method::GET, "/").header(header::HOST, &name).send().await;
        assert_eq!(page.expect("an answer").status(), StatusCode::OK, "{name}");
        // Browsers write the origin in lower case.
        let origin = format!("http://{}", name.to_lowercase());
        assert_eq!(sign_in(&host, &origin, &name).await, 303, "{name}");
    }
    let name = format!("127.0.0.1:{port}");
    for origin in ["null", "http://evil.test", "http://127.0.0.1", "http://127.0.0.1:1"] {
        assert_eq!(sign_in(&host, origin, &name).await, 403, "{origin}");
    }
}

#[tokio::test]
async fn the_configured_address_is_the_hosts() {
    let store = Store::sqlite();
    let mut command = store.command();
    command.env("BASE_URL", "https://demo.example.com");
    let host = Host::start(command).await;
    let name = "demo.example.com";
    assert_eq!(sign_in(&host, "https://demo.example.com", name).await, 303);
    assert_eq!(sign_in(&host, "http://demo.example.com", name).await, 403, "another scheme");
    assert_eq!(sign_in(&host, "https://example.com", "example.com").await, 403);
    assert_eq!(sign_in(&host, &host.base, host.base.trim_start_matches("http://")).await, 303);
    let invitation = host.invite(json!({})).await;
    let path = format!("/api/invitations/{}/copy", crate::host::text(&invitation["id"]));
    let copied = answer(host.ask_as("admin", Method::POST, &path)).await;
    let link = crate::host::text(&copied.json()["link"]);
    assert!(link.starts_with("https://demo.example.com/register#"), "{link}");
}
