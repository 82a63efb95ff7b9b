//! The tamper-evident log of the example, and its verdict on the audit view.

use std::time::Duration;

use invitation::{SqliteStore, sql::sqlx};
use reqwest::Method;
use serde_json::json;

use crate::host::{Host, Store, answer};

/// The verdict of the audit view about an unchanged log.
pub(crate) const VALID: &str = ">Valid</span>";

/// Looks at the audit view until it says this.
pub(crate) async fn audit_view_says(host: &Host, text: &str) -> String {
    for _ in 0..300 {
        let page = host.ask_as("admin", Method::GET, "/invitations/events");
        let page = answer(page).await.is(200).text().to_owned();
        if page.contains(text) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the audit view did not say {text}");
}

/// The first start makes the log, and the next one goes on with it. An altered event is a finding,
/// also after a restart; the page names its place. A reset begins a new log.
#[tokio::test]
async fn the_audit_view_shows_the_verdict_about_the_log() {
    let store = Store::sqlite();
    let mut host = store.start().await;
    host.invite(json!({})).await;
    audit_view_says(&host, VALID).await;
    host.kill();
    for file in ["log", "log-key", "log-anchor"] {
        assert!(store.folder.path().join(format!("invitation-demo.db.{file}")).is_file());
    }
    let mut host = store.start().await;
    audit_view_says(&host, VALID).await;
    host.kill();

    let database = store.folder.path().join("invitation-demo.db");
    let database = SqliteStore::open(&database).await.expect("a database");
    let alter = "UPDATE invitation_events SET actor = 'eve' WHERE position = 2";
    sqlx::raw_sql(alter).execute(database.pool()).await.expect("a row");
    database.pool().close().await;
    let mut host = store.start().await;
    let page = audit_view_says(&host, ">Tampered:</span>").await;
    assert!(page.contains("In the store, entry 1 (event "), "{page}");
    host.kill();

    let mut command = store.command();
    command.env("DEMO_RESET", "1");
    let host = Host::start(command).await;
    audit_view_says(&host, VALID).await;
}
