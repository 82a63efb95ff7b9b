//! The import of a file: the upload, a look at the first lines, the progress and the result.

use std::fmt::Write;

use axum::{
    body::Body,
    http::{Method, header},
};
use invitation_core::{
    EventCriteria, EventOutcome, MemoryStore, Paging,
    import::jobs::{Imports, MemorySpool},
};

use crate::support::{Answer, Harness, MOUNT, person, request};

const FILE: &str = "email,role,division\nanna@example.com,staff,sales\nben,staff,sales\n";

/// A host with imports, and the imports that it serves.
fn scene() -> (Harness, Imports) {
    let imports = Imports::new(MemoryStore::new(), MemorySpool::new());
    let served = imports.clone();
    (Harness::dashboard().with_web(|web| web.with_imports(served)), imports)
}

/// Uploads a file, as a browser does: the file comes last.
async fn upload(harness: &Harness, who: &str, fields: &[(&str, &str)], file: &str) -> Answer {
    let mut body = String::new();
    for (name, value) in fields {
        write!(
            body,
            "--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
        .expect("a string takes all");
    }
    write!(
        body,
        "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{file}\r\n--frontier--\r\n"
    )
    .expect("a string takes all");
    let request = request(Method::POST, who, "/imports")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=frontier");
    harness.send(request.body(Body::from(body)).expect("a request")).await
}

/// Returns the path of a redirect, below the mount point.
fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").strip_prefix(MOUNT).expect("a path of the dashboard").to_owned()
}

#[tokio::test]
async fn file_is_looked_at_then_started_and_its_result_downloaded() {
    let (harness, imports) = scene();
    let fields = [("key", "once"), ("mode", "best_effort"), ("duplicates", "skip")];
    let page = place(&upload(&harness, "admin", &fields, FILE).await);
    // A form that is sent twice is one import.
    assert_eq!(place(&upload(&harness, "admin", &fields, FILE).await), page);
    let shown = harness.get("admin", &page).await.is(200);
    shown
        .says("Uploaded, not started")
        .says("<bdi>people.csv</bdi>")
        .says("1 line in order, 1 line with mistakes")
        .says("email: must be")
        .says("Start the import")
        .says("Discard")
        .says_nothing_of("Show these invitations")
        .says_nothing_of("<progress");
    let _ = imports.run(harness.service()).await.expect("a run");
    harness.get("admin", &page).await.says("Uploaded, not started");

    let started = harness.post_form("admin", &format!("{page}/start"), &[]).await;
    assert_eq!(place(&started), page);
    let shown = harness.get("admin", &page).await.is(200);
    shown
        .says("Waiting")
        .says("<progress")
        .says(">Refresh</a>")
        .says("data-inv-active")
        .says("Stop the import")
        .says_nothing_of("Start the import");
    let _ = imports.run(harness.service()).await.expect("a run");
    let shown = harness.get("admin", &page).await.is(200);
    shown
        .says("Done")
        .says("Download the result")
        .says(&format!(
            "?batch={}\">Show these invitations</a>",
            page.trim_start_matches("/imports/")
        ))
        .says("<dt>Created</dt><dd>1</dd>")
        .says_nothing_of("data-inv-active")
        .says_nothing_of("Stop the import");
    let file = format!("{page}/result");
    let ask = async |method: Method, site: &str| {
        let request = request(method, "admin", &file).header("sec-fetch-site", site);
        harness.send(request.body(Body::empty()).expect("a request")).await
    };
    // Neither a link on a page of another site nor `HEAD` copies the codes.
    assert_eq!(place(&ask(Method::GET, "cross-site").await), page);
    let head = ask(Method::HEAD, "same-origin").await.is(200);
    assert!(head.header("content-disposition").starts_with("attachment") && head.bytes.is_empty());
    harness.get("admin", "/events?kind=copy").await.says("No events");
    let result = ask(Method::GET, "same-origin").await.is(200);
    result.says("\r\n2,created,").says("\r\n3,invalid,");
    harness.get("admin", "/events?kind=copy").await.says_nothing_of("No events");
    harness.get("admin", "/imports").await.is(200).says("Done").says(&page);
}

#[tokio::test]
async fn file_that_cannot_be_read_is_shown_with_its_line() {
    let (harness, imports) = scene();
    let fields = [("key", "k"), ("mode", "atomic")];
    let page = place(&upload(&harness, "admin", &fields, "role,division\nstaff,\"sales\n").await);
    let shown = harness.get("admin", &page).await.is(200);
    let shown = shown.says("<dd>Create none of them</dd>").says("<dd>Leave the line out</dd>");
    shown.says("Line 2: a quotation mark is not closed").says_nothing_of("Start the import");
    let stopped = harness.post_form("admin", &format!("{page}/cancel"), &[]).await;
    assert_eq!(place(&stopped), page);
    harness.get("admin", &page).await.says("Stopped");
    let text = "role,division\nstaff,sales\nroot,<b>\n";
    let page = place(&upload(&harness, "admin", &[("mode", "atomic")], text).await);
    place(&harness.post_form("admin", &format!("{page}/start"), &[]).await);
    let _ = imports.run(harness.service()).await.expect("a run");
    let shown = harness.get("admin", &page).await.is(200);
    shown.says("Failed").says("One row has mistakes, so nothing was created");
}

#[tokio::test]
async fn upload_that_is_refused_is_said_on_the_form() {
    let (harness, _) = scene();
    let fields = [("key", "k")];
    place(&upload(&harness, "admin", &fields, FILE).await);
    let page = upload(&harness, "admin", &fields, "role\n").await.is(409);
    page.says("inv-notice-bad").says("name=\"file\"").says_nothing_of("value=\"k\"");
    // The options that were chosen are not lost.
    let chosen = [("key", "k"), ("mode", "atomic"), ("duplicates", "create")];
    let page = upload(&harness, "admin", &chosen, "role\n").await.is(409);
    page.says("value=\"atomic\" selected").says("value=\"create\" selected");
    upload(&harness, "sales-manager", &fields, FILE).await.is(403);
    harness.get("sales-manager", "/imports").await.is(403);
    harness.get("admin", "/imports/nonsense").await.is(404);
    harness.get("admin", "/import").await.says("/imports\">Import a large file");
    let none = Harness::dashboard();
    none.get("admin", "/imports").await.is(404);
    upload(&none, "admin", &fields, FILE).await.is(404);
    none.get("admin", "/import").await.is(200).says_nothing_of("/imports\"");
}

#[tokio::test]
async fn form_without_a_chosen_file_orders_nothing() {
    let (harness, _) = scene();
    let fields = [("key", "k"), ("mode", "atomic")];
    let page = upload(&harness, "admin", &fields, "").await.is(422);
    page.says("id=\"inv-file-error\">Must not be empty")
        .says("value=\"atomic\" selected")
        .says("No imports yet");
    harness.get("admin", "/events?kind=import").await.is(200).says("No events");
}

#[tokio::test]
async fn file_without_rows_is_shown_with_the_reason() {
    let (harness, _) = scene();
    let page = place(&upload(&harness, "admin", &[("key", "k")], "role,division\n").await);
    let shown = harness.get("admin", &page).await.is(200);
    shown.says("The file has no rows").says("Discard").says_nothing_of("Start the import");
}

#[tokio::test]
async fn role_that_may_not_import_is_denied_whatever_the_id_is() {
    let (harness, _) = scene();
    let page = place(&upload(&harness, "admin", &[("key", "k")], FILE).await);
    let admin = person("admin").expect("a person");
    let denied = async || {
        let criteria = EventCriteria::new().with_outcome(EventOutcome::Denied);
        let events = harness.service().events(&admin, &criteria, Paging::default()).await;
        events.expect("events").items().len()
    };
    let mut number = 0;
    for page in [&*page, "/imports/nonsense"] {
        for path in ["", "/result", "/start", "/cancel"] {
            harness.get("sales-manager", &format!("{page}{path}")).await.is(403);
            number += 1;
            assert_eq!(denied().await, number, "{page}{path}");
        }
        for path in ["/start", "/cancel"] {
            harness.post_form("sales-manager", &format!("{page}{path}"), &[]).await.is(403);
            number += 1;
            assert_eq!(denied().await, number, "{page}{path}");
        }
    }
    harness.get("admin", "/imports/nonsense").await.is(404);
    harness.post_form("admin", "/imports/nonsense/start", &[]).await.is(404);
}
