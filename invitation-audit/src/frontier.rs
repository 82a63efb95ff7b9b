//! The right edge of a Merkle tree, from which the tree grows.

use crate::hash::TreeHash;

/// A Merkle tree that keeps only what it needs to grow and to compute its root: one hash for
/// each complete subtree, thus at most 64.
///
/// ```
/// # mod invitation { pub use invitation_audit as audit_log; }
/// use invitation::audit_log::{Frontier, TreeHash};
///
/// let leaves = [b"a", b"b", b"c"].map(|leaf| TreeHash::of_leaf(leaf));
/// let mut tree = Frontier::default();
/// for leaf in leaves {
///     tree.push(leaf);
/// }
/// let left = TreeHash::of_node(&leaves[0], &leaves[1]);
/// assert_eq!(tree.root(), TreeHash::of_node(&left, &leaves[2]));
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Frontier {
    size: u64,
    /// The roots of the complete subtrees, the largest first.
    subtrees: Vec<TreeHash>,
}

impl Frontier {
    /// Returns the number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: TreeHash) {
        let mut node = leaf;
        // Each trailing 1 of the size is a subtree of the height that `node` has reached.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.subtrees.pop() else { break };
            node = TreeHash::of_node(&left, &node);
        }
        self.subtrees.push(node);
        self.size += 1;
    }

    /// Returns the root of the tree (RFC 6962, 2.1).
    #[must_use]
    pub fn root(&self) -> TreeHash {
        let mut smallest_first = self.subtrees.iter().rev();
        let Some(last) = smallest_first.next() else { return TreeHash::of_empty_tree() };
        smallest_first.fold(*last, |right, left| TreeHash::of_node(left, &right))
    }
}
