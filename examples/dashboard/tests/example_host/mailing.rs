//! The mails that bring the codes of invitations.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::host::{Host, Store, answer, text};

/// Reads the mails of invitations to an address until there is one.
async fn invitation_mails(host: &Host, to: &str) -> Vec<Value> {
    for _ in 0..300 {
        let request = host.ask_as("admin", Method::GET, "/api/demo/mail");
        let request = request.query(&[("to", to), ("kind", "invitation")]);
        let mails = answer(request).await.is(200).json()["items"].as_array().cloned();
        if let Some(mails) = mails.filter(|mails| !mails.is_empty()) {
            return mails;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no mail to {to} arrived");
}

/// The mail has the code and the link. The mails that ask for a confirmation stay a list of
/// their own.
pub(crate) async fn created_invitation_is_mailed_with_its_code(store: &Store) {
    let host = store.start().await;
    let invited = host.invite(json!({"email": "nina@example.com"})).await;
    let mails = invitation_mails(&host, "NINA@example.com").await;
    let (body, code) = (text(&mails[0]["body"]), text(&invited["code"]));
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(body.contains(&code) && body.contains(&format!("/register#{code}")), "{body}");
    assert!(host.mails("nina@example.com").await.is_empty());
    let deliveries = format!("/api/invitations/{}/deliveries", text(&invited["id"]));
    let said = answer(host.ask_as("admin", Method::GET, &deliveries)).await.is(200).json();
    assert_eq!(said["items"][0]["state"], json!("sent"), "{said}");
}
