//! Creating, looking at and sharing one invitation.

use crate::support::{MOUNT, World};
use serde_json::json;

#[tokio::test]
async fn a_manager_creates_and_looks_and_shares() {
    let world = World::new();
    let created = world.post("sales-manager", "", &json!({"email": "anna@example.com"})).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.header("etag"), "\"1\"");
    let place = created.header("location").to_owned();
    let created = created.json();
    let id = created["id"].as_str().unwrap();
    assert_eq!(place, format!("{MOUNT}/{id}"));
    assert_eq!(created["role"], "staff");
    assert_eq!(created["division"], "sales");
    assert_eq!(created["status"], "active");
    assert_eq!(created["actions"], json!(["copy"]));

    let looked = world.get("sales-manager", &format!("/{id}")).await;
    assert_eq!(looked.status, 200);
    assert_eq!(looked.json(), created);

    let copied = world.post("sales-manager", &format!("/{id}/copy"), &json!({})).await.json();
    let code = created["code"].as_str().unwrap();
    assert_eq!(copied["code"], code);
    assert_eq!(copied["link"], format!("https://example.com/register#{code}"));
}
