//! The mode in which codes are stored.

use sha2::{Digest, Sha256};

#[cfg(feature = "keyring")]
use super::keyring::{Key, Keyring};
use super::{
    CodeDigest, CodeFormat, CodeTag, InvitationCode, SealedCode, TAG_SYMBOLS, UnsealCause,
    UnsealError,
    sealed::{Form, hashed_header, readable_header},
};
use crate::{
    entropy::{Entropy, EntropyError},
    id::InvitationId,
};

/// How codes are stored: looked up by a digest, shown again from sealed bytes.
///
/// | mode | digest and tag | sealed bytes | a stolen store reveals |
/// |---|---|---|---|
/// | [`readable`](Self::readable), the default | SHA-256 | the code | every active code |
/// | [`hash_only`](Self::hash_only) | SHA-256 | nothing | no code of 115 bits; short codes by guessing |
/// | `keyring` | HMAC-SHA-256 | the encrypted code | no code |
/// | `keyed_hash_only` | HMAC-SHA-256 | nothing | no code |
///
/// The last two need the feature `keyring`; the module `keyring` describes them. Set the
/// mode with [`Invitations::with_sealing`](crate::Invitations::with_sealing).
///
/// In the modes that store no code, only [`create`](crate::Invitations::create) and
/// [`rotate`](crate::Invitations::rotate) return the code. It cannot be copied later, and a
/// search finds it by its first group or as a whole. Of a group, only the first four symbols are
/// compared. A repeated creation under the same idempotency key is refused, because its result
/// cannot be returned again.
///
/// There, a new invitation is not mailed, and nobody is reminded of it: only its creator has the
/// code. [`Deliveries::resend`](crate::delivery::Deliveries::resend) with a new code sends mail: the
/// worker draws the code when it sends.
///
/// Each row says how it was stored. So a service in one mode still reads the rows of
/// another, as far as it has the key, until
/// [`Invitations::reseal`](crate::Invitations::reseal) has rewritten them.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
/// use invitation::code::Sealing;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let invitations =
///     Invitations::new(MemoryStore::new()).with_sealing(Sealing::hash_only());
/// let manager =
///     Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, Division::new("sales")?);
///
/// let created = invitations.create(&manager, Draft::new()).await?;
/// assert!(!created.code().reveal().is_empty(), "it is shown once");
/// let id = created.invitation().id();
/// assert!(invitations.get(&manager, id).await?.code().is_none());
/// assert!(invitations.copy(&manager, id).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sealing {
    keys: Keys,
    keeps_codes: bool,
}

/// The keys of the digests and of the encryption.
#[derive(Clone, Default, Debug)]
enum Keys {
    /// No key: digests are plain hashes.
    #[default]
    None,
    /// The keys of a keyring, and the part that codes without a key still have.
    #[cfg(feature = "keyring")]
    Ring { ring: Keyring, unkeyed: UnkeyedCodes },
}

/// The part that codes without a key have in a service with a keyring.
#[cfg(feature = "keyring")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum UnkeyedCodes {
    /// New codes are stored without a key, and such codes are found.
    Written,
    /// Codes that were stored without a key are found.
    Found,
    /// Codes that were stored without a key are not found.
    Refused,
}

/// A prefix of the hashed data, so that digests for different purposes never collide.
const DIGEST: &[u8] = b"invitation/lookup/v1\0";
const TAG: &[u8] = b"invitation/tag/v1\0";

impl Sealing {
    /// Stores codes unencrypted.
    ///
    /// **Anyone with access to the store, a backup or a replica can read the codes that are
    /// still active.** Protect them as you protect the codes.
    #[must_use]
    pub fn readable() -> Self {
        Self { keys: Keys::None, keeps_codes: true }
    }

    /// Stores only SHA-256 digests of codes.
    ///
    /// Use it with formats of at least 112 bits, such as the default: a plain digest of a
    /// shorter code can be found by trying all codes.
    ///
    /// Mail is sent only by a [resend with a new code](crate::delivery::Resend::with_new_code).
    #[must_use]
    pub fn hash_only() -> Self {
        Self { keys: Keys::None, keeps_codes: false }
    }

    /// Stores codes encrypted, and their digests keyed.
    ///
    /// Codes that were stored without a key are still found and shown, until
    /// [`keyed_only`](Self::keyed_only) is set.
    #[cfg(feature = "keyring")]
    #[must_use]
    pub fn keyring(ring: Keyring) -> Self {
        Self { keys: Keys::Ring { ring, unkeyed: UnkeyedCodes::Found }, keeps_codes: true }
    }

    /// Stores only keyed digests of codes.
    ///
    /// Such a row cannot be moved to another key, because its code is not known. After a
    /// rotation, keep the older key until the invitations under it have ended.
    #[cfg(feature = "keyring")]
    #[must_use]
    pub fn keyed_hash_only(ring: Keyring) -> Self {
        Self { keys: Keys::Ring { ring, unkeyed: UnkeyedCodes::Found }, keeps_codes: false }
    }

    /// Finds and shows codes under the keyring, but still stores new ones without a key.
    ///
    /// It is the first step when a fleet of processes gets its first keyring: a process that
    /// has no keyring yet finds every code that this one writes. **New codes are as
    /// unprotected as without a keyring.** The module [`keyring`](super::keyring) has all
    /// steps.
    ///
    /// [`reseal`](crate::Invitations::reseal) does not take a code out of the keyring again:
    /// it leaves rows under a key as they are. [`keyed_only`](Self::keyed_only) ends this
    /// mode.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::code::keyring::{KeyId, KeySecret, Keyring};
    /// use invitation::code::{OsEntropy, Sealing};
    /// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new();
    /// # let admin = Actor::across_divisions(UserId::new("u-1")?, Role::new("admin")?);
    /// # let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
    /// let ring = Keyring::new(KeyId::new("2026-01")?, &KeySecret::generate(&OsEntropy)?);
    /// let first_step = Sealing::keyring(ring).writing_unkeyed();
    ///
    /// let created =
    ///     Invitations::new(&store).with_sealing(first_step).create(&admin, draft).await?;
    /// let without_keyring = Invitations::new(&store);
    /// let id = created.invitation().id();
    /// assert_eq!(without_keyring.copy(&admin, id).await?, *created.code());
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "keyring")]
    #[must_use]
    pub fn writing_unkeyed(mut self) -> Self {
        if let Keys::Ring { unkeyed, .. } = &mut self.keys {
            *unkeyed = UnkeyedCodes::Written;
        }
        self
    }

    /// No longer finds, shows or writes codes without a key.
    ///
    /// Set it in a new deployment, or when [`reseal`](crate::Invitations::reseal) has
    /// rewritten all rows: a look-up then computes one digest fewer, and a row that was
    /// written into the database without the key opens no account. `reseal` reports such
    /// rows, and does not rewrite them.
    #[cfg(feature = "keyring")]
    #[must_use]
    pub fn keyed_only(mut self) -> Self {
        if let Keys::Ring { unkeyed, .. } = &mut self.keys {
            *unkeyed = UnkeyedCodes::Refused;
        }
        self
    }

    /// Returns the digest under which a new code is stored.
    #[must_use]
    pub fn digest(&self, code: &InvitationCode) -> CodeDigest {
        match self.writing_key() {
            None => unkeyed_digest(code),
            #[cfg(feature = "keyring")]
            Some(key) => key.digest(code.symbols()),
        }
    }

    /// Returns the digests under which a presented code may have been stored: one for each
    /// key in use, and the unkeyed one as long as such rows are accepted.
    #[must_use]
    pub fn digests(&self, code: &InvitationCode) -> Vec<CodeDigest> {
        match &self.keys {
            Keys::None => vec![unkeyed_digest(code)],
            #[cfg(feature = "keyring")]
            Keys::Ring { ring, .. } => {
                let keyed = ring.usable().map(|key| key.digest(code.symbols()));
                let unkeyed = self.accepts_unkeyed().then(|| unkeyed_digest(code));
                keyed.chain(unkeyed).collect()
            }
        }
    }

    /// Returns the tag under which a new code is stored.
    #[must_use]
    pub fn tag(&self, code: &InvitationCode) -> CodeTag {
        let first = &code.symbols()[..TAG_SYMBOLS];
        match self.writing_key() {
            None => unkeyed_tag(first),
            #[cfg(feature = "keyring")]
            Some(key) => key.tag(first),
        }
    }

    /// Returns the tags under which codes with this beginning may have been stored.
    pub(crate) fn tags(&self, beginning: &[u8]) -> Vec<CodeTag> {
        let Some(first) = beginning.get(..TAG_SYMBOLS) else { return Vec::new() };
        match &self.keys {
            Keys::None => vec![unkeyed_tag(first)],
            #[cfg(feature = "keyring")]
            Keys::Ring { ring, .. } => {
                let keyed = ring.usable().map(|key| key.tag(first));
                keyed.chain(self.accepts_unkeyed().then(|| unkeyed_tag(first))).collect()
            }
        }
    }

    /// Seals `code` as the code of invitation `id`. Draws 24 bytes from `entropy` if the
    /// code is encrypted.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source of randomness fails.
    #[cfg_attr(not(feature = "keyring"), expect(unused_variables, reason = "nothing is encrypted"))]
    pub fn seal(
        &self,
        id: InvitationId,
        code: &InvitationCode,
        entropy: &dyn Entropy,
    ) -> Result<SealedCode, EntropyError> {
        if !self.keeps_codes {
            return Ok(SealedCode::from_bytes(self.header()));
        }
        match self.writing_key() {
            None => Ok(SealedCode::from_bytes([&self.header(), code.symbols()].concat())),
            #[cfg(feature = "keyring")]
            Some(key) => key.seal(&self.header(), id, code, entropy),
        }
    }

    /// Returns the code of invitation `id`, written in `format`.
    ///
    /// # Errors
    ///
    /// [`UnsealError`] when [`seal`](Self::seal) did not create the bytes for this
    /// invitation, when their key is unknown or retired, or when they contain no code.
    pub fn open(
        &self,
        id: InvitationId,
        sealed: &SealedCode,
        format: &CodeFormat,
    ) -> Result<InvitationCode, UnsealError> {
        let failed = |cause| UnsealError::new(id, cause);
        let form = Form::of(sealed.as_bytes()).ok_or_else(|| failed(UnsealCause::Damaged))?;
        let code = match form {
            Form::Readable(_) | Form::Hashed { key: None } if !self.accepts_unkeyed() => {
                return Err(failed(UnsealCause::Unkeyed));
            }
            Form::Readable(symbols) => format.code_of(symbols),
            Form::Hashed { key: None } => return Err(failed(UnsealCause::NotKept)),
            #[cfg(not(feature = "keyring"))]
            Form::Encrypted { key, .. } | Form::Hashed { key: Some(key) } => {
                return Err(failed(UnsealCause::UnknownKey(key.into())));
            }
            #[cfg(feature = "keyring")]
            Form::Hashed { key: Some(key) } => {
                self.key(key).map_err(failed)?;
                return Err(failed(UnsealCause::NotKept));
            }
            #[cfg(feature = "keyring")]
            Form::Encrypted { key, header, body } => {
                let symbols = self.key(key).map_err(failed)?.open(header, id, body);
                symbols.and_then(|symbols| format.code_of(&symbols))
            }
        };
        code.ok_or_else(|| failed(UnsealCause::Damaged))
    }

    /// Whether codes that were stored without a key are found and opened.
    fn accepts_unkeyed(&self) -> bool {
        match &self.keys {
            Keys::None => true,
            #[cfg(feature = "keyring")]
            Keys::Ring { unkeyed, .. } => *unkeyed != UnkeyedCodes::Refused,
        }
    }

    /// Returns the key under which new codes are stored, if there is one.
    #[cfg(feature = "keyring")]
    fn writing_key(&self) -> Option<&Key> {
        match &self.keys {
            Keys::None | Keys::Ring { unkeyed: UnkeyedCodes::Written, .. } => None,
            Keys::Ring { ring, .. } => Some(ring.active()),
        }
    }

    /// Returns that new codes are stored without a key.
    #[cfg(not(feature = "keyring"))]
    fn writing_key(&self) -> Option<std::convert::Infallible> {
        match self.keys {
            Keys::None => None,
        }
    }

    /// Returns the key with this id, or why there is none.
    #[cfg(feature = "keyring")]
    fn key(&self, id: &str) -> Result<&Key, UnsealCause> {
        match &self.keys {
            Keys::None => Err(UnsealCause::UnknownKey(id.into())),
            Keys::Ring { ring, .. } => ring.find(id),
        }
    }

    /// Whether new codes can be read from the store later.
    pub(crate) fn keeps_codes(&self) -> bool {
        self.keeps_codes
    }

    /// Whether an actor with the right to copy may be shown the code of a row later.
    pub(crate) fn shows(&self, sealed: &SealedCode) -> bool {
        self.keeps_codes && sealed.holds_code()
    }

    /// Whether a row was stored in another way than a new one is: under another key, or in
    /// another form. A service with a keyring never takes a row out of it again.
    pub(crate) fn is_outdated(&self, sealed: &SealedCode) -> bool {
        let stays = self.leaves_keyed_rows() && sealed.key_id().is_some();
        !stays && !sealed.as_bytes().starts_with(&self.header())
    }

    /// Whether rows under a key stay as they are, although new ones are stored without a key.
    fn leaves_keyed_rows(&self) -> bool {
        match &self.keys {
            Keys::None => false,
            #[cfg(feature = "keyring")]
            Keys::Ring { unkeyed, .. } => *unkeyed == UnkeyedCodes::Written,
        }
    }

    /// Returns the first bytes of every sealed code that this mode creates.
    fn header(&self) -> Vec<u8> {
        match self.writing_key() {
            None if self.keeps_codes => readable_header(),
            None => hashed_header(None),
            #[cfg(feature = "keyring")]
            Some(key) => key.header(self.keeps_codes),
        }
    }
}

impl Default for Sealing {
    /// Stores codes unencrypted.
    fn default() -> Self {
        Self::readable()
    }
}

fn unkeyed_digest(code: &InvitationCode) -> CodeDigest {
    let digest = Sha256::new_with_prefix(DIGEST).chain_update(code.symbols()).finalize();
    CodeDigest::from_bytes(digest.into())
}

fn unkeyed_tag(first: &[u8]) -> CodeTag {
    let digest = Sha256::new_with_prefix(TAG).chain_update(first).finalize();
    tag_of(&digest.into())
}

/// Returns the tag that consists of the first bytes of a digest.
pub(super) fn tag_of(digest: &[u8; 32]) -> CodeTag {
    let mut tag = [0; 8];
    tag.copy_from_slice(&digest[..8]);
    CodeTag::from_bytes(tag)
}
