//! Sealing and verifying take constant memory, however long the log is.
//!
//! `LOG_ENTRIES=1000000 cargo test --release -p invitation-audit --test memory -- --nocapture`
//! measures a long log and prints the rates.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{env, fs, fs::File, io::BufReader, num::NonZeroU32, time::Instant};

use async_trait::async_trait;
use invitation_audit::{FileLog, Sealer, Verdict, Verifier, verify, verify_lines, verify_store};
use invitation_core::{
    StoreError,
    feed::{Feed, FeedEpoch, FeedPage, FeedPosition},
};

use self::support::{event, key, performers, position, public, seal_all};

/// A feed of that many events, which it makes when they are asked for.
#[derive(Debug)]
struct Endless(u64);

#[async_trait]
impl Feed for Endless {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        let first = after.map_or(0, |after| after.sequence / position(1).sequence) + 1;
        let last = self.0.min(first + u64::from(limit.get()) - 1);
        let [_, _, redeemer] = performers();
        let events = (first..=last).map(|number| event(number, redeemer.clone())).collect();
        Ok(FeedPage { epoch: FeedEpoch::FIRST, events, more: last < self.0 })
    }
}

/// The most memory that this process has had so far, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Seals and verifies a log of that many events, in each way. Prints the rates.
async fn round(count: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let file = FileLog::open(&path).unwrap();
    let rate = |what: &str, since: Instant| {
        let rate = u128::from(count) * 1_000 / since.elapsed().as_millis().max(1);
        println!("{what}: {count} entries, {rate} each second, peak {} KiB", peak());
    };

    let now = Instant::now();
    let anchor = seal_all(&mut Sealer::new(Endless(count), &file, key())).await;
    rate("seal", now);
    let verifier = Verifier::new([public()]).with_anchor(&anchor).unwrap();
    let valid = Verdict::Valid { anchored: count, sealed: count };

    let now = Instant::now();
    let lines = BufReader::new(File::open(&path).unwrap());
    assert_eq!(verify_lines(lines, verifier.clone()).unwrap(), valid);
    rate("verify_lines", now);
    let now = Instant::now();
    assert_eq!(verify(&file, verifier.clone()).await.unwrap(), valid);
    rate("verify", now);
    let now = Instant::now();
    let report = verify_store(Endless(count), &file, verifier).await.unwrap();
    assert_eq!((report.verdict, report.unsealed, report.lost), (valid, 0, 0));
    rate("verify_store", now);
}

#[tokio::test]
async fn memory_for_a_long_log_is_that_for_a_short_one() {
    let many = env::var("LOG_ENTRIES").map_or(10_000, |count| count.parse().unwrap());
    round(2_000).await;
    let before = peak();
    round(many).await;
    // The entries alone would take several times as much.
    assert!(peak() < before + 1_024, "{} KiB more", peak() - before);
}
