//! Versions: which changes increment them, and changes meant for one of them.

use invitation_core::{Amendment, Error, EventOutcome, IfVersion, InvitationId, Reason, Refusal};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        samples::{admin, newcomer, role},
    },
};

const ANY: IfVersion = IfVersion::Any;

/// Makes change `n` of five.
async fn change(
    harness: &Harness,
    n: usize,
    id: InvitationId,
    when: IfVersion,
) -> Result<(), Error> {
    let (service, actor) = (&harness.service, admin());
    let amendment = Amendment::new().with_role(role("manager"));
    match n {
        0 => service.amend(&actor, id, amendment, when).await.map(drop),
        1 => service.rotate(&actor, id, when).await.map(drop),
        2 => service.revoke(&actor, id, None, when).await.map(drop),
        3 => service.reinstate(&actor, id, when).await.map(drop),
        _ => service.delete(&actor, id, when).await,
    }
}

/// Amending, rotating, revoking and reinstating increment the version. A redemption, a
/// view, a copy and a refusal do not.
pub async fn version_counts_changes_of_terms_only(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create_for_uses(3).await;
    let id = created.invitation().id();
    assert_eq!(created.invitation().version(), 1, "a new one is at version 1");
    let redeemed = harness.service.redeem(&created.code().reveal(), &newcomer("anna")).await;
    assert!(redeemed.is_ok(), "{redeemed:?}");
    harness.service.copy(&admin(), id).await.expect("may copy");
    assert_eq!(harness.stored(id).await.version, 1, "neither a use nor a copy");
    for n in 0..4 {
        let version = harness.stored(id).await.version;
        let wrong = change(&harness, n, id, IfVersion::Exactly(version + 1)).await;
        assert_eq!(refusal(wrong), Refusal::VersionMismatch { current: version });
        change(&harness, n, id, ANY).await.expect("may change");
        assert_eq!(harness.stored(id).await.version, version + 1, "change {n}");
    }
}

/// A change meant for one version is applied to that version only. Otherwise it is
/// refused with the present version, writes one event and changes nothing.
pub async fn change_for_another_version_is_refused(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create_for_uses(2).await;
    let id = created.invitation().id();
    for n in 0..5 {
        let before = harness.stored(id).await;
        let version = before.version;
        for wrong in [version - 1, version + 1, u64::MAX] {
            let events = harness.events_of_invitation(id).await;
            let answer = change(&harness, n, id, IfVersion::Exactly(wrong)).await;
            let expected = Refusal::VersionMismatch { current: version };
            assert_eq!(refusal(answer), expected, "change {n} for version {wrong}");
            assert_eq!(harness.stored(id).await, before, "change {n}: nothing changed");
            let mut after = harness.events_of_invitation(id).await;
            after.retain(|event| !events.contains(event));
            assert_eq!(after.len(), 1, "change {n}: one event: {after:?}");
            assert_eq!(after[0].reason, Some(Reason::VersionMismatch), "change {n}");
            assert_eq!(after[0].outcome, EventOutcome::Refused, "change {n}");
        }
        change(&harness, n, id, IfVersion::Exactly(version)).await.expect("the present version");
    }
}
