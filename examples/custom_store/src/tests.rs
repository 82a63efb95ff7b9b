//! Tests of the store: the conformance suite, the model, and damage that only a file can
//! suffer.

use std::{fs, io::Write as _, num::NonZeroU32, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use invitation::{
    Actor, Created, Criteria, Division, Draft, Expiry, IdempotencyKey, IfVersion, Invitations,
    Paging, Role, Store, StoreError, StoreErrorKind, Timestamp, UserId,
    audit::{Event, EventId},
    clock::ManualClock,
    store::{EventFilter, PageRequest, Scope, StorePage},
    testing::{Fixture, model},
};
use tempfile::TempDir;
use time::Duration;

use crate::store::JournalStore;

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    Fixture::new(JournalStore::open(folder.path()).await.unwrap()).keeping(folder)
}

mod promises {
    invitation::conformance!(super::fixture);
}

struct Reopened {
    folder: TempDir,
    newest: Option<JournalStore>,
}

#[async_trait]
impl model::StoreProvider for Reopened {
    async fn open(&mut self) -> Arc<dyn Store> {
        // The model has not dropped the previous store yet.
        if let Some(former) = self.newest.take() {
            former.close().await.unwrap();
        }
        let store = JournalStore::open(self.folder.path()).await.unwrap();
        self.newest = Some(store.clone());
        Arc::new(store)
    }
}

#[test]
fn the_store_agrees_with_the_model_across_reopenings() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    model::check(7, 100, 20, &runtime, || Reopened {
        folder: tempfile::tempdir().unwrap(),
        newest: None,
    });
}

/// A folder whose journal has three codes, one line each.
struct Journal(TempDir);

impl Journal {
    async fn of_three() -> Self {
        let journal = Self(tempfile::tempdir().unwrap());
        let invitations = Invitations::new(journal.open().await.unwrap());
        for _ in 0..3 {
            invitations.create(&manager(), Draft::new()).await.unwrap();
        }
        journal
    }

    async fn open(&self) -> Result<JournalStore, StoreError> {
        JournalStore::open(self.0.path()).await
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("journal")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    /// Returns the header and the lines, each with its end.
    fn lines(&self) -> Vec<Vec<u8>> {
        self.bytes().split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    /// Replaces the journal's bytes, and tries to open it.
    async fn open_with(&self, bytes: &[u8]) -> Result<JournalStore, StoreError> {
        fs::write(self.path(), bytes).unwrap();
        self.open().await
    }
}

fn manager() -> Actor {
    let (role, division) = (Role::new("manager").unwrap(), Division::new("sales").unwrap());
    Actor::in_division(UserId::new("u-1").unwrap(), role, division)
}

async fn codes(store: &JournalStore) -> usize {
    let invitations = Invitations::new(store.clone());
    let page = invitations.list(&manager(), &Criteria::new(), Paging::default()).await;
    page.unwrap().items().len()
}

async fn trail(store: &JournalStore) -> StorePage<Event, EventId> {
    let page = PageRequest { after: None, limit: 100 };
    store.events(&Scope::All, &EventFilter::default(), &page).await.unwrap()
}

#[tokio::test]
async fn a_torn_last_line_is_dropped_wherever_it_was_torn() {
    let journal = Journal::of_three().await;
    let whole = journal.bytes();
    let last = journal.lines().pop().unwrap().len();
    for torn in (1..last).step_by(7).chain([last - 1]) {
        let left = &whole[..whole.len() - torn];
        let store = journal.open_with(left).await.unwrap();
        assert_eq!(codes(&store).await, 2, "{torn} bytes are missing");
        // The next line follows the last complete one.
        Invitations::new(store).create(&manager(), Draft::new()).await.unwrap();
        assert_eq!(codes(&journal.open().await.unwrap()).await, 3);
    }
}

#[tokio::test]
async fn a_hole_of_zeros_in_the_last_line_is_a_torn_write() {
    let journal = Journal::of_three().await;
    let mut bytes = journal.bytes();
    let at = bytes.len() - 200;
    bytes[at..at + 100].fill(0);
    assert_eq!(codes(&journal.open_with(&bytes).await.unwrap()).await, 2);
}

#[tokio::test]
async fn a_torn_header_is_an_empty_store() {
    let journal = Journal::of_three().await;
    let bytes = journal.bytes();
    for left in [0, 1, journal.lines()[0].len() - 1] {
        let store = journal.open_with(&bytes[..left]).await.unwrap();
        assert_eq!(codes(&store).await, 0);
    }
}

#[tokio::test]
async fn what_was_damaged_later_is_an_error_that_says_so() {
    let journal = Journal::of_three().await;
    let (bytes, lines) = (journal.bytes(), journal.lines());
    let mut damaged: Vec<Vec<u8>> = Vec::new();
    // Flip single bits everywhere, also in the header and in the last line. Only the final
    // line feed is left out: without it, the line counts as torn.
    for at in (0..bytes.len() - 1).step_by(11) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        damaged.push(flipped);
    }
    for order in [vec![0, 2, 3], vec![0, 2, 1, 3], vec![0, 1, 1, 2, 3], vec![1, 2, 3]] {
        damaged.push(order.into_iter().flat_map(|line| lines[line].clone()).collect());
    }
    let mut hole = bytes.clone();
    hole[lines[0].len() + 20..][..20].fill(0);
    damaged.push(hole);
    damaged.push(b"something else altogether".to_vec());
    for damaged in damaged {
        let refused = journal.open_with(&damaged).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
        assert_eq!(journal.bytes(), damaged, "it must be left as it is");
    }
    assert_eq!(codes(&journal.open_with(&bytes).await.unwrap()).await, 3);
}

#[tokio::test]
async fn a_folder_belongs_to_one_store_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = JournalStore::open(folder.path()).await.unwrap();
    let refused = JournalStore::open(folder.path()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let clone = first.clone();
    first.close().await.unwrap();
    let second = JournalStore::open(folder.path()).await.unwrap();
    let refused = clone.record(&[]).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    // Dropping the last clone also releases the folder.
    drop(second);
    JournalStore::open(folder.path()).await.unwrap();
}

/// Returns an event that a store has recorded.
async fn an_event() -> Event {
    let journal = Journal::of_three().await;
    trail(&journal.open().await.unwrap()).await.items.remove(0)
}

#[tokio::test]
async fn a_write_that_fails_leaves_nothing_behind() {
    let journal = Journal::of_three().await;
    let store = journal.open().await.unwrap();
    let before = journal.bytes();
    let failed = store.run("test", |core| {
        core.journal.append_by("test", "[]", |file, line| {
            file.write_all(&line[..5])?;
            Err(std::io::Error::other("the disk is full"))
        })
    });
    assert_eq!(failed.await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(journal.bytes(), before);
    store.record(&[an_event().await]).await.unwrap();
    drop(store);
    assert_eq!(trail(&journal.open().await.unwrap()).await.items.len(), 4);
}

#[tokio::test]
async fn a_write_that_cannot_be_undone_stops_the_store() {
    let journal = Journal::of_three().await;
    let store = journal.open().await.unwrap();
    let path = journal.path();
    let failed = store.run("test", move |core| {
        core.journal.append_by("test", "[]", |file, _| {
            // A read-only handle, so that truncating the file fails too.
            *file = fs::File::open(path)?;
            Err(std::io::Error::other("the disk is gone"))
        })
    });
    assert_eq!(failed.await.unwrap_err().kind(), StoreErrorKind::OutcomeUnknown);
    let refused = store.record(&[an_event().await]).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    drop(store);
    assert_eq!(codes(&journal.open().await.unwrap()).await, 3);
}

/// A key that was forgotten and used again belongs to its latest use. Purging the
/// invitations of the first use must not free it.
#[tokio::test]
async fn a_key_outlives_what_it_stood_for_before() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(Timestamp::from_micros(0).unwrap());
    let store = JournalStore::open(folder.path()).await.unwrap();
    let mut invitations = Invitations::new(store.clone()).with_clock(clock.clone());
    let admin = Actor::across_divisions(UserId::new("u-0").unwrap(), Role::new("admin").unwrap())
        .based_in(Division::new("sales").unwrap());
    let draft = Draft::new().with_role(Role::new("staff").unwrap());
    let drafts = vec![draft.expiring(Expiry::InDays(30)); 2];
    let key = IdempotencyKey::new("two-for-the-fair").unwrap();

    let first = invitations.create_many_once(&admin, &key, drafts.clone()).await.unwrap();
    for old in first {
        invitations.delete(&admin, old.invitation().id(), IfVersion::Any).await.unwrap();
        clock.advance(Duration::days(2));
        let max = NonZeroU32::MIN;
        let purged = invitations.purge(&admin, Duration::days(1), max).await.unwrap();
        assert_eq!(purged.removed, 1);
        // The first purge frees the key; the second one must not.
        invitations.create_many_once(&admin, &key, drafts.clone()).await.unwrap();
    }
    let again = invitations.create_many_once(&admin, &key, drafts.clone()).await.unwrap();
    assert!(again.iter().all(Created::is_replayed));
    assert_eq!(
        invitations.list(&admin, &Criteria::new(), Paging::default()).await.unwrap().items().len(),
        2
    );

    store.close().await.unwrap();
    invitations = invitations.on(JournalStore::open(folder.path()).await.unwrap());
    let reopened = invitations.create_many_once(&admin, &key, drafts).await.unwrap();
    assert!(reopened.iter().all(Created::is_replayed));
}
