//! The serialized forms of what calls return.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use invitation_core::{
    Actor, Criteria, Division, Draft, EventCriteria, Invitations, ManualClock, MemoryStore, Paging,
    Redeemer, Role, SystemActor, Timestamp, UserId, Username,
};
use serde_json::{Value, json, to_value};

/// A service with one redeemed invitation, its administrator, and the text of its code.
async fn story() -> (Invitations<MemoryStore>, Actor, String) {
    let clock = ManualClock::new(Timestamp::from_micros(0).unwrap());
    let invitations = Invitations::new(MemoryStore::new()).with_clock(clock);
    let admin = Actor::across_divisions(UserId::new("u-1").unwrap(), Role::new("admin").unwrap())
        .with_name(Username::new("Ada").unwrap());
    let draft = Draft::new()
        .with_role(Role::new("staff").unwrap())
        .in_division(Division::new("sales").unwrap());
    let code = invitations.create(&admin, draft).await.unwrap().code().reveal().to_string();
    let ben = Redeemer::new(UserId::new("u-2").unwrap(), Username::new("ben").unwrap());
    invitations.redeem(&code, &ben).await.unwrap();
    (invitations, admin, code)
}

/// Removes the random ids, which are checked to be there.
fn without_ids(mut value: Value) -> Value {
    assert_eq!(value.as_object_mut().unwrap().remove("id").unwrap().as_str().unwrap().len(), 36);
    value
}

#[tokio::test]
async fn invitation_view_has_the_fields_of_the_api_and_no_code() {
    let (invitations, admin, code) = story().await;
    let page = invitations.list(&admin, &Criteria::new(), Paging::default()).await.unwrap();
    assert!(page.items()[0].code().is_some(), "the actor may copy it");
    let mut written = to_value(&page).unwrap();
    assert!(!written.to_string().contains(&code));
    assert_eq!(written["next_cursor"], Value::Null);
    let expected = json!({
        "email": null, "email_domain": null, "role": "staff", "division": "sales",
        "status": "used", "expires_at": "1970-01-08T00:00:00Z",
        "used_by": "ben", "used_at": "1970-01-01T00:00:00Z", "uses": 1, "max_uses": 1,
        "created_by": "u-1", "created_by_name": "Ada",
        "created_at": "1970-01-01T00:00:00Z", "version": 1,
        "batch": null, "metadata": null, "actions": ["copy", "delete"],
    });
    assert_eq!(without_ids(written["items"][0].take()), expected);
    let fields = to_value(page.items()[0].invitation()).unwrap();
    assert!(fields.get("status").is_none() && fields.get("actions").is_none());
    let counts = invitations.counts(&admin, &Criteria::new()).await.unwrap();
    let expected = json!({"active": 0, "used": 1, "expired": 0, "revoked": 0, "capped": []});
    assert_eq!(to_value(counts).unwrap(), expected);
}

#[tokio::test]
async fn event_and_redemption_have_the_fields_of_the_api() {
    let (invitations, admin, code) = story().await;
    let job = SystemActor::new("reminder").unwrap();
    let listed = invitations.list(&job, &Criteria::new(), Paging::default()).await.unwrap();
    let id = listed.items()[0].invitation().id();
    invitations.copy(&job, id).await.unwrap();
    let newest = Paging::first(2).unwrap();
    let page = invitations.events(&admin, &EventCriteria::new(), newest).await.unwrap();
    let mut written = to_value(&page).unwrap();
    assert!(!written.to_string().contains(&code));
    let cursor = written["next_cursor"].as_str().unwrap();
    assert_eq!(cursor.parse(), Ok(page.next().unwrap()));
    let by = |value: &Value| {
        ["actor", "actor_role", "actor_name", "username"].map(|name| value[name].clone())
    };
    assert_eq!(
        by(&written["items"][0]),
        [json!(null), json!(null), json!("reminder"), json!(null)]
    );
    let expected = json!({
        "at": "1970-01-01T00:00:00Z", "actor": "u-2", "actor_role": null, "actor_name": null,
        "username": "ben", "kind": "redeem", "outcome": "succeeded", "reason": null,
        "invitation": id, "division": "sales", "correlation_id": null, "source": null,
        "detail": {},
    });
    assert_eq!(without_ids(written["items"][1].take()), expected);

    let redemptions = invitations.redemptions(&admin, id, Paging::default()).await.unwrap();
    let mut written = to_value(&redemptions).unwrap();
    let expected =
        json!({"user": "u-2", "username": "ben", "at": "1970-01-01T00:00:00Z", "role": "staff"});
    assert_eq!(without_ids(written["items"][0].take()), expected);
}
