//! Creating many invitations in one request.

use axum::{body::Body, http::Method};
use invitation_core::{Cap, Limits};
use serde_json::{Value, json};

use crate::support::{Answer, Harness, json, request};

async fn csv(harness: &Harness, query: &str, text: impl Into<Body>) -> Answer {
    let request = request(Method::POST, "admin", &format!("/bulk{query}"));
    let request = request.header("content-type", "text/csv; charset=utf-8").body(text.into());
    harness.send(request.expect("it is there")).await
}

async fn bulk(harness: &Harness, query: &str, rows: &Value) -> Answer {
    harness.post_json("admin", &format!("/bulk{query}"), rows).await
}

async fn stored(harness: &Harness) -> usize {
    harness.get("admin", "?limit=200").await.json()["items"].as_array().expect("it is there").len()
}

fn outcomes(answer: &Answer) -> Vec<String> {
    let results = answer.json()["results"].as_array().expect("it is there").clone();
    results.iter().map(|row| row["outcome"].as_str().expect("it is there").to_owned()).collect()
}

fn lines(answer: &Answer) -> Vec<u64> {
    let results = answer.json()["results"].as_array().expect("it is there").clone();
    results.iter().map(|row| row["line"].as_u64().expect("a number")).collect()
}

/// Returns the warnings of each row.
fn warnings(answer: &Answer) -> Vec<String> {
    let results = answer.json()["results"].as_array().expect("it is there").clone();
    let of = |row: &Value| {
        let all = row["warnings"].as_array().cloned().unwrap_or_default();
        let said = all.iter().filter_map(|one| one["message"].as_str().map(str::to_owned));
        said.collect::<Vec<_>>().join("; ")
    };
    results.iter().map(of).collect()
}

fn staff() -> Value {
    json!({"role": "staff", "division": "sales"})
}

#[tokio::test]
async fn rows_of_json_are_created_together() {
    let harness = Harness::api();
    let answer = bulk(&harness, "", &json!([staff(), staff()])).await;
    assert_eq!(answer.status, 201);
    assert_eq!(outcomes(&answer), ["created", "created"]);
    assert_eq!(lines(&answer), [1, 2]);
    let made = answer.json();
    for row in made["results"].as_array().unwrap() {
        let one = harness.get("admin", &format!("/{}", row["id"].as_str().unwrap())).await.json();
        assert_eq!(one["code"], row["code"]);
        assert_eq!(one["batch"], made["batch"]);
    }
}

#[tokio::test]
async fn rows_of_csv_are_created_together() {
    let harness = Harness::api();
    let file = "\u{feff}email,role,division,expires_in_days,max_uses,metadata\r\n\
                anna@example.com,staff,sales,30,,\"{\"\"team\"\": \"\"a\"\"}\"\r\n\
                ,manager,operations,,5,\r\n";
    let answer = csv(&harness, "", file).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(outcomes(&answer), ["created", "created"]);
    assert_eq!(lines(&answer), [2, 3]);
    let id = |n: usize| answer.json()["results"][n]["id"].as_str().unwrap().to_owned();
    let anna = harness.get("admin", &format!("/{}", id(0))).await.json();
    assert_eq!(
        (&anna["email"], &anna["metadata"]),
        (&json!("anna@example.com"), &json!({"team": "a"}))
    );
    let other = harness.get("admin", &format!("/{}", id(1))).await.json();
    assert_eq!((&other["role"], &other["max_uses"]), (&json!("manager"), &json!(5)));
}

#[tokio::test]
async fn all_or_none_names_everything_that_is_wrong() {
    let harness = Harness::api();
    let rows = json!([
        staff(),
        {"role": "staff", "division": "sales", "email": "anna"},
        {"role": "staff"},
        {"role": "staff", "division": "sales", "expires_in_days": 4000},
        {"who": "anna"},
    ]);
    for query in ["", "?mode=atomic", "?mode=atomic&dry_run=false"] {
        let answer = bulk(&harness, query, &rows).await;
        answer.invalid(&["/1/email", "/2/division", "/3/expires_in_days", "/4/who"]);
    }
    let only_bounds = json!([staff(), {"role": "staff"}]);
    bulk(&harness, "", &only_bounds).await.invalid(&["/1/division"]);
    let denied = json!([staff(), {"role": "root", "division": "sales"}]);
    bulk(&harness, "", &denied).await.problem(403, "forbidden");
    assert_eq!(stored(&harness).await, 0);
    csv(&harness, "", "email,role,division\nanna,staff,sales\n").await.invalid(&["/2/email"]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_come_of_it() {
    let harness = Harness::api();
    let rows = json!([staff(), {"role": "root", "division": "sales"}, {"role": "staff"}, 7]);
    for query in ["?dry_run=true", "?dry_run=true&mode=best_effort"] {
        let answer = bulk(&harness, query, &rows).await;
        assert_eq!(answer.status, 200);
        assert_eq!(outcomes(&answer), ["valid", "forbidden", "invalid", "invalid"]);
        let told = answer.json();
        assert_eq!(told["batch"], Value::Null);
        assert_eq!(told["results"][2]["errors"][0]["pointer"], "/2/division");
    }
    assert_eq!(stored(&harness).await, 0);
    assert_eq!(harness.get("admin", "/events").await.json()["items"], json!([]));
}

#[tokio::test]
async fn best_effort_creates_what_can_be() {
    let cap = Cap::AtMost(std::num::NonZeroU32::MIN.saturating_add(1));
    let limits = Limits::default().with_pending_per_division(cap);
    let harness = Harness::api().with_service(|service| service.with_limits(limits));
    let rows =
        json!([staff(), {"role": "root", "division": "sales"}, {"who": 1}, staff(), staff()]);
    let answer = bulk(&harness, "?mode=best_effort", &rows).await;
    assert_eq!(answer.status, 201);
    let expected = ["created", "forbidden", "invalid", "created", "quota_exceeded"];
    assert_eq!(outcomes(&answer), expected);
    assert_eq!(stored(&harness).await, 2);
    let none = bulk(&harness, "?mode=best_effort", &json!([{"who": 1}, staff()])).await;
    assert_eq!(
        (none.status.as_u16(), outcomes(&none)),
        (200, vec!["invalid".into(), "quota_exceeded".into()])
    );
    assert_eq!(none.json()["batch"], Value::Null);
    bulk(&harness, "", &json!([staff()])).await.problem(429, "quota-exceeded");
}

async fn keyed(harness: &Harness, key: &str, query: &str, rows: &Value) -> Answer {
    let mut request = json(Method::POST, "admin", &format!("/bulk{query}"), rows);
    request.headers_mut().insert("idempotency-key", key.parse().expect("a key"));
    harness.send(request).await
}

#[tokio::test]
async fn under_a_key_it_is_created_once() {
    let harness = Harness::api();
    let first = keyed(&harness, "k", "", &json!([staff(), staff()])).await;
    let again = keyed(&harness, "k", "", &json!([staff(), staff()])).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(stored(&harness).await, 2);
    for (query, rows) in [
        ("", json!([staff()])),
        ("?mode=best_effort", json!([staff(), staff()])),
        ("?duplicates=create", json!([staff(), staff()])),
    ] {
        keyed(&harness, "k", query, &rows).await.problem(409, "idempotency-key-reused");
    }
    let dry = keyed(&harness, "k", "?dry_run=true", &json!([staff()])).await;
    assert_eq!(outcomes(&dry), ["valid"], "a dry run needs no key");
}

#[tokio::test]
async fn best_effort_under_a_key_gives_the_first_results() {
    let cap = Cap::AtMost(std::num::NonZeroU32::MIN.saturating_add(1));
    let limits = Limits::default().with_pending_per_division(cap);
    let harness = Harness::api().with_service(|service| service.with_limits(limits));
    let anna = json!({"role": "staff", "division": "sales", "email": "anna@example.com"});
    let rows =
        json!([anna, {"who": 1}, {"role": "root"}, anna, staff(), staff(), {"role": "staff"}]);
    let first = keyed(&harness, "k", "?mode=best_effort", &rows).await;
    assert_eq!(first.status, 201);
    let expected =
        ["created", "invalid", "invalid", "skipped", "created", "quota_exceeded", "invalid"];
    assert_eq!(outcomes(&first), expected);
    for _ in 0..2 {
        let again = keyed(&harness, "k", "?mode=best_effort", &rows).await;
        assert_eq!((again.status, again.json()), (first.status, first.json()));
    }
    assert_eq!(stored(&harness).await, 2);
    let id = first.json()["results"][0]["id"].as_str().expect("an id").to_owned();
    let delete = request(Method::DELETE, "admin", &format!("/{id}")).body(Body::empty());
    assert_eq!(harness.send(delete.expect("a request")).await.status, 204);
    let again = keyed(&harness, "k", "?mode=best_effort", &rows).await;
    assert_eq!(outcomes(&again)[0], "deleted");

    let none = json!([{"who": 1}, {"role": "root", "division": "sales"}]);
    let first = keyed(&harness, "none", "?mode=best_effort", &none).await;
    assert_eq!(
        (first.status.as_u16(), outcomes(&first)),
        (200, vec!["invalid".into(), "forbidden".into()])
    );
    let again = keyed(&harness, "none", "?mode=best_effort", &none).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    let other = json!([{"who": 2}, {"role": "root", "division": "sales"}]);
    let other = keyed(&harness, "none", "?mode=best_effort", &other).await;
    other.problem(409, "idempotency-key-reused");
}

#[tokio::test]
async fn a_mailbox_that_is_invited_already_is_named_and_skipped_or_created() {
    let harness = Harness::api();
    let to = |email: &str| json!({"role": "staff", "division": "sales", "email": email});
    harness.create("admin", &to("Old@example.com")).await;
    let rows =
        json!([to("anna@example.com"), to("old@EXAMPLE.com"), staff(), to("ANNA@example.com")]);
    for query in ["?dry_run=true", "?dry_run=true&mode=best_effort", "?duplicates=skip"] {
        let answer = bulk(&harness, query, &rows).await;
        let good = if query.starts_with("?dry") { "valid" } else { "created" };
        assert_eq!(outcomes(&answer), [good, "skipped", good, "skipped"], "{query}");
        let expected = [
            "",
            "has an active invitation to this division",
            "is empty: anybody may redeem the code",
            "is the same mailbox as in row 1",
        ];
        assert_eq!(warnings(&answer), expected);
        assert_eq!(answer.json()["results"][3]["warnings"][0]["pointer"], "/3/email");
    }
    assert_eq!(stored(&harness).await, 3);
    let answer = bulk(&harness, "?duplicates=create", &rows).await;
    assert_eq!(outcomes(&answer), ["created"; 4]);
    let answer = bulk(&harness, "", &json!([to("anna@example.com")])).await;
    assert_eq!((answer.status.as_u16(), outcomes(&answer)), (200, vec!["skipped".to_owned()]));
    assert_eq!(bulk(&harness, "?duplicates=maybe", &rows).await.status, 422);

    let file = "sep=;\nE-Mail;Role;Department\nx@example.com;staff;sales\n;staff;sales\n\n\
                X@example.com;staff;hr\n";
    let answer = csv(&harness, "?dry_run=true", file).await;
    assert_eq!(
        (outcomes(&answer).join(" "), lines(&answer)),
        ("valid valid skipped".into(), vec![3, 4, 6])
    );
    let expected = [
        "",
        "line 4, E-Mail: is empty: anybody may redeem the code",
        "line 6, E-Mail: is the same mailbox as in line 3",
    ];
    assert_eq!(warnings(&answer), expected);
}

#[tokio::test]
async fn files_as_programs_write_them_are_read() {
    let harness = Harness::api();
    let text = "E-Mail;ROLE;Department;;\r\n anna@example.com ; staff ;\u{a0}Süd\r\n;;;;\r\n;;\r\n";
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    for file in [
        text.as_bytes().to_vec(),
        format!("\u{feff}{text}").into_bytes(),
        text.replace(';', "\t").into_bytes(),
        utf_16(u16::to_le_bytes),
        utf_16(u16::to_be_bytes),
    ] {
        let answer = csv(&harness, "?duplicates=create", file).await;
        assert_eq!((answer.status.as_u16(), outcomes(&answer)), (201, vec!["created".to_owned()]));
        let id = answer.json()["results"][0]["id"].as_str().expect("an id").to_owned();
        let one = harness.get("admin", &format!("/{id}")).await.json();
        assert_eq!((&one["email"], &one["division"]), (&json!("anna@example.com"), &json!("Süd")));
    }
    let count = stored(&harness).await;
    let windows_1252 = b"email;division\r\nanna@example.com;sales\r\n;S\xfcd\r\n";
    let answer = csv(&harness, "", &windows_1252[..]).await;
    assert!(answer.text().contains("looks like windows-1252, line 3"), "{}", answer.text());
    answer.problem(400, "malformed");
    assert_eq!(stored(&harness).await, count);
    let bad_row =
        csv(&harness, "?mode=best_effort", "E-Mail,Role,Division\n\n,,,\nanna,staff,sales\n").await;
    assert_eq!((outcomes(&bad_row), lines(&bad_row)), (vec!["invalid".to_owned()], vec![4]));
    let error = &bad_row.json()["results"][0]["errors"][0];
    assert!(error["message"].as_str().expect("a text").starts_with("line 4, E-Mail: must be"));
}

#[tokio::test]
async fn an_exported_address_can_be_imported() {
    let harness = Harness::api();
    let odd = "=1+cmd@example.com";
    harness.create("admin", &json!({"email": odd, "role": "staff", "division": "sales"})).await;
    let answer = harness.get("admin", "/export.csv").await;
    let row = answer
        .text()
        .lines()
        .nth(1)
        .expect("a row")
        .split(',')
        .nth(1)
        .expect("an address")
        .to_owned();
    assert_eq!(row, format!("'{odd}"));
    let again =
        csv(&harness, "?duplicates=create", format!("email,role,division\n{row},staff,sales\n"))
            .await;
    let id = again.json()["results"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(harness.get("admin", &format!("/{id}")).await.json()["email"], odd);
}

#[tokio::test]
async fn it_is_bounded() {
    let harness = Harness::api();
    bulk(&harness, "", &json!([])).await.invalid(&[""]);
    bulk(&harness, "", &json!({})).await.invalid(&[""]);
    bulk(&harness, "", &json!(vec![staff(); 1001])).await.invalid(&[""]);
    let file = format!("role,division\n{}", "staff,sales\n".repeat(1001));
    csv(&harness, "", file).await.invalid(&[""]);
    csv(&harness, "", "role,division\n").await.invalid(&[""]);
    csv(&harness, "", "").await.invalid(&[""]);
    csv(&harness, "", "rolle\nstaff\n").await.invalid(&["/rolle"]);
    csv(&harness, "", "role,division\n\"staff,sales\n").await.problem(400, "malformed");
    csv(&harness, "", "x,".repeat(1_000_000)).await.problem(400, "malformed");
    csv(&harness, "", &b"role\n\xff\n"[..]).await.problem(400, "malformed");
    let full = bulk(&harness, "", &json!(vec![staff(); 1000])).await;
    assert_eq!((full.status.as_u16(), outcomes(&full).len()), (201, 1000));
    for query in ["?mode=some", "?dry_run=1", "?dry_run=", "?dry=true"] {
        assert_eq!(bulk(&harness, query, &json!([staff()])).await.status, 422, "{query}");
    }
    let asked = request(Method::POST, "admin", "/bulk").header("content-type", "text/plain");
    harness.send(asked.body(Body::from("x")).unwrap()).await.problem(415, "unsupported-media-type");
    let large = "x".repeat(5_000_001);
    csv(&harness, "", large).await.problem(413, "too-large");
}

#[tokio::test]
async fn it_is_an_administrators() {
    let harness = Harness::api();
    let answer = harness.post_json("sales-manager", "/bulk?dry_run=true", &json!([{}])).await;
    answer.problem(403, "forbidden");
}
