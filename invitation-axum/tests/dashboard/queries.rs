//! The query strings of pages. A page refuses a query that it cannot read, and names a value that is
//! not valid. A page behind a cursor may be empty.

use std::sync::Arc;

use invitation_axum::Dashboard;
use invitation_core::{
    Division, EventCriteria, EventOutcome, IfVersion, MemoryStore, Paging,
    import::{
        file::FileFormat,
        jobs::{ImportOrder, Imports, MemorySpool},
    },
};
use serde_json::json;
use time::Duration;

use crate::support::{Answer, Harness, MOUNT, person};

/// Returns a host whose dashboard has the pages about mails and the funnel.
fn host() -> Harness {
    let store = Arc::new(MemoryStore::new());
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store));
    let harness = harness.with_web(|web| web.with_deliveries(Arc::<MemoryStore>::clone(&store)));
    let imports = Imports::new(Arc::<MemoryStore>::clone(&store), MemorySpool::new());
    let harness = harness.with_web(|web| web.with_imports(imports));
    harness.with_web(|web| web.with_funnel(Arc::<MemoryStore>::clone(&store), store))
}

#[tokio::test]
async fn query_that_is_not_utf8_is_refused() {
    let harness = host();
    let id = harness.invite().await.invitation().id();
    let detail = format!("/{id}");
    for path in ["", "/events", "/funnel", "/deliveries", "/imports", &detail] {
        for query in ["search=M%FCller", "actor=M%FCller", "%c3=1&cursor=%a4"] {
            let page = harness.get("admin", &format!("{path}?{query}")).await.is(400);
            page.says("<p>The query string is not UTF-8</p>");
        }
        // The replacement character itself is a character like any other.
        harness.get("admin", &format!("{path}?note=%EF%BF%BD")).await.is(200);
    }
    // A right that is missing is said first, and recorded once.
    harness.get("sales-staff", "?search=M%FCller").await.is(403);
    let denied = EventCriteria::new().with_outcome(EventOutcome::Denied);
    let admin = person("admin").expect("a person");
    let events = harness.service().events(&admin, &denied, Paging::default()).await;
    assert_eq!(events.expect("events").items().len(), 1);
}

#[tokio::test]
async fn page_parameter_that_is_not_valid_is_named() {
    let harness = host();
    for path in ["", "/events", "/deliveries", "/imports"] {
        for (query, says) in [
            ("cursor=x", "cursor: "),
            ("limit=201", "Must be"),
            ("limit=0", "Must be"),
            ("limit=x&cursor=x", "cursor: "),
        ] {
            harness.get("admin", &format!("{path}?{query}")).await.is(422).says(says);
        }
        let page = harness.get("admin", &format!("{path}?cursor={}", behind_all("03"))).await;
        page.is(422).says("Belongs to another list");
        // The list has a field for the limit, beside which the mistake stands.
        let named = if path.is_empty() { "inv-limit-error" } else { "limit: Must be" };
        harness.get("admin", &format!("{path}?limit=x")).await.is(422).says(named);
    }
}

/// Returns the cursor behind the last item of a list of this kind.
fn behind_all(kind: &str) -> String {
    format!("{kind}{}", "0".repeat(64))
}

/// The lists, with the kind that their cursors name.
const LISTS: [(&str, &str); 4] =
    [("", "01"), ("/events", "02"), ("/deliveries", "10"), ("/imports", "06")];

#[tokio::test]
async fn empty_page_behind_a_cursor_does_not_say_that_there_is_nothing() {
    let harness = host();
    harness.invite().await;
    for (path, kind) in LISTS {
        let page = harness.get("admin", &format!("{path}?cursor={}", behind_all(kind))).await;
        let page = page.is(200).says("Nothing on this page").says(">First page<");
        for text in ["No invitations yet", "No events", "No failed mails", "No imports yet"] {
            assert!(!page.text().contains(text), "{path} says {text}");
        }
        page.says_nothing_of("Create the first invitation").says_nothing_of("rel=\"next\"");
    }
}

/// Returns the path of the next page.
fn next(page: &Answer) -> String {
    let rest = page.text().split("rel=\"next\" href=\"").nth(1).expect("a next page");
    let href = rest.split('"').next().expect("an end").replace("&#38;", "&");
    href.strip_prefix(MOUNT).expect("a path of the dashboard").to_owned()
}

#[tokio::test]
async fn page_whose_invitation_was_deleted_meanwhile_leads_back() {
    let harness = host();
    let oldest = harness.invite().await.invitation().id();
    for _ in 0..2 {
        harness.clock.advance(Duration::SECOND);
        harness.invite().await;
    }
    let first = harness.get("admin", "?limit=2").await.is(200).says("2 codes on this page");
    let admin = person("admin").expect("a person");
    let deleted = harness.service().delete(&admin, oldest, IfVersion::Any).await;
    deleted.expect("an administrator may");
    let second = harness.get("admin", &next(&first)).await.is(200);
    second
        .says("<h2>Nothing on this page</h2>")
        .says("Nothing follows")
        .says("rel=\"prev\"")
        .says_nothing_of("No invitations yet");
    // The first page of an empty list is another matter.
    Harness::dashboard().get("admin", "").await.says("No invitations yet");
}

#[tokio::test]
async fn next_page_has_the_length_of_the_first() {
    let harness = host();
    for n in 0..3 {
        harness.create("admin", &json!({"division": "sales", "role": "staff"})).await;
        let order = ImportOrder::new(FileFormat::Csv).started_later();
        let admin = person("admin").expect("a person");
        let imports = harness.web.imports().expect("imports");
        let mut upload = imports.upload(harness.service(), &admin, order).await.expect("a right");
        upload.write(format!("role\n{n}\n").as_bytes()).await.expect("room");
        upload.submit(harness.service(), None).await.expect("an order");
    }
    for path in ["", "/events", "/imports"] {
        let first = harness.get("admin", &format!("{path}?limit=1")).await.is(200);
        let path = next(&first);
        assert!(path.contains("limit=1&"), "{path}");
        let second = harness.get("admin", &path).await.is(200);
        assert_eq!(second.text().matches("<tr role=\"row\">").count(), 2, "{path}");
        second.says(">Previous<");
    }
}

#[tokio::test]
async fn filter_that_applies_is_shown_although_it_is_not_on_offer() {
    let divisions = ["sales", "operations"].map(|name| Division::new(name).expect("a division"));
    let dashboard = Dashboard::new().with_divisions(divisions);
    let harness = host().with_dashboard(dashboard);
    let body = json!({"division": "legal", "role": "staff"});
    let id = harness.create("admin", &body).await["id"].as_str().expect("an id").to_owned();
    harness.create("admin", &json!({"division": "sales", "role": "staff"})).await;
    for path in ["", "/events", "/funnel"] {
        let page = harness.get("admin", &format!("{path}?division=legal")).await.is(200);
        let page = page.says("name=\"division\" type=\"text\" value=\"legal\"");
        page.says("<option value=\"sales\"></option>");
    }
    harness.get("admin", "?division=legal").await.says("1 code<").says(&id);
    let form = [("status", "all"), ("division", "legal"), ("limit", "50")];
    let found = harness.post_form("admin", "/search", &form).await;
    assert_eq!(found.leads_to(), format!("{MOUNT}?division=legal"));
    for (who, query, option) in [
        ("admin", "?role=auditor", "<option value=\"auditor\" selected>Auditor<"),
        ("sales-manager", "?role=auditor", "<option value=\"auditor\" selected>Auditor<"),
        ("sales-manager", "?status=revoked", "<option value=\"revoked\" selected>Revoked<"),
        ("sales-manager", "?limit=7", "<option value=\"7\" selected>7<"),
    ] {
        harness.get(who, query).await.is(200).says(option);
    }
    // A value that is not valid is not lost either.
    let wrong = harness.get("admin", "/events?kind=explode").await.is(422);
    wrong.says("<option value=\"explode\" selected>").says("id=\"inv-kind-error\"");
    harness.get("sales-manager", "").await.says_nothing_of("name=\"role\"");
}
