//! The import: checked first, created then, once.

use axum::{
    body::Body,
    http::{Method, header},
};
use invitation_core::{Criteria, Paging};

use crate::support::{Answer, World, person, request};

/// Sends the form of the import, as a browser does.
async fn sent(world: &World, who: &str, path: &str, form: &[(&str, &str)]) -> Answer {
    let part = |(name, value): &(&str, &str)| {
        let file = if *name == "file" { "; filename=\"people.csv\"" } else { "" };
        format!(
            "--frontier\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
        )
    };
    let body: String = form.iter().map(part).chain(["--frontier--\r\n".to_owned()]).collect();
    let request = request(Method::POST, who, path)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=frontier");
    world.send(request.body(Body::from(body)).expect("a request")).await
}

async fn stored(world: &World) -> usize {
    let admin = person("admin").expect("a person");
    let page = world.service.list(&admin, &Criteria::new(), Paging::default()).await;
    page.expect("a list").items().len()
}

const GOOD: &str = "email,role,division\r\nanna@example.com,staff,sales\r\n,manager,operations\r\n";
const MIXED: &str = "email,role,division\nanna@example.com,staff,sales\nben,staff,sales\n";

#[tokio::test]
async fn a_file_is_checked_first_and_created_once() {
    let world = World::new();
    world.get("admin", "/import").await.is(200).says("Import invitations").says("type=\"file\"");
    let page = sent(&world, "admin", "/import", &[("csv", ""), ("file", GOOD)]).await.is(200);
    page.says("nothing created yet").says("2 lines in order").says("Create all");
    assert_eq!(stored(&world).await, 0);
    let form = [("csv", GOOD), ("file", ""), ("mode", "atomic"), ("key", "once")];
    for _ in 0..2 {
        let page = sent(&world, "admin", "/import/create", &form).await.is(201);
        page.says("The invitations were created").says(">Created</span>");
    }
    assert_eq!(stored(&world).await, 2);
}

#[tokio::test]
async fn lines_with_mistakes_are_told_and_hold_up_the_others_or_not() {
    let world = World::new();
    let form = |mode| [("csv", MIXED), ("mode", mode), ("key", "k")];
    let page = sent(&world, "admin", "/import", &form("atomic")).await.is(200);
    page.says("1 line in order, 1 line with mistakes")
        .says("email: ")
        .says("ben,staff,sales")
        .says_nothing_of("Create all");
    sent(&world, "admin", "/import/create", &form("atomic")).await.is(422).says("email: ");
    assert_eq!(stored(&world).await, 0);
    let page = sent(&world, "admin", "/import", &form("best_effort")).await.is(200);
    page.says("Create all");
    sent(&world, "admin", "/import/create", &form("best_effort")).await.is(201);
    assert_eq!(stored(&world).await, 1);
}

#[tokio::test]
async fn what_is_no_import_is_said_and_kept() {
    let world = World::new();
    let form = [("csv", "colour,shape\nred,round\n")];
    sent(&world, "admin", "/import", &form).await.says("inv-notice-bad").says("red,round");
    sent(&world, "admin", "/import", &[("csv", "")]).await.says("inv-notice-bad");
    sent(&world, "sales-manager", "/import", &[("csv", GOOD)]).await.is(403);
    sent(&world, "sales-manager", "/import/create", &[("csv", GOOD)]).await.is(403);
    world.get("sales-manager", "/import").await.is(403);
    world.post("admin", "/import", &[("csv", GOOD)]).await.is(415);
    assert_eq!(stored(&world).await, 0);
}
