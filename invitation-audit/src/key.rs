//! The Ed25519 keys of a log, in the text forms of signed notes.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use invitation_core::code::{Entropy, EntropyError};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    hash::{bytes_from_text, bytes_to_text},
    log::sync_folder,
};

/// The byte that signed notes assign to Ed25519.
const ED25519: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";
/// The length of a key with its algorithm's byte in front.
const TYPED_KEY: usize = 33;

/// The reason why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The origin is not a name that a signed note can carry.
    #[error(
        "the origin must have 1 to {max} bytes, and no white space, control character or plus sign",
        max = LogPublicKey::MAX_ORIGIN
    )]
    Origin,
    /// The text is not a key of the expected kind. The message contains nothing of the text.
    #[error("the text is not an Ed25519 key of a log")]
    Text,
    /// The file of the key cannot be read or written.
    #[error("the file of the key cannot be used")]
    File(#[from] io::Error),
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The secret key that signs the checkpoints of one log, and the log's name: its *origin*.
///
/// `Debug` shows the public key only. The memory of the key is cleared on drop.
///
/// ```
/// # mod invitation { pub use invitation_audit as audit_log; }
/// use invitation::audit_log::LogKey;
///
/// let key = LogKey::from_seed("example.com/invitations", &[7; 32])?;
/// let public = key.public_key();
/// assert_eq!(public.origin(), "example.com/invitations");
/// assert!(public.to_string().starts_with("example.com/invitations+"));
/// # Ok::<_, invitation::audit_log::KeyError>(())
/// ```
pub struct LogKey {
    secret: SigningKey,
    public: LogPublicKey,
}

/// The public key of a log. A verifier needs it, and may publish it.
///
/// Its text form is that of signed notes: origin, key id and key, separated by `+`.
#[derive(Clone, PartialEq, Eq)]
pub struct LogPublicKey {
    origin: Arc<str>,
    id: [u8; 4],
    key: VerifyingKey,
}

impl LogKey {
    /// Returns the key of 32 secret bytes. Hosts that keep secrets elsewhere use it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Origin`].
    pub fn from_seed(origin: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = SigningKey::from_bytes(seed);
        let public = LogPublicKey::new(origin, secret.verifying_key())?;
        Ok(Self { secret, public })
    }

    /// Draws a new key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Origin`], or [`KeyError::Entropy`] when the source of randomness fails.
    pub fn generate(origin: &str, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(seed.as_mut_slice())?;
        Self::from_seed(origin, &seed)
    }

    /// Draws a new key and writes it into a new file, which on Unix only its owner can read.
    ///
    /// The file has the whole key or does not exist, also after a crash. The call writes a draft
    /// beside it, whose name ends with `.draft`, and then links the file to it. So the file
    /// system must have hard links. A crash may leave the draft, whose key is of no use.
    ///
    /// # Errors
    ///
    /// Those of [`generate`](Self::generate), or [`KeyError::File`], also if the file exists.
    pub fn create_file(
        path: impl AsRef<Path>,
        origin: &str,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        let (path, key) = (path.as_ref(), Self::generate(origin, entropy)?);
        // Each key has an id of its own, so drafts of several processes do not meet.
        let mut draft = path.to_owned().into_os_string();
        draft.push(format!(".{}.draft", key.public.id_text()));
        let draft = PathBuf::from(draft);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        let written = file
            .write_all(key.to_secret_text().as_bytes())
            .and_then(|()| file.sync_all())
            // Unlike a renaming, a link replaces no existing key.
            .and_then(|()| fs::hard_link(&draft, path));
        let removed = fs::remove_file(&draft);
        written.and(removed)?;
        sync_folder(path)?;
        Ok(key)
    }

    /// Reads a key from the file that [`create_file`](Self::create_file) wrote.
    ///
    /// # Errors
    ///
    /// [`KeyError::File`] or [`KeyError::Text`].
    pub fn read_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let text = Zeroizing::new(fs::read_to_string(path)?);
        let (public, typed) = split(text.trim_end().strip_prefix(PRIVATE).ok_or(KeyError::Text)?)?;
        let key = Self::from_seed(public.0, &Zeroizing::new(typed))?;
        if key.public.id_text() == public.1 { Ok(key) } else { Err(KeyError::Text) }
    }

    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> &LogPublicKey {
        &self.public
    }

    pub(crate) fn sign(&self, text: &str) -> [u8; Signature::BYTE_SIZE] {
        self.secret.sign(text.as_bytes()).to_bytes()
    }

    fn to_secret_text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(typed(&self.secret.to_bytes()));
        let key = Zeroizing::new(bytes_to_text(key.as_slice()));
        let LogPublicKey { origin, .. } = &self.public;
        Zeroizing::new(format!("{PRIVATE}{origin}+{}+{}\n", self.public.id_text(), *key))
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogKey").field(&self.public).finish()
    }
}

impl LogPublicKey {
    /// The longest origin, in bytes.
    pub const MAX_ORIGIN: usize = 255;

    fn new(origin: &str, key: VerifyingKey) -> Result<Self, KeyError> {
        let is_refused = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if origin.is_empty() || origin.len() > Self::MAX_ORIGIN || origin.contains(is_refused) {
            return Err(KeyError::Origin);
        }
        let named = Sha256::new().chain_update(origin).chain_update(b"\n");
        let hash: [u8; 32] = named.chain_update(typed(key.as_bytes())).finalize().into();
        let id = [hash[0], hash[1], hash[2], hash[3]];
        Ok(Self { origin: Arc::from(origin), id, key })
    }

    /// Returns the name of the log, which its checkpoints carry.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the bytes by which a signature names this key.
    pub(crate) fn id(&self) -> [u8; 4] {
        self.id
    }

    pub(crate) fn verifies(&self, text: &str, signature: &[u8; Signature::BYTE_SIZE]) -> bool {
        // Strict: refuses signatures for which other implementations might disagree.
        self.key.verify_strict(text.as_bytes(), &Signature::from_bytes(signature)).is_ok()
    }

    fn id_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id))
    }
}

impl fmt::Display for LogPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = bytes_to_text(&typed(self.key.as_bytes()));
        write!(f, "{}+{}+{key}", self.origin, self.id_text())
    }
}

impl fmt::Debug for LogPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogPublicKey({self})")
    }
}

impl FromStr for LogPublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let ((origin, id), key) = split(text)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| KeyError::Text)?;
        let key = Self::new(origin, key)?;
        if key.id_text() == id { Ok(key) } else { Err(KeyError::Text) }
    }
}

/// Puts the byte of the algorithm in front of a key.
fn typed(key: &[u8; 32]) -> [u8; TYPED_KEY] {
    let mut typed = [ED25519; TYPED_KEY];
    typed[1..].copy_from_slice(key);
    typed
}

/// Splits the text of a key into origin and key id, and the bytes of the key.
fn split(text: &str) -> Result<((&str, &str), [u8; 32]), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(origin), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Text);
    };
    let typed: Zeroizing<[u8; TYPED_KEY]> =
        Zeroizing::new(bytes_from_text(key).ok_or(KeyError::Text)?);
    match typed.split_first_chunk::<1>() {
        Some(([ED25519], key)) => Ok(((origin, id), key.try_into().map_err(|_| KeyError::Text)?)),
        _ => Err(KeyError::Text),
    }
}
