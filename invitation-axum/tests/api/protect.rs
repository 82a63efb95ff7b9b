//! The middleware for routes of the host, and links for its mails.

use axum::{
    Router,
    body::Body,
    http::{Method, Request, Version, header},
    response::Html,
    routing::get,
};
use invitation_axum::Web;
use serde_json::json;
use tower::ServiceExt;

use crate::{
    harness::{people::who, with_json},
    support::{Harness, MOUNT, request},
};

const HEADERS: [&str; 5] = [
    "x-request-id",
    "cache-control",
    "referrer-policy",
    "x-content-type-options",
    "content-security-policy",
];

/// Returns the headers of the documentation, as the host's page at `path` has them.
async fn headers(app: Router, path: &str) -> [String; 5] {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("an answer");
    HEADERS.map(|name| response.headers()[name].to_str().expect("text").to_owned())
}

fn pages() -> Router {
    let own =
        [(header::CONTENT_SECURITY_POLICY, "default-src *"), (header::CACHE_CONTROL, "private")];
    Router::new()
        .route("/page", get(async || Html("a page")).post(async || "changed"))
        .route("/own", get(async move || (own, Html("a page with headers of its own"))))
}

fn web() -> Web {
    Harness::api().web
}

#[tokio::test]
async fn protected_routes_get_the_documented_headers() {
    let [id, others @ ..] = headers(web().protect(pages()), "/page").await;
    assert!(!id.is_empty());
    let policy = "default-src 'none'; frame-ancestors 'none'";
    assert_eq!(others, ["no-store", "same-origin", "nosniff", policy]);
    // An error has them too.
    let [_, others @ ..] = headers(web().protect(pages()), "/nowhere").await;
    assert_eq!(others, ["no-store", "same-origin", "nosniff", policy]);
}

#[tokio::test]
async fn protected_pages_may_use_their_own_scripts_and_styles() {
    let [id, others @ .., policy] = headers(web().protect_pages(pages()), "/page").await;
    assert!(!id.is_empty());
    assert_eq!(others, ["no-store", "same-origin", "nosniff"]);
    let directive = |name: &str| policy.split("; ").find_map(|part| part.strip_prefix(name));
    assert_eq!(directive("default-src "), Some("'self'"), "{policy}");
    assert_eq!(directive("style-src "), Some("'self' 'unsafe-inline'"), "{policy}");
    assert_eq!(directive("script-src "), None, "scripts follow the default: {policy}");
    for closed in ["object-src ", "base-uri ", "frame-ancestors "] {
        assert_eq!(directive(closed), Some("'none'"), "{policy}");
    }
}

#[tokio::test]
async fn a_response_keeps_the_headers_that_it_sets() {
    for app in [web().protect(pages()), web().protect_pages(pages())] {
        let [_, cache, _, _, policy] = headers(app, "/own").await;
        assert_eq!([&*cache, &*policy], ["private", "default-src *"]);
    }
}

#[tokio::test]
async fn protected_pages_refuse_changes_of_other_origins() {
    for app in [web().protect(pages()), web().protect_pages(pages())] {
        let request = Request::post("/page").header("sec-fetch-site", "cross-site");
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 403);
    }
}

/// A request over HTTP/2 has no `Host`: the server puts `:authority` into the URI.
#[tokio::test]
async fn form_of_the_same_origin_is_accepted_over_http_2_without_a_base_url() {
    let harness = Harness::api();
    let bare = Web::new(harness.service().clone(), who);
    for (origin, expected) in [("https://app.example", 201), ("https://evil.test", 403)] {
        let app = Router::new().nest_service(MOUNT, bare.api());
        let request = Request::post(format!("https://app.example{MOUNT}"))
            .version(Version::HTTP_2)
            .header("authorization", "Bearer admin")
            .header("sec-fetch-site", "same-origin")
            .header("origin", origin);
        let staff = json!({"role": "staff", "division": "sales"});
        let response = app.oneshot(with_json(request, &staff)).await.expect("an answer");
        assert_eq!(response.status(), expected, "{origin}");

        let request = Request::post("https://app.example/page").version(Version::HTTP_2);
        let request = request.header("origin", origin).body(Body::empty()).expect("a request");
        let response = bare.protect_pages(pages()).oneshot(request).await.expect("an answer");
        assert_eq!(response.status() == 403, expected == 403, "{origin}");
    }
}

#[tokio::test]
async fn router_behind_protect_records_the_request_id_of_the_response() {
    let harness = Harness::api();
    for given in ["", "req-7", "not an id"] {
        let mut request = request(Method::POST, "admin", "");
        if !given.is_empty() {
            request = request.header("x-request-id", given);
        }
        let staff = json!({"role": "staff", "division": "sales"});
        let app = harness.web.protect_pages(harness.web.protect(harness.app()));
        let response = app.oneshot(with_json(request, &staff)).await.expect("an answer");
        assert_eq!(response.status(), 201);
        let id = response.headers()["x-request-id"].to_str().expect("text");
        let events = harness.get("admin", "/events?limit=1").await.json();
        assert_eq!(events["items"][0]["correlation_id"], id, "{given:?}");
    }
}

#[tokio::test]
async fn a_link_carries_the_code_and_does_not_show_it() {
    let harness = Harness::api().with_web(|web| web.with_register_path("join"));
    let created = harness.invite().await;
    let code = created.code().reveal();
    let link = harness.web.link(created.code()).expect("a base URL is set");
    assert_eq!(link.reveal(), format!("https://example.com/join#{}", &*code));
    let first = code.split('-').next().unwrap();
    assert!(!format!("{link:?}").contains(first), "{link:?}");
}
