//! Conflicts with other transactions, on databases with concurrent writers.

use std::num::NonZeroU32;

use invitation_core::{
    Amendment, Cap, Draft, Expiry, IdempotencyKey, IfVersion, Invitation, Limits, Refusal,
};
use invitation_sqlx::sqlx::Transaction;

use crate::support::{
    admin, create,
    host::{Host, Kind, add_user, assert_conflict, inside},
    manager, redeemer, uses,
};

/// A query that fixes the snapshot of a transaction.
const LOOK: &str = "SELECT COUNT(*) FROM users";
/// Locks every code without changing any.
pub(crate) const HOLD: &str = "UPDATE invitation_codes SET version = version";

/// Begins a transaction whose snapshot is older than a change of the invitation. The
/// redemption in it is a conflict, without a retry. Returns the transaction in the
/// resulting state.
pub(crate) async fn overtaken<DB: Kind>(
    host: &Host<DB>,
    begin: &str,
    (invitation, code): &(Invitation, String),
) -> Transaction<'static, DB> {
    let mut tx = host.begin_with(begin).await;
    inside(&mut tx, LOOK).await;
    let longer = Amendment::new().expiring(Expiry::InDays(30));
    host.invitations.amend(&admin(), invitation.id(), longer, IfVersion::Any).await.unwrap();
    let joined = host.invitations.on(host.invitations.store().join(&mut tx));
    assert_conflict(joined.redeem(code, &redeemer("anna")).await);
    tx
}

/// Repeats the host's whole transaction.
pub(crate) async fn again<DB: Kind>(host: &Host<DB>, code: &str) {
    let mut tx = host.begin().await;
    host.invitations
        .on(host.invitations.store().join(&mut tx))
        .redeem(code, &redeemer("anna"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(uses(&host.invitations).await, 1);
}

/// Runs in a transaction whose lock wait `impatient` limits.
pub(crate) async fn lock_wait_timeout<DB: Kind>(impatient: &str) {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let mut other = host.begin().await;
    inside(&mut other, HOLD).await;

    let mut tx = host.begin().await;
    inside(&mut tx, impatient).await;
    add_user(&mut tx, "before").await;
    let told = host
        .invitations
        .on(host.invitations.store().join(&mut tx))
        .redeem(&code, &redeemer("anna"))
        .await;
    assert_conflict(told);
    add_user(&mut tx, "after").await;
    tx.commit().await.unwrap();
    other.rollback().await.unwrap();
    assert_eq!((uses(&host.invitations).await, host.users().await), (0, 2));
}

/// Runs in a transaction that begins with `begin`.
pub(crate) async fn concurrent_commits_are_seen<DB: Kind>(begin: &str) {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let mut tx = host.begin_with(begin).await;
    // The snapshot is fixed before another user redeems.
    inside(&mut tx, LOOK).await;
    host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
    let joined = host.invitations.on(host.invitations.store().join(&mut tx));
    let refused = joined.redeem(&code, &redeemer("anna")).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::Used), "{begin}");
    assert!(joined.redeem(&code, &redeemer("ben")).await.unwrap().is_replayed(), "{begin}");
    tx.rollback().await.unwrap();
}

/// Runs in a transaction that begins with `begin`.
pub(crate) async fn quotas_and_keys_in_an_older_transaction_are_current<DB: Kind>(begin: &str) {
    let host = Host::<DB>::new().await;
    let one = Cap::AtMost(NonZeroU32::MIN);
    let limits = Limits::default().with_pending_per_inviter(one);
    let invitations = host.invitations.clone().with_limits(limits);
    let key = IdempotencyKey::new("k-1").unwrap();
    let mut tx = host.begin_with(begin).await;
    inside(&mut tx, LOOK).await;
    let made = invitations.create_once(&manager(), &key, Draft::new()).await.unwrap();

    let joined = invitations.on(invitations.store().join(&mut tx));
    let full = joined.create(&manager(), Draft::new()).await.unwrap_err();
    assert!(matches!(full.refusal(), Some(Refusal::QuotaExceeded { .. })), "{full:?}");
    let again = joined.create_once(&manager(), &key, Draft::new()).await.unwrap();
    assert!(again.is_replayed());
    assert_eq!(again.invitation().id(), made.invitation().id());
    tx.rollback().await.unwrap();
}
