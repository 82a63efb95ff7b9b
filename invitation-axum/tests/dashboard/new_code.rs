//! The page of a new code, which may be the only one that shows the code.

use axum::{
    body::Body,
    http::{Method, header},
};
use invitation_core::Sealing;

use crate::support::{Answer, Harness, MOUNT, request};

/// Returns the id of the only invitation.
async fn only_id(harness: &Harness) -> String {
    let list = harness.get("admin", "").await.is(200);
    let link = list.text().split("class=\"inv-code\" href=\"").nth(1).expect("a row");
    let path = link.split('"').next().expect("an end");
    path.strip_prefix(MOUNT).and_then(|path| path.strip_prefix('/')).expect("a path").to_owned()
}

#[tokio::test]
async fn copy_button_of_a_code_that_is_not_kept_asks_the_server_nothing() {
    let harness = Harness::dashboard();
    let harness = harness.with_service(|service| service.with_sealing(Sealing::hash_only()));
    let form = [("role", "staff"), ("division", "sales"), ("key", "once")];
    let created = harness.post_form("admin", "/new", &form).await.is(201);
    let id = only_id(&harness).await;
    let rotate = [("version", "1")];
    let rotated = harness.post_form("admin", &format!("/{id}/rotate"), &rotate).await.is(200);
    for page in [created, rotated] {
        // Without scripts the button could do nothing, so it is hidden.
        let page = page.says("<div hidden class=\"inv-copy\"").says(">Copy</button>");
        page.says("inv-reveal-code").says_nothing_of("/copy\"");
    }
    harness.get("admin", "").await.is(200).says("Hidden").says_nothing_of(">Copy</button>");
}

#[tokio::test]
async fn copy_button_of_a_code_that_is_kept_sends_a_form() {
    let harness = Harness::dashboard();
    let created = harness.post_form("sales-manager", "/new", &[("key", "once")]).await.is(201);
    let id = only_id(&harness).await;
    let form = format!("<form method=\"post\" action=\"{MOUNT}/{id}/copy\"");
    created.says(&form).says("data-inv-new").says(">Copy</button>");
    let page = harness.get("sales-manager", &format!("/{id}")).await.is(200);
    page.says(&form).says_nothing_of("data-inv-new");
}

#[tokio::test]
async fn role_that_may_not_copy_gets_no_copy_button() {
    use invitation_core::{Policy, Right, Rights, Role};

    let (manager, staff) = (Role::new("manager").unwrap(), Role::new("staff").unwrap());
    let rights = Rights::none().may([Right::View, Right::Create]).granting([staff]);
    let policy = Policy::default().with_role(manager, rights);
    for sealing in [Sealing::readable(), Sealing::hash_only()] {
        let harness = Harness::dashboard().with_service(|service| {
            service.with_policy(policy.clone()).with_sealing(sealing.clone())
        });
        let created = harness.post_form("sales-manager", "/new", &[("key", "once")]).await.is(201);
        created.says("inv-reveal-code").says_nothing_of(">Copy</button>");
    }
}

#[tokio::test]
async fn page_is_not_empty_for_a_client_that_wants_json() {
    let harness = Harness::dashboard();
    let harness = harness.with_service(|service| service.with_sealing(Sealing::hash_only()));
    let ask = async |method: Method, who: &str, path: &str, form: &'static str| -> Answer {
        let request = request(method, who, path)
            .header(header::ACCEPT, "application/json")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        harness.send(request.body(Body::from(form)).expect("a request")).await
    };
    // This code is shown only once.
    let created = ask(Method::POST, "sales-manager", "/new", "key=once").await.is(201);
    created.says("<!doctype html>").says("inv-reveal-code");
    let list = ask(Method::GET, "sales-manager", "", "").await.is(200);
    assert_eq!(list.header("content-type"), "text/html; charset=utf-8");
    list.says("1 code<");
    let mistake = ask(Method::POST, "sales-manager", "/new", "expires_in_days=soon").await;
    mistake.is(422).says("inv-expires_in_days-error");
    ask(Method::GET, "sales-staff", "", "").await.problem(403, "forbidden");
}
