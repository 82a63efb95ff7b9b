//! Tests of the lists of redemptions and of open reservations.

use std::collections::BTreeSet;

use invitation_core::{Redeemer, UserId, Username};
use serde_json::{Value, json};

use crate::support::Harness;

/// Creates an invitation for five people, and returns its id and its code.
async fn for_five(harness: &Harness) -> (String, String) {
    let body = json!({"max_uses": 5, "division": "sales", "role": "staff"});
    let created = harness.create("admin", &body).await;
    let text = |field: &str| created[field].as_str().expect("a text").to_owned();
    (text("id"), text("code"))
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().expect("items")
}

#[tokio::test]
async fn redemptions_are_listed_newest_first_in_pages() {
    let harness = Harness::api();
    let (id, code) = for_five(&harness).await;
    for name in ["anna", "bob", "carol"] {
        harness.redeem(&code, name).await.expect("a good code");
        harness.clock.advance(time::Duration::MINUTE);
    }
    let path = format!("/{id}/redemptions");
    let page = harness.get("sales-manager", &format!("{path}?limit=2")).await.json();
    let names: Vec<_> = items(&page).iter().map(|one| one["username"].clone()).collect();
    assert_eq!(names, ["carol", "bob"]);
    let fields: BTreeSet<_> = items(&page)[0].as_object().expect("one").keys().collect();
    assert!(fields.into_iter().eq(["at", "user", "username"]), "{page}");
    let cursor = page["next_cursor"].as_str().expect("more follow");
    let rest = harness.get("sales-manager", &format!("{path}?cursor={cursor}")).await.json();
    assert_eq!(items(&rest)[0]["username"], "anna");
    assert_eq!((items(&rest).len(), &rest["next_cursor"]), (1, &Value::Null));

    harness.get("sales-manager", &format!("{path}?limit=0")).await.invalid(&["/limit"]);
    harness.get("sales-manager", &format!("{path}?status=used")).await.invalid(&["/status"]);
    harness.get("sales-manager", &format!("?cursor={cursor}")).await.invalid(&["/cursor"]);
}

#[tokio::test]
async fn redemptions_out_of_reach_are_not_found() {
    let harness = Harness::api();
    let (id, _) = for_five(&harness).await;
    let empty = harness.get("admin", &format!("/{id}/redemptions")).await.json();
    assert_eq!(empty, json!({"items": [], "next_cursor": null}));
    let nothing = "01890000-0000-7000-8000-000000000000";
    for (who, id) in [("operations-manager", &*id), ("admin", nothing), ("admin", "nonsense")] {
        let answer = harness.get(who, &format!("/{id}/redemptions")).await;
        answer.problem(404, "not-found");
    }
    assert_eq!(harness.post_json("admin", &format!("/{id}/revoke"), &json!({})).await.status, 200);
    assert_eq!(harness.get("admin", &format!("/{id}/redemptions")).await.status, 200);
}

#[tokio::test]
async fn reservations_are_listed_newest_first_to_administrators() {
    let harness = Harness::api();
    let (id, code) = for_five(&harness).await;
    for name in ["anna", "bob"] {
        let user = UserId::new(format!("u-{name}")).expect("an id");
        let redeemer = Redeemer::new(user, Username::new(name).expect("a name"));
        let reserved = harness.service().reserve(&code, &redeemer).await;
        assert!(reserved.is_ok(), "{name}");
        harness.clock.advance(time::Duration::SECOND);
    }
    let page = harness.get("admin", "/reservations?limit=1").await.json();
    let [newest] = &items(&page)[..] else { panic!("{page}") };
    let fields: BTreeSet<_> = newest.as_object().expect("one").keys().collect();
    let expected = ["invitation", "since", "until", "user", "username"];
    assert!(fields.into_iter().eq(expected), "{page}");
    assert_eq!((&newest["invitation"], &newest["username"]), (&json!(id), &json!("bob")));
    assert_eq!(newest["user"], "u-bob");
    assert!(newest["since"].as_str() < newest["until"].as_str(), "{newest}");
    let cursor = page["next_cursor"].as_str().expect("more follow");
    let rest = harness.get("admin", &format!("/reservations?cursor={cursor}")).await.json();
    assert_eq!(items(&rest)[0]["username"], "anna");
    assert_eq!(rest["next_cursor"], Value::Null);

    harness.get("admin", "/reservations?invitation=1").await.invalid(&["/invitation"]);
    harness.get("admin", "/reservations?cursor=x").await.invalid(&["/cursor"]);
    harness.get("sales-manager", "/reservations").await.problem(403, "forbidden");
}
