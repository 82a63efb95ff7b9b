//! The rights that each route requires, and the order in which a request is checked.

use axum::{
    body::Body,
    http::{Method, Request},
};
use invitation_axum::{Identify, IdentifyError, Parts, Web, async_trait};
use invitation_core::Actor;
use serde_json::json;

use crate::support::{Answer, Harness, json, request};

const ID: &str = "01890000-0000-7000-8000-000000000000";

/// Returns every route, and whether a manager may use it.
fn routes() -> Vec<(Method, String, bool)> {
    let mut routes = vec![
        (Method::GET, String::new(), true),
        (Method::POST, String::new(), true),
        (Method::GET, "/counts".into(), true),
        (Method::POST, "/search".into(), true),
        (Method::GET, format!("/{ID}"), true),
        (Method::POST, format!("/{ID}/copy"), true),
        (Method::PATCH, format!("/{ID}"), false),
        (Method::DELETE, format!("/{ID}"), false),
        (Method::POST, "/bulk".into(), false),
        (Method::GET, "/export.csv".into(), false),
        (Method::GET, "/events".into(), false),
        (Method::GET, format!("/{ID}/redemptions"), true),
        (Method::GET, "/reservations".into(), false),
        (Method::POST, "/revoke".into(), false),
    ];
    for what in ["revoke", "reinstate", "rotate"] {
        routes.push((Method::POST, format!("/{ID}/{what}"), false));
    }
    routes
}

async fn send(harness: &Harness, method: &Method, who: &str, path: &str) -> Answer {
    harness.send(request(method.clone(), who, path).body(Body::empty()).expect("it is there")).await
}

#[tokio::test]
async fn without_an_actor_everything_is_401() {
    let harness = Harness::api();
    for (method, path, _) in routes() {
        for who in ["", "nobody"] {
            let answer = send(&harness, &method, who, &path).await;
            answer.problem(401, "unauthenticated");
            assert!(!answer.header("www-authenticate").is_empty());
        }
    }
    send(&harness, &Method::GET, "", "/nowhere/at/all").await.problem(401, "unauthenticated");
    send(&harness, &Method::PUT, "", "").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_role_that_may_not_is_403_whatever_it_sends() {
    let harness = Harness::api();
    for (method, path, is_managers) in routes() {
        let who: &[&str] =
            if is_managers { &["sales-staff"] } else { &["sales-staff", "sales-manager"] };
        for who in who {
            let plain = request(method.clone(), who, &path).body(Body::empty()).unwrap();
            let broken = request(method.clone(), who, &path)
                .header("content-type", "application/x-nonsense")
                .header("if-match", "nonsense")
                .body(Body::from("{"))
                .unwrap();
            for request in [plain, broken] {
                harness.send(request).await.problem(403, "forbidden");
            }
        }
    }
    let events = harness.get("admin", "/events?limit=200&outcome=denied").await.json();
    let denials = events["items"].as_array().unwrap().len();
    let expected: usize =
        routes().iter().map(|(_, _, managers)| if *managers { 2 } else { 4 }).sum();
    assert_eq!(denials, expected, "one event for each");
}

#[tokio::test]
async fn each_check_comes_before_the_next() {
    for one in [format!("/{ID}"), "/42".to_owned()] {
        each_check_comes_before_the_next_at(&one).await;
    }
}

async fn each_check_comes_before_the_next_at(one: &str) {
    let harness = Harness::api();
    let patch = |body: &'static str, kind: &'static str| {
        let request = request(Method::PATCH, "admin", one).header("if-match", "\"7\"");
        request.header("content-type", kind).body(Body::from(body)).expect("a request")
    };
    let json = "application/json";
    harness.send(patch("{", "text/plain")).await.problem(415, "unsupported-media-type");
    harness.send(patch("{", json)).await.problem(400, "malformed");
    harness.send(patch("{\"role\":7}", json)).await.problem(422, "invalid");
    harness.send(patch("{}", json)).await.problem(422, "invalid");
    harness.send(patch("{\"role\":\"root\"}", json)).await.problem(403, "forbidden");
    harness.send(patch("{\"role\":\"staff\"}", json)).await.problem(404, "not-found");

    let created = harness.create("admin", &json!({"role": "staff", "division": "sales"})).await;
    let id = created["id"].as_str().expect("an id");
    harness.redeem(created["code"].as_str().expect("a code"), "anna").await.expect("a good code");
    let with = |version: &str| {
        let mut request = json_patch(id);
        request.headers_mut().insert("if-match", version.parse().expect("a header"));
        request
    };
    harness.send(with("\"7\"")).await.problem(412, "version-mismatch");
    harness.send(with("\"1\"")).await.problem(409, "conflict");
}

fn json_patch(id: &str) -> Request<Body> {
    json(Method::PATCH, "admin", &format!("/{id}"), &json!({"role": "staff"}))
}

#[tokio::test]
async fn another_method_is_405_and_another_path_404() {
    let harness = Harness::api();
    for (method, path, allow) in [
        (Method::PUT, String::new(), "GET,HEAD,POST"),
        (Method::DELETE, "/counts".into(), "GET,HEAD"),
        (Method::GET, "/bulk".into(), "POST"),
        (Method::GET, format!("/{ID}/copy"), "POST"),
        (Method::HEAD, format!("/{ID}/rotate"), "POST"),
        (Method::POST, format!("/{ID}"), "GET,HEAD,PATCH,DELETE"),
        (Method::OPTIONS, String::new(), "GET,HEAD,POST"),
        (Method::TRACE, "/events".into(), "GET,HEAD"),
    ] {
        let answer = send(&harness, &method, "admin", &path).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
        if method != Method::HEAD {
            answer.problem(405, "method-not-allowed");
        }
    }
    for path in ["/x/y", "/export.csv/", "/bulk/x", &format!("/{ID}/burn"), "/%2e%2e/"] {
        send(&harness, &Method::GET, "admin", path).await.problem(404, "not-found");
    }
}

/// An [`Identify`] that fails, as with a session store that is down.
struct Broken;

#[async_trait]
impl Identify for Broken {
    async fn actor(&self, _: &Parts) -> Result<Option<Actor>, IdentifyError> {
        Err(IdentifyError::new("CANARY"))
    }
}

#[tokio::test]
async fn who_cannot_be_identified_is_503() {
    let harness = Harness::api();
    let service = harness.service().clone();
    let harness = harness.with_web(|_| Web::new(service, Broken));
    for (method, path, _) in routes() {
        let answer = send(&harness, &method, "admin", &path).await;
        answer.problem(503, "unavailable");
        assert!(!answer.text().contains("CANARY"));
        assert!(!answer.header("retry-after").is_empty());
    }
}
