//! Exports of the list.

use invitation_core::{Draft, Policy, Right, Rights};

use crate::{
    Fixture,
    support::{
        harness::Harness,
        samples::{admin, manager, role},
    },
};

/// An export needs its own right and contains no codes, for any actor.
pub async fn export_contains_no_codes(fixture: Fixture) {
    let harness = Harness::new(fixture);
    harness.create(Draft::new()).await;
    let (criteria, first) = (invitation_core::Criteria::new(), invitation_core::Paging::default());
    let page = harness.service.export(&admin(), &criteria, first).await.expect("may export");
    assert_eq!(page.items().len(), 1);
    assert!(page.items()[0].code().is_none());
    let keeper = Rights::none().may([Right::Export]);
    let policy = Policy::default().with_role(role("manager"), keeper);
    let service = harness.service.clone().with_policy(policy);
    let page = service.export(&manager("sales"), &criteria, first).await.expect("may export");
    assert_eq!(page.items().len(), 1, "exporting does not need the right to view");
}
