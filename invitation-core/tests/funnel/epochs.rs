//! A feed whose server was promoted: events appear again in a new epoch.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use invitation_core::{
    Action, Event, Invitations, MemoryStore, PageRequest, Scope, StoreError, StorePage, Timestamp,
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState,
        Documents, RemovalEvidence,
    },
    feed::{
        CursorName, Feed, FeedCursor, FeedCursors, FeedEpoch, FeedEvent, FeedPage, FeedPosition,
    },
    funnel::{Funnel, FunnelCounter, FunnelQuery, Funnels},
};

use crate::support::{admin, at, creation, division, event, numbers};

/// The memory store with a feed of the test's own.
#[derive(Debug, Default)]
struct Promoted {
    store: MemoryStore,
    events: Mutex<Vec<FeedEvent>>,
}

impl Promoted {
    /// Adds these events in an epoch.
    fn show(&self, epoch: u64, events: &[Event]) {
        let mut all = self.events.lock().expect("not poisoned");
        let sequence = |n: usize| u64::try_from(n).expect("few") + 1;
        let from = all.len();
        all.extend(events.iter().enumerate().map(|(n, event)| FeedEvent {
            position: FeedPosition { epoch, transaction: 0, sequence: sequence(from + n) },
            event: event.clone(),
        }));
    }

    /// Forgets the last events, as a server does whose replica was behind.
    fn forget(&self, number: usize) {
        let mut all = self.events.lock().expect("not poisoned");
        let left = all.len() - number;
        all.truncate(left);
    }
}

#[async_trait]
impl Feed for Promoted {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        let all = self.events.lock().expect("not poisoned");
        let next = all.iter().find(|one| Some(one.position) > after).map(|one| one.position.epoch);
        let epoch = next.unwrap_or(1);
        let page = all
            .iter()
            .filter(|one| Some(one.position) > after && one.position.epoch == epoch)
            .cloned();
        let epoch = FeedEpoch { number: epoch, follows: None };
        let mut page = FeedPage::from_one_more(epoch, page.collect(), limit);
        page.more |= page
            .events
            .last()
            .is_some_and(|last| all.iter().any(|one| one.position > last.position));
        Ok(page)
    }
}

#[async_trait]
impl FeedCursors for Promoted {
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError> {
        self.store.cursor(name).await
    }

    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError> {
        self.store.replace_cursor(cursor).await
    }
}

#[async_trait]
impl Documents for Promoted {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        self.store.document(key).await
    }

    async fn add_documents(&self, documents: &[Document]) -> Result<(), StoreError> {
        self.store.add_documents(documents).await
    }

    async fn replace_documents(
        &self,
        documents: &[Document],
        events: &[Event],
    ) -> Result<bool, StoreError> {
        self.store.replace_documents(documents, events).await
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Document>, StoreError> {
        self.store.due_documents(kind, now, limit).await
    }

    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>, StoreError> {
        self.store.list_documents(scope, filter, page).await
    }

    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: NonZeroU32,
        evidence: Option<&RemovalEvidence>,
    ) -> Result<u32, StoreError> {
        self.store.remove_documents(kind, state, before, limit, evidence).await
    }
}

async fn counted(store: &Arc<Promoted>) -> Funnel {
    let counter = FunnelCounter::new(store);
    while counter.run().await.expect("it counts").more {}
    let (documents, feed) = (Arc::clone(store), Arc::clone(store));
    let funnels = Funnels::new(Invitations::new(Arc::new(MemoryStore::new())), documents, feed);
    funnels.of(&admin(), &FunnelQuery::new()).await.expect("it is read")
}

#[tokio::test]
async fn events_that_appear_again_in_a_new_epoch_count_once() {
    let (store, sales) = (Arc::new(Promoted::default()), division("sales"));
    let events = [
        creation(1, &sales, at(0), Some("mia"), None, 5),
        creation(2, &sales, at(1), Some("mia"), None, 1),
        event(Action::Deliver, 1, &sales, at(2)),
        event(Action::Redeem, 1, &sales, at(3)),
        event(Action::Redeem, 1, &sales, at(4)),
        event(Action::Revoke, 2, &sales, at(5)),
    ];
    store.show(1, &events);
    let before = counted(&store).await;
    assert_eq!(before.discontinuities(), 0);
    // Everything behind the second event appears again, but the last one is lost.
    store.forget(4);
    store.show(7, &events[2..5]);
    let after = counted(&store).await;
    assert_eq!(numbers(after.figures()), numbers(before.figures()), "nothing counts twice");
    assert_eq!((after.discontinuities(), after.is_up_to_date()), (1, true));
    // The rest of the new epoch counts.
    store.show(7, &[event(Action::Redeem, 1, &sales, at(6))]);
    assert_eq!(counted(&store).await.figures().redemptions(), 3);
    // A recount of what is left: the lost revocation is not in it.
    FunnelCounter::new(&store).recount(at(9)).await.expect("it begins anew");
    let anew = counted(&store).await;
    assert_eq!((anew.figures().revoked(), anew.figures().redemptions()), (0, 3));
}
