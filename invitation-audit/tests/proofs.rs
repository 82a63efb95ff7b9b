//! Roots and proofs agree with RFC 6962 as another implementation has it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use invitation_audit::{
    Checkpoint, ConsistencyProof, Content, Frontier, InclusionProof, MemoryLog, Record, TreeHash,
};
use proptest::prelude::*;
use sha2::Sha256;

use self::support::{events, sealed};

const COUNT: u64 = 40;

/// The contents of a log, its checkpoints at every size, and the log.
async fn log() -> (Vec<Content>, Vec<Checkpoint>, MemoryLog) {
    let (records, _) = sealed(events(COUNT), 7).await;
    let contents: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Entry(entry) => Some(entry.content.clone()),
            Record::Checkpoint(_) => None,
        })
        .collect();
    let mut tree = Frontier::default();
    let at = |tree: &Frontier| {
        let origin = support::ORIGIN.to_owned();
        Checkpoint { origin, size: tree.size(), root: tree.root() }
    };
    let mut checkpoints = vec![at(&tree)];
    for content in &contents {
        tree.push(content.leaf_hash());
        checkpoints.push(at(&tree));
    }
    (contents, checkpoints, records.into_iter().collect())
}

#[tokio::test]
async fn inclusion_proof_holds_for_its_entry_and_checkpoint_only() {
    let (contents, checkpoints, log) = log().await;
    for (size, checkpoint) in (0_u64..).zip(&checkpoints) {
        for index in 0..size {
            let proof = InclusionProof::of(&log, index, size).await.unwrap().unwrap();
            for (at, content) in (0_u64..).zip(&contents) {
                assert_eq!(proof.verify(content, checkpoint), at == index, "{index} of {size}");
            }
            let content = &contents[usize::try_from(index).unwrap()];
            let larger = checkpoints.get(usize::try_from(size).unwrap() + 1);
            assert!(larger.is_none_or(|larger| !proof.verify(content, larger)));
            let elsewhere = InclusionProof { index: (index + 1) % size, ..proof };
            assert_eq!(elsewhere.verify(content, checkpoint), size == 1);
        }
    }
}

#[tokio::test]
async fn consistency_proof_holds_for_its_checkpoints_only() {
    let (_, checkpoints, log) = log().await;
    for (newer, new) in (0_u64..).zip(&checkpoints) {
        for (older, old) in (0_u64..).zip(&checkpoints).take_while(|(older, _)| *older <= newer) {
            let proof = ConsistencyProof::of(&log, older, newer).await.unwrap().unwrap();
            assert!(proof.verify(old, new), "{older} to {newer}");
            let altered = Checkpoint { root: TreeHash::from_bytes([1; 32]), ..old.clone() };
            assert!(!proof.verify(&altered, new), "{older} to {newer}");
            let altered = Checkpoint { root: TreeHash::from_bytes([1; 32]), ..new.clone() };
            assert_eq!(proof.verify(old, &altered), older == 0, "{older} to {newer}");
            let other = Checkpoint { origin: "other".to_owned(), ..new.clone() };
            assert!(!proof.verify(old, &other));
        }
    }
}

#[tokio::test]
async fn proof_beyond_the_log_does_not_exist() {
    let (contents, checkpoints, log) = log().await;
    for (index, size) in [(0, 0), (3, 3), (0, COUNT + 1), (0, u64::MAX), (u64::MAX, u64::MAX)] {
        assert!(InclusionProof::of(&log, index, size).await.unwrap().is_none());
    }
    for (older, newer) in [(2, 1), (0, COUNT + 1), (1, u64::MAX)] {
        assert!(ConsistencyProof::of(&log, older, newer).await.unwrap().is_none());
    }
    // What arrives from outside may be anything.
    for size in [0, 1, 1 << 62, (1 << 62) + 1, u64::MAX] {
        for index in [0, 1, u64::MAX / 2, u64::MAX] {
            for path in [vec![], vec![TreeHash::of_empty_tree(); 62]] {
                let stated = Checkpoint { size, ..checkpoints[1].clone() };
                let proof = InclusionProof { index, path: path.clone() };
                let expected = size == 1 && index == 0 && path.is_empty();
                assert_eq!(proof.verify(&contents[0], &stated), expected, "{index} of {size}");
                let (proof, old) = (ConsistencyProof { path }, &checkpoints[5]);
                assert!(!proof.verify(old, &stated) && !proof.verify(&stated, old));
            }
        }
    }
}

proptest! {
    #[test]
    fn root_is_that_of_another_implementation(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..200),
    ) {
        let mut tree = Frontier::default();
        let mut expected = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        for leaf in leaves {
            tree.push(TreeHash::of_leaf(&leaf));
            expected.push(leaf);
            prop_assert_eq!(tree.root().as_bytes().to_vec(), expected.root().as_bytes().to_vec());
        }
        prop_assert_eq!(tree.size(), expected.len());
    }
}
