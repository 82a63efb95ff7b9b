//! Personal values are erased on record only, and the log stays verifiable.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{collections::BTreeSet, fs};

use invitation_audit::{
    Batch, Content, Entry, FindingKind, LogError, LogStore, MemoryLog, Personal, Record,
    SealedEvent, Verdict, Verifier, verify, verify_store,
};
use invitation_core::{UserId, audit::Performer, feed::FeedEvent};

use self::support::{
    ListFeed, events, file_log, lines, public, records, seal_all, sealed, sealer, verdict,
};

const COUNT: u64 = 20;
const PAGE: u32 = 8;

/// Events of two users in turn, whose personal values tell them apart.
fn of_two_users() -> Vec<FeedEvent> {
    let mut events = events(COUNT);
    for (number, one) in events.iter_mut().enumerate() {
        let name = if number % 2 == 0 { "anna" } else { "ben" };
        let user = UserId::new(format!("u-{name}")).unwrap();
        let username = invitation_core::Username::new(format!("name-of-{name}")).unwrap();
        one.event.performer = Performer::Redeemer { user, username };
        let source = invitation_core::audit::Source::new(format!("source-of-{name}")).unwrap();
        one.event.context.source = Some(source);
        let reason = format!("reason-of-{name}");
        one.event.detail = invitation_core::audit::Detail::none().with("reason", &reason);
    }
    events
}

#[tokio::test]
async fn erased_user_is_gone_from_the_file_and_the_log_is_valid() {
    let (log, anchor) = sealed(of_two_users(), PAGE).await;
    let (folder, file) = file_log(lines(&log).concat().as_bytes());
    let mut sealer = sealer(ListFeed::new(of_two_users()), &file, PAGE);
    let anna = UserId::new("u-anna").unwrap();
    assert_eq!(sealer.erase_user(&anna).await.unwrap(), COUNT / 2);

    let text = fs::read_to_string(folder.path().join("log")).unwrap();
    for gone in ["name-of-anna", "source-of-anna", "reason-of-anna"] {
        assert!(!text.contains(gone), "{gone}");
    }
    for kept in ["u-anna", "name-of-ben", "source-of-ben", "reason-of-ben"] {
        assert_eq!(text.matches(kept).count() as u64, COUNT / 2, "{kept}");
    }
    let size = COUNT + COUNT / 2;
    let anchored = Verdict::Valid { anchored: COUNT, sealed: size };
    assert_eq!(verdict(&text, Some(&anchor)), anchored);
    let verifier = Verifier::new([public()]).with_anchor(&anchor).unwrap();
    let report = verify_store(ListFeed::new(of_two_users()), &file, verifier).await.unwrap();
    assert_eq!((report.verdict, report.unsealed), (anchored, 0));

    // Nothing is left to erase, and sealing goes on.
    assert_eq!(sealer.erase_user(&anna).await.unwrap(), 0);
    assert_eq!(sealer.erase_user(&UserId::new("u-nobody").unwrap()).await.unwrap(), 0);
    let mut more = of_two_users();
    more.extend(events(COUNT + 3).split_off(20));
    let anchor = seal_all(&mut self::sealer(ListFeed::new(more), &file, PAGE)).await;
    let verifier = Verifier::new([public()]).with_anchor(&anchor).unwrap();
    let verdict = verify(&file, verifier).await.unwrap();
    assert_eq!(verdict, Verdict::Valid { anchored: size + 3, sealed: size + 3 });
}

/// Erases each personal value of an event in turn.
fn erased_values(event: &SealedEvent) -> Vec<SealedEvent> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut SealedEvent)| {
        let mut erased = event.clone();
        change(&mut erased);
        if erased != *event {
            all.push(erased);
        }
    };
    with(&|event| event.name = event.name.as_ref().map(Personal::erased));
    with(&|event| event.source = event.source.as_ref().map(Personal::erased));
    for n in 0..event.detail.len() {
        with(&|event| event.detail[n].1 = event.detail[n].1.erased());
    }
    all
}

#[tokio::test]
async fn value_erased_without_a_record_is_named_by_its_entry() {
    let (records, anchor) = sealed(events(COUNT), PAGE).await;
    let mut tried = 0;
    for (place, record) in records.iter().enumerate() {
        let Record::Entry(Entry { index, content: Content::Event(event), .. }) = record else {
            continue;
        };
        for erased in erased_values(event) {
            let mut records = records.clone();
            let content = Content::Event(Box::new(erased));
            records[place] = Record::Entry(Entry::new(*index, content));
            let verdict = verdict(&lines(&records).concat(), Some(&anchor));
            let Verdict::Tampered(finding) = verdict else { panic!("{verdict}") };
            assert_eq!((finding.kind, finding.entries.start), (FindingKind::Erased, *index));
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

#[tokio::test]
async fn record_of_an_erasure_excuses_its_entry_only() {
    let (records, _) = sealed(of_two_users(), PAGE).await;
    let log: MemoryLog = records.into_iter().collect();
    let mut sealer = sealer(ListFeed::new(of_two_users()), &log, PAGE);
    sealer.erase_user(&UserId::new("u-anna").unwrap()).await.unwrap();
    let ben = UserId::new("u-ben").unwrap();
    log.erase(&BTreeSet::from([3]), &ben).await.unwrap();
    let verdict = verify(&log, Verifier::new([public()])).await.unwrap();
    let Verdict::Tampered(finding) = verdict else { panic!("{verdict}") };
    assert_eq!((finding.kind, finding.entries), (FindingKind::Erased, 3..4));
}

#[tokio::test]
async fn erasure_that_was_interrupted_is_completed_by_the_next_call() {
    let (log, _) = sealed(of_two_users(), PAGE).await;
    let (folder, file) = file_log(lines(&log).concat().as_bytes());
    let anna = UserId::new("u-anna").unwrap();
    sealer(ListFeed::new(of_two_users()), &file, PAGE).erase_user(&anna).await.unwrap();

    // Killed between the record and the erasure: the records are there, and so are the values.
    let recorded = records(&file).await.split_off(log.len());
    drop(file);
    let before = [log, recorded].concat();
    fs::write(folder.path().join("log"), lines(&before).concat()).unwrap();
    fs::write(folder.path().join("log.erasing"), "the beginning of a copy").unwrap();
    let file = invitation_audit::FileLog::open(folder.path().join("log")).unwrap();
    let verdict = verify(&file, Verifier::new([public()])).await.unwrap();
    assert_eq!(verdict, Verdict::Unanchored { sealed: COUNT + COUNT / 2 });

    let mut sealer = sealer(ListFeed::new(of_two_users()), &file, PAGE);
    assert_eq!(sealer.erase_user(&anna).await.unwrap(), COUNT / 2);
    let text = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!text.contains("name-of-anna") && text.contains("name-of-ben"));
    assert!(!folder.path().join("log.erasing").exists());
    let verdict = verify(&file, Verifier::new([public()])).await.unwrap();
    assert_eq!(verdict, Verdict::Unanchored { sealed: 2 * COUNT });
}

#[cfg(unix)]
#[tokio::test]
async fn erasure_keeps_the_permissions_of_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let (log, _) = sealed(of_two_users(), PAGE).await;
    let (folder, file) = file_log(lines(&log).concat().as_bytes());
    let path = folder.path().join("log");
    for mode in [0o640, 0o600] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let ben = UserId::new("u-ben").unwrap();
        file.erase(&BTreeSet::from([3]), &ben).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[tokio::test]
async fn sealer_from_before_an_erasure_reads_the_file_again() {
    let (log, _) = sealed(of_two_users(), PAGE).await;
    let (_folder, file) = file_log(lines(&log).concat().as_bytes());
    let mut more = of_two_users();
    more.extend(events(COUNT + 3).split_off(20));
    let mut old = sealer(ListFeed::new(of_two_users()), &file, PAGE);
    assert_eq!(old.seal().await.unwrap().size, COUNT);
    let end = file.read(invitation_audit::LogOffset(0), std::num::NonZeroU32::MAX).await.unwrap();
    let anna = UserId::new("u-anna").unwrap();
    sealer(ListFeed::new(of_two_users()), &file, PAGE).erase_user(&anna).await.unwrap();

    // A batch that a sealer made for the log as it was.
    let [.., Record::Checkpoint(checkpoint)] = &records(&file).await[..] else { panic!() };
    let batch = Batch { entries: Vec::new(), checkpoint: checkpoint.clone() };
    assert!(matches!(file.append(end.next, &batch).await, Err(LogError::Conflict)));
    seal_all(&mut sealer(ListFeed::new(more), &file, PAGE)).await;
    let verdict = verify(&file, Verifier::new([public()])).await.unwrap();
    assert_eq!(verdict, Verdict::Unanchored { sealed: COUNT + COUNT / 2 + 3 });
}
