//! A tamper-evident log of the audit events of the `invitation` library.
//!
//! A user who can write to the database can also alter the audit trail of a store. This crate
//! copies the events into a log that shows any later change: a Merkle tree (RFC 6962) with
//! signed checkpoints. A verifier with a saved checkpoint finds the first event that was
//! altered, removed, added or moved, in the log and in the store.
//!
//! # Sealing
//!
//! A [`Sealer`] reads the [feed](invitation_core::feed) of a store and appends its events to
//! a [`LogStore`], here a file. The calls that write events are not involved: sealing takes
//! place afterwards, in a task of its own. The first call of a sealer reads the whole log, so a
//! process keeps one sealer.
//!
//! ```
//! # mod invitation { pub use invitation_core::*; pub use invitation_audit as audit_log; }
//! use invitation::{
//!     Division, Draft, Invitations, MemoryStore, Role, SystemActor,
//!     audit_log::{FileLog, LogKey, Sealer, Verdict, Verifier, verify_store},
//!     code::OsEntropy,
//!     store::feed::CursorName,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (log_path, key_path) = (folder.path().join("log"), folder.path().join("key"));
//! let store = MemoryStore::new();
//! let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
//! Invitations::new(&store).create(&SystemActor::for_bootstrap(), draft).await?;
//!
//! // Once, before the first start: a key, under a name that no other log has.
//! let key = LogKey::create_file(&key_path, "example.com/invitations", &OsEntropy)?;
//! let public = key.public_key().clone();
//!
//! // At each start:
//! let key = LogKey::read_file(&key_path)?;
//! let log = FileLog::open(&log_path)?;
//! let mut sealer = Sealer::new(&store, &log, key);
//! let cursor = CursorName::new("audit-log")?;
//!
//! // Every few seconds:
//! let sealed = loop {
//!     // The cursor keeps events that are not sealed yet from being purged. `seal` sets none.
//!     let sealed = sealer.seal_with_cursor(&cursor).await?;
//!     if !sealed.more {
//!         break sealed;
//!     }
//! };
//!
//! // The anchor: a copy of the newest checkpoint in another system.
//! let saved = sealed.checkpoint.expect("the log has an entry");
//!
//! // Later: the verifier needs the public key and the anchor.
//! let verifier = Verifier::new([public]).with_anchor(&saved)?;
//! let report = verify_store(&store, &log, verifier).await?;
//! assert_eq!(report.verdict, Verdict::Valid { anchored: 1, sealed: 1 });
//! # Ok(())
//! # }
//! ```
//!
//! # What a verification shows
//!
//! [`verify`] reads a log, [`verify_lines`] its text form, and [`verify_store`] compares the
//! events of a store with its log, too. The [`Verdict`] is one of three:
//!
//! - **Valid**: the log begins with the entries of the anchor, and every entry behind it is
//!   covered by a signed checkpoint.
//! - **Unanchored**: the same without an anchor. The log may then have been rolled back to an
//!   earlier state, or rewritten by a thief of the secret key. The verdict is never *valid*.
//! - **Tampered**: a [`Finding`] names the first place.
//!
//! | An attacker | The finding |
//! |---|---|
//! | alters an entry or a byte of the file | that entry: altered or unreadable |
//! | removes, repeats or moves an entry | that entry: missing, inserted or reordered |
//! | alters entries and computes all hashes again | the entries of one batch: rewritten, missing or inserted |
//! | cuts the log, or restores an older copy | the entries behind the cut, up to the anchor |
//! | adds entries without the key | the entries: not covered by a checkpoint |
//! | signs more entries with a stolen earlier key | the entries: their checkpoint does not count |
//! | rewrites the log with the stolen key | all entries of the anchor: rewritten |
//! | erases a personal value on their own | that entry: erased without a record |
//! | alters an event of the store | that event, and the fields that differ |
//! | removes, adds or moves an event of the store | that event: missing, inserted or reordered |
//! | alters an event of the store behind a new epoch | that event, and the fields that differ |
//! | removes events of the store behind a new epoch | none: [`lost`](StoreReport::lost) counts them |
//! | removes old events of the store, and writes the event of a purge | none: [`purged`](StoreReport::purged) counts them |
//!
//! No verification can know what was added after the anchor and then removed. So save a
//! checkpoint often: in another system, in print, or with a witness. After a
//! [replacement of the key](Sealer::with_earlier_key), save the first checkpoint of the new key:
//! without it, a thief of the earlier key may cut off all that the new key has signed.
//!
//! An epoch excuses lost events, and an attacker who writes to the store can begin one. So compare
//! the number of lost events with the promotions and restorations that you know of.
//!
//! A store may [purge](invitation_core::Invitations::purge_events) old events. The log keeps their
//! entries and verifies as before. [`Sealer::seal_with_cursor`] makes sure that no event is purged
//! before it is sealed.
//!
//! # What the log keeps
//!
//! An [`Entry`] is an event with all of its fields, an
//! [epoch](invitation_core::feed::FeedEpoch), or an erasure. An epoch records that the store may
//! have lost events before it. The text form is one JSON object a line ([`Record::to_line`]), and every other
//! spelling of the same entry is refused. [`Content::to_canonical`] defines the bytes that the
//! leaf hash covers.
//!
//! Usernames, sources and the values of details are [`Personal`]: the leaf contains only a
//! salted commitment to each of them. [`Sealer::erase_user`] erases the values and salts of the
//! events that a person performed, and the log stays verifiable. A value that is erased without a record in the log is
//! a finding. The user id stays readable. To erase a person from a store and its log, erase the
//! store first ([`Invitations::erase_person`](invitation_core::Invitations::erase_person)), seal
//! until nothing is left, and then erase the log.
//!
//! Checkpoints are signed notes in the form of C2SP
//! [tlog-checkpoint](https://c2sp.org/tlog-checkpoint) with Ed25519 signatures, and keys have
//! the text forms of signed notes. Other tools for transparency logs read both.
//!
//! # Parts
//!
//! - **Sealing**: [`Sealer`], [`LogKey`], and the port [`LogStore`] with [`FileLog`] and
//!   [`MemoryLog`].
//! - **Verifying**: [`verify`], [`verify_lines`], [`verify_store`], [`Verifier`],
//!   [`LogPublicKey`], [`SignedCheckpoint`].
//! - **Showing the verdict on a page**: [`LogStatus`], which the dashboard of `invitation-axum`
//!   takes.
//! - **Showing one event**: an [`InclusionProof`]. Showing that a log only grew: a
//!   [`ConsistencyProof`].
//! - **Taking the log along**: [`export`]. The example `verify_log` verifies an export with
//!   nothing but the public key and a checkpoint.
//!
//! # Cost
//!
//! Sealing and verifying take constant memory: one page of events, and at most 64 hashes.
//! Comparing with a store also keeps up to 10,000 events that the store lost before an epoch. The
//! first call of a sealer reads the whole log, later calls do not.
//!
//! The test `memory` measures the rates and the memory of a million events. The figures are in
//! `docs/PERFORMANCE.md` of the repository.

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
mod status;
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
    status::LogStatus,
    verify::{
        FeedError, Finding, FindingKind, StoreReport, Subject, Verdict, Verifier, verify,
        verify_lines, verify_store,
    },
};
