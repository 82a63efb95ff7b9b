//! Lists: newest first, page by page, without duplicates or gaps.

use invitation_core::{
    BatchId, Filter, PageRequest, Record, Revocation, Role, Scope, Status, StatusCounts, Store,
    TimeRange, UserId,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        population::{matching, population, read_time},
        reads::all_invitations,
        samples::{division, later, start},
    },
};

/// Pages of any length, concatenated, form the whole list: newest first, ties broken by
/// id, each item once. Tombstones are absent.
pub async fn pages_contain_every_invitation_once_newest_first(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let all = population(&factory, 90);
    factory.insert(&*store, &all).await;
    let (sales, filter) = (Scope::Division(division("sales")), Filter::all(read_time()));
    for scope in [Scope::All, sales] {
        let expected =
            matching(&all, |one| scope.contains(&one.division) && filter.matches(one, []));
        assert!(expected.len() > 20, "the population is large enough");
        for limit in [1, 2, 3, 7, 50, 200] {
            let found = all_invitations(&*store, &scope, &filter, limit).await;
            assert_same(&found, &expected, &format!("{scope:?} in pages of {limit}"));
        }
    }
}

/// A page that contains exactly the remaining items is the last one.
pub async fn last_page_has_no_next(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let page = |limit| PageRequest { after: None, limit };
    let filter = Filter::all(start());
    let empty = store.list(&Scope::All, &filter, &page(1)).await.expect("the store lists");
    assert_eq!((empty.items.len(), empty.next), (0, None), "of an empty store");
    factory.insert(&*store, &[factory.invitation(), factory.invitation()]).await;
    for limit in [1, 2, 3] {
        let found = all_invitations(&*store, &Scope::All, &filter, limit).await;
        assert_eq!(found.len(), 2, "in pages of {limit}");
    }
}

/// Inserting invitations between page requests neither repeats nor hides the existing
/// ones.
pub async fn insert_between_pages_neither_repeats_nor_hides_items(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let row = |micros| Record { created_at: later(start(), micros), ..factory.invitation() };
    // Four invitations share each instant.
    let rows: Vec<_> = (0..20).map(|n| row(n / 4 * 10)).collect();
    factory.insert(&*store, &rows).await;
    let filter = Filter::all(start());
    let (mut seen, mut page) = (Vec::new(), PageRequest { after: None, limit: 3 });
    loop {
        let listing = store.list(&Scope::All, &filter, &page).await.expect("the store lists");
        seen.extend(listing.items);
        page.after = listing.next;
        let Some(next) = listing.next else { break };
        // One sorts before the cursor's position, one has exactly its instant, one sorts
        // after it.
        let here = next.at.as_micros() - start().as_micros();
        factory.insert(&*store, &[row(1_000), row(here), row(here - 1)]).await;
        assert!(seen.len() < 200, "the list must end");
    }
    let mut ids: Vec<_> = seen.iter().map(|one| (one.created_at, one.id)).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "in order, and nothing twice");
    ids.retain(|(_, id)| rows.iter().any(|row| row.id == *id));
    assert_eq!(ids.len(), rows.len(), "all that were there from the beginning are seen");
    assert!(seen.iter().all(|one| one.created_at < later(start(), 1_000)), "no newer ones");
}

/// Each filter, alone and combined, matches what [`Filter::matches`] matches. Counts
/// agree with lists.
pub async fn every_filter_matches_the_specification(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let all = population(&factory, 120);
    factory.insert(&*store, &all).await;
    for scope in
        [Scope::All, Scope::Division(division("sales")), Scope::Division(division("Sales"))]
    {
        for filter in filters() {
            let what = format!("{scope:?}, {filter:?}");
            let expected =
                matching(&all, |one| scope.contains(&one.division) && filter.matches(one, []));
            let found = all_invitations(&*store, &scope, &filter, 200).await;
            assert_same(&found, &expected, &what);
            let counts = store.count(&scope, &filter, 1_000).await.expect("the store counts");
            assert_eq!(counts, counts_of(&expected, &filter, 1_000), "counted: {what}");
        }
    }
    let hits = |filter: &Filter| all.iter().filter(|one| filter.matches(one, [])).count();
    assert!(filters().iter().filter(|filter| hits(filter) > 0).count() > 40, "most find something");
}

/// The count of each status is exact up to the cap. Beyond the cap it is the cap plus
/// one.
pub async fn counts_stop_at_one_beyond_the_cap(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let all = population(&factory, 90);
    factory.insert(&*store, &all).await;
    let filter = Filter::all(read_time());
    let living = matching(&all, |one| filter.matches(one, []));
    let exact = counts_of(&living, &filter, 1_000);
    assert!(Status::ALL.iter().all(|status| exact.of(*status) > 3), "{exact:?}");
    let caps = Status::ALL.iter().flat_map(|status| {
        let n = exact.of(*status);
        [n - 1, n, n + 1]
    });
    for cap in caps.chain([1, 2, 3, 10_000]) {
        let counts = store.count(&Scope::All, &filter, cap).await.expect("the store counts");
        assert_eq!(counts, counts_of(&living, &filter, cap), "up to {cap}");
    }
}

/// Returns the expected counts: the specification of a count.
pub(super) fn counts_of(found: &[Record], filter: &Filter, cap: u32) -> StatusCounts {
    let mut counts = StatusCounts::up_to(cap);
    for one in found {
        counts.add(one.status(filter.now), 1);
    }
    counts
}

/// Returns each filter alone, at several instants, and many combined.
fn filters() -> Vec<Filter> {
    let all = Filter::all(read_time());
    let nows = [-5, -1, 0, 1, 2].map(|by| later(read_time(), by));
    let statuses: Vec<_> =
        [None].into_iter().chain(Status::ALL.iter().copied().map(Some)).collect();
    let role = |name: &str| Some(Role::new(name).expect("a role"));
    let by = |id: &str| Some(UserId::new(id).expect("a user"));
    let spans = |middle| {
        let (from, until) = (Some(middle), Some(later(middle, 2)));
        [
            TimeRange { from, until: None },
            TimeRange { from: None, until: Some(middle) },
            TimeRange { from, until },
            TimeRange { from, until: from },
            TimeRange { from: until, until: from },
        ]
    };
    let (created, expires) = (spans(later(start(), -45)), spans(read_time()));
    let mut filters = vec![all.clone()];
    for now in nows {
        filters.extend(statuses.iter().map(|status| Filter {
            now,
            status: *status,
            ..all.clone()
        }));
    }
    for name in ["staff", "Staff", "manager", "admin", "STAFF"] {
        filters.push(Filter { role: role(name), ..all.clone() });
    }
    for id in ["u-admin", "u-1", "u-10", "u-2", "U-1"] {
        filters.push(Filter { inviter: by(id), ..all.clone() });
    }
    filters.extend(created.map(|created| Filter { created, ..all.clone() }));
    filters.extend(expires.map(|expires| Filter { expires, ..all.clone() }));
    for status in &statuses {
        for span in [0, 2] {
            let together = Filter {
                status: *status,
                created: created[span],
                role: role("staff"),
                ..all.clone()
            };
            filters.extend([
                Filter { inviter: by("u-1"), ..together.clone() },
                Filter { expires: expires[1 - span / 2], ..together.clone() },
                together,
            ]);
        }
    }
    filters
}

#[track_caller]
pub(super) fn assert_same(found: &[Record], expected: &[Record], what: &str) {
    let ids = |list: &[Record]| list.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(found), ids(expected), "which, and in which order: {what}");
    assert!(found == expected, "each as it is stored: {what}");
}

/// A batch filter matches exactly that batch, alone and combined with other filters.
pub async fn batch_filter_matches_exactly_that_batch(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let batch = |n: u8| {
        BatchId::from_bytes(
            [[0, 0, 0, n], [1, 2, 3, n]].concat().repeat(2).try_into().expect("16 bytes"),
        )
    };
    let rows: Vec<_> = (0..60)
        .map(|n| Record {
            batch: [None, Some(batch(1)), Some(batch(2)), Some(batch(1))][n % 4],
            division: division(["sales", "hr", "Sales"][n % 3]),
            revocation: (n % 5 == 0).then(|| Revocation { at: start(), reason: None }),
            deleted_at: (n % 7 == 0).then(start),
            ..factory.invitation()
        })
        .collect();
    factory.insert(&*store, &rows).await;
    for scope in [Scope::All, Scope::Division(division("sales"))] {
        for wanted in [batch(1), batch(2), batch(3)] {
            for status in [None, Some(Status::Revoked)] {
                let filter = Filter { batch: Some(wanted), status, ..Filter::all(start()) };
                let meant = |one: &Record| scope.contains(&one.division) && filter.matches(one, []);
                let expected = matching(&rows, meant);
                let found = all_invitations(&*store, &scope, &filter, 3).await;
                assert_same(&found, &expected, &format!("{filter:?}"));
                let counts = store.count(&scope, &filter, 100).await.expect("the store counts");
                let counted: u32 = Status::ALL.iter().map(|status| counts.of(*status)).sum();
                assert_eq!(usize::try_from(counted), Ok(expected.len()), "{filter:?}");
            }
        }
    }
}
