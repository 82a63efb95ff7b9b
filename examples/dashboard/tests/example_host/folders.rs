//! Several databases whose hosts start in one folder.

use invitation_testkit::Postgres;
use reqwest::Method;
use serde_json::json;

use crate::{
    host::{Host, Store, answer},
    sealing::{VALID, audit_view_says},
};

/// Hosts of two databases on a server start in one folder, and each has a log of its own. A reset of
/// one leaves the log of the other.
#[tokio::test]
async fn databases_of_one_folder_have_logs_of_their_own() {
    let store = Store::postgres();
    let other = Postgres::shared().create_database();
    let start_other = async |reset: &str| {
        let mut command = store.command();
        command.env("DATABASE_URL", &other).env("DEMO_RESET", reset);
        Host::start(command).await
    };
    let mut first = store.start().await;
    first.invite(json!({})).await;
    audit_view_says(&first, VALID).await;
    let mut second = start_other("0").await;
    audit_view_says(&second, VALID).await;
    first.kill();
    second.kill();

    let mut second = start_other("1").await;
    audit_view_says(&second, VALID).await;
    second.kill();
    let first = store.start().await;
    audit_view_says(&first, VALID).await;
}

/// Returns the number of invitations in a list.
async fn invitations(host: &Host) -> usize {
    let rows = answer(host.ask_as("admin", Method::GET, "/api/invitations?limit=200")).await;
    rows.is(200).json()["items"].as_array().expect("a list").len()
}

/// The users beside Redis are in a file of their own, and so is the mark of the demonstration's data.
#[tokio::test]
async fn reset_of_redis_leaves_sqlite_in_the_same_folder() {
    let redis = Store::redis();
    let start_sqlite = async || {
        let mut command = redis.command();
        command.env_remove("DATABASE_URL");
        Host::start(command).await
    };
    let mut host = start_sqlite().await;
    let seeded = invitations(&host).await;
    let invited = host.invite(json!({})).await;
    audit_view_says(&host, VALID).await;
    host.kill();

    for reset in ["0", "1"] {
        let mut command = redis.command();
        command.env("DEMO_RESET", reset);
        let mut host = Host::start(command).await;
        assert_eq!(invitations(&host).await, seeded, "DEMO_RESET={reset}");
        host.kill();
    }
    let host = start_sqlite().await;
    assert_eq!(host.invitation(&invited["id"]).await["code"], invited["code"]);
    audit_view_says(&host, VALID).await;
}

/// A Redis that lost its data gets the demonstration's data again, although the users are there.
#[tokio::test]
async fn redis_without_its_data_is_seeded_again() {
    let store = Store::redis();
    let mut host = store.start().await;
    let seeded = invitations(&host).await;
    host.kill();
    store.redis_server().ask(&["FLUSHALL"]).expect("an answer");
    let host = store.start().await;
    assert_eq!(invitations(&host).await, seeded);
}
