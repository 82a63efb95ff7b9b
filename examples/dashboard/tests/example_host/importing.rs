//! Imports of files, which the host works on in the background.

use std::{fmt::Write as _, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use crate::host::{Host, Store, answer, text};

const IMPORTS: &str = "/api/invitations/imports";

/// The number of rows: more than the store creates in one step without a transaction.
const ROWS: usize = 1_200;

fn file() -> String {
    let mut text = String::from("role,division\n");
    for _ in 0..ROWS {
        text.push_str("staff,sales\n");
    }
    text
}

/// Orders an import and returns it when it has ended.
async fn import(host: &Host, mode: &str, text: String) -> Value {
    let ordered = host
        .ask_as("admin", Method::POST, &format!("{IMPORTS}?mode={mode}"))
        .header("content-type", "text/csv")
        .body(text);
    let id = answer(ordered).await.is(202).json()["id"].clone();
    ended(host, &id).await
}

async fn ended(host: &Host, id: &Value) -> Value {
    let path = format!("{IMPORTS}/{}", text(id));
    for _ in 0..600 {
        let job = answer(host.ask_as("admin", Method::GET, &path)).await.is(200).json();
        if job["ended_at"] != Value::Null {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the import {id} did not end");
}

/// A file becomes invitations, whose codes are in the result and let people in. The imports and
/// their results are there after a restart.
pub(crate) async fn uploaded_file_becomes_invitations_whose_codes_let_people_in(store: &Store) {
    let mut host = store.start().await;
    let mut text_of_file = file();
    writeln!(text_of_file, "emperor,sales").expect("a string takes all");
    let job = import(&host, "best_effort", text_of_file).await;
    assert_eq!(job["state"], json!("done"), "{job}");
    assert_eq!(job["progress"]["created"], json!(ROWS));
    assert_eq!(job["progress"]["forbidden"], json!(1), "{job}");
    host.kill();

    let host = store.start().await;
    assert_eq!(ended(&host, &job["id"]).await, job);
    let path = format!("{IMPORTS}/{}/result", text(&job["id"]));
    let result = answer(host.ask_as("admin", Method::GET, &path)).await.is(200).text().to_owned();
    let lines: Vec<_> = result.lines().collect();
    assert_eq!(lines.len(), ROWS + 2);
    assert!(lines[ROWS + 1].contains(",forbidden,"), "{}", lines[ROWS + 1]);
    // The code is the eighth column.
    let code = lines[ROWS].split(',').nth(7).expect("a code");
    host.register(code, "ivy").await.is(201);
    let page = answer(host.ask_as("admin", Method::GET, "/invitations/imports")).await.is(200);
    assert!(page.text().contains(&text(&job["id"])), "{}", page.text());
    let events = host.ask_as("admin", Method::GET, "/api/invitations/events?kind=import");
    let events = answer(events).await.is(200).json();
    let steps = events["items"].as_array().expect("a list").iter();
    let steps: Vec<_> = steps.map(|event| event["detail"]["step"].clone()).collect();
    assert_eq!(steps, [json!("ended"), json!("ordered")], "{events}");
}

/// All rows or none is one transaction of an SQL store. Redis has none, and refuses more rows than
/// those of one call.
pub(crate) async fn atomic_import_is_one_transaction_or_refused(store: &Store) {
    let host = store.start().await;
    let job = import(&host, "atomic", file()).await;
    let created = job["progress"]["created"].clone();
    if store.is_redis() {
        let reason = text(&job["reason"]);
        assert!(reason.contains("at most 1000 invitations in one step"), "{reason}");
        assert_eq!((&job["state"], created), (&json!("failed"), json!(0)), "{job}");
    } else {
        assert_eq!((&job["state"], created), (&json!("done"), json!(ROWS)), "{job}");
    }
}
