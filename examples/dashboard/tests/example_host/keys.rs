//! The file with the key under which the example stores codes.

use std::{fs, path::PathBuf};

use reqwest::Method;
use serde_json::json;

use crate::{
    host::{Store, answer, text},
    starting::complaint,
};

const WEBHOOKS: &str = "/api/invitations/webhooks";

fn key_file(store: &Store) -> PathBuf {
    store.folder.path().join("invitation-demo.db.keys")
}

#[cfg(unix)]
fn mode(file: &PathBuf) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).expect("a file").permissions())
}

/// The first start makes the key and the database, and the next one opens the codes with the key.
#[tokio::test]
async fn the_first_start_makes_files_that_only_the_owner_reads() {
    let store = Store::sqlite();
    let mut host = store.start().await;
    let invited = host.invite(json!({})).await;
    let file = key_file(&store);
    #[cfg(unix)]
    for file in [&file, &store.users_file()] {
        assert_eq!(mode(file) & 0o777, 0o600, "{}", file.display());
    }
    let key = fs::read_to_string(&file).expect("it is there");
    let said = host.kill();
    assert!(!said.contains(key.trim()), "{said}");

    let host = store.start().await;
    assert_eq!(fs::read_to_string(&file).expect("it is still there"), key);
    assert_eq!(host.invitation(&invited["id"]).await["code"], invited["code"]);
    host.register(&text(&invited["code"]), "nina").await.is(201);
}

/// A start without the key of the stored codes is refused, and so is one with a file that is no
/// key file, or that others can read. Then nothing is changed.
#[tokio::test]
async fn a_start_without_the_key_is_refused() {
    let store = Store::sqlite();
    let mut host = store.start().await;
    let invited = host.invite(json!({})).await;
    host.kill();
    let file = key_file(&store);
    let key = fs::read_to_string(&file).expect("it is there");
    let id = key.split_once(' ').expect("an id").0;

    fs::remove_file(&file).expect("it is there");
    let said = complaint(&mut store.command());
    assert!(said.contains("invitation-demo.db.keys") && said.contains(id), "{said}");
    for wrong in ["", "no key", "k1 0000", &format!("{key}{key}")] {
        fs::write(&file, wrong).expect("it can be written");
        let said = complaint(&mut store.command());
        assert!(said.contains("invitation-demo.db.keys"), "{said}");
        assert!(!said.contains(key.trim()), "{said}");
    }
    let other = format!("{id} {}\n", "0123456789abcdef".repeat(4));
    fs::write(&file, other).expect("it can be written");
    let said = complaint(&mut store.command());
    assert!(said.contains("invitation-demo.db.keys: has a wrong secret"), "{said}");
    fs::write(&file, &key).expect("it can be written");
    #[cfg(unix)]
    {
        let set = |mode| {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(&file, mode).expect("its owner may");
        };
        set(0o640);
        let said = complaint(&mut store.command());
        assert!(said.contains("only the owner"), "{said}");
        set(0o600);
    }
    let host = store.start().await;
    host.register(&text(&invited["code"]), "nina").await.is(201);
}

/// A new first line is the active key: the start re-seals the codes and the secrets of webhooks, and
/// the old line can go.
#[tokio::test]
async fn a_new_first_line_rotates_the_key() {
    let store = Store::sqlite();
    let mut host = store.start().await;
    let invited = host.invite(json!({})).await;
    // A disabled endpoint: no attempt to send writes its secret anew.
    let endpoint = json!({"name": "crm", "url": "http://127.0.0.1:9/hook"});
    let registered = host.ask_as("admin", Method::POST, WEBHOOKS).json(&endpoint);
    answer(registered).await.is(201);
    let disable = format!("{WEBHOOKS}/crm/disable");
    answer(host.ask_as("admin", Method::POST, &disable)).await.is(200);
    host.kill();
    let file = key_file(&store);
    let old = fs::read_to_string(&file).expect("it is there");
    let new = format!("new-key {}\n", "0123456789abcdef".repeat(4));
    fs::write(&file, format!("{new}{old}")).expect("it can be written");
    let mut host = store.start().await;
    let events = host.ask_as("admin", Method::GET, "/api/invitations/events?kind=reseal");
    let events = answer(events).await.is(200).json();
    assert_eq!(events["items"].as_array().map(Vec::len), Some(1), "{events}");
    host.kill();

    fs::write(&file, new).expect("it can be written");
    let host = store.start().await;
    let endpoints = answer(host.ask_as("admin", Method::GET, WEBHOOKS)).await.is(200).json();
    let endpoints = endpoints["items"].as_array().expect("a list");
    assert!(endpoints.iter().any(|one| one["name"] == "crm"), "{endpoints:?}");
    assert_eq!(host.invitation(&invited["id"]).await["code"], invited["code"]);
    host.register(&text(&invited["code"]), "nina").await.is(201);
}
