//! Bodies whose exact text matters: encodings, numbers, repeated keys and times.

use axum::{body::Body, http::Method};
use serde_json::json;

use crate::support::{Answer, Harness, request};

async fn send(harness: &Harness, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
    let request = request(Method::POST, "admin", path).header("content-type", kind);
    harness.send(request.body(body.into()).expect("a request")).await
}

/// Returns a new invitation of sales with one more field, as JSON.
fn with(field: &str) -> String {
    format!("{{\"role\": \"staff\", \"division\": \"sales\", {field}}}")
}

#[tokio::test]
async fn metadata_that_would_be_kept_otherwise_is_refused() {
    let harness = Harness::api();
    for metadata in [
        "{\"id\": 18446744073709551616}",
        "{\"id\": [-9223372036854775809]}",
        "{\"id\": 1, \"id\": 2}",
        "{\"a\": {\"id\": 1, \"id\": 1}}",
    ] {
        let draft = with(&format!("\"metadata\": {metadata}"));
        send(&harness, "", "application/json", draft.clone()).await.invalid(&["/metadata"]);
        let rows = format!("[{draft}]");
        send(&harness, "/bulk", "application/json", rows).await.invalid(&["/0/metadata"]);
        let cell = metadata.replace('"', "\"\"");
        let file = format!("role,division,metadata\nstaff,sales,\"{cell}\"\n");
        send(&harness, "/bulk", "text/csv", file).await.invalid(&["/2/metadata"]);
    }
    let metadata = "{\"id\":18446744073709551615,\"text\":\"18446744073709551616\"}";
    let draft = with(&format!("\"metadata\": {metadata}"));
    let created = send(&harness, "", "application/json", draft).await.is(201);
    assert!(created.text().contains(metadata), "{}", created.text());
}

#[tokio::test]
async fn number_out_of_range_is_named_and_no_error_of_syntax() {
    let harness = Harness::api();
    let draft = with("\"max_uses\": 1e999");
    let answer = send(&harness, "", "application/json", draft.clone()).await;
    let problem = answer.invalid(&["/max_uses"]);
    assert_eq!(problem["errors"][0]["message"], "number out of range");
    let rows = format!("[{}, {draft}]", with("\"max_uses\": 2"));
    send(&harness, "/bulk", "application/json", rows.clone()).await.invalid(&["/1/max_uses"]);
    let answer = send(&harness, "/bulk?mode=best_effort", "application/json", rows).await.is(201);
    let results = answer.json()["results"].clone();
    assert_eq!(results[0]["outcome"], "created", "{results}");
    assert_eq!(results[1]["outcome"], "invalid", "{results}");
    assert_eq!(results[1]["errors"][0]["pointer"], "/1/max_uses", "{results}");
    for draft in [with("\"email\": \"\\ud800\""), with("\"max_uses\": 1e")] {
        send(&harness, "", "application/json", draft.clone()).await.problem(400, "malformed");
        let rows = format!("[{draft}]");
        send(&harness, "/bulk", "application/json", rows).await.problem(400, "malformed");
    }
}

#[tokio::test]
async fn time_without_a_t_between_date_and_time_is_refused() {
    let harness = Harness::api();
    for separator in ["x", "-", " ", "\\u0000"] {
        let draft = with(&format!("\"expires_at\": \"2027-02-01{separator}08:00:00Z\""));
        send(&harness, "", "application/json", draft).await.invalid(&["/expires_at"]);
    }
    let draft = with("\"expires_at\": \"2027-02-01t08:00:00z\"");
    let created = send(&harness, "", "application/json", draft).await.is(201).json();
    assert_eq!(created["expires_at"], json!("2027-02-01T08:00:00Z"));
}

#[tokio::test]
async fn json_files_as_programs_write_them_are_read() {
    let harness = Harness::api();
    let text = r#"[{"role": "staff", "division": "Süd"}]"#;
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let send = async |file: Vec<u8>| send(&harness, "/bulk", "application/json", file).await;
    let stored = async || harness.get("admin", "?limit=200").await.json()["items"].clone();
    for file in [
        text.as_bytes().to_vec(),
        format!("\u{feff}{text}").into_bytes(),
        utf_16(u16::to_le_bytes),
        utf_16(u16::to_be_bytes),
    ] {
        let answer = send(file).await.is(201);
        let id = answer.json()["results"][0]["id"].as_str().expect("an id").to_owned();
        assert_eq!(harness.get("admin", &format!("/{id}")).await.json()["division"], "Süd");
    }
    let before = stored().await;
    let windows_1252 = b"[{\"division\":\n\"S\xfcd\"}]";
    let answer = send(windows_1252.to_vec()).await;
    assert!(answer.text().contains("looks like windows-1252, line 2"), "{}", answer.text());
    answer.problem(400, "malformed");
    let unmarked = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    send(unmarked).await.problem(400, "malformed");
    assert_eq!(stored().await, before);
}
