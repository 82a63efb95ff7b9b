//! A sealer that is killed at any moment neither loses nor repeats an event.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use async_trait::async_trait;
use invitation_audit::{
    Batch, FileLog, FindingKind, LineError, LogError, LogOffset, LogPage, LogStore, MemoryLog,
    Record, SealError, Verdict, Verifier, verify, verify_store,
};
use invitation_core::{
    StoreError, UserId,
    feed::{Feed, FeedEpoch, FeedEvent, FeedPage, FeedPosition},
};

use self::support::{
    ListFeed, events, file_log, lines, position, public, records, seal_all, sealed, sealer,
};

const COUNT: u64 = 20;
const PAGE: u32 = 8;

/// Checks that the log has every event of the feed once, in the order of the feed.
async fn assert_complete(log: impl LogStore, events: Vec<FeedEvent>) {
    let count = events.len() as u64;
    let feed = ListFeed::new(events);
    let report = verify_store(feed, log, Verifier::new([public()])).await.unwrap();
    assert_eq!(report.verdict, Verdict::Unanchored { sealed: count });
    assert_eq!((report.unsealed, report.lost), (0, 0));
}

#[tokio::test]
async fn file_cut_at_any_byte_is_continued_without_loss_or_repetition() {
    let (log, anchor) = sealed(events(COUNT), PAGE).await;
    let text = lines(&log).concat();
    let mut ends = vec![0];
    for line in lines(&log) {
        ends.push(ends.last().unwrap() + line.len());
    }
    // Around every end of a line, and inside of lines.
    let around = ends.iter().flat_map(|end| [end.saturating_sub(1), *end, end + 1, end + 97]);
    for cut in around.filter(|cut| *cut <= text.len()) {
        let (_folder, file) = file_log(&text.as_bytes()[..cut]);
        let kept = records(&file).await;
        assert!(matches!(kept.last(), None | Some(Record::Checkpoint(_))), "whole batches");
        seal_all(&mut sealer(ListFeed::new(events(COUNT)), &file, PAGE)).await;
        // The salts are the same in this test, so the log is, too.
        let verifier = Verifier::new([public()]).with_anchor(&anchor).unwrap();
        let verdict = verify(&file, verifier).await.unwrap();
        assert_eq!(verdict, Verdict::Valid { anchored: COUNT, sealed: COUNT }, "{cut}");
        assert_complete(&file, events(COUNT)).await;
    }
}

/// A log store that fails once, before or after it has stored a batch.
#[derive(Debug)]
struct Failing {
    log: MemoryLog,
    call: AtomicU32,
    fails_at: u32,
    stores: bool,
}

#[async_trait]
impl LogStore for Failing {
    async fn append(&self, end: LogOffset, batch: &Batch) -> Result<LogOffset, LogError> {
        if self.call.fetch_add(1, Ordering::SeqCst) != self.fails_at {
            return self.log.append(end, batch).await;
        }
        if self.stores {
            self.log.append(end, batch).await?;
        }
        Err(LogError::other("the connection broke"))
    }

    async fn read(&self, from: LogOffset, limit: NonZeroU32) -> Result<LogPage, LogError> {
        self.log.read(from, limit).await
    }

    async fn erase(&self, entries: &BTreeSet<u64>, user: &UserId) -> Result<(), LogError> {
        self.log.erase(entries, user).await
    }
}

#[tokio::test]
async fn failed_append_is_repeated_only_if_it_was_not_stored() {
    for fails_at in 0..3 {
        for stores in [false, true] {
            let log = Failing { log: MemoryLog::new(), call: AtomicU32::new(0), fails_at, stores };
            let mut sealer = sealer(ListFeed::new(events(COUNT)), &log, PAGE);
            let mut failures = 0;
            loop {
                match sealer.seal().await {
                    Ok(done) if !done.more => break,
                    Ok(_) => {}
                    Err(SealError::Log(LogError::Other(_))) => failures += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(failures, 1);
            assert_complete(&log, events(COUNT)).await;
        }
    }
}

#[tokio::test]
async fn sealers_of_one_log_take_turns() {
    let log = MemoryLog::new();
    let mut one = sealer(ListFeed::new(events(COUNT)), &log, 3);
    let mut other = sealer(ListFeed::new(events(COUNT)), &log, 2);
    let mut turns = 0;
    loop {
        // Each has read the log before the other appends to it.
        let (first, second) = (one.seal().await.unwrap(), other.seal().await.unwrap());
        turns += 1;
        if !first.more && !second.more {
            assert_eq!(second.size, COUNT);
            break;
        }
        assert!(turns < 50, "{first:?} {second:?}");
    }
    assert_complete(&log, events(COUNT)).await;
}

#[tokio::test]
async fn growing_feed_is_sealed_call_by_call() {
    let log = MemoryLog::new();
    for count in [0, 0, 1, 9, 9, 20] {
        let mut sealer = sealer(ListFeed::new(events(count)), &log, PAGE);
        let before = records(&log).await.len();
        while sealer.seal().await.unwrap().more {}
        let done = sealer.seal().await.unwrap();
        assert_eq!((done.appended, done.size, done.more), (0, count, false));
        assert_eq!(done.checkpoint.is_none(), count == 0);
        assert!(records(&log).await.len() >= before);
    }
    assert_complete(&log, events(COUNT)).await;
}

#[tokio::test]
async fn second_writer_of_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let first = FileLog::open(&path).unwrap();
    assert!(matches!(FileLog::open(&path), Err(LogError::Locked)));
    drop(first);
    let log = FileLog::open(&path).unwrap();
    let feed = ListFeed::new(events(1));
    seal_all(&mut sealer(feed, &log, PAGE)).await;
    let stale = log.append(LogOffset(0), &batch_of(&records(&log).await)).await;
    assert!(matches!(stale, Err(LogError::Conflict)));
}

fn batch_of(records: &[Record]) -> Batch {
    let [Record::Entry(entry), Record::Checkpoint(checkpoint)] = records else { panic!() };
    Batch { entries: vec![entry.clone()], checkpoint: checkpoint.clone() }
}

#[cfg(unix)]
#[tokio::test]
async fn new_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    drop(FileLog::open(&path).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn rest_of_an_interrupted_batch_is_removed_by_a_shorter_one() {
    let (log, _) = sealed(events(COUNT), PAGE).await;
    let first_batch = PAGE as usize + 1;
    let mut text = lines(&log)[..first_batch].concat();
    text.push_str(&lines(&log)[first_batch..first_batch + 4].concat());
    let (folder, file) = file_log(text.as_bytes());
    let size = u64::from(PAGE) + 1;
    seal_all(&mut sealer(ListFeed::new(events(size)), &file, PAGE)).await;
    let text = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(support::verdict(&text, None), Verdict::Unanchored { sealed: size });
}

#[tokio::test]
async fn opening_a_file_changes_nothing_in_it() {
    let (log, _) = sealed(events(COUNT), PAGE).await;
    let mut text = lines(&log).concat();
    text.truncate(text.len() - 10);
    let (folder, file) = file_log(text.as_bytes());
    let verdict = verify(&file, Verifier::new([public()])).await.unwrap();
    assert_eq!(verdict, Verdict::Unanchored { sealed: 16 });
    assert_eq!(fs::read_to_string(folder.path().join("log")).unwrap(), text);
}

#[tokio::test]
async fn file_that_is_no_log_is_refused_and_stays() {
    let (log, _) = sealed(events(COUNT), PAGE).await;
    let log = lines(&log).concat();
    let noted = format!("{log}a note\n");
    let split = format!("{log}{{\n\"index\":20}}\n");
    for text in ["a diary\n", "\n", "{\"name\":1}\n", "{\"in\n", "\0\0\0", &noted, &split] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, text).unwrap();
        let refused = FileLog::open(&path);
        assert!(matches!(refused, Err(LogError::Unreadable(LineError::Kind))), "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn rest_of_a_batch_that_a_crash_left_unwritten_is_replaced() {
    let (log, anchor) = sealed(events(COUNT), PAGE).await;
    let first_batch = PAGE as usize + 1;
    for rest in ["\0\0\0", "\0\0\0\"leaf\":\n", "{", "{\"checkpoint\":\"exa", "{\"index\":8\0\0"] {
        let text = lines(&log)[..first_batch].concat() + rest;
        let (_folder, file) = file_log(text.as_bytes());
        seal_all(&mut sealer(ListFeed::new(events(COUNT)), &file, PAGE)).await;
        let verifier = Verifier::new([public()]).with_anchor(&anchor).unwrap();
        let verdict = verify(&file, verifier).await.unwrap();
        assert_eq!(verdict, Verdict::Valid { anchored: COUNT, sealed: COUNT }, "{rest}");
    }
}

#[tokio::test]
async fn unreadable_record_of_a_file_is_found_at_its_place() {
    let (log, _) = sealed(events(COUNT), PAGE).await;
    let mut lines = lines(&log);
    lines[5] = lines[5].replace("\"event\"", "\"evemt\"");
    let (_folder, file) = file_log(lines.concat().as_bytes());
    let Verdict::Tampered(finding) = verify(&file, Verifier::new([public()])).await.unwrap() else {
        panic!()
    };
    assert_eq!((finding.kind, finding.entries), (FindingKind::Unreadable, 5..6));
    let refused = sealer(ListFeed::new(events(COUNT)), &file, PAGE).seal().await;
    assert!(matches!(refused, Err(SealError::Tampered(again)) if again.entries == (5..6)));
}

#[tokio::test]
async fn sealer_does_not_extend_a_log_without_its_anchor() {
    let (_, anchor) = sealed(events(COUNT), PAGE).await;
    let (older, _) = sealed(events(12), PAGE).await;
    let count = older.len();
    let log: MemoryLog = older.into_iter().collect();
    let sealer = sealer(ListFeed::new(events(COUNT)), &log, PAGE);
    let refused = sealer.with_anchor(anchor).seal().await;
    let Err(SealError::Tampered(finding)) = refused else { panic!("{refused:?}") };
    assert_eq!((finding.kind, finding.entries), (FindingKind::Truncated, 12..COUNT));
    assert_eq!(records(&log).await.len(), count);
}

/// A server that was promoted, and does not know the epochs of the one before: it begins one behind
/// that of the consumer.
#[derive(Debug)]
struct Promoted(AtomicU64);

#[async_trait]
impl Feed for Promoted {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        _: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        let known = after.map_or(0, |after| after.epoch);
        if known > self.0.load(Ordering::Relaxed) {
            self.0.store(known + 1, Ordering::Relaxed);
        }
        let number = self.0.load(Ordering::Relaxed);
        let events = events(1).into_iter().filter(|one| after < Some(one.position));
        let events: Vec<_> = events.filter(|one| one.position.epoch == number).collect();
        let follows = (number > 1).then(|| position(1));
        Ok(FeedPage { epoch: FeedEpoch { number, follows }, events, more: false })
    }
}

#[tokio::test]
async fn epoch_that_was_lost_before_its_first_event_does_not_stop_the_sealer() {
    let (log, feed) = (MemoryLog::new(), Promoted(AtomicU64::new(1)));
    let mut sealer = sealer(&feed, &log, PAGE);
    assert_eq!(sealer.seal().await.unwrap().size, 1);
    // The second number is that of a server whose clock is behind.
    for (number, size) in [(9, 2), (5, 3)] {
        feed.0.store(number, Ordering::Relaxed);
        assert_eq!(sealer.seal().await.unwrap().size, size, "{number}");
        assert_eq!(sealer.seal().await.unwrap().size, size, "an epoch is sealed once");
    }
    assert_eq!(feed.0.load(Ordering::Relaxed), 10, "the store learns of the lost epoch");
}

#[tokio::test]
async fn feed_out_of_order_is_not_sealed() {
    let mut reversed = events(2);
    reversed.reverse();
    let mut of_no_epoch = events(2);
    of_no_epoch[1].position.epoch = 4;
    let epochs = vec![FeedEpoch::FIRST, FeedEpoch { number: 4, follows: Some(position(1)) }];
    for feed in [ListFeed::new(reversed), ListFeed(of_no_epoch.clone(), epochs)] {
        let log = MemoryLog::new();
        let mut sealer = sealer(InOneEpoch(feed), &log, PAGE);
        assert!(matches!(sealer.seal().await, Err(SealError::Order)));
        assert!(records(&log).await.is_empty());
    }
}

/// A broken feed: it returns everything on one page of the first epoch.
#[derive(Debug)]
struct InOneEpoch(ListFeed);

#[async_trait]
impl Feed for InOneEpoch {
    async fn feed(&self, _: Option<FeedPosition>, _: NonZeroU32) -> Result<FeedPage, StoreError> {
        let events = self.0.0.clone();
        Ok(FeedPage { epoch: FeedEpoch::FIRST, events, more: false })
    }
}
