//! A tamper-evident log of audit events.

mod checkpoint;
mod encode;
mod entry;
mod export;
mod frontier;
mod hash;
mod key;
mod line;
mod log;
mod personal;
mod proof;
mod sealer;
mod verify;

pub use self::{
    checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint},
    entry::{Content, Entry, SealedEvent},
    export::export,
    frontier::Frontier,
    hash::TreeHash,
    key::{KeyError, LogKey, LogPublicKey},
    line::{LineError, Record},
    log::{Batch, FileLog, LogError, LogOffset, LogPage, LogStore, MemoryLog},
    personal::{Erased, Personal, Readable, Salt},
    proof::{ConsistencyProof, InclusionProof},
    sealer::{SealError, Sealed, Sealer},
    verify::{
        FeedError, Finding, FindingKind, StoreReport, Subject, Verdict, Verifier, verify,
        verify_lines, verify_store,
    },
};
