//! Malicious headers, bodies and texts.

use axum::{
    body::Body,
    http::{Method, Request},
    response::IntoResponse,
};
use http_body_util::BodyExt;
use invitation_axum::Problem;
use invitation_core::{CodeFormat, Division, IfVersion, OsEntropy, Redeemer, UserId, Username};
use serde_json::json;

use crate::{
    harness::person,
    support::{Harness, MOUNT, json, request},
};

fn create(headers: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = json(Method::POST, "sales-manager", "", &json!({}));
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().expect("a header"));
    }
    request
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let harness = Harness::api();
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://evil.example"), ("host", "evil.example")],
        &[("origin", "https://evil.example"), ("x-forwarded-host", "evil.example")],
        &[("origin", "https://example.com"), ("origin", "https://evil.example")],
    ] {
        harness.send(create(headers)).await.problem(403, "forbidden");
    }
    for headers in [
        &[][..],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://example.com")],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://example.com"), ("host", "internal:3000")],
    ] {
        assert_eq!(harness.send(create(headers)).await.status, 201, "{headers:?}");
    }
    assert_eq!(harness.get("admin", "").await.json()["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn no_header_of_a_request_gets_into_a_link_or_an_answer() {
    let harness = Harness::api();
    let hostile = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-prefix", "//evil.example"),
        ("forwarded", "host=evil.example"),
        ("x-original-url", "//evil.example"),
        ("x-http-method-override", "DELETE"),
    ];
    let created = harness.send(create(&hostile)).await;
    assert_eq!(created.status, 201);
    assert!(created.header("location").starts_with(&format!("{MOUNT}/")));
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let mut copy = request(Method::POST, "sales-manager", &format!("/{id}/copy"));
    for (name, value) in hostile {
        copy = copy.header(name, value);
    }
    let copied = harness.send(copy.body(Body::empty()).unwrap()).await;
    assert!(copied.json()["link"].as_str().unwrap().starts_with("https://example.com/register#"));
    for answer in [&created, &copied] {
        assert!(
            !answer.text().contains("evil") && !format!("{:?}", answer.headers).contains("evil")
        );
    }
}

#[tokio::test]
async fn html_is_text() {
    let harness = Harness::api();
    let html = "<img src=x onerror=alert(1)>";
    let body = json!({"role": "staff", "division": html, "metadata": {"note": html}});
    let created = harness.post_json("admin", "", &body).await;
    assert_eq!(created.header("content-type"), "application/json");
    assert_eq!(created.header("x-content-type-options"), "nosniff");
    assert_eq!(created.json()["division"], html);
    let search = harness.get("admin", "?search=%3Cscript%3Ealert()%3C/script%3E").await;
    assert_eq!(search.status, 200);
    let problem = harness.get("admin", "?%3Cscript%3E=1").await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    let denied = harness.post_json("sales-manager", "", &json!({"division": html})).await;
    denied.problem(403, "forbidden");
}

#[tokio::test]
async fn every_answer_is_guarded_and_not_to_be_kept() {
    let harness = Harness::api();
    let answers = [
        harness.get("admin", "").await,
        harness.get("", "").await,
        harness.get("admin", "/nowhere/").await,
        harness.get("admin", "/export.csv").await,
        harness.post_json("sales-manager", "", &json!({})).await,
    ];
    for answer in answers {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        assert!(!answer.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn bodies_of_the_wrong_kind() {
    let harness = Harness::api();
    for kind in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("\u{e9}")]
    {
        let mut request = request(Method::POST, "sales-manager", "");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = harness.send(request.body(Body::from("{}")).unwrap()).await;
        answer.problem(415, "unsupported-media-type");
    }
    let post = |body: &'static [u8]| {
        request(Method::POST, "sales-manager", "")
            .header("content-type", "Application/JSON; charset=utf-8")
            .body(Body::from(body))
            .unwrap()
    };
    assert_eq!(harness.send(post(b"{}")).await.status, 201);
    for body in [&b""[..], b"{", b"{}{}", b"\xff\xfe", b"{\"email\":\"\xff\"}", b"nonsense"] {
        harness.send(post(body)).await.problem(400, "malformed");
    }
    let deep = [b"{\"metadata\":".to_vec(), b"[".repeat(100_000)].concat();
    let deep = request(Method::POST, "sales-manager", "")
        .header("content-type", "application/json")
        .body(Body::from(deep))
        .unwrap();
    let answer = harness.send(deep).await;
    assert!(matches!(answer.status.as_u16(), 400 | 422), "{answer:?}");
    let copy = request(Method::POST, "sales-manager", "/01890000-0000-7000-8000-000000000000/copy")
        .body(Body::from("code=1"))
        .unwrap();
    harness.send(copy).await.problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn what_is_too_large() {
    let harness = Harness::api();
    let large = json!({"metadata": {"a": "x".repeat(1_000_001)}});
    harness.post_json("sales-manager", "", &large).await.problem(413, "too-large");
    let path = format!("?search={}", "a".repeat(9_000));
    harness.get("admin", &path).await.problem(414, "uri-too-long");
    let request = request(Method::GET, "admin", "").header("x-large", "a".repeat(17_000));
    let answer = harness.send(request.body(Body::empty()).unwrap()).await;
    answer.problem(431, "headers-too-large");
}

/// What a host answers to a stranger with a code that was never issued, one of another division
/// and a deleted one.
#[tokio::test]
async fn unknown_foreign_and_deleted_codes_are_alike_to_the_byte() {
    let harness = Harness::api();
    let [foreign, deleted] = [harness.invite().await, harness.invite().await];
    let admin = person("admin").unwrap();
    let id = deleted.invitation().id();
    harness.service().delete(&admin, id, IfVersion::Any).await.unwrap();
    let unknown = CodeFormat::default().generate(&OsEntropy).unwrap();
    let stranger = |division: &str| {
        let eve = Redeemer::new(UserId::new("eve").unwrap(), Username::new("eve").unwrap());
        eve.in_division(Division::new(division).unwrap())
    };
    let mut answers = Vec::new();
    for (code, division) in
        [(&unknown, "sales"), (foreign.code(), "operations"), (deleted.code(), "sales")]
    {
        let refused = harness.service().redeem(&code.reveal(), &stranger(division)).await;
        let answer = Problem::of_redeeming(&refused.unwrap_err()).into_response();
        let (parts, body) = answer.into_parts();
        answers.push((parts.status, parts.headers, body.collect().await.unwrap().to_bytes()));
    }
    assert_eq!(answers[0].0, 404);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}
