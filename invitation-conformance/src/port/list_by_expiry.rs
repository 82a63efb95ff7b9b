//! Lists of active invitations, the soonest to expire first.

use invitation_core::{
    BatchId, CodeFormat, Filter, ListOrder, Outcome, PageRequest, Record, Role, Scope, Search,
    Status, TimeRange, UserId,
    decide::{Command, NewTerms},
};

use super::list::{assert_same, counts_of};
use crate::{
    Fixture,
    support::{
        factory::{Factory, apply},
        population::{population, read_time},
        reads::all_invitations,
        samples::{division, later, newcomer, start},
    },
};

const BATCH: BatchId = BatchId::from_bytes([7; 16]);

/// Returns the filter of active invitations in the order of expiry.
fn soonest() -> Filter {
    Filter {
        status: Some(Status::Active),
        order: ListOrder::SoonestExpiryFirst,
        ..Filter::all(read_time())
    }
}

/// Returns the invitations of a filter in the order of expiry: the specification, in memory.
fn expected(all: &[Record], scope: &Scope, filter: &Filter) -> Vec<Record> {
    let is_meant = |one: &&Record| scope.contains(&one.division) && filter.matches(one, []);
    let mut found: Vec<_> = all.iter().filter(is_meant).cloned().collect();
    found.sort_by_key(|one| (one.expires_at, one.id));
    found
}

fn scopes() -> [Scope; 3] {
    [Scope::All, Scope::Division(division("sales")), Scope::Division(division("Sales"))]
}

/// Pages of any length, concatenated, form the whole list: soonest expiry first, ties broken
/// by id, each item once. Invitations of another status are absent, although many expire at
/// the same instant.
pub async fn pages_contain_every_active_invitation_once_soonest_expiry_first(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let all = population(&factory, 150);
    factory.insert(&*store, &all).await;
    let filter = soonest();
    for scope in scopes() {
        let expected = expected(&all, &scope, &filter);
        let same = expected.windows(2).filter(|two| two[0].expires_at == two[1].expires_at);
        assert!(same.count() > 5, "many expire together");
        for limit in [1, 2, 3, 7, 50, 200] {
            let found = all_invitations(&*store, &scope, &filter, limit).await;
            assert_same(&found, &expected, &format!("{scope:?} in pages of {limit}"));
        }
    }
}

/// Each other filter restricts the list as it restricts one in the order of creation. A count
/// ignores the order.
pub async fn every_filter_in_the_order_of_expiry_matches_the_specification(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut all = population(&factory, 150);
    for one in all.iter_mut().step_by(4) {
        one.batch = Some(BATCH);
    }
    factory.insert(&*store, &all).await;
    let mut hits = 0;
    for scope in scopes() {
        for filter in filters() {
            let what = format!("{scope:?}, {filter:?}");
            let expected = expected(&all, &scope, &filter);
            hits += usize::from(!expected.is_empty());
            for limit in [2, 200] {
                let found = all_invitations(&*store, &scope, &filter, limit).await;
                assert_same(&found, &expected, &what);
            }
            let counts = store.count(&scope, &filter, 1_000).await.expect("the store counts");
            assert_eq!(counts, counts_of(&expected, &filter, 1_000), "counted: {what}");
        }
    }
    assert!(hits > 30, "most find something: {hits}");
}

/// Returns each filter alone, and some combined.
fn filters() -> Vec<Filter> {
    let role = |name: &str| Some(Role::new(name).expect("a role"));
    let by = |id: &str| Some(UserId::new(id).expect("a user"));
    let search = |text: &str| Some(Search::parse(text, &CodeFormat::default()).expect("a search"));
    let [soon, end] = [read_time(), later(read_time(), 2)].map(Some);
    let expires = [
        TimeRange { from: None, until: end },
        TimeRange { from: end, until: None },
        TimeRange { from: soon, until: end },
        TimeRange { from: end, until: soon },
    ];
    let created = TimeRange { from: Some(later(start(), -45)), until: None };
    let mut filters: Vec<_> =
        [-5, 0, 1, 2].map(|by| Filter { now: later(read_time(), by), ..soonest() }).into();
    filters.extend(expires.map(|expires| Filter { expires, ..soonest() }));
    for name in ["staff", "Staff", "admin"] {
        filters.push(Filter { role: role(name), ..soonest() });
    }
    for id in ["u-admin", "u-1", "u-10", "U-1"] {
        filters.push(Filter { inviter: by(id), ..soonest() });
        filters.push(Filter { inviter: by(id), expires: expires[0], ..soonest() });
    }
    for text in ["anna", "example com", "j.smith@example.com", "absent"] {
        filters.push(Filter { search: search(text), ..soonest() });
        filters.push(Filter { search: search(text), created, role: role("staff"), ..soonest() });
    }
    filters.push(Filter { created, ..soonest() });
    filters.push(Filter { batch: Some(BATCH), ..soonest() });
    filters
}

/// If invitations are extended, used or revoked between two pages, every other invitation
/// appears once and in order.
pub async fn changed_expiry_between_pages_moves_no_other_invitation(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let week = factory.invitation().expires_at;
    // Three invitations share each instant.
    let row = |n: i64| Record { expires_at: later(week, n / 3 * 10), ..factory.invitation() };
    let mut rows: Vec<_> = (0..24).map(row).collect();
    factory.insert(&*store, &rows).await;
    rows.sort_by_key(|row| (row.expires_at, row.id));
    let expire = |row: &Record, micros| {
        let expires_at = Some(later(week, micros));
        let terms = NewTerms { binding: None, role: None, expires_at };
        factory.transition(Command::Amend { current: row, terms })
    };
    let id = rows[20].id;
    let revoke = factory.transition(Command::Revoke { id, reason: None });
    let changes = [
        expire(&rows[1], 1_000),
        expire(&rows[9], 2_000),
        expire(&rows[15], -10),
        factory.default_redeem(&rows[7], &newcomer("anna")),
        revoke,
    ];
    let filter = Filter { now: start(), ..soonest() };
    let (mut seen, mut page) = (Vec::new(), PageRequest { after: None, limit: 4 });
    let mut changes = changes.iter();
    loop {
        let listing = store.list(&Scope::All, &filter, &page).await.expect("the store lists");
        seen.extend(listing.items.into_iter().map(|one| one.id));
        page.after = listing.next;
        if page.after.is_none() {
            break;
        }
        if let Some(change) = changes.next() {
            assert!(matches!(apply(&*store, change).await, Outcome::Applied(_)), "changed");
        }
        assert!(seen.len() < 200, "the list must end");
    }
    assert_eq!(changes.next(), None, "all changes were made");
    let touched = [1, 7, 9, 15, 20].map(|n| rows[n].id);
    seen.retain(|id| !touched.contains(id));
    let expected = rows.iter().map(|row| row.id).filter(|id| !touched.contains(id));
    assert!(seen.iter().copied().eq(expected), "each once, in order: {seen:?}");
}
