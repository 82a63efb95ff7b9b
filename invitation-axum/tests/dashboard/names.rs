//! The names of the buttons in a row, by which a screen reader tells rows apart.

use invitation_core::CodeFormat;

use crate::support::Harness;

#[tokio::test]
async fn rows_have_different_names_although_their_codes_have_a_prefix() {
    let format = CodeFormat::default().with_prefix("ACME").unwrap();
    let harness =
        Harness::dashboard().with_service(|service| service.with_code_format(format).unwrap());
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(harness.invite().await.code().reveal());
    }
    let page = harness.get("admin", "").await.is(200);
    for code in &codes {
        let group = code.split('-').nth(1).unwrap();
        for label in ["Copy", "More", "Edit", "Revoke", "Delete"] {
            let name = format!("aria-label=\"{label}: {group}-…\"");
            assert!(page.text().contains(&name), "{name} is not in {}", page.text());
        }
    }
}
