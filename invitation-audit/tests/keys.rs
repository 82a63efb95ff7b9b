//! A log whose key was replaced, and a thief of the earlier key.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::num::NonZeroU32;

use invitation_audit::{
    FindingKind, LogKey, LogPublicKey, MemoryLog, Record, SealError, Sealer, SignedCheckpoint,
    Verdict, Verifier, verify, verify_lines,
};

use self::support::{Fixed, ListFeed, ORIGIN, events, lines, public, records, seal_all, sealed};

const OF_EARLIER_KEY: u64 = 12;
const COUNT: u64 = 20;
const PAGE: u32 = 8;

fn new_key() -> LogKey {
    LogKey::from_seed(ORIGIN, &[9; 32]).unwrap()
}

fn new_public() -> LogPublicKey {
    new_key().public_key().clone()
}

/// Returns a log that the earlier key began and the new key continued, and the newest checkpoint.
async fn log_of_both() -> (MemoryLog, SignedCheckpoint) {
    let (older, _) = sealed(events(OF_EARLIER_KEY), PAGE).await;
    let log: MemoryLog = older.into_iter().collect();
    let mut sealer = Sealer::new(ListFeed::new(events(COUNT)), &log, new_key())
        .with_earlier_key(public())
        .with_entropy(Fixed(1))
        .with_page_size(NonZeroU32::new(PAGE).unwrap());
    let newest = seal_all(&mut sealer).await;
    (log, newest)
}

/// Verifies records by both keys, the new one first.
fn verdict(records: &[Record], anchor: Option<&SignedCheckpoint>) -> Verdict {
    let mut verifier = Verifier::new([new_public(), public()]);
    if let Some(anchor) = anchor {
        verifier = verifier.with_anchor(anchor).unwrap();
    }
    verify_lines(lines(records).concat().as_bytes(), verifier).unwrap()
}

#[tokio::test]
async fn sealer_with_a_new_key_continues_the_log_of_the_earlier_one() {
    let (older, _) = sealed(events(OF_EARLIER_KEY), PAGE).await;
    let log: MemoryLog = older.into_iter().collect();
    let refused = Sealer::new(ListFeed::new(events(COUNT)), &log, new_key()).seal().await;
    assert!(matches!(refused, Err(SealError::Tampered(_))));
    let (log, newest) = log_of_both().await;
    let verifier = Verifier::new([new_public(), public()]);
    assert_eq!(verify(&log, verifier).await.unwrap(), Verdict::Unanchored { sealed: COUNT });
    let valid = Verdict::Valid { anchored: COUNT, sealed: COUNT };
    assert_eq!(verdict(&records(&log).await, Some(&newest)), valid);
}

#[tokio::test]
async fn checkpoint_of_an_earlier_key_behind_one_of_the_new_key_is_a_finding() {
    let (log, newest) = log_of_both().await;
    let (forged, _) = sealed(events(COUNT + 4), PAGE).await;
    let mut all = records(&log).await;
    all.extend(
        forged.iter().filter(|one| matches!(one, Record::Entry(e) if e.index >= COUNT)).cloned(),
    );
    all.extend(forged.last().cloned());
    for anchor in [None, Some(&newest)] {
        let Verdict::Tampered(finding) = verdict(&all, anchor) else { panic!("it is accepted") };
        assert_eq!(finding.kind, FindingKind::UnsignedCheckpoint);
        assert_eq!(finding.entries, COUNT..COUNT + 4);
    }
    let log: MemoryLog = all.into_iter().collect();
    let mut sealer =
        Sealer::new(ListFeed::new(events(COUNT + 4)), &log, new_key()).with_earlier_key(public());
    assert!(matches!(sealer.seal().await, Err(SealError::Tampered(_))), "nor is it continued");
}

#[tokio::test]
async fn log_without_the_checkpoints_of_the_new_key_does_not_pass_with_its_anchor() {
    let (_, newest) = log_of_both().await;
    // The thief has cut off what the new key signed, and signed the same entries and more.
    let (forged, _) = sealed(events(COUNT + 4), PAGE).await;
    let Verdict::Tampered(finding) = verdict(&forged, Some(&newest)) else {
        panic!("it is accepted")
    };
    assert_eq!(finding.kind, FindingKind::UnsignedCheckpoint);
    // As documented, nothing else shows it.
    assert_eq!(verdict(&forged, None), Verdict::Unanchored { sealed: COUNT + 4 });
    let (_, of_earlier) = sealed(events(OF_EARLIER_KEY), PAGE).await;
    let valid = Verdict::Valid { anchored: OF_EARLIER_KEY, sealed: COUNT + 4 };
    assert_eq!(verdict(&forged, Some(&of_earlier)), valid);
}
