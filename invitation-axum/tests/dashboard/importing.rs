//! The import: it checks first, then creates, once per form.

use axum::{
    body::Body,
    http::{Method, header},
};
use invitation_core::{Criteria, Paging};

use crate::support::{Answer, Harness, person, request};

/// Sends the form of the import, as a browser does.
async fn sent(harness: &Harness, who: &str, path: &str, form: &[(&str, &str)]) -> Answer {
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    sent_bytes(harness, who, path, &form).await
}

/// Sends the form of the import with values that need not be text.
async fn sent_bytes(harness: &Harness, who: &str, path: &str, form: &[(&str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in form {
        let file = if *name == "file" { "; filename=\"people.csv\"" } else { "" };
        let head =
            format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend([head.as_bytes(), value, b"\r\n"].concat());
    }
    body.extend(b"--frontier--\r\n");
    let request = request(Method::POST, who, path)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=frontier");
    harness.send(request.body(Body::from(body)).expect("a request")).await
}

async fn stored(harness: &Harness) -> usize {
    let admin = person("admin").expect("a person");
    let page = harness.service().list(&admin, &Criteria::new(), Paging::default()).await;
    page.expect("a list").items().len()
}

const GOOD: &str = "email,role,division\r\nanna@example.com,staff,sales\r\n,manager,operations\r\n";
const MIXED: &str = "email,role,division\nanna@example.com,staff,sales\nben,staff,sales\n";

#[tokio::test]
async fn a_file_is_checked_first_and_created_once() {
    let harness = Harness::dashboard();
    harness.get("admin", "/import").await.is(200).says("Import invitations").says("type=\"file\"");
    let page = sent(&harness, "admin", "/import", &[("file", ""), ("csv", GOOD)]).await.is(200);
    page.says("2 lines in order");
    let page = sent(&harness, "admin", "/import", &[("csv", ""), ("file", GOOD)]).await.is(200);
    page.says("nothing created yet").says("2 lines in order").says("Create all");
    assert_eq!(stored(&harness).await, 0);
    let form = [("csv", GOOD), ("file", ""), ("mode", "atomic"), ("key", "once")];
    for _ in 0..2 {
        let page = sent(&harness, "admin", "/import/create", &form).await.is(201);
        let page = page.says("The invitations were created").says(">Created</span>");
        page.says("?batch=").says(">Show these invitations</a>");
    }
    assert_eq!(stored(&harness).await, 2);
}

#[tokio::test]
async fn lines_with_mistakes_are_told_and_hold_up_the_others_or_not() {
    let harness = Harness::dashboard();
    let form = |mode| [("csv", MIXED), ("mode", mode), ("key", "k")];
    let page = sent(&harness, "admin", "/import", &form("atomic")).await.is(200);
    page.says("1 line in order, 1 line with mistakes")
        .says("email: ")
        .says("ben,staff,sales")
        .says_nothing_of("Create all");
    sent(&harness, "admin", "/import/create", &form("atomic")).await.is(422).says("email: ");
    assert_eq!(stored(&harness).await, 0);
    let page = sent(&harness, "admin", "/import", &form("best_effort")).await.is(200);
    page.says("Create all");
    sent(&harness, "admin", "/import/create", &form("best_effort")).await.is(201);
    assert_eq!(stored(&harness).await, 1);
}

#[tokio::test]
async fn what_is_no_import_is_said_and_kept() {
    let harness = Harness::dashboard();
    let form = [("csv", "colour,shape\nred,round\n")];
    sent(&harness, "admin", "/import", &form).await.says("inv-notice-bad").says("red,round");
    sent(&harness, "admin", "/import", &[("csv", "")]).await.says("inv-notice-bad");
    sent(&harness, "sales-manager", "/import", &[("csv", GOOD)]).await.is(403);
    sent(&harness, "sales-manager", "/import/create", &[("csv", GOOD)]).await.is(403);
    harness.get("sales-manager", "/import").await.is(403);
    harness.post_form("admin", "/import", &[("csv", GOOD)]).await.is(415);
    assert_eq!(stored(&harness).await, 0);
}

#[tokio::test]
async fn what_takes_what_it_can_is_created_once_too() {
    let harness = Harness::dashboard();
    let form = [("csv", MIXED), ("mode", "best_effort"), ("key", "once")];
    for _ in 0..2 {
        let page = sent(&harness, "admin", "/import/create", &form).await.is(201);
        page.says(">Created</span>").says("email: must be");
    }
    assert_eq!(stored(&harness).await, 1);
    let other = [("csv", GOOD), ("mode", "best_effort"), ("key", "once")];
    let page = sent(&harness, "admin", "/import/create", &other).await.is(409);
    page.says("has already created invitations").says_nothing_of("value=\"once\"");
    // The page can create what it shows, in a form of its own.
    let page = sent(&harness, "admin", "/import/create", &other).await.is(409);
    let page = page.says("1 line in order, 1 line left out").says(">Create all</button>");
    let key = page.text().split("name=\"key\" value=\"").nth(1).expect("a key");
    let key = key.split('"').next().expect("an end");
    assert_eq!(stored(&harness).await, 1);
    let anew = [("csv", GOOD), ("mode", "best_effort"), ("duplicates", "create"), ("key", key)];
    sent(&harness, "admin", "/import/create", &anew).await.is(201);
    assert_eq!(stored(&harness).await, 3);
    let none =
        [("csv", "email,role,division\nben,staff,sales\n"), ("mode", "best_effort"), ("key", "n")];
    let page = sent(&harness, "admin", "/import/create", &none).await.is(422);
    page.says("Nothing was created").says_nothing_of("value=\"n\"");
    assert_eq!(stored(&harness).await, 3);
}

#[tokio::test]
async fn a_file_in_another_encoding_is_refused_and_named() {
    let harness = Harness::dashboard();
    let file = &b"email;role;division\r\n;staff;S\xfcd\r\n"[..];
    for path in ["/import", "/import/create"] {
        for name in ["file", "csv"] {
            let form = [(name, file), ("mode", &b"atomic"[..]), ("key", &b"k"[..])];
            let page = sent_bytes(&harness, "admin", path, &form).await.is(400);
            page.says("not UTF-8").says("windows-1252, line 2").says("inv-notice-bad");
        }
    }
    let utf_16: Vec<u8> = "\u{feff}email;role;division\r\n;staff;Süd\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let form = [("csv", &b""[..]), ("file", &utf_16[..])];
    sent_bytes(&harness, "admin", "/import", &form)
        .await
        .is(200)
        .says("1 line in order")
        .says("Süd");
    assert_eq!(stored(&harness).await, 0);
}

#[tokio::test]
async fn duplicates_are_named_and_left_out_or_created() {
    let harness = Harness::dashboard();
    let text =
        "\nE-Mail;Role;Division\nanna@example.com;staff;sales\n;;\nAnna@example.com;staff;sales\n";
    let page = sent(&harness, "admin", "/import", &[("csv", text), ("key", "a")]).await.is(200);
    page.says("1 line in order, 1 line left out")
        .says(">Left out</span>")
        .says("E-Mail: is the same mailbox as in line 3")
        .says(">5</td>")
        .says("Create all");
    let form = |duplicates| [("csv", text), ("duplicates", duplicates), ("key", duplicates)];
    sent(&harness, "admin", "/import/create", &form("skip")).await.is(201);
    assert_eq!(stored(&harness).await, 1);
    let page = sent(&harness, "admin", "/import", &form("skip")).await.is(200);
    page.says("0 lines in order, 2 lines left out").says_nothing_of("Create all");
    let page = sent(&harness, "admin", "/import/create", &form("create")).await.is(201);
    page.says("has an active invitation to this division");
    assert_eq!(stored(&harness).await, 3);
}
