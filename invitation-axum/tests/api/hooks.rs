//! Tests of a host's veto, as clients see it.

use std::time::Duration;

use async_trait::async_trait;
use invitation_axum::Problem;
use invitation_core::hooks::{Hooks, Intent, Veto};
use serde_json::json;

use crate::support::Harness;

/// A hook that allows nothing: it says so, or it fails.
#[derive(Clone, Copy, Debug)]
enum Closed {
    Says,
    Fails,
}

#[async_trait]
impl Hooks for Closed {
    async fn before(&self, intent: &Intent) -> Result<(), Veto> {
        match self {
            Self::Says => Err(Veto::because(format!("<b>closed</b>\u{7} for {}", intent.kind))),
            Self::Fails => Err("the rules of the host cannot be read".into()),
        }
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[tokio::test]
async fn vetoed_request_is_403_with_the_text_of_the_host() {
    let open = Harness::api();
    let created = open.invite().await;
    let (id, code) = (created.invitation().id(), created.code().reveal().to_string());
    let closed = open.with_service(|service| service.with_hooks(Closed::Says));
    let draft = json!({"role": "staff", "division": "sales"});
    let revoke = format!("/{id}/revoke");
    for (path, body, detail) in [
        ("", draft.clone(), "<b>closed</b> for create"),
        ("/bulk", json!([draft.clone()]), "<b>closed</b> for create_many"),
        ("/bulk?mode=best_effort", json!([draft.clone()]), "<b>closed</b> for create_many"),
        (&revoke, json!({}), "<b>closed</b> for revoke"),
        ("/revoke", json!({"role": "staff"}), "<b>closed</b> for revoke"),
    ] {
        let problem = closed.post_json("admin", path, &body).await.problem(403, "vetoed");
        assert_eq!(problem["detail"], detail, "{path}");
    }
    let shown = closed.get("admin", &format!("/{id}")).await.is(200).json();
    assert_eq!((&shown["status"], &shown["version"]), (&json!("active"), &json!(1)));
    let error = closed.redeem(&code, "anna").await.expect_err("a veto");
    let problem = Problem::of_redeeming(&error);
    assert_eq!((problem.kind().status().as_u16(), problem.kind().name()), (403, "vetoed"));
    assert_eq!(problem.detail(), Some("<b>closed</b> for redeem"));

    let page = closed.get("admin", "/events?outcome=refused").await.is(200).json();
    let reasons: Vec<_> =
        page["items"].as_array().expect("items").iter().map(|event| &event["reason"]).collect();
    assert_eq!(reasons, [&json!("vetoed"); 6]);
}

#[tokio::test]
async fn failing_hook_refuses_without_its_error() {
    let failing = Harness::api().with_service(|service| service.with_hooks(Closed::Fails));
    let draft = json!({"role": "staff", "division": "sales"});
    let problem = failing.post_json("admin", "", &draft).await.problem(403, "vetoed");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("try again later") && !detail.contains("rules of the host"));
    let page = failing.get("admin", "/events").await.is(200).json();
    assert_eq!(page["items"][0]["reason"], "hook_failed");
}
