//! Refusals, and the reasons that the contract gives for them.

use invitation::{
    code::{CodeFormat, OsEntropy},
    sql::sqlx::{
        self, Connection,
        sqlite::{SqliteConnectOptions, SqliteConnection},
    },
};
use reqwest::{Method, header::HeaderValue};
use serde_json::{Value, json};

use crate::host::{Answer, Host, Store, answer, text};

pub(crate) async fn every_refusal_has_its_problem(store: &Store) {
    let host = store.start().await;
    let code = host.code().await;

    // Two different neighbouring symbols are swapped.
    let mistyped = swapped(&code);
    host.register(&mistyped, "a").await.problem(422, "code-mistyped");
    host.register("", "a").await.problem(422, "code-mistyped");
    // Well-formed but unknown codes: zeros with their check symbol, and the code of a
    // deleted invitation.
    let deleted = host.invite(json!({})).await;
    let path = format!("/api/invitations/{}", text(&deleted["id"]));
    let gone = host.ask_as("admin", Method::DELETE, &path).send().await.expect("an answer");
    assert_eq!(gone.status(), 204);
    host.register(&text(&deleted["code"]), "a").await.problem(404, "code-unknown");

    for (status, problem) in
        [("expired", "code-expired"), ("used", "code-used"), ("revoked", "code-revoked")]
    {
        // An invitation from the demonstration's data.
        let path = format!("/api/invitations?status={status}");
        let rows = answer(host.ask_as("admin", Method::GET, &path)).await;
        let code = text(&rows.json()["items"][0]["code"]);
        host.register(&code, "a").await.problem(410, problem);
    }

    let address = host.invite(json!({"email": "Nina@example.com"})).await;
    let domain = host.invite(json!({"email_domain": "example.com"})).await;
    for bound in [&address, &domain] {
        for email in [Value::Null, json!("nina@example.org"), json!("nina@sub.example.com")] {
            let body = json!({"code": bound["code"], "username": "a", "email": email});
            let refused = host.post("/api/register", &body).await;
            refused.problem(403, "address-proof-required");
            assert!(!refused.json().to_string().to_lowercase().contains("nina"), "{refused:?}");
        }
    }
    assert!(host.mails("nina@example.com").await.is_empty(), "and no mail was sent");

    wrong_values(&host, &code).await;
    wrong_parameters(&host).await;
    evidence(&host).await;
    assert!(!host.has_account("a").await, "no account was created");
    assert_eq!(host.register(&code, "a").await.status, 201, "and the code is still good");
}

/// The list of mails names the parameter that is wrong.
async fn wrong_parameters(host: &Host) {
    let ask = |path: &str| answer(host.ask_as("admin", Method::GET, path));
    for (query, pointers) in [
        ("to=x", &["/to"][..]),
        ("foo=1", &["/foo"]),
        ("to=x&kind=letter", &["/to", "/kind"]),
        ("kind=invitation&kind=invitation", &["/kind"]),
        ("to=", &["/to"]),
    ] {
        ask(&format!("/api/demo/mail?{query}")).await.invalid(pointers);
    }
    ask("/api/demo/mail?to=%ff").await.problem(400, "malformed");
    ask("/api/demo/mail?to=a%2Bb@example.com&kind=invitation").await.is(200);
    ask("/api/demo/webhooks?limit=1").await.invalid(&["/limit"]);
    let twice = host.ask(Method::POST, "/login").header("origin", &host.base);
    let twice = twice.form(&[("username", "admin"), ("username", "admin")]);
    answer(twice).await.invalid(&["/username"]);
}

async fn wrong_values(host: &Host, code: &str) {
    for (body, pointers) in [
        (json!({"code": code, "username": ""}), vec!["/username"]),
        (json!({"code": code, "username": "a".repeat(129)}), vec!["/username"]),
        (json!({"code": code, "username": " a"}), vec!["/username"]),
        (json!({"code": code, "username": "a", "email": "a"}), vec!["/email"]),
        (json!({"code": code, "username": "", "email": ""}), vec!["/username", "/email"]),
        (json!({"code": code, "username": 1}), vec!["/username"]),
        (json!({"code": code, "username": "a", "role": "admin"}), vec!["/role"]),
        (json!({"code": code}), vec!["/username"]),
        (json!({"code": null, "email": "a"}), vec!["/code", "/username", "/email"]),
        (json!({}), vec!["/code", "/username"]),
        (json!([]), vec![""]),
    ] {
        host.post("/api/register", &body).await.invalid(&pointers);
    }
    let confirm = "/api/register/confirm";
    host.post(confirm, &json!({})).await.invalid(&["/registration", "/token"]);
    host.post(confirm, &json!({"token": "a"})).await.invalid(&["/registration"]);
    // A parameter that the host does not know may be meant as a restriction.
    let good = json!({"code": code, "username": "a"});
    host.post("/api/register?dry_run=true", &good).await.invalid(&["/dry_run"]);
    host.post("/api/register?a=1&b=2&a=3", &good).await.invalid(&["/a"]);
    let proof = json!({"registration": "a", "token": "b"});
    host.post(&format!("{confirm}?dry_run=true"), &proof).await.invalid(&["/dry_run"]);
    host.post("/api/register?%ff=1", &good).await.problem(400, "malformed");
    let send = |kind: &'static str, body: String| {
        let request = host.ask(Method::POST, "/api/register").header("content-type", kind);
        answer(request.body(body))
    };
    let json = "application/json";
    let good = json!({"code": code, "username": "a"}).to_string();
    send(json, "{".to_owned()).await.problem(400, "malformed");
    send("text/plain", good.clone()).await.problem(415, "unsupported-media-type");
    let long = format!("{{\"code\":\"{}\"}}", "x".repeat(2_000_000));
    let refused = send(json, long).await;
    refused.problem(413, "too-large");
    has_request_id(&refused);
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = host.ask(Method::POST, "/api/register").header("content-type", json);
        answer(request.header(header, value).body(good.clone())).await.problem(403, "forbidden");
    }
    // A key that cannot be read is not a request without a key.
    for keys in [&[&b"\xff"[..]][..], &[b"one", b"two"]] {
        let request = host.ask(Method::POST, "/api/register").header("content-type", json);
        let request = keys.iter().fold(request, |request, key| {
            request.header("idempotency-key", HeaderValue::from_bytes(key).expect("a header"))
        });
        answer(request.body(good.clone())).await.problem(422, "invalid");
    }
    for (path, status, problem) in
        [("/api/register", 405, "method-not-allowed"), ("/api/nothing", 404, "not-found")]
    {
        let refused = answer(host.ask(Method::GET, path)).await;
        refused.problem(status, problem);
        has_request_id(&refused);
    }
}

/// Refusals of the host's own routes have an id, as those of the library's have.
fn has_request_id(refused: &Answer) {
    assert!(!refused.header("x-request-id").is_empty(), "{refused:?}");
}

/// While the store is down, the API and the page say when to try again.
#[tokio::test]
async fn store_that_is_down_is_503_with_retry_after() {
    let store = Store::redis();
    let host = store.start().await;
    let code = host.code().await;
    store.redis_server().stop_now().expect("it ends");
    let list = answer(host.ask_as("admin", Method::GET, "/api/invitations")).await;
    let registered = host.register(&code, "nina").await;
    for refused in [&list, &registered] {
        refused.problem(503, "unavailable");
        assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    }
    let form = [("code", &*code), ("username", "nina"), ("email", "")];
    let request = host.ask(Method::POST, "/register").header("origin", &host.base).form(&form);
    let page = answer(request).await.is(503);
    assert!(!page.header("retry-after").is_empty(), "{page:?}");
}

/// Each refusal by the library is on record, although the host's transaction was rolled
/// back or never began.
async fn evidence(host: &Host) {
    let path = "/api/invitations/events?limit=200&kind=redeem";
    let trail = answer(host.ask_as("admin", Method::GET, path)).await;
    let trail = trail.is(200).json();
    let reasons: Vec<_> = trail["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|event| event["reason"].as_str())
        .collect();
    let expected = ["deleted", "expired", "used", "revoked", "address_missing", "address_differs"];
    for reason in expected {
        assert!(reasons.contains(&reason), "{reason} is not among {reasons:?}");
    }
}

/// The throttle counts failures by the address of the client. It comes after the check of the
/// typed code.
pub(crate) async fn too_many_wrong_codes_are_refused_for_a_while(store: &Store) {
    let host = store.start().await;
    let format = CodeFormat::default();
    let mut evaluated = 0;
    let refused = loop {
        let guess = format.generate(&OsEntropy).expect("randomness").reveal();
        // Clients can set this header, so it says nothing about their address.
        let request = host.ask(Method::POST, "/api/register");
        let request = request.header("x-forwarded-for", format!("198.51.100.{evaluated}"));
        let refused = answer(request.json(&json!({"code": *guess, "username": "a"}))).await;
        if refused.status != 404 {
            break refused;
        }
        evaluated += 1;
        assert!(evaluated <= 100, "there is no limit");
    };
    refused.problem(429, "too-many-requests");
    // Two minutes, if one began meanwhile; and the block of one process.
    assert!((30..=80).contains(&evaluated), "{evaluated}");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    host.register("KANARI", "a").await.problem(422, "code-mistyped");
    let path = "/api/invitations/events?limit=200&kind=redeem";
    let trail = answer(host.ask_as("admin", Method::GET, path)).await.is(200).json();
    let events = trail["items"].as_array().expect("a list");
    let throttled = events.iter().find(|event| event["reason"] == "too_many_requests");
    assert_eq!(throttled.expect("it is on record")["source"], "127.0.0.1");
}

/// A host may have more unique keys than the name. Hitting one of them says nothing about
/// the name.
pub(crate) async fn another_unique_key_is_not_a_taken_name(store: &Store) {
    let host = store.start().await;
    let options = SqliteConnectOptions::new().filename(store.users_file());
    let mut users = SqliteConnection::connect_with(&options).await.expect("the host's users");
    let index = "CREATE UNIQUE INDEX one_n ON users (role) WHERE username LIKE 'n%'";
    sqlx::raw_sql(index).execute(&mut users).await.expect("an index");
    let (mine, other) = (host.code().await, host.code().await);
    assert_eq!(host.register(&mine, "nina").await.status, 201);
    host.register(&other, "nora").await.problem(503, "unavailable");
    host.register(&other, "NINA").await.problem(409, "username-taken");
    assert!(!host.has_account("nora").await, "no account was created");
    assert_eq!(host.register(&other, "otto").await.status, 201, "and the code is still good");
}

pub(crate) async fn a_taken_name_leaves_the_code_usable(store: &Store) {
    let host = store.start().await;
    let invitation = host.invite(json!({})).await;
    let code = text(&invitation["code"]);
    for name in ["sales-staff", "admin"] {
        host.register(&code, name).await.problem(409, "username-taken");
        let now = host.invitation(&invitation["id"]).await;
        assert_eq!((&now["status"], &now["uses"]), (&json!("active"), &json!(0)), "{now}");
    }
    assert_eq!(host.register(&code, "another-name").await.status, 201);
    let now = host.invitation(&invitation["id"]).await;
    assert_eq!(now["used_by"], json!("another-name"));
}

/// Returns the code with two different neighbouring symbols swapped.
fn swapped(code: &str) -> String {
    let mut symbols: Vec<char> = code.chars().collect();
    let differ = |pair: &[char]| pair[0] != pair[1] && !pair.contains(&'-');
    let at = symbols.windows(2).position(differ).expect("two different neighbours");
    symbols.swap(at, at + 1);
    symbols.into_iter().collect()
}
