//! Events that a store has purged are told apart from events that an attacker has removed.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::num::NonZeroU32;

use invitation_audit::{
    FindingKind, LogOffset, LogStore, MemoryLog, Sealer, StoreReport, Verdict, Verifier,
    verify_store,
};
use invitation_core::{
    Actor, Division, Draft, Invitations, ManualClock, MemoryStore, Role, Timestamp, UserId,
    feed::{CursorName, Feed, FeedEvent, RemovedEvents},
};
use time::Duration;

use self::support::{ListFeed, public, sealer};

const PAGE: u32 = 3;

/// A store with events and their log. The sealer is a consumer with a cursor.
struct Purging {
    invitations: Invitations<MemoryStore>,
    clock: ManualClock,
    log: MemoryLog,
}

impl Purging {
    fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_micros(1_800_000_000_000_000).unwrap());
        let invitations = Invitations::new(MemoryStore::new()).with_clock(clock.clone());
        Self { invitations, clock, log: MemoryLog::new() }
    }

    fn cursor() -> CursorName {
        CursorName::new("audit-log").unwrap()
    }

    fn sealer(&self) -> Sealer<&MemoryStore, &MemoryLog> {
        sealer(self.invitations.store(), &self.log, PAGE)
    }

    /// Creates invitations, which leaves as many events.
    async fn create(&self, count: usize) {
        let drafts = vec![Draft::new().with_role(Role::new("staff").unwrap()); count];
        self.invitations.create_many(&admin(), drafts).await.unwrap();
    }

    async fn seal(&self) {
        let mut sealer = self.sealer();
        while sealer.seal_with_cursor(&Self::cursor()).await.unwrap().more {}
    }

    /// Purges events of more than a day ago, and returns their number.
    async fn purge(&self) -> u32 {
        let max = NonZeroU32::new(500).unwrap();
        self.invitations.purge_events(&admin(), Duration::DAY, max).await.unwrap().removed
    }

    async fn feed(&self) -> Vec<FeedEvent> {
        self.invitations.store().feed(None, NonZeroU32::MAX).await.unwrap().events
    }

    async fn report(&self) -> StoreReport {
        self.report_on(self.invitations.store()).await
    }

    async fn report_on(&self, feed: impl Feed) -> StoreReport {
        verify_store(feed, &self.log, Verifier::new([public()])).await.unwrap()
    }
}

fn admin() -> Actor {
    let (user, role) = (UserId::new("u-admin").unwrap(), Role::new("admin").unwrap());
    let actor = Actor::across_divisions(user, role);
    let name = invitation_core::Username::new("zoe").unwrap();
    actor.based_in(Division::new("sales").unwrap()).with_name(name)
}

#[tokio::test]
async fn purged_events_are_not_missing_before_and_after_their_purge_is_sealed() {
    let purging = Purging::new();
    purging.create(5).await;
    purging.seal().await;
    purging.clock.advance(Duration::DAY * 2);
    purging.create(2).await;
    purging.seal().await;
    assert_eq!(purging.purge().await, 5);

    let report = purging.report().await;
    assert_eq!(report.verdict, Verdict::Unanchored { sealed: 7 });
    assert_eq!((report.purged, report.unsealed, report.lost), (5, 1, 0));
    purging.seal().await;
    let report = purging.report().await;
    assert_eq!(report.verdict, Verdict::Unanchored { sealed: 8 });
    assert_eq!((report.purged, report.unsealed, report.lost), (5, 0, 0));

    // A second purge, and a sealer that begins anew.
    purging.clock.advance(Duration::DAY * 2);
    assert_eq!(purging.purge().await, 3);
    purging.create(1).await;
    purging.seal().await;
    let report = purging.report().await;
    assert_eq!(report.verdict, Verdict::Unanchored { sealed: 10 });
    assert_eq!(report.purged, 8);
}

#[tokio::test]
async fn event_is_purged_only_once_it_is_sealed() {
    let purging = Purging::new();
    purging.create(2).await;
    // The sealer has come as far as its first page.
    assert!(purging.sealer().seal_with_cursor(&Purging::cursor()).await.unwrap().appended == 2);
    purging.create(4).await;
    purging.clock.advance(Duration::DAY * 2);
    assert_eq!(purging.purge().await, 2);
    assert_eq!(purging.purge().await, 0);
    purging.seal().await;
    assert_eq!(purging.purge().await, 4);
    assert_eq!(purging.report().await.purged, 6);
}

#[tokio::test]
async fn event_behind_the_purge_that_an_attacker_removes_is_missing() {
    let purging = Purging::new();
    purging.create(4).await;
    purging.seal().await;
    purging.clock.advance(Duration::DAY * 2);
    purging.create(3).await;
    purging.seal().await;
    assert_eq!(purging.purge().await, 4);
    purging.seal().await;
    let feed = purging.feed().await;
    assert_eq!(feed.len(), 4);
    for (n, gone) in feed.iter().enumerate() {
        let left = feed.iter().filter(|one| *one != gone).cloned().collect();
        let report = purging.report_on(ListFeed::new(left)).await;
        let Verdict::Tampered(finding) = report.verdict else { panic!("{n}: {report:?}") };
        assert_eq!(finding.kind, FindingKind::Missing, "{n}");
        assert_eq!(finding.event, Some(gone.event.id), "{n}");
    }
}

#[tokio::test]
async fn event_younger_than_a_day_is_missing_whatever_a_purge_states() {
    let purging = Purging::new();
    purging.create(4).await;
    purging.seal().await;
    purging.clock.advance(Duration::DAY * 2);
    purging.create(3).await;
    purging.seal().await;
    assert_eq!(purging.purge().await, 4);
    let mut feed = purging.feed().await;
    // An attacker writes that the purge took one more event, and removes that one.
    let through = feed[0].position.to_string();
    let purge = feed.last_mut().map(|purge| &mut purge.event).unwrap();
    purge.detail = invitation_core::audit::Detail::none().with(RemovedEvents::THROUGH, &through);
    assert!(RemovedEvents::stated_by(purge).is_some());
    let gone = feed.remove(0).event.id;
    let report = purging.report_on(ListFeed::new(feed)).await;
    let Verdict::Tampered(finding) = report.verdict else { panic!("{report:?}") };
    assert_eq!((finding.kind, finding.event), (FindingKind::Missing, Some(gone)));
}

#[tokio::test]
async fn purge_of_an_erased_user_still_excuses_its_events() {
    let purging = Purging::new();
    purging.create(4).await;
    purging.seal().await;
    purging.clock.advance(Duration::DAY * 2);
    assert_eq!(purging.purge().await, 4);
    purging.seal().await;
    let user = UserId::new("u-admin").unwrap();
    assert_eq!(purging.sealer().erase_user(&user).await.unwrap(), 5);
    assert_eq!(purging.sealer().erase_user(&user).await.unwrap(), 0, "nothing is left to erase");
    let records = purging.log.read(LogOffset::default(), NonZeroU32::MAX).await.unwrap().records;
    assert!(!format!("{records:?}").contains("zoe"), "the name is gone");
    let report = purging.report().await;
    assert_eq!(report.verdict, Verdict::Unanchored { sealed: 10 });
    assert_eq!(report.purged, 4);
}
