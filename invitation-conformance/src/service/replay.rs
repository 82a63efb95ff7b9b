//! Replays: the same redeemer presents the same code again.

use invitation_core::{Amendment, Created, Draft, IfVersion, Policy, Redeemed, Refusal};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        samples::{admin, domain, newcomer, newcomer_with_email, role, user},
    },
};

/// Redeems again as anna, and checks that the first redemption is returned and nothing
/// changes.
async fn replay(harness: &Harness, code: &str, first: &Redeemed, state: &str) {
    let before = (harness.stored(first.invitation()).await, harness.events().await);
    let again = harness.service.redeem(code, &newcomer("anna")).await;
    let again = again.unwrap_or_else(|error| panic!("a repeat, {state}: {error:?}"));
    assert!(again.is_replayed(), "{state}: it is marked");
    assert_eq!(again.redemption(), first.redemption(), "{state}: the same redemption");
    assert_eq!(again.division(), first.division(), "{state}: the same division");
    let after = (harness.stored(first.invitation()).await, harness.events().await);
    assert_eq!(after, before, "{state}: nothing is consumed, nothing is written");
}

async fn redeemed_by_anna(harness: &Harness, created: &Created) -> Redeemed {
    let redeemed = harness.service.redeem(&created.code().reveal(), &newcomer("anna")).await;
    redeemed.expect("anna is the first")
}

/// Repeating a single-use redemption returns the same redemption: immediately, after the
/// expiry, after another user was refused, and after the deletion.
pub async fn repeated_redemption_returns_the_first_result(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let first = redeemed_by_anna(&harness, &created).await;
    replay(&harness, &code, &first, "at once").await;
    replay(&harness, &code.to_lowercase().replace('-', ""), &first, "typed in another way").await;
    let other = harness.service.redeem(&code, &newcomer("bob")).await;
    assert_eq!(refusal(other), Refusal::Used, "another user");
    replay(&harness, &code, &first, "after another's refusal").await;
    harness.clock.advance(time::Duration::days(400));
    replay(&harness, &code, &first, "after the expiry").await;
    harness.service.delete(&admin(), id, IfVersion::Any).await.expect("may delete");
    replay(&harness, &code, &first, "after the deletion").await;
    let other = harness.service.redeem(&code, &newcomer("bob")).await;
    assert_eq!(refusal(other), Refusal::CodeUnknown, "another user, after the deletion");
}

/// Repeating a redemption of a multi-use code returns the same redemption with the role
/// that was granted then. This holds after further redemptions and after the invitation
/// was amended, revoked, rotated, reinstated, used up, expired and deleted.
pub async fn repeated_multi_use_redemption_returns_the_own_result(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create_for_uses(3).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let (service, any) = (&harness.service, IfVersion::Any);
    let first = redeemed_by_anna(&harness, &created).await;
    assert_eq!(first.role(), &role("staff"));
    replay(&harness, &code, &first, "at once").await;

    let amendment = Amendment::new().with_role(role("manager")).for_domain(domain("example.com"));
    service.amend(&admin(), id, amendment, any).await.expect("may amend");
    replay(&harness, &code, &first, "after the role and the binding were amended").await;
    let carl = newcomer_with_email("carl", "carl@example.com");
    let second = service.redeem(&code, &carl).await.expect("a use is left");
    assert_eq!(second.role(), &role("manager"), "the role of that moment");
    replay(&harness, &code, &first, "after another's redemption").await;

    service.revoke(&admin(), id, None, any).await.expect("may revoke");
    replay(&harness, &code, &first, "after the revocation").await;
    service.reinstate(&admin(), id, any).await.expect("may reinstate");
    let rotated = service.rotate(&admin(), id, any).await.expect("may rotate");
    let old = service.redeem(&code, &newcomer("anna")).await;
    assert_eq!(refusal(old), Refusal::CodeUnknown, "the old code is unknown");
    let code = rotated.code().reveal();
    replay(&harness, &code, &first, "with the new code").await;

    let dora = newcomer_with_email("dora", "dora@example.com");
    service.redeem(&code, &dora).await.expect("the last use");
    replay(&harness, &code, &first, "after the last use").await;
    harness.clock.advance(time::Duration::days(400));
    replay(&harness, &code, &first, "after the expiry").await;
    service.delete(&admin(), id, any).await.expect("may delete");
    replay(&harness, &code, &first, "after the deletion").await;
    let again = service.redeem(&code, &carl).await.expect("a repeat too");
    assert_eq!(again.redemption(), second.redemption(), "the other one's own");
}

/// A repeat is recognised even if the policy no longer permits redeeming the code.
pub async fn repeated_redemption_under_a_stricter_policy_is_replayed(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create_for_uses(2).await;
    let code = created.code().reveal();
    let first = redeemed_by_anna(&harness, &created).await;
    let strict = harness.service.clone().with_policy(Policy::empty());
    let again = strict.redeem(&code, &newcomer("anna")).await.expect("a repeat");
    assert!(again.is_replayed() && again.redemption() == first.redemption(), "the same");
    let other = strict.redeem(&code, &newcomer("bob")).await;
    assert_eq!(refusal(other), Refusal::GrantWithdrawn, "another user is new");
}

/// A repeat is recognised by user id, not by name. The same user under another name gets
/// the first redemption; another user under the same name is a different person.
pub async fn repeated_redemption_is_recognised_by_user_id(fixture: Fixture) {
    use invitation_core::Redeemer;

    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let code = created.code().reveal();
    let first = redeemed_by_anna(&harness, &created).await;
    let anna = newcomer("anna");
    let renamed = Redeemer::new(anna.user().clone(), newcomer("anne").username().clone());
    let again = harness.service.redeem(&code, &renamed).await.expect("the same user");
    assert_eq!(again.redemption(), first.redemption(), "with the name of the first time");
    let namesake = Redeemer::new(user("u-2"), anna.username().clone());
    let answer = harness.service.redeem(&code, &namesake).await;
    assert_eq!(refusal(answer), Refusal::Used, "another user of that name");
}
