//! Many at once.

use axum::{body::Body, http::Method};
use invitation_core::{Cap, Limits};
use serde_json::{Value, json};

use crate::support::{Answer, World, json, request};

async fn csv(world: &World, query: &str, text: impl Into<Body>) -> Answer {
    let request = request(Method::POST, "admin", &format!("/bulk{query}"));
    let request = request.header("content-type", "text/csv; charset=utf-8").body(text.into());
    world.send(request.expect("it is there")).await
}

async fn bulk(world: &World, query: &str, rows: &Value) -> Answer {
    world.post("admin", &format!("/bulk{query}"), rows).await
}

async fn stored(world: &World) -> usize {
    world.get("admin", "?limit=200").await.json()["items"].as_array().expect("it is there").len()
}

fn outcomes(answer: &Answer) -> Vec<String> {
    let results = answer.json()["results"].as_array().expect("it is there").clone();
    for (n, row) in results.iter().enumerate() {
        assert_eq!(row["line"], n + 1);
    }
    results.iter().map(|row| row["outcome"].as_str().expect("it is there").to_owned()).collect()
}

fn staff() -> Value {
    json!({"role": "staff", "division": "sales"})
}

#[tokio::test]
async fn rows_of_json_are_created_together() {
    let world = World::new();
    let answer = bulk(&world, "", &json!([staff(), staff()])).await;
    assert_eq!(answer.status, 201);
    assert_eq!(outcomes(&answer), ["created", "created"]);
    let made = answer.json();
    for row in made["results"].as_array().unwrap() {
        let one = world.get("admin", &format!("/{}", row["id"].as_str().unwrap())).await.json();
        assert_eq!(one["code"], row["code"]);
        assert_eq!(one["batch"], made["batch"]);
    }
}

#[tokio::test]
async fn rows_of_csv_are_created_together() {
    let world = World::new();
    let file = "\u{feff}email,role,division,expires_in_days,max_uses,metadata\r\n\
                anna@example.com,staff,sales,30,,\"{\"\"team\"\": \"\"a\"\"}\"\r\n\
                ,manager,operations,,5,\r\n";
    let answer = csv(&world, "", file).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(outcomes(&answer), ["created", "created"]);
    let id = |n: usize| answer.json()["results"][n]["id"].as_str().unwrap().to_owned();
    let anna = world.get("admin", &format!("/{}", id(0))).await.json();
    assert_eq!(
        (&anna["email"], &anna["metadata"]),
        (&json!("anna@example.com"), &json!({"team": "a"}))
    );
    let other = world.get("admin", &format!("/{}", id(1))).await.json();
    assert_eq!((&other["role"], &other["max_uses"]), (&json!("manager"), &json!(5)));
}

#[tokio::test]
async fn all_or_none_names_everything_that_is_wrong() {
    let world = World::new();
    let rows = json!([
        staff(),
        {"role": "staff", "division": "sales", "email": "anna"},
        {"role": "staff"},
        {"role": "staff", "division": "sales", "expires_in_days": 4000},
        {"who": "anna"},
    ]);
    for query in ["", "?mode=atomic", "?mode=atomic&dry_run=false"] {
        let answer = bulk(&world, query, &rows).await;
        answer.invalid(&["/1/email", "/2/division", "/3/expires_in_days", "/4/who"]);
    }
    let only_bounds = json!([staff(), {"role": "staff"}]);
    bulk(&world, "", &only_bounds).await.invalid(&["/1/division"]);
    let denied = json!([staff(), {"role": "root", "division": "sales"}]);
    bulk(&world, "", &denied).await.problem(403, "forbidden");
    assert_eq!(stored(&world).await, 0);
    csv(&world, "", "email,role,division\nanna,staff,sales\n").await.invalid(&["/0/email"]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_come_of_it() {
    let world = World::new();
    let rows = json!([staff(), {"role": "root", "division": "sales"}, {"role": "staff"}, 7]);
    for query in ["?dry_run=true", "?dry_run=true&mode=best_effort"] {
        let answer = bulk(&world, query, &rows).await;
        assert_eq!(answer.status, 200);
        assert_eq!(outcomes(&answer), ["valid", "forbidden", "invalid", "invalid"]);
        let told = answer.json();
        assert_eq!(told["batch"], Value::Null);
        assert_eq!(told["results"][2]["errors"][0]["pointer"], "/2/division");
    }
    assert_eq!(stored(&world).await, 0);
    assert_eq!(world.get("admin", "/events").await.json()["items"], json!([]));
}

#[tokio::test]
async fn best_effort_creates_what_can_be() {
    let cap = Cap::AtMost(std::num::NonZeroU32::MIN.saturating_add(1));
    let limits = Limits::default().with_pending_per_division(cap);
    let world = World::on(World::memory(), |service| service.with_limits(limits));
    let rows =
        json!([staff(), {"role": "root", "division": "sales"}, {"who": 1}, staff(), staff()]);
    let answer = bulk(&world, "?mode=best_effort", &rows).await;
    assert_eq!(answer.status, 201);
    let expected = ["created", "forbidden", "invalid", "created", "quota_exceeded"];
    assert_eq!(outcomes(&answer), expected);
    assert_eq!(stored(&world).await, 2);
    let none = bulk(&world, "?mode=best_effort", &json!([{"who": 1}, staff()])).await;
    assert_eq!(
        (none.status.as_u16(), outcomes(&none)),
        (200, vec!["invalid".into(), "quota_exceeded".into()])
    );
    assert_eq!(none.json()["batch"], Value::Null);
    bulk(&world, "", &json!([staff()])).await.problem(429, "quota-exceeded");
}

#[tokio::test]
async fn under_a_key_it_is_created_once() {
    let world = World::new();
    let ask = async |query: &str, rows: &Value| {
        let mut request = json(Method::POST, "admin", &format!("/bulk{query}"), rows);
        request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
        world.send(request).await
    };
    let first = ask("", &json!([staff(), staff()])).await;
    let again = ask("", &json!([staff(), staff()])).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(stored(&world).await, 2);
    ask("", &json!([staff()])).await.problem(409, "idempotency-key-reused");
    ask("?mode=best_effort", &json!([staff()])).await.invalid(&["/Idempotency-Key"]);
}

#[tokio::test]
async fn it_is_bounded() {
    let world = World::new();
    bulk(&world, "", &json!([])).await.invalid(&[""]);
    bulk(&world, "", &json!({})).await.invalid(&[""]);
    bulk(&world, "", &json!(vec![staff(); 1001])).await.invalid(&[""]);
    let file = format!("role,division\n{}", "staff,sales\n".repeat(1001));
    csv(&world, "", file).await.invalid(&[""]);
    csv(&world, "", "role,division\n").await.invalid(&[""]);
    csv(&world, "", "").await.invalid(&[""]);
    csv(&world, "", "rolle\nstaff\n").await.invalid(&["/rolle"]);
    csv(&world, "", &b"role\n\xff\n"[..]).await.problem(400, "malformed");
    let full = bulk(&world, "", &json!(vec![staff(); 1000])).await;
    assert_eq!((full.status.as_u16(), outcomes(&full).len()), (201, 1000));
    for query in ["?mode=some", "?dry_run=1", "?dry_run=", "?dry=true"] {
        assert_eq!(bulk(&world, query, &json!([staff()])).await.status, 422, "{query}");
    }
    let asked = request(Method::POST, "admin", "/bulk").header("content-type", "text/plain");
    world.send(asked.body(Body::from("x")).unwrap()).await.problem(415, "unsupported-media-type");
    let large = "x".repeat(5_000_001);
    csv(&world, "", large).await.problem(413, "too-large");
}

#[tokio::test]
async fn it_is_an_administrators() {
    let world = World::new();
    let answer = world.post("sales-manager", "/bulk?dry_run=true", &json!([{}])).await;
    answer.problem(403, "forbidden");
}
