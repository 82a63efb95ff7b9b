//! The life of codes, for a test that searches what a store leaves behind: its files, its logs and
//! its protocol.
//!
//! A store that is given a [keyring](invitation_core::code::keyring) must write no code anywhere.
//! The suite cannot see the files of a store, so the author of a store calls [`use_codes`] and
//! searches them.

use invitation_core::{
    Amendment, Criteria, Draft, Error, Expiry, IdempotencyKey, IfVersion, Import, ImportRow,
    Invitations, Paging, Reserved, Store,
};

use crate::people::{admin, manager, redeemer, staff};

/// Calls everything that takes, finds or returns a code: create, import, copy, search, check,
/// reserve, redeem, rotate, amend, revoke, reinstate, delete, re-seal, and refusals of each kind.
/// Returns the codes as they are shown.
///
/// The service must keep codes, and must have no limits or quotas of its own. A second call on the
/// same store needs another `tag`, a short text of letters.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use invitation::{
///     Invitations, MemoryStore,
///     code::{
///         OsEntropy, Sealing,
///         keyring::{KeyId, KeySecret, Keyring},
///     },
///     testing::secrets::use_codes,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = KeySecret::generate(&OsEntropy)?;
/// let sealing = Sealing::keyring(Keyring::new(KeyId::new("k1")?, &secret));
/// let invitations = Invitations::new(MemoryStore::new()).with_sealing(sealing);
/// let codes = use_codes(&invitations, "a").await?;
///
/// let left_behind = format!("{:?}", invitations.store());
/// assert!(codes.iter().all(|code| !left_behind.contains(code)));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The first [`Error`] of a call that should have succeeded.
///
/// # Panics
///
/// When a call returns another result than the specification says.
pub async fn use_codes<S: Store>(
    invitations: &Invitations<S>,
    tag: &str,
) -> Result<Vec<String>, Error> {
    let mut codes = Vec::new();
    for n in 0..3 {
        codes.extend(use_and_rotate(invitations, &format!("{tag}-{n}")).await?);
    }
    codes.extend(create_in_bulk(invitations, tag).await?);
    codes.push(change_and_delete(invitations, tag).await?);
    let left = invitations.create(&manager(), Draft::new()).await?;
    codes.push(left.code().reveal().to_string());
    invitations.reseal(&admin(), Paging::default()).await?;
    invitations.check_seals(&admin(), Paging::default()).await?;
    Ok(codes)
}

/// Searches for a code, reserves a use of it, replaces it, and redeems the new one.
async fn use_and_rotate<S: Store>(
    invitations: &Invitations<S>,
    tag: &str,
) -> Result<[String; 2], Error> {
    let created = invitations.create(&manager(), Draft::new()).await?;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    invitations.copy(&manager(), id).await?;
    invitations.copy(&manager(), id).await?;
    let link = format!("https://example.com/register#{}", *code);
    for text in [&code[..4], &code[..9], &code[..], &link] {
        let criteria = Criteria::new().matching(text);
        let found = invitations.list(&manager(), &criteria, Paging::default()).await?;
        assert_eq!(found.items().len(), 1, "the code is found by {} symbols", text.len());
        invitations.counts(&manager(), &criteria).await?;
    }
    let holder = redeemer(&format!("holder-{tag}"));
    invitations.check(&code, &holder, None).await?;
    let reserved = invitations.reserve(&code, &holder).await?;
    assert!(matches!(reserved, Reserved::Open(_)), "the code was free");
    let rotated = invitations.rotate(&admin(), id, IfVersion::Any).await?;
    let new = rotated.code().reveal();
    invitations.redeem(&new, &redeemer(&format!("anna-{tag}"))).await?;
    let late = redeemer(&format!("late-{tag}"));
    for refused in [&code, &new] {
        assert!(invitations.redeem(refused, &late).await.is_err(), "it cannot be redeemed");
        assert!(invitations.check(refused, &late, None).await.is_err(), "nor checked");
    }
    // The last symbol is a check symbol, so this is a typing mistake.
    let typo = format!("{}{}", &new[..new.len() - 1], if new.ends_with('0') { '1' } else { '0' });
    assert!(invitations.redeem(&typo, &late).await.is_err(), "it is no code");
    Ok([code.to_string(), new.to_string()])
}

/// Creates a batch, an import and an invitation under an idempotency key, each twice.
async fn create_in_bulk<S: Store>(
    invitations: &Invitations<S>,
    tag: &str,
) -> Result<Vec<String>, Error> {
    let mut codes = Vec::new();
    let key = |name: &str| IdempotencyKey::new(format!("{name}-{tag}")).expect("a key");
    for _ in 0..2 {
        let one = invitations.create_once(&admin(), &key("one"), staff()).await?;
        codes.push(one.code().reveal().to_string());
        let drafts = vec![staff(), staff()];
        let many = invitations.create_many_once(&admin(), &key("many"), drafts).await?;
        codes.extend(many.iter().map(|one| one.code().reveal().to_string()));
        let rows = vec![ImportRow::Draft(staff()), ImportRow::Draft(staff())];
        let imported = invitations.import(&admin(), Import::new(rows), Some(&key("rows"))).await?;
        codes.extend(imported.created().map(|one| one.code().reveal().to_string()));
    }
    Ok(codes)
}

/// Changes an invitation in every way, and deletes it.
async fn change_and_delete<S: Store>(
    invitations: &Invitations<S>,
    tag: &str,
) -> Result<String, Error> {
    let created = invitations.create(&admin(), staff()).await?;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let longer = Amendment::new().expiring(Expiry::InDays(30));
    invitations.amend(&admin(), id, longer, IfVersion::Any).await?;
    let late = redeemer(&format!("gone-{tag}"));
    invitations.revoke(&admin(), id, Some("left"), IfVersion::Any).await?;
    assert!(invitations.redeem(&code, &late).await.is_err(), "it was revoked");
    invitations.reinstate(&admin(), id, IfVersion::Any).await?;
    invitations.delete(&admin(), id, IfVersion::Any).await?;
    assert!(invitations.redeem(&code, &late).await.is_err(), "it was deleted");
    assert!(invitations.copy(&admin(), id).await.is_err(), "it was deleted");
    Ok(code.to_string())
}
