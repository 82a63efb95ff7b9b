//! The rights that each route requires, and the order in which a request is checked.

use std::{collections::BTreeSet, num::NonZeroU32, sync::Arc};

use axum::{
    body::Body,
    http::{Method, Request},
};
use invitation_axum::{Identify, IdentifyError, Parts, Web, async_trait};
use invitation_core::{Actor, Limits, MemoryStore};
use serde_json::json;

use crate::support::{Answer, Harness, MOUNT, add_every_route, json, request, with_every_route};

const ID: &str = "01890000-0000-7000-8000-000000000000";

/// Every route, and whether a manager may use it.
const ROUTES: [(&str, &str, bool); 37] = [
    ("GET", "", true),
    ("POST", "", true),
    ("GET", "/counts", true),
    ("POST", "/search", true),
    ("GET", "/{id}", true),
    ("PATCH", "/{id}", false),
    ("DELETE", "/{id}", false),
    ("POST", "/{id}/copy", true),
    ("POST", "/{id}/revoke", false),
    ("POST", "/{id}/reinstate", false),
    ("POST", "/{id}/rotate", false),
    ("POST", "/{id}/resend", false),
    ("GET", "/{id}/redemptions", true),
    ("GET", "/{id}/deliveries", true),
    ("POST", "/bulk", false),
    ("GET", "/export.csv", false),
    ("GET", "/events", false),
    ("GET", "/reservations", false),
    ("POST", "/revoke", false),
    ("POST", "/resend", false),
    ("GET", "/deliveries", false),
    ("POST", "/deliveries/{delivery}/retry", false),
    ("POST", "/imports", false),
    ("GET", "/imports", false),
    ("GET", "/imports/{import}", false),
    ("GET", "/imports/{import}/result", false),
    ("POST", "/imports/{import}/cancel", false),
    ("GET", "/funnel", true),
    ("GET", "/webhooks", false),
    ("POST", "/webhooks", false),
    ("GET", "/webhooks/{endpoint}", false),
    ("DELETE", "/webhooks/{endpoint}", false),
    ("POST", "/webhooks/{endpoint}/secret", false),
    ("POST", "/webhooks/{endpoint}/enable", false),
    ("POST", "/webhooks/{endpoint}/disable", false),
    ("POST", "/webhooks/{endpoint}/retry", false),
    ("POST", "/webhooks/{endpoint}/skip", false),
];

/// Returns every route with ids in its path, and whether a manager may use it.
fn routes() -> impl Iterator<Item = (Method, String, bool)> {
    ROUTES.into_iter().map(|(method, path, is_managers)| {
        let path = path.replace("{endpoint}", "crm");
        let path =
            ["{id}", "{delivery}", "{import}"].iter().fold(path, |path, id| path.replace(id, ID));
        (method.parse().expect("a method"), path, is_managers)
    })
}

#[tokio::test]
async fn every_described_route_is_among_them() {
    let document = serde_json::to_value(with_every_route().web.openapi(MOUNT)).expect("JSON");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path.strip_prefix(MOUNT).expect("a path of the API");
        let methods = item.as_object().expect("operations").keys();
        described.extend(methods.map(|method| (method.to_uppercase(), path.to_owned())));
    }
    let tested = ROUTES.map(|(method, path, _)| (method.to_owned(), path.to_owned()));
    assert_eq!(described, BTreeSet::from(tested));
}

async fn send(harness: &Harness, method: &Method, who: &str, path: &str) -> Answer {
    harness.send(request(method.clone(), who, path).body(Body::empty()).expect("it is there")).await
}

#[tokio::test]
async fn without_an_actor_everything_is_401() {
    let harness = with_every_route();
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
    let store = Arc::new(MemoryStore::new());
    // Every denial is an event of its own.
    let limits = Limits::default().with_denials_per_minute(NonZeroU32::MAX);
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store))
        .with_service(|service| service.with_limits(limits));
    let harness = add_every_route(harness, &store);
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
            let unknown = request(method.clone(), who, &format!("{path}?no=1")).body(Body::empty());
            for request in [plain, broken, unknown.unwrap()] {
                harness.send(request).await.problem(403, "forbidden");
            }
        }
    }
    let mut denials = 0;
    for who in ["sales-staff", "sales-manager"] {
        let path = format!("/events?limit=200&outcome=denied&actor={who}");
        denials += harness.get("admin", &path).await.json()["items"].as_array().unwrap().len();
    }
    let expected: usize = routes().map(|(_, _, managers)| if managers { 3 } else { 6 }).sum();
    assert_eq!(denials, expected, "one event for each");
}

#[tokio::test]
async fn unknown_parameter_is_422_on_every_route() {
    let harness = with_every_route();
    for (method, path, _) in routes() {
        for (query, pointer) in [("no=1", "/no"), ("dry_run=maybe", "/dry_run"), ("=", "/")] {
            let answer = send(&harness, &method, "admin", &format!("{path}?{query}")).await;
            let problem = answer.invalid(&[pointer]);
            assert_eq!(problem["errors"][0]["in"], "query", "{method} {path}");
        }
        let answer = send(&harness, &method, "admin", &format!("{path}?no=%ff")).await;
        answer.problem(400, "malformed");
    }
}

#[tokio::test]
async fn request_with_an_unknown_parameter_changes_nothing() {
    let harness = Harness::api();
    let body = json!({"role": "staff", "division": "sales"});
    harness.post_json("admin", "?dry_run=true", &body).await.invalid(&["/dry_run"]);
    assert_eq!(harness.get("admin", "").await.json()["items"], json!([]));
    let id = harness.invite().await.invitation().id();
    let body = json!({"role": "staff"});
    let answer = harness.post_json("admin", "/revoke?division=operations", &body).await;
    answer.invalid(&["/division"]);
    harness.post_json("admin", &format!("/{id}/rotate?x=1"), &json!({})).await.invalid(&["/x"]);
    let kept = harness.get("admin", &format!("/{id}")).await.json();
    assert_eq!((&kept["status"], &kept["version"]), (&json!("active"), &json!(1)));
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
    let store = Arc::new(MemoryStore::new());
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store));
    let service = harness.service().clone();
    let harness = add_every_route(harness.with_web(|_| Web::new(service, Broken)), &store);
    for (method, path, _) in routes() {
        let answer = send(&harness, &method, "admin", &path).await;
        answer.problem(503, "unavailable");
        assert!(!answer.text().contains("CANARY"));
        assert!(!answer.header("retry-after").is_empty());
    }
}
