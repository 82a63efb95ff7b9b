//! Keys under which codes are stored, so that a stolen store reveals none of them.
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::code::{OsEntropy, Sealing};
//! use invitation::code::keyring::{KeyId, KeySecret, Keyring};
//! use invitation::{Actor, Draft, Invitations, MemoryStore, Paging, Role, UserId};
//! # use invitation::Division;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A host reads its secret with `KeySecret::from_env` or `KeySecret::from_file`.
//! let first = KeySecret::generate(&OsEntropy)?;
//! let ring = Keyring::new(KeyId::new("2026-01")?, &first);
//! let store = MemoryStore::new();
//! let invitations = Invitations::new(&store).with_sealing(Sealing::keyring(ring));
//!
//! let admin = Actor::across_divisions(UserId::new("u-1")?, Role::new("admin")?);
//! # let sales = Division::new("sales")?;
//! let draft = Draft::new().with_role(Role::new("staff")?).in_division(sales);
//! let created = invitations.create(&admin, draft).await?;
//!
//! // A year later: a new key is active, and the first still opens what it sealed.
//! let second = KeySecret::generate(&OsEntropy)?;
//! let ring = Keyring::new(KeyId::new("2027-01")?, &second)
//!     .with_older(KeyId::new("2026-01")?, &first)?;
//! let invitations = Invitations::new(&store).with_sealing(Sealing::keyring(ring));
//! let id = created.invitation().id();
//! assert_eq!(invitations.copy(&admin, id).await?, *created.code());
//!
//! // The job rewrites the rows page by page. Then the first key can retire.
//! let page = invitations.reseal(&admin, Paging::default()).await?;
//! assert_eq!((page.resealed(), page.next()), (1, None));
//! let ring = Keyring::new(KeyId::new("2027-01")?, &second)
//!     .with_retired(KeyId::new("2026-01")?)?;
//! let invitations = Invitations::new(&store).with_sealing(Sealing::keyring(ring).keyed_only());
//! assert_eq!(invitations.copy(&admin, id).await?, *created.code());
//! # Ok(())
//! # }
//! ```
//!
//! - **Keys**: a [`Keyring`] holds one active key and any number of older ones, each with a
//!   [`KeyId`]. A [`KeySecret`] comes from bytes, the environment or a file. [`KeyError`]
//!   says why a key is not accepted.
//! - **Use**: [`Sealing::keyring`](super::Sealing::keyring) encrypts codes and keys their
//!   digests; [`Sealing::keyed_hash_only`](super::Sealing::keyed_hash_only) stores no code.
//!
//! # What is stored
//!
//! Four subkeys are derived from each secret by HKDF-SHA-256, one for each purpose:
//!
//! - The digest by which a code is found is HMAC-SHA-256 of the code.
//! - The tag by which the beginning of a code is found is a part of HMAC-SHA-256 of its first
//!   four symbols.
//! - The code itself is encrypted with XChaCha20-Poly1305 under a random nonce. The id of the
//!   invitation and the id of the key are associated data, so that the bytes of one row do
//!   not open as the code of another.
//! - A secret other than a code, such as one that signs webhooks, is encrypted in the same way
//!   ([`Keyring::encrypt`]).
//!
//! # What it protects from
//!
//! A reader of the database, of its logs, of a backup or of a replica learns no code, and
//! cannot test guesses of a code. This includes short codes, for which a plain digest is no
//! protection. A changed or exchanged sealed code is reported, never shown.
//!
//! # What it does not protect from
//!
//! - A process that has the keys, and a reader of its memory.
//! - A writer of the database. He can delete and reinstate invitations, change roles, and
//!   exchange the digests of two invitations.
//! - Equal tags show which codes begin with the same four symbols.
//! - Addresses, usernames and events are stored as before.
//! - A lost key: its codes cannot be redeemed or shown any more. Keep a copy of each secret,
//!   apart from the backups of the database.
//!
//! # How to rotate a key
//!
//! All processes have a keyring already. Then no redemption fails at any step:
//!
//! 1. Add the new key as an [older](Keyring::with_older) one, in every process. All processes
//!    can then read what the new key will write.
//! 2. Make it the active key, and the previous one an older one, in every process. A process
//!    that still has the previous settings can read all rows, too.
//! 3. Call [`Invitations::reseal`](crate::Invitations::reseal) until it returns no cursor.
//!    Repeat it until a whole run re-seals nothing. Re-seal the secrets of webhooks too, with
//!    `Webhooks::reseal`.
//! 4. If [`unopened`](crate::ResealPage::unopened) names no open invitation in that run, name the
//!    previous key as [retired](Keyring::with_retired). Destroy its secret when the backups that
//!    need it are gone.
//!
//! With [`Sealing::keyed_hash_only`](super::Sealing::keyed_hash_only), step 3 rewrites nothing,
//! because no code is stored. Its invitations under the previous key are *unopened*, and are
//! unknown without that key. Keep it as an older one until they have ended.
//!
//! # How to give a store its first keyring
//!
//! A process without a keyring does not find the codes that a process with one has created,
//! rotated or re-sealed. It answers a redemption of such a code with *unknown*. So the first
//! step lets all processes read what none of them writes yet. Then no redemption fails at any
//! step:
//!
//! 1. Give every process the keyring with
//!    [`Sealing::writing_unkeyed`](super::Sealing::writing_unkeyed). It still stores codes
//!    without a key, so that processes without the keyring find them.
//! 2. When the last process has it, remove `writing_unkeyed`, in every process. A process
//!    that still has it can read all rows, too.
//! 3. Re-seal the rows as in step 3 above.
//! 4. Set [`Sealing::keyed_only`](super::Sealing::keyed_only) in every process.
//!
//! With a single process, begin with step 2.
//!
//! Once a row is stored under the keyring, a host cannot go back to processes without it. A
//! database may keep the previous bytes of a row in free pages, logs and backups: rotate the
//! codes that must not be read there.
//!
//! # How to find a missing key
//!
//! To be sure at the start of a process that no key is missing or wrong, call
//! [`Invitations::check_seals`](crate::Invitations::check_seals).

mod envelope;
mod error;
mod key;
mod key_id;
mod secret;
mod text;

use std::{fmt, sync::Arc};

pub(super) use self::key::Key;
pub use self::{error::KeyError, key_id::KeyId, secret::KeySecret};
use super::UnsealCause;

/// The keys under which codes are stored: one active key, older keys, and the ids of
/// retired keys.
///
/// Cheap to clone. `Debug` shows the ids only, and the secrets are wiped on drop.
#[derive(Clone)]
pub struct Keyring {
    active: Arc<Key>,
    older: Vec<Arc<Key>>,
    retired: Vec<KeyId>,
}

impl Keyring {
    /// Creates a keyring whose active key seals all new codes.
    #[must_use]
    pub fn new(id: KeyId, secret: &KeySecret) -> Self {
        Self { active: Arc::new(Key::derive(id, secret)), older: Vec::new(), retired: Vec::new() }
    }

    /// Adds a key that finds and opens codes, and seals none. Each older key costs one more
    /// digest for each look-up.
    ///
    /// # Errors
    ///
    /// [`KeyError::RepeatedId`] and [`KeyError::RepeatedSecret`] if the keyring has the id
    /// or the secret already.
    pub fn with_older(mut self, id: KeyId, secret: &KeySecret) -> Result<Self, KeyError> {
        self.check_new(&id)?;
        let key = Key::derive(id, secret);
        if let Some(same) = self.usable().find(|other| other.has_secret_of(&key)) {
            return Err(KeyError::RepeatedSecret { id: same.id().clone() });
        }
        self.older.push(Arc::new(key));
        Ok(self)
    }

    /// Names a key that is no longer used. A code that is still stored under it cannot be
    /// redeemed, and showing it is [refused with the id](UnsealCause::RetiredKey).
    ///
    /// # Errors
    ///
    /// [`KeyError::RepeatedId`] if the keyring has the id already.
    pub fn with_retired(mut self, id: KeyId) -> Result<Self, KeyError> {
        self.check_new(&id)?;
        self.retired.push(id);
        Ok(self)
    }

    /// Returns the id of the active key.
    #[must_use]
    pub fn active_id(&self) -> &KeyId {
        self.active.id()
    }

    fn check_new(&self, id: &KeyId) -> Result<(), KeyError> {
        let mut known = self.usable().map(Key::id).chain(&self.retired);
        let is_known = known.any(|other| other == id);
        if is_known { Err(KeyError::RepeatedId { id: id.clone() }) } else { Ok(()) }
    }

    pub(super) fn active(&self) -> &Key {
        &self.active
    }

    /// Returns the keys that find and open codes, the active one first.
    pub(super) fn usable(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.active).chain(&self.older).map(|key| &**key)
    }

    /// Returns the key with this id, or why there is none.
    pub(super) fn find(&self, id: &str) -> Result<&Key, UnsealCause> {
        let is_retired = || self.retired.iter().any(|retired| retired.as_str() == id);
        let missing = || {
            if is_retired() {
                UnsealCause::RetiredKey(id.into())
            } else {
                UnsealCause::UnknownKey(id.into())
            }
        };
        self.usable().find(|key| key.id().as_str() == id).ok_or_else(missing)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = |keys: &[Arc<Key>]| keys.iter().map(|key| key.id().clone()).collect::<Vec<_>>();
        f.debug_struct("Keyring")
            .field("active", self.active.id())
            .field("older", &ids(&self.older))
            .field("retired", &self.retired)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> KeyId {
        KeyId::new(text).unwrap()
    }

    fn secret(first: u8) -> KeySecret {
        let mut bytes = [7; 32];
        bytes[0] = first;
        KeySecret::from_bytes(bytes).unwrap()
    }

    #[test]
    fn repeated_id_or_secret_is_refused() {
        let ring = Keyring::new(id("b"), &secret(2)).with_retired(id("a")).unwrap();
        for repeated in ["a", "b"] {
            let refused = ring.clone().with_older(id(repeated), &secret(3)).unwrap_err();
            assert!(matches!(refused, KeyError::RepeatedId { id } if id.as_str() == repeated));
            assert!(ring.clone().with_retired(id(repeated)).is_err());
        }
        let refused = ring.clone().with_older(id("c"), &secret(2)).unwrap_err();
        assert!(matches!(refused, KeyError::RepeatedSecret { id } if id.as_str() == "b"));
        assert!(ring.with_older(id("c"), &secret(3)).is_ok());
    }

    #[test]
    fn missing_key_is_reported_as_unknown_or_retired() {
        let ring = Keyring::new(id("b"), &secret(2)).with_retired(id("a")).unwrap();
        assert_eq!(ring.find("b").map(|key| key.id().as_str().to_owned()), Ok("b".to_owned()));
        assert_eq!(ring.find("a").err(), Some(UnsealCause::RetiredKey("a".into())));
        assert_eq!(ring.find("c").err(), Some(UnsealCause::UnknownKey("c".into())));
    }

    #[test]
    fn debug_shows_ids_only() {
        let ring = Keyring::new(id("b"), &secret(2)).with_older(id("a"), &secret(1)).unwrap();
        let shown = format!("{ring:?} {:?}", secret(1));
        assert_eq!(
            shown,
            r#"Keyring { active: KeyId("b"), older: [KeyId("a")], retired: [] } KeySecret(…)"#
        );
    }
}
