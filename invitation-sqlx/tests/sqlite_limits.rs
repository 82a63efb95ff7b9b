//! Large inputs that a host may create.

mod support;

use invitation_core::{Draft, Invitations, Policy, Right, Rights, Role};
use invitation_sqlx::SqliteStore;
use support::{admin, manager, redeemer};

/// A policy of 100 roles, each of which may grant all of them.
#[tokio::test(flavor = "multi_thread")]
async fn redeem_under_a_large_policy_succeeds() {
    let all: Vec<_> = (0..100).map(|n| Role::new(format!("role-{n}")).unwrap()).collect();
    let policy = all.iter().fold(Policy::default(), |policy, role| {
        let rights = Rights::none().may([Right::Create]).granting(all.iter().cloned());
        policy.with_role(role.clone(), rights)
    });
    let store = SqliteStore::in_memory().await.unwrap();
    let invitations = Invitations::new(store).with_policy(policy);
    let created = invitations.create(&manager(), Draft::new()).await.unwrap();
    invitations.redeem(&created.code().reveal(), &redeemer("anna")).await.unwrap();
}

/// More values than one statement can bind.
#[tokio::test(flavor = "multi_thread")]
async fn large_batch_is_created_as_a_whole() {
    let store = SqliteStore::in_memory().await.unwrap();
    let limits = invitation_core::Limits::default().with_batch(5_000.try_into().unwrap());
    let invitations = Invitations::new(store).with_limits(limits);
    let draft = Draft::new().with_role(Role::new("staff").unwrap());
    let created = invitations.create_many(&admin(), vec![draft; 5_000]).await.unwrap();
    let counts = invitations.counts(&admin(), &invitation_core::Criteria::new()).await.unwrap();
    let active = counts.of(invitation_core::Status::Active);
    assert_eq!(active, 5_000);
    invitations.redeem(&created[4_999].code().reveal(), &redeemer("anna")).await.unwrap();
}
