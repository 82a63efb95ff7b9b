//! Checkpoints: signed statements about the first entries of a log.

use std::fmt;

use crate::{
    hash::{TreeHash, bytes_from_text, bytes_to_text},
    key::{LogKey, LogPublicKey},
};

/// What a signature line begins with: an em dash and a space.
const SIGNATURE: &str = "— ";
/// The length of an Ed25519 signature with the id of its key in front.
const NAMED_SIGNATURE: usize = 68;

/// The size and the root of a log, which a signature of the log's key vouches for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the format has three lines")]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// The number of entries that the checkpoint covers, at most [`MAX_SIZE`](Self::MAX_SIZE).
    pub size: u64,
    /// The root of the Merkle tree of these entries.
    pub root: TreeHash,
}

/// A checkpoint as a signed note: C2SP `tlog-checkpoint`, with Ed25519 signatures.
///
/// Save a copy of the newest checkpoint in another system, out of the reach of an attacker who
/// can alter the log. Such a copy is the *anchor* of a verification.
///
/// ```
/// # mod invitation { pub use invitation_audit as audit_log; }
/// use invitation::audit_log::{LogKey, SignedCheckpoint, TreeHash};
///
/// let key = LogKey::from_seed("example.com/invitations", &[7; 32])?;
/// let signed = SignedCheckpoint::sign(&key, 0, TreeHash::of_empty_tree());
/// let saved = signed.as_str();
/// assert!(saved.starts_with("example.com/invitations\n0\n47DEQpj8HBSa"));
///
/// let read = SignedCheckpoint::parse(saved)?;
/// assert_eq!(read.verify(std::slice::from_ref(key.public_key()))?.size, 0);
///
/// let altered = SignedCheckpoint::parse(&saved.replacen("\n0\n", "\n1\n", 1))?;
/// assert!(altered.verify(std::slice::from_ref(key.public_key())).is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: String,
    checkpoint: Checkpoint,
}

/// The reason why a checkpoint is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The text is no checkpoint in the form of a signed note.
    #[error("the text is not a signed checkpoint")]
    Text,
    /// None of the given keys has signed it.
    #[error("none of the given keys has signed the checkpoint")]
    UnknownKey,
    /// A signature of one of the given keys does not fit the text.
    #[error("the signature of the checkpoint does not fit its text")]
    Signature,
    /// It belongs to the log of another origin than that of the key.
    #[error("the checkpoint belongs to a log of another origin")]
    Origin,
    /// It is the anchor of a verification that has already read more entries than it covers.
    #[error("the verification has already read more entries than the checkpoint covers")]
    Late,
}

impl Checkpoint {
    /// The largest size of a log.
    pub const MAX_SIZE: u64 = 1 << 62;

    /// Returns the lines that the signature covers.
    fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads the lines that the signature covers.
    fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        // Further lines are extensions, which say nothing to this library.
        if origin.is_empty() || lines.any(str::is_empty) {
            return None;
        }
        let number: u64 = size.parse().ok().filter(|number| *number <= Self::MAX_SIZE)?;
        // Only one spelling of a number is allowed: no sign, no zero in front.
        (number.to_string() == size).then_some(())?;
        Some(Self { origin: origin.to_owned(), size: number, root: TreeHash::from_text(root)? })
    }
}

impl SignedCheckpoint {
    /// The longest note that is read, in bytes.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Signs the size and the root of a log.
    #[must_use]
    pub fn sign(key: &LogKey, size: u64, root: TreeHash) -> Self {
        let public = key.public_key();
        let checkpoint = Checkpoint { origin: public.origin().to_owned(), size, root };
        let text = checkpoint.to_text();
        let signature = [public.id().as_slice(), &key.sign(&text)].concat();
        let note =
            format!("{text}\n{SIGNATURE}{} {}\n", public.origin(), bytes_to_text(&signature));
        Self { note, checkpoint }
    }

    /// Reads a signed note. The signature is not verified yet.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Text`].
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        let is_text = note.len() <= Self::MAX_BYTES && !note.contains(is_forbidden);
        let parts = note.rsplit_once("\n\n").filter(|_| is_text);
        let (text, signatures) = parts.ok_or(CheckpointError::Text)?;
        let mut lines = signatures.split_inclusive('\n');
        if signatures.is_empty() || !lines.all(is_signature_line) {
            return Err(CheckpointError::Text);
        }
        let checkpoint = Checkpoint::from_text(&format!("{text}\n"));
        let checkpoint = checkpoint.ok_or(CheckpointError::Text)?;
        Ok(Self { note: note.to_owned(), checkpoint })
    }

    /// Returns the note: the text to save, and to give to other implementations.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.note
    }

    /// Returns what the checkpoint says, without a look at its signatures.
    pub(crate) fn stated(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Returns what the checkpoint says, if one of the keys has signed it. Signatures of other
    /// keys do not count, for example those of witnesses.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`].
    pub fn verify(&self, keys: &[LogPublicKey]) -> Result<&Checkpoint, CheckpointError> {
        self.signed_by(keys).map(|(_, checkpoint)| checkpoint)
    }

    /// Returns the position of the first of these keys that has signed it, too.
    pub(crate) fn signed_by(
        &self,
        keys: &[LogPublicKey],
    ) -> Result<(usize, &Checkpoint), CheckpointError> {
        let (text, signatures) = self.note.rsplit_once("\n\n").ok_or(CheckpointError::Text)?;
        let text = format!("{text}\n");
        let mut first = None;
        for line in signatures.lines() {
            let Some((position, key, signature)) = known(line, keys) else { continue };
            if key.origin() != self.checkpoint.origin {
                return Err(CheckpointError::Origin);
            }
            if !key.verifies(&text, &signature) {
                return Err(CheckpointError::Signature);
            }
            first = Some(first.unwrap_or(position).min(position));
        }
        let first = first.ok_or(CheckpointError::UnknownKey)?;
        Ok((first, &self.checkpoint))
    }
}

fn is_forbidden(c: char) -> bool {
    c.is_ascii_control() && c != '\n'
}

fn is_signature_line(line: &str) -> bool {
    let parts = line.strip_prefix(SIGNATURE).and_then(|line| line.strip_suffix('\n'));
    parts.and_then(|parts| parts.split_once(' ')).is_some_and(|(name, _)| !name.is_empty())
}

/// Returns the position of the key that a signature line names, the key, and the signature.
fn known<'k>(line: &str, keys: &'k [LogPublicKey]) -> Option<(usize, &'k LogPublicKey, [u8; 64])> {
    let (name, signature) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
    let named: [u8; NAMED_SIGNATURE] = bytes_from_text(signature)?;
    let (id, signature) = named.split_first_chunk::<4>()?;
    let is_named = |key: &&LogPublicKey| key.origin() == name && key.id() == *id;
    let (position, key) = keys.iter().enumerate().find(|(_, key)| is_named(key))?;
    Some((position, key, signature.try_into().ok()?))
}

impl fmt::Debug for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SignedCheckpoint").field(&self.checkpoint).finish()
    }
}
