//! What remains in the store, and what can be removed.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Action, MemoryStore, PageRequest, Scope, Store,
    documents::{DocumentFilter, DocumentKind, Documents},
    funnel::FunnelCounter,
};

use crate::support::{at, count_all, creation, division, event};

async fn documents(store: &MemoryStore, kind: &str) -> usize {
    let filter = DocumentFilter::all(DocumentKind::new(kind).expect("a kind"));
    let page = PageRequest { after: None, limit: 1_000 };
    store.list_documents(&Scope::All, &filter, &page).await.expect("a list").items.len()
}

async fn filled() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let sales = division("sales");
    let events: Vec<_> =
        (0..10).map(|n| creation(n, &sales, at(n.into()), Some("mia"), None, 1)).collect();
    store.record(&events).await.expect("it records");
    count_all(&store).await;
    store
}

#[tokio::test]
async fn documents_name_no_user_and_no_document_is_left_of_a_former_count() {
    let store = filled().await;
    assert_eq!(documents(&store, "funnel-journey").await, 10);
    assert_eq!(documents(&store, "funnel").await, 5, "the progress, and four funnels");
    let filter = DocumentFilter::all(DocumentKind::new("funnel-journey").expect("a kind"));
    let page = PageRequest { after: None, limit: 1 };
    let listed = store.list_documents(&Scope::All, &filter, &page).await.expect("a list");
    assert!(!String::from_utf8_lossy(&listed.items[0].body).contains("mia"));
    FunnelCounter::new(&store).recount(at(0)).await.expect("it begins anew");
    count_all(&store).await;
    assert_eq!(documents(&store, "funnel-journey").await, 10);
    assert_eq!(documents(&store, "funnel").await, 5);
}

/// A host counts anew again before the documents of the count before are removed.
#[tokio::test]
async fn recounts_in_a_row_leave_no_document_of_a_former_count() {
    let store = filled().await;
    let counter = FunnelCounter::new(&store);
    counter.recount(at(0)).await.expect("it begins anew");
    counter.recount(at(1)).await.expect("it begins anew");
    let _ = counter.run().await.expect("it counts");
    counter.recount(at(2)).await.expect("it begins anew");
    // Each run removes documents of one former count.
    for _ in 0..8 {
        let _ = counter.run().await.expect("it counts");
    }
    assert_eq!(documents(&store, "funnel-journey").await, 10);
    assert_eq!(documents(&store, "funnel").await, 5, "the progress, and four funnels");
    let filter = DocumentFilter::all(DocumentKind::new("funnel").expect("a kind"));
    let page = PageRequest { after: None, limit: 10 };
    let before = store.list_documents(&Scope::All, &filter, &page).await.expect("a list");
    let _ = counter.run().await.expect("it counts");
    let after = store.list_documents(&Scope::All, &filter, &page).await.expect("a list");
    assert_eq!(after, before, "nothing is left to do");
}

#[tokio::test]
async fn removed_journeys_leave_the_numbers_and_count_no_later_event() {
    let store = filled().await;
    let counter = FunnelCounter::new(&store);
    let max = NonZeroU32::new(3).expect("not zero");
    assert_eq!(counter.remove_journeys(at(5), max).await.expect("it removes"), 3);
    assert_eq!(counter.remove_journeys(at(5), max).await.expect("it removes"), 2);
    assert_eq!(counter.remove_journeys(at(5), max).await.expect("it removes"), 0);
    let sales = division("sales");
    let later = [1, 7].map(|n| event(Action::Redeem, n, &sales, at(20)));
    store.record(&later).await.expect("it records");
    count_all(&store).await;
    let funnels = invitation_core::funnel::Funnels::new(
        invitation_core::Invitations::new(Arc::clone(&store)),
        Arc::<MemoryStore>::clone(&store),
        Arc::<MemoryStore>::clone(&store),
    );
    let query = invitation_core::funnel::FunnelQuery::new();
    let funnel = funnels.of(&crate::support::admin(), &query).await.expect("it is read");
    assert_eq!((funnel.figures().created(), funnel.figures().redeemed()), (10, 1));
}
