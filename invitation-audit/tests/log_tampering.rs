//! Every kind of tampering with a log is found, at its place.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::ops::Range;

use invitation_audit::{
    Checkpoint, CheckpointError, Content, Entry, FindingKind, Frontier, LogKey, Record,
    SealedEvent, SignedCheckpoint, Verdict,
};
use invitation_core::{InvitationId, Timestamp, audit::EventId};
use proptest::prelude::*;

use self::support::{events, key, lines, sealed, verdict};

const COUNT: u64 = 20;
const PAGE: u32 = 8;

async fn log() -> (Vec<Record>, SignedCheckpoint) {
    sealed(events(COUNT), PAGE).await
}

/// The kind of the finding and the entries that it names.
fn found(text: &str, anchor: Option<&SignedCheckpoint>) -> Option<(FindingKind, Range<u64>)> {
    match verdict(text, anchor) {
        Verdict::Tampered(finding) => Some((finding.kind, finding.entries)),
        Verdict::Valid { .. } | Verdict::Unanchored { .. } => None,
    }
}

fn at(kind: FindingKind, index: u64) -> (FindingKind, Range<u64>) {
    (kind, index..index + 1)
}

fn text(records: &[Record]) -> String {
    lines(records).concat()
}

/// Changes each field of an event in turn.
fn altered_fields(event: &SealedEvent) -> Vec<(&'static str, SealedEvent)> {
    let changed = |field, change: &dyn Fn(&mut SealedEvent)| {
        let mut event = event.clone();
        change(&mut event);
        (field, event)
    };
    let flip = |text: &mut Option<String>| {
        *text = text.as_ref().map_or_else(|| Some("added".to_owned()), |_| None);
    };
    let mut all = vec![
        changed("position", &|event| event.position.sequence += 1),
        changed("id", &|event| event.id = EventId::from_bytes([250; 16])),
        changed("at", &|event| {
            event.at = Timestamp::from_micros(event.at.as_micros() + 1).unwrap();
        }),
        changed("user", &|event| flip(&mut event.user)),
        changed("role", &|event| flip(&mut event.role)),
        changed("action", &|event| event.action.push('x')),
        changed("outcome", &|event| event.outcome.push('x')),
        changed("reason", &|event| flip(&mut event.reason)),
        changed("invitation", &|event| {
            event.invitation = match event.invitation {
                None => Some(InvitationId::from_bytes([251; 16])),
                Some(_) => None,
            };
        }),
        changed("division", &|event| event.division = Some("operations".to_owned())),
        changed("correlation", &|event| flip(&mut event.correlation)),
    ];
    let personal = |text: &str| invitation_audit::Personal::new(text, &support::Fixed(1)).unwrap();
    for value in [None, Some(personal("other"))] {
        if event.name != value {
            all.push(changed("name", &|event| event.name.clone_from(&value)));
        }
        if event.source != value {
            all.push(changed("source", &|event| event.source.clone_from(&value)));
        }
    }
    all.push(changed("detail", &|event| event.detail.push(("more".into(), personal("")))));
    for n in 0..event.detail.len() {
        all.push(changed("detail", &|event| event.detail[n].0.push('x')));
        all.push(changed("detail", &|event| event.detail[n].1 = personal("other")));
        all.push(changed("detail", &|event| drop(event.detail.remove(n))));
    }
    if event.detail.len() > 1 {
        all.push(changed("detail", &|event| event.detail.swap(0, 1)));
    }
    all
}

#[tokio::test]
async fn altered_field_of_every_event_is_named_by_its_entry() {
    let (records, anchor) = log().await;
    let mut tried = 0;
    for (place, record) in records.iter().enumerate() {
        let Record::Entry(Entry { index, leaf, content: Content::Event(event) }) = record else {
            continue;
        };
        for (field, event) in altered_fields(event) {
            let content = Content::Event(Box::new(event));
            let mut altered = records.clone();
            altered[place] =
                Record::Entry(Entry { index: *index, leaf: *leaf, content: content.clone() });
            assert_eq!(
                found(&text(&altered), Some(&anchor)),
                Some(at(FindingKind::Altered, *index)),
                "{field} of entry {index}"
            );
            // With its leaf hash computed again, it is one of those of its checkpoint.
            altered[place] = Record::Entry(Entry::new(*index, content));
            let first = index / u64::from(PAGE) * u64::from(PAGE);
            let page = first..(first + u64::from(PAGE)).min(COUNT);
            let finding = found(&text(&altered), None);
            assert_eq!(finding, Some((FindingKind::Rewritten, page)), "{field} of {index}");
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}

#[tokio::test]
async fn altered_byte_of_any_line_is_found_at_its_line() {
    let (records, anchor) = log().await;
    let lines = lines(&records);
    let mut index = 0;
    for (place, line) in lines.iter().enumerate() {
        let is_entry = matches!(records[place], Record::Entry(_));
        for byte in 0..line.len() {
            let flip = [1_u8, 2, 32][byte % 3];
            let mut bytes = lines.concat().into_bytes();
            let offset: usize = lines[..place].iter().map(String::len).sum();
            bytes[offset + byte] ^= flip;
            let verifier = invitation_audit::Verifier::new([support::public()]);
            let verifier = verifier.with_anchor(&anchor).unwrap();
            let verdict = invitation_audit::verify_lines(&bytes[..], verifier).unwrap();
            let Verdict::Tampered(finding) = verdict else {
                panic!("byte {byte} of line {place} with {flip}: {verdict}");
            };
            if is_entry {
                assert_eq!(finding.entries.start, index, "byte {byte} of line {place}");
            } else {
                assert!(finding.entries.start <= index, "byte {byte} of line {place}");
            }
        }
        index += u64::from(is_entry);
    }
}

#[tokio::test]
async fn intact_log_is_valid_with_its_anchor_and_unanchored_without() {
    let (records, anchor) = log().await;
    let text = text(&records);
    let valid = Verdict::Valid { anchored: COUNT, sealed: COUNT };
    assert_eq!(verdict(&text, Some(&anchor)), valid);
    assert_eq!(verdict(&text, None), Verdict::Unanchored { sealed: COUNT });
    let (_, earlier) = sealed(events(3), PAGE).await;
    assert_eq!(verdict(&text, Some(&earlier)), Verdict::Valid { anchored: 3, sealed: COUNT });
}

#[tokio::test]
async fn swapped_removed_and_repeated_lines_are_named() {
    let (records, anchor) = log().await;
    let lines = lines(&records);
    for index in 0..7_u64 {
        let place = usize::try_from(index).unwrap();
        let mut swapped = lines.clone();
        swapped.swap(place, place + 1);
        let finding = found(&swapped.concat(), Some(&anchor));
        assert_eq!(finding, Some(at(FindingKind::Reordered, index)), "swap {index}");

        let mut removed = lines.clone();
        removed.remove(place);
        let finding = found(&removed.concat(), Some(&anchor));
        assert_eq!(finding, Some(at(FindingKind::Missing, index)), "removal {index}");

        let mut repeated = lines.clone();
        repeated.insert(place + 1, lines[place].clone());
        let finding = found(&repeated.concat(), Some(&anchor));
        assert_eq!(finding, Some(at(FindingKind::Inserted, index + 1)), "repetition {index}");
    }
}

/// Numbers the entries anew and computes their hashes again, as an attacker would. The
/// checkpoints stay, because only the key can sign them.
fn recomputed(records: Vec<Record>) -> Vec<Record> {
    let mut index = 0;
    let renumbered = records.into_iter().map(|record| match record {
        Record::Checkpoint(checkpoint) => Record::Checkpoint(checkpoint),
        Record::Entry(entry) => {
            index += 1;
            Record::Entry(Entry::new(index - 1, entry.content))
        }
    });
    renumbered.collect()
}

#[tokio::test]
async fn recomputed_log_is_named_by_the_checkpoint_that_it_breaks() {
    let (records, anchor) = log().await;
    let of = |record: &Record| match record {
        Record::Entry(entry) => entry.clone(),
        Record::Checkpoint(_) => panic!("an entry"),
    };
    // The second batch has the entries 8 to 15, and begins behind the first checkpoint.
    let second_batch = 8..16;

    let mut removed = records.clone();
    removed.remove(11);
    let finding = found(&text(&recomputed(removed)), Some(&anchor));
    assert_eq!(finding, Some((FindingKind::Missing, second_batch.clone())));

    let mut inserted = records.clone();
    let mut event = of(&records[10]).content.event().unwrap().clone();
    event.position.sequence += 1;
    inserted.insert(11, Record::Entry(Entry::new(10, Content::Event(Box::new(event)))));
    let finding = found(&text(&recomputed(inserted)), Some(&anchor));
    assert_eq!(finding, Some((FindingKind::Inserted, 8..17)));

    let mut moved = records.clone();
    let Record::Entry(Entry { content: Content::Event(event), .. }) = &mut moved[12] else {
        panic!("an event");
    };
    event.division = Some("operations".to_owned());
    let finding = found(&text(&recomputed(moved)), Some(&anchor));
    assert_eq!(finding, Some((FindingKind::Rewritten, second_batch)));
}

#[tokio::test]
async fn cut_log_is_valid_only_without_its_anchor() {
    let (records, anchor) = log().await;
    let lines = lines(&records);
    let (_, after_first_batch) = sealed(events(u64::from(PAGE)), PAGE).await;
    for kept in 0..lines.len() {
        let cut = lines[..kept].concat();
        let entries = records[..kept].iter().filter(|one| matches!(one, Record::Entry(_))).count();
        let size = entries as u64;
        let is_whole = kept == 0 || matches!(records[kept - 1], Record::Checkpoint(_));
        if is_whole {
            assert_eq!(verdict(&cut, None), Verdict::Unanchored { sealed: size });
            let finding = found(&cut, Some(&anchor));
            assert_eq!(finding, Some((FindingKind::Truncated, size..COUNT)), "{kept}");
        } else {
            let (kind, entries) = found(&cut, None).unwrap();
            assert_eq!((kind, entries.end), (FindingKind::UnsignedEntries, size), "{kept}");
        }
        // An anchor cannot know what came after it.
        let is_behind = is_whole && size >= u64::from(PAGE);
        let verdict = verdict(&cut, Some(&after_first_batch));
        assert_eq!(matches!(verdict, Verdict::Valid { .. }), is_behind, "{kept}");
    }
}

#[tokio::test]
async fn log_cut_within_a_line_is_unreadable_there() {
    let (records, anchor) = log().await;
    let lines = lines(&records);
    let (whole, half) = (lines[..4].concat(), &lines[4][..lines[4].len() - 1]);
    let finding = found(&format!("{whole}{half}"), Some(&anchor));
    assert_eq!(finding, Some(at(FindingKind::Unreadable, 4)));
    assert_eq!(found(&whole, Some(&anchor)), Some((FindingKind::UnsignedEntries, 0..4)));
}

#[tokio::test]
async fn log_that_another_key_signed_is_refused() {
    let (records, anchor) = log().await;
    let other = LogKey::from_seed(support::ORIGIN, &[8; 32]).unwrap();
    let mut tree = Frontier::default();
    let mut forged = Vec::new();
    for record in records {
        forged.push(match record {
            Record::Entry(entry) => {
                tree.push(entry.leaf);
                Record::Entry(entry)
            }
            Record::Checkpoint(_) => {
                Record::Checkpoint(SignedCheckpoint::sign(&other, tree.size(), tree.root()))
            }
        });
    }
    let finding = found(&text(&forged), Some(&anchor));
    assert_eq!(finding, Some((FindingKind::UnsignedCheckpoint, 0..8)));
}

#[tokio::test]
async fn history_rewritten_with_the_stolen_key_is_found_by_the_anchor() {
    let (_, anchor) = log().await;
    let mut other = events(COUNT + 5);
    other[12].event.division = None;
    let (rewritten, _) = sealed(other, PAGE).await;
    let finding = found(&text(&rewritten), Some(&anchor));
    assert_eq!(finding, Some((FindingKind::Rewritten, 0..COUNT)));
    assert_eq!(verdict(&text(&rewritten), None), Verdict::Unanchored { sealed: COUNT + 5 });
}

#[test]
fn anchor_of_another_key_or_origin_is_refused() {
    let root = Frontier::default().root();
    for key in [
        LogKey::from_seed(support::ORIGIN, &[8; 32]).unwrap(),
        LogKey::from_seed("example.com/other", &[7; 32]).unwrap(),
    ] {
        let anchor = SignedCheckpoint::sign(&key, 0, root);
        let verifier = invitation_audit::Verifier::new([support::public()]);
        assert!(verifier.with_anchor(&anchor).is_err());
    }
    assert!(SignedCheckpoint::sign(&key(), Checkpoint::MAX_SIZE, root).verify(&[]).is_err());
}

#[tokio::test]
async fn anchor_of_an_empty_log_makes_no_verdict_valid() {
    let (records, _) = log().await;
    let empty = SignedCheckpoint::sign(&key(), 0, Frontier::default().root());
    let unanchored = Verdict::Unanchored { sealed: COUNT };
    assert_eq!(verdict(&text(&records), Some(&empty)), unanchored);
    assert_eq!(verdict("", Some(&empty)), Verdict::Unanchored { sealed: 0 });
}

#[tokio::test]
async fn anchor_set_after_its_entries_were_read_is_refused() {
    let (records, anchor) = log().await;
    let mut other = events(COUNT);
    other[12].event.division = None;
    let (rewritten, _) = sealed(other, PAGE).await;
    let (_, earlier) = sealed(events(3), PAGE).await;
    let mut verifier = invitation_audit::Verifier::new([support::public()]);
    for (read, record) in rewritten.iter().enumerate() {
        let is_late = verifier.clone().with_anchor(&earlier).is_err();
        assert_eq!(is_late, read > 3, "{read}");
        verifier.record(record);
    }
    let refused = verifier.clone().with_anchor(&earlier);
    assert!(matches!(refused, Err(CheckpointError::Late)));
    // All entries were read, and the root is still that of the anchor, or is not.
    let rewritten = verifier.with_anchor(&anchor).unwrap().finish();
    assert!(matches!(rewritten, Verdict::Tampered(_)), "{rewritten}");
    let mut verifier = invitation_audit::Verifier::new([support::public()]);
    for record in &records {
        verifier.record(record);
    }
    let valid = Verdict::Valid { anchored: COUNT, sealed: COUNT };
    assert_eq!(verifier.with_anchor(&anchor).unwrap().finish(), valid);
}

proptest! {
    /// Whatever is done to the lines: it is found, unless the lines are the same, or are cut
    /// behind the anchor.
    #[test]
    fn random_edits_of_lines_are_found(
        edits in prop::collection::vec((0..4_u8, 0..23_usize, 0..23_usize), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (records, anchor) = runtime.block_on(log());
        let original = lines(&records);
        let mut edited = original.clone();
        for (kind, one, other) in edits {
            let (one, other) = (one % edited.len().max(1), other % edited.len().max(1));
            if edited.is_empty() {
                break;
            }
            match kind {
                0 => edited.swap(one, other),
                1 => drop(edited.remove(one)),
                2 => edited.insert(other, edited[one].clone()),
                _ => edited[one] = edited[other].clone(),
            }
        }
        // A checkpoint that is left out or repeated takes nothing away.
        let entries = |lines: &[String]| -> Vec<String> {
            lines.iter().filter(|line| line.starts_with("{\"index\"")).cloned().collect()
        };
        let is_found = found(&edited.concat(), Some(&anchor)).is_some();
        if entries(&edited) == entries(&original) {
            prop_assert!(!is_found || edited != original);
        } else {
            prop_assert!(is_found);
        }
    }
}
