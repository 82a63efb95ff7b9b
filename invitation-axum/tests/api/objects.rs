//! Arrays in place of objects: no route reads the fields of a body by their positions.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{MOUNT, json as request, with_every_route};

/// The routes that read a JSON body. Those with `false` take no content, only an empty object.
const ROUTES: [(&str, &str, bool); 20] = [
    ("POST", "", true),
    ("POST", "/search", true),
    ("POST", "/revoke", true),
    ("POST", "/resend", true),
    ("PATCH", "/{id}", true),
    ("POST", "/{id}/copy", false),
    ("POST", "/{id}/revoke", true),
    ("POST", "/{id}/reinstate", false),
    ("POST", "/{id}/rotate", false),
    ("POST", "/{id}/resend", true),
    ("POST", "/deliveries/{delivery}/retry", false),
    ("POST", "/imports/{import}/cancel", false),
    ("POST", "/webhooks", true),
    ("POST", "/webhooks/{endpoint}/secret", true),
    ("POST", "/webhooks/{endpoint}/enable", false),
    ("POST", "/webhooks/{endpoint}/disable", false),
    ("POST", "/webhooks/{endpoint}/retry", false),
    ("POST", "/webhooks/{endpoint}/skip", true),
    // Its body is an array, and each element an object.
    ("POST", "/bulk", true),
    ("POST", "/bulk?dry_run=true", true),
];

const ID: &str = "01890000-0000-7000-8000-000000000000";

#[tokio::test]
async fn array_in_place_of_an_object_is_refused_by_every_route() {
    let harness = with_every_route();
    for (method, path, _) in ROUTES.iter().filter(|(_, path, _)| !path.starts_with("/bulk")) {
        let path = path.replace("{id}", ID).replace("{delivery}", ID).replace("{import}", ID);
        let path = path.replace("{endpoint}", "crm");
        let method: Method = method.parse().expect("a method");
        for body in [json!([]), json!([null]), json!(["anna@example.com", 1]), json!([{}])] {
            let answer = harness.send(request(method.clone(), "admin", &path, &body)).await;
            let problem = answer.invalid(&[""]);
            let message = problem["errors"][0]["message"].as_str().expect("a message");
            assert!(message.ends_with("expected an object"), "{path} {body}: {problem}");
        }
    }
}

#[tokio::test]
async fn every_route_with_a_json_body_is_among_them() {
    let document = serde_json::to_value(with_every_route().web.openapi(MOUNT)).expect("JSON");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            if operation["requestBody"]["content"]["application/json"].is_object() {
                let path = path.strip_prefix(MOUNT).expect("a path of the API");
                described.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    let with_content = ROUTES.iter().filter(|(_, path, has)| *has && !path.contains('?'));
    let tested = with_content.map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(described, tested.collect());
}

#[tokio::test]
async fn array_does_not_amend_an_invitation() {
    let harness = with_every_route();
    let body = json!({"email": "anna@example.com", "role": "staff", "division": "sales"});
    let path = format!("/{}", harness.create("admin", &body).await["id"].as_str().expect("an id"));
    harness.send(request(Method::PATCH, "admin", &path, &json!([null]))).await.invalid(&[""]);
    let kept = harness.get("admin", &path).await.json();
    assert_eq!((&kept["email"], &kept["version"]), (&json!("anna@example.com"), &json!(1)));
}

#[tokio::test]
async fn array_in_place_of_an_element_is_a_mistake_of_its_row() {
    let harness = with_every_route();
    // All fields, in the order of their declaration.
    let fields = json!([null, null, "staff", "sales", null, null, null, null]);
    let body = json!([{"role": "staff", "division": "sales"}, fields]);
    for path in ["/bulk", "/bulk?mode=atomic"] {
        harness.post_json("admin", path, &body).await.invalid(&["/1"]);
    }
    for path in ["/bulk?mode=best_effort", "/bulk?dry_run=true"] {
        let answer = harness.post_json("admin", path, &body).await.json();
        let row = &answer["results"][1];
        assert_eq!(row["outcome"], "invalid", "{answer}");
        assert_eq!(row["errors"][0]["pointer"], "/1", "{answer}");
    }
    let items = harness.get("admin", "").await.json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(1), "{items}");
    assert_ne!(items[0]["role"], Value::Null);
}
