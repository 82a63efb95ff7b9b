//! Others who are in the way, on databases that let them.

use std::num::NonZeroU32;

use invitation_core::{
    Amendment, Cap, Draft, Expiry, IdempotencyKey, IfVersion, Invitation, Limits, Refusal,
};
use invitation_sqlx::{Joined, sqlx::Transaction};

use crate::support::{
    admin, create,
    host::{Host, Kind, add_user, assert_conflict, inside},
    manager, redeemer, uses,
};

/// What makes a transaction look at the database, and see it from then on as it is now.
const LOOK: &str = "SELECT COUNT(*) FROM users";
/// Holds every code, and changes none.
pub(crate) const HOLD: &str = "UPDATE invitation_codes SET version = version";

/// A transaction that has looked, before somebody else changed what it needs: not even tried
/// again, the redemption in it is a conflict. It is given back as that left it.
pub(crate) async fn overtaken<DB: Kind>(
    host: &Host<DB>,
    begin: &str,
    (invitation, code): &(Invitation, String),
) -> Transaction<'static, DB> {
    let mut tx = host.begin_with(begin).await;
    inside(&mut tx, LOOK).await;
    let longer = Amendment::new().expiring(Expiry::InDays(30));
    host.invitations.amend(&admin(), invitation.id, longer, IfVersion::Any).await.unwrap();
    let joined = host.invitations.on(Joined::new(&mut tx));
    assert_conflict(joined.redeem(code, &redeemer("anna")).await);
    tx
}

/// The host repeats its whole transaction.
pub(crate) async fn again<DB: Kind>(host: &Host<DB>, code: &str) {
    let mut tx = host.begin().await;
    host.invitations.on(Joined::new(&mut tx)).redeem(code, &redeemer("anna")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(uses(&host.invitations).await, 1);
}

/// In a transaction that waits no longer than `impatient` says.
pub(crate) async fn a_wait_that_is_too_long<DB: Kind>(impatient: &str) {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let mut other = host.begin().await;
    inside(&mut other, HOLD).await;

    let mut tx = host.begin().await;
    inside(&mut tx, impatient).await;
    add_user(&mut tx, "before").await;
    let told = host.invitations.on(Joined::new(&mut tx)).redeem(&code, &redeemer("anna")).await;
    assert_conflict(told);
    add_user(&mut tx, "after").await;
    tx.commit().await.unwrap();
    other.rollback().await.unwrap();
    assert_eq!((uses(&host.invitations).await, host.users().await), (0, 2));
}

/// In a transaction of this beginning.
pub(crate) async fn what_others_committed_meanwhile_is_seen<DB: Kind>(begin: &str) {
    let host = Host::<DB>::new().await;
    let (_, code) = create(&host.invitations).await;
    let mut tx = host.begin_with(begin).await;
    // It has looked, before somebody else redeems.
    inside(&mut tx, LOOK).await;
    host.invitations.redeem(&code, &redeemer("ben")).await.unwrap();
    let joined = host.invitations.on(Joined::new(&mut tx));
    let refused = joined.redeem(&code, &redeemer("anna")).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::Used), "{begin}");
    assert!(joined.redeem(&code, &redeemer("ben")).await.unwrap().is_replayed(), "{begin}");
    tx.rollback().await.unwrap();
}

/// In a transaction of this beginning.
pub(crate) async fn quotas_and_keys_of_a_transaction_that_looked_before_are_those_of_now<
    DB: Kind,
>(
    begin: &str,
) {
    let host = Host::<DB>::new().await;
    let one = Cap::AtMost(NonZeroU32::MIN);
    let limits = Limits::default().with_pending_per_inviter(one);
    let invitations = host.invitations.clone().with_limits(limits);
    let key = IdempotencyKey::new("k-1").unwrap();
    let mut tx = host.begin_with(begin).await;
    inside(&mut tx, LOOK).await;
    let made = invitations.create_once(&manager(), &key, Draft::new()).await.unwrap();

    let joined = invitations.on(Joined::new(&mut tx));
    let full = joined.create(&manager(), Draft::new()).await.unwrap_err();
    assert!(matches!(full.refusal(), Some(Refusal::QuotaExceeded { .. })), "{full:?}");
    let again = joined.create_once(&manager(), &key, Draft::new()).await.unwrap();
    assert!(again.is_replayed());
    assert_eq!(again.invitation().id, made.invitation().id);
    tx.rollback().await.unwrap();
}
