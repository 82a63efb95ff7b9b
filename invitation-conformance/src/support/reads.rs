//! Reads of a store: one invitation, its events, and whole lists.

use invitation_core::{
    Event, EventFilter, Filter, InvitationId, OpenLease, PageRequest, Record, Redemption, Scope,
    Store, Target,
};

/// Returns the invitation as it is stored, tombstones included.
pub(crate) async fn stored(store: &dyn Store, row: &Record) -> Record {
    let found = store.get(&Target::Id(row.id), &Scope::All).await.expect("the store answers");
    found.expect("what was inserted is there, tombstones included")
}

/// Returns all events about the invitation, newest first.
pub(crate) async fn trail(store: &dyn Store, row: &Record) -> Vec<Event> {
    let filter = EventFilter { invitation: Some(row.id), ..EventFilter::default() };
    all_events(store, &Scope::All, &filter, 50).await
}

/// Returns all pages of a list, concatenated; checks that each page keeps to its limit.
pub(crate) async fn all_invitations(
    store: &dyn Store,
    scope: &Scope,
    filter: &Filter,
    limit: u32,
) -> Vec<Record> {
    let (mut found, mut page) = (Vec::new(), PageRequest { after: None, limit });
    loop {
        let listing = store.list(scope, filter, &page).await.expect("the store lists");
        assert!(fits(listing.items.len(), limit), "a page has at most as many items as asked for");
        found.extend(listing.items);
        match listing.next {
            None => return found,
            next => assert_ne!(page.after, next, "each page leads further"),
        }
        page.after = listing.next;
    }
}

/// Returns all pages of events, concatenated; checks that each page keeps to its limit.
pub(crate) async fn all_events(
    store: &dyn Store,
    scope: &Scope,
    filter: &EventFilter,
    limit: u32,
) -> Vec<Event> {
    let (mut found, mut page) = (Vec::new(), PageRequest { after: None, limit });
    loop {
        let listing = store.events(scope, filter, &page).await.expect("the store reads events");
        assert!(fits(listing.items.len(), limit), "a page has at most as many events as asked for");
        found.extend(listing.items);
        match listing.next {
            None => return found,
            next => assert_ne!(page.after, next, "each page leads further"),
        }
        page.after = listing.next;
    }
}

/// Returns all pages of leases, concatenated; checks that each page keeps to its limit.
pub(crate) async fn all_leases(store: &dyn Store, scope: &Scope, limit: u32) -> Vec<OpenLease> {
    let (mut found, mut page) = (Vec::new(), PageRequest { after: None, limit });
    loop {
        let listing = store.leases(scope, &page).await.expect("the store lists leases");
        assert!(fits(listing.items.len(), limit), "a page has at most as many leases as asked for");
        found.extend(listing.items);
        match listing.next {
            None => return found,
            next => assert_ne!(page.after, next, "each page leads further"),
        }
        page.after = listing.next;
    }
}

/// Returns all pages of redemptions, concatenated; checks that each page keeps to its
/// limit.
pub(crate) async fn all_redemptions(
    store: &dyn Store,
    scope: &Scope,
    id: InvitationId,
    limit: u32,
) -> Vec<Redemption> {
    let (mut found, mut page) = (Vec::new(), PageRequest { after: None, limit });
    loop {
        let listing = store.redemptions(scope, id, &page).await.expect("the store lists them");
        assert!(fits(listing.items.len(), limit), "a page has at most as many as asked for");
        found.extend(listing.items);
        match listing.next {
            None => return found,
            next => assert_ne!(page.after, next, "each page leads further"),
        }
        page.after = listing.next;
    }
}

fn fits(items: usize, limit: u32) -> bool {
    u32::try_from(items).is_ok_and(|items| items <= limit)
}
