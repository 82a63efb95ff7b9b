//! Proofs that an entry is in a log, and that a log only grew.
//!
//! A verifier checks them against signed checkpoints, and needs no copy of the log.

use std::ops::Range;

use ct_merkle::{RootHash, indices_for_consistency_proof, indices_for_inclusion_proof};
use sha2::Sha256;

use crate::{
    checkpoint::Checkpoint,
    entry::Content,
    frontier::Frontier,
    hash::TreeHash,
    line::Record,
    log::{LogError, LogOffset, LogStore},
    verify::PAGE,
};

/// A proof that an entry is in the log of a checkpoint (RFC 6962, 2.1.1).
///
/// With it, a host shows one event to a verifier who must not see the other events.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_audit as audit_log; }
/// use invitation::audit_log::{InclusionProof, LogKey, MemoryLog, Record, Sealer};
/// # use invitation::{
/// #     Division, Draft, Invitations, MemoryStore, Role, SystemActor,
/// #     audit_log::{LogOffset, LogStore},
/// # };
/// # use std::num::NonZeroU32;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = MemoryStore::new();
/// # for _ in 0..3 {
/// #     let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
/// #     Invitations::new(&store).create(&SystemActor::for_bootstrap(), draft).await?;
/// # }
/// let (log, key) = (MemoryLog::new(), LogKey::from_seed("example.com/invitations", &[7; 32])?);
/// let keys = [key.public_key().clone()];
/// let sealed = Sealer::new(&store, &log, key).seal().await?;
/// let signed = sealed.checkpoint.expect("the log has a checkpoint");
/// let checkpoint = signed.verify(&keys)?;
///
/// let proof = InclusionProof::of(&log, 1, checkpoint.size).await?.expect("the log is that long");
///
/// # let page = log.read(LogOffset::default(), NonZeroU32::MAX).await?;
/// # let entry = |n: usize| match &page.records[n] { Record::Entry(entry) => entry.clone(), _ => panic!() };
/// // The receiver has the entry, the proof, the checkpoint and the public key.
/// assert!(proof.verify(&entry(1).content, checkpoint));
/// assert!(!proof.verify(&entry(2).content, checkpoint));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the proof consists of these")]
pub struct InclusionProof {
    /// The index of the entry.
    pub index: u64,
    /// The hashes of the subtrees beside the way from the leaf to the root.
    pub path: Vec<TreeHash>,
}

/// A proof that the log of one checkpoint begins with the log of another (RFC 6962, 2.1.2).
///
/// A verifier who saved the older checkpoint needs only this proof, and not the log, to know
/// that no earlier entry was altered.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the proof consists of these")]
pub struct ConsistencyProof {
    /// The hashes of the subtrees from which both roots follow.
    pub path: Vec<TreeHash>,
}

impl InclusionProof {
    /// Makes the proof of an entry in the first `size` entries of a log; none if the log is
    /// shorter, or the index lies outside. Reads the log once, in pages.
    ///
    /// # Errors
    ///
    /// [`LogError`] when the log cannot be read.
    pub async fn of<L: LogStore>(log: L, index: u64, size: u64) -> Result<Option<Self>, LogError> {
        if index >= size || size > Checkpoint::MAX_SIZE {
            return Ok(None);
        }
        let path = hashes(&log, size, indices_for_inclusion_proof(size, index)).await?;
        Ok(path.map(|path| Self { index, path }))
    }

    /// Returns whether the entry with this content is in the log of a verified checkpoint, at
    /// the index of the proof.
    #[must_use]
    pub fn verify(&self, content: &Content, checkpoint: &Checkpoint) -> bool {
        if checkpoint.size > Checkpoint::MAX_SIZE {
            return false;
        }
        let path = ct_merkle::InclusionProof::try_from_bytes(joined(&self.path));
        path.and_then(|path| {
            root(checkpoint).verify_inclusion(&content.to_canonical(), self.index, &path)
        })
        .is_ok()
    }
}

impl ConsistencyProof {
    /// Makes the proof that the first `newer` entries of a log begin with the first `older`;
    /// none if the log is shorter, or `older` is larger. Reads the log once, in pages.
    ///
    /// # Errors
    ///
    /// [`LogError`] when the log cannot be read.
    pub async fn of<L: LogStore>(log: L, older: u64, newer: u64) -> Result<Option<Self>, LogError> {
        if older > newer || newer > Checkpoint::MAX_SIZE {
            return Ok(None);
        }
        // Every log begins with the empty one.
        let nodes = match older {
            0 => Vec::new(),
            _ => indices_for_consistency_proof(older, newer - older),
        };
        let path = hashes(&log, newer, nodes).await?;
        Ok(path.map(|path| Self { path }))
    }

    /// Returns whether the log of a verified checkpoint begins with that of an older one.
    #[must_use]
    pub fn verify(&self, older: &Checkpoint, newer: &Checkpoint) -> bool {
        if older.origin != newer.origin || newer.size > Checkpoint::MAX_SIZE {
            return false;
        }
        if older.size == 0 {
            return older.root == TreeHash::of_empty_tree() && self.path.is_empty();
        }
        let path = ct_merkle::ConsistencyProof::try_from_bytes(joined(&self.path));
        path.and_then(|path| root(newer).verify_consistency(&root(older), &path)).is_ok()
    }
}

fn root(checkpoint: &Checkpoint) -> RootHash<Sha256> {
    RootHash::new((*checkpoint.root.as_bytes()).into(), checkpoint.size)
}

fn joined(path: &[TreeHash]) -> Vec<u8> {
    path.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Returns the leaves below a node of a tree of `size` leaves. Nodes are numbered from left
/// to right, the leaves with even numbers (RFC 9420, appendix C).
fn leaves_below(node: u64, size: u64) -> Range<u64> {
    let height = node.trailing_ones();
    let first = ((node >> height) / 2) << height;
    first..(first + (1 << height)).min(size)
}

/// Returns the hashes of these nodes in the tree of the first `size` entries; none if the log
/// is shorter.
async fn hashes<L: LogStore>(
    log: &L,
    size: u64,
    nodes: Vec<u64>,
) -> Result<Option<Vec<TreeHash>>, LogError> {
    let mut subtrees: Vec<_> =
        nodes.iter().map(|node| (leaves_below(*node, size), Frontier::default())).collect();
    let (mut from, mut index) = (LogOffset::default(), 0);
    while index < size {
        let page = log.read(from, PAGE).await?;
        if page.records.is_empty() {
            return Ok(None);
        }
        for record in &page.records {
            let Record::Entry(entry) = record else { continue };
            // The subtrees do not overlap.
            if let Some((_, subtree)) = subtrees.iter_mut().find(|(at, _)| at.contains(&index)) {
                subtree.push(entry.leaf);
            }
            index += 1;
        }
        from = page.next;
    }
    Ok(Some(subtrees.iter().map(|(_, subtree)| subtree.root()).collect()))
}
