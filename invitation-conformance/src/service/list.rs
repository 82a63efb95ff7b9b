//! Lists through the service: the criteria an actor can give, in plain cases.

use std::sync::Arc;

use invitation_core::{
    Action, Actor, Binding, Criteria, Cursor, Error, EventCriteria, FieldError, Invitations,
    Inviter, Limits, Paging, Record, Revocation, Status, TimeRange,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::Harness,
        samples::{admin, division, domain, email, later, manager, role, user},
        short_pages::ShortPages,
    },
};

/// Stores `rows` one microsecond apart, so that lists return them in reverse order.
async fn store_in_order(harness: &Harness, factory: &Factory, rows: Vec<Record>) -> Vec<Record> {
    let rows: Vec<_> = (0..)
        .zip(rows)
        .map(|(n, row)| Record { created_at: later(harness.now(), n - 100), ..row })
        .collect();
    factory.insert(&*harness.store, &rows).await;
    rows
}

/// Returns the indexes in `rows` of the listed invitations, in ascending order.
async fn positions(harness: &Harness, actor: &Actor, of: &Criteria, rows: &[Record]) -> Vec<usize> {
    let page = harness.service.list(actor, of, Paging::default()).await.expect("may list");
    let place = |id| rows.iter().position(|row| row.id == id).expect("one of the rows");
    page.items().iter().rev().map(|item| place(item.invitation().id())).collect()
}

/// Each criterion restricts a list to the invitations it names, and criteria are combined
/// with *and*. A manager sees only their own division.
pub async fn each_criterion_narrows_the_list(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let (now, tick) = (harness.now(), |n| later(harness.now(), n));
    let by = |id: &str| Inviter::User { user: user(id), role: role("admin"), name: None };
    let rows = vec![
        /* 0 */ factory.invitation(),
        /* 1 */
        Record { uses: 1, last_use: Some(factory.redemption("zoe", now)), ..factory.invitation() },
        /* 2 */
        Record { expires_at: now, role: role("manager"), ..factory.invitation() },
        /* 3 */
        Record { revocation: Some(Revocation { at: now, reason: None }), ..factory.invitation() },
        /* 4 */
        Record { expires_at: tick(1), inviter: by("u-mia"), ..factory.invitation() },
        /* 5 */
        Record { division: division("hr"), inviter: Inviter::System, ..factory.invitation() },
        /* 6 */ Record { deleted_at: Some(now), ..factory.invitation() },
        /* 7 */
        Record { division: division("hr"), role: role("manager"), ..factory.invitation() },
    ];
    let rows = store_in_order(&harness, &factory, rows).await;
    let all = Criteria::new;
    let span = |from, until| TimeRange { from, until };
    let created = |n: usize| Some(rows[n].created_at);
    let table = [
        (all(), vec![0, 1, 2, 3, 4, 5, 7]),
        (all().with_status(Status::Active), vec![0, 4, 5, 7]),
        (all().with_status(Status::Used), vec![1]),
        (all().with_status(Status::Expired), vec![2]),
        (all().with_status(Status::Revoked), vec![3]),
        (all().with_role(role("manager")), vec![2, 7]),
        (all().with_role(role("Manager")), vec![]),
        (all().in_division(division("hr")), vec![5, 7]),
        (all().in_division(division("HR")), vec![]),
        (all().by_inviter(user("u-mia")), vec![4]),
        (all().created_within(span(created(2), created(5))), vec![2, 3, 4]),
        (all().created_within(span(created(4), None)), vec![4, 5, 7]),
        (all().created_within(span(None, created(1))), vec![0]),
        (all().expiring_within(span(Some(now), Some(tick(1)))), vec![2]),
        (all().expiring_within(span(Some(tick(1)), Some(tick(2)))), vec![4]),
        (all().with_status(Status::Active).in_division(division("hr")), vec![5, 7]),
        (
            all()
                .with_status(Status::Active)
                .in_division(division("hr"))
                .with_role(role("manager")),
            vec![7],
        ),
    ];
    for (criteria, expected) in table {
        let found = positions(&harness, &admin(), &criteria, &rows).await;
        assert_eq!(found, expected, "{criteria:?}");
        let counts = harness.service.counts(&admin(), &criteria).await.expect("may count");
        for status in Status::ALL {
            let n = expected.iter().filter(|place| rows[**place].status(now) == *status).count();
            let n = u32::try_from(n).expect("a small number");
            assert_eq!(counts.of(*status), n, "{status} of {criteria:?}");
        }
    }
    let own = positions(&harness, &manager("hr"), &all(), &rows).await;
    assert_eq!(own, [5, 7], "the manager of hr");
}

/// Each search term matches the beginning of a term of the address, or of a term of *Used
/// By*. A whole address matches that address. No other field is searched, and no
/// character acts as a pattern.
pub async fn search_matches_terms_of_address_and_used_by(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let used_by = |name: &str| {
        let last = invitation_core::Redemption {
            username: invitation_core::Username::new(name).expect("a username"),
            ..factory.redemption("somebody", harness.now())
        };
        Record { uses: 1, last_use: Some(last), ..factory.invitation() }
    };
    let rows = vec![
        /* 0 */
        Record {
            binding: Binding::Address(email("Anna.Lind+hr@Example.com")),
            ..factory.invitation()
        },
        /* 1 */
        Record { binding: Binding::Domain(domain("example.com")), ..factory.invitation() },
        /* 2 */ used_by("Zo\u{eb} Lindgren"),
        /* 3 */ used_by("100%_real anna"),
        /* 4 */
        Record { role: role("lind"), division: division("anna"), ..factory.invitation() },
        /* 5 */
        Record { binding: Binding::Address(email("j.smith@exämple.com")), ..used_by("李 7") },
        /* 6 */ used_by("J.Smith@XN--EXMPLE-CUA.com"),
        /* 7 */ used_by("O'Neil Jean-Luc STRASSE"),
    ];
    let rows = store_in_order(&harness, &factory, rows).await;
    for (search, expected) in [
        ("anna", vec![0, 3]),
        ("ANNA", vec![0, 3]),
        ("an", vec![0, 3]),
        ("nna", vec![]),
        ("_nna", vec![]),
        ("%nna", vec![]),
        ("an%", vec![0, 3]),
        ("lind", vec![0, 2]),
        ("li%nd", vec![]),
        ("lind anna", vec![0]),
        ("an li hr ex co", vec![0]),
        ("anna zoe", vec![]),
        ("anna.lind+hr@example.com", vec![0]),
        ("example", vec![0]),
        ("lind@example.com", vec![]),
        ("j.smith@exämple.com", vec![5, 6]),
        ("J.SMITH@exa\u{308}mple.com", vec![5, 6]),
        ("smith@exämple.com", vec![]),
        ("j.smith", vec![5, 6]),
        ("j", vec![5, 6]),
        ("sm j", vec![5, 6]),
        ("s j", vec![]),
        ("李", vec![5]),
        ("7 李", vec![5]),
        ("李 smith", vec![]),
        ("o'neil", vec![7]),
        ("jean-luc", vec![7]),
        ("LUC o neil jean", vec![7]),
        ("straße", vec![7]),
        ("ｊｅａｎ\u{200b}", vec![7]),
        ("an li hr ex co anna lind h", vec![]),
        ("an li hr ex co anna lind exam examp e com c hr", vec![]),
        ("an li hr ex co anna lind exam examp com hr", vec![0]),
        ("zo\u{eb}", vec![2]),
        ("ZOE\u{308}", vec![2]),
        ("zoe", vec![]),
        ("100", vec![3]),
        ("100%", vec![3]),
        ("real", vec![3]),
    ] {
        let criteria = Criteria::new().matching(search);
        let found = positions(&harness, &admin(), &criteria, &rows).await;
        assert_eq!(found, expected, "the search {search:?}");
    }
}

/// All pages of a list derive the status at the time of the first page. A cursor can be
/// parsed from its text and does not extend the reach of the actor who presents it.
pub async fn pages_share_the_time_of_the_first_page(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let dying = || Record { expires_at: later(harness.now(), 1), ..factory.invitation() };
    let foreign = || Record { division: division("hr"), ..factory.invitation() };
    let rows = vec![dying(), foreign(), dying(), foreign(), dying(), foreign()];
    let rows = store_in_order(&harness, &factory, rows).await;
    let criteria = Criteria::new().with_status(Status::Active);
    let first = Paging::first(2).expect("a page of two");
    let page = harness.service.list(&admin(), &criteria, first).await.expect("may list");
    assert_eq!(page.items().len(), 2, "the first page");
    let cursor: Cursor = page.next().expect("more follow").to_string().parse().expect("its text");

    harness.clock.advance(time::Duration::SECOND);
    let rest = Paging::first(9).expect("a page of nine").after(cursor);
    let page = harness.service.list(&admin(), &criteria, rest).await.expect("may list");
    let ids = |page: &invitation_core::Page<invitation_core::InvitationView>| -> Vec<_> {
        page.items().iter().map(|item| item.invitation().id()).collect()
    };
    assert_eq!(
        ids(&page),
        [rows[3].id, rows[2].id, rows[1].id, rows[0].id],
        "as of the first page"
    );
    assert!(page.items().iter().all(|item| item.status() == Status::Active), "judged as of then");
    let page = harness.service.list(&manager("sales"), &criteria, rest).await.expect("may list");
    assert_eq!(ids(&page), [rows[2].id, rows[0].id], "by a manager: of the own division");
    let now = harness.service.list(&admin(), &criteria, first).await.expect("may list");
    assert_eq!(ids(&now), [rows[5].id, rows[3].id], "a new list is judged anew");

    // A number of days is counted from the first page, too.
    let soon = criteria.expiring_in(1);
    let page = harness.service.list(&admin(), &soon, rest).await.expect("may list");
    assert_eq!(ids(&page), [rows[2].id, rows[0].id], "counted from the first page");
    let page = harness.service.list(&admin(), &soon, first).await.expect("may list");
    assert_eq!(ids(&page), [], "counted from now");
}

/// A page of a list is full unless the list ends, although the store returns short and empty
/// pages.
pub async fn pages_are_full_although_the_store_returns_short_ones(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let row =
        |n: usize| Record { role: role(["staff", "manager"][n % 4 / 3]), ..factory.invitation() };
    let rows = store_in_order(&harness, &factory, (0..40).map(row).collect()).await;
    let criteria = Criteria::new().with_role(role("manager"));
    for candidates in [1, 3, 8, 50] {
        let short = Arc::new(ShortPages::new(Arc::clone(&harness.store), candidates));
        let service = Invitations::new(Arc::clone(&short)).with_clock(harness.clock.clone());
        let (mut found, mut paging) = (Vec::new(), Paging::first(2).expect("a page of two"));
        loop {
            let page = service.list(&admin(), &criteria, paging).await.expect("may list");
            found.extend(page.items().iter().map(|item| item.invitation().id()));
            assert!((1..=Limits::MAX_LIST_CALLS).contains(&short.take_calls()), "calls");
            let Some(next) = page.next() else { break };
            assert_eq!(page.items().len(), 2, "{candidates} candidates a page");
            paging = Paging::first(2).expect("a page of two").after(next);
        }
        let expected: Vec<_> =
            rows.iter().rev().filter(|row| row.role == role("manager")).collect();
        assert!(found.iter().eq(expected.iter().map(|row| &row.id)), "{candidates} candidates");
    }
}

/// If matches are so rare that the calls to the store for one page are used up, the page is
/// short, and its cursor leads to the rest. The same holds for the audit trail.
pub async fn page_is_short_once_the_calls_to_the_store_are_used_up(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let row =
        |n: usize| Record { role: role(["manager", "staff"][n.min(1)]), ..factory.invitation() };
    let rows = store_in_order(&harness, &factory, (0..40).map(row).collect()).await;
    let short = Arc::new(ShortPages::new(Arc::clone(&harness.store), 3));
    let service = Invitations::new(Arc::clone(&short)).with_clock(harness.clock.clone());
    let paging = Paging::first(9).expect("a page of nine");

    let criteria = Criteria::new().with_role(role("manager"));
    let page = service.list(&admin(), &criteria, paging).await.expect("may list");
    assert_eq!((page.items().len(), short.take_calls()), (0, Limits::MAX_LIST_CALLS));
    let rest = paging.after(page.next().expect("the oldest is not reached"));
    let page = service.list(&admin(), &criteria, rest).await.expect("may list");
    let found: Vec<_> = page.items().iter().map(|item| item.invitation().id()).collect();
    assert_eq!((found, page.next()), (vec![rows[0].id], None), "the oldest");

    short.take_calls();
    let criteria = EventCriteria::new().of_action(Action::Delete);
    let (mut pages, mut paging) = (0, paging);
    loop {
        let page = service.events(&admin(), &criteria, paging).await.expect("may read");
        assert_eq!(page.items(), [], "nothing was deleted");
        pages += 1;
        let Some(next) = page.next() else { break };
        assert_eq!(short.take_calls(), Limits::MAX_LIST_CALLS, "page {pages}");
        paging = paging.after(next);
    }
    assert_eq!(pages, 2, "there are forty events");
}

/// The order of expiry lists active invitations only, and is refused with another status. So
/// is a count and a revocation of all.
pub async fn order_of_expiry_lists_active_invitations_only(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let now = harness.now();
    let until = |n| Record { expires_at: later(now, n), ..factory.invitation() };
    let rows = vec![
        /* 0 */ until(3),
        /* 1 */ until(1),
        /* 2 */ until(0),
        /* 3 */
        Record { revocation: Some(Revocation { at: now, reason: None }), ..until(2) },
        /* 4 */ Record { division: division("hr"), ..until(2) },
        /* 5 */ until(9),
    ];
    let rows = store_in_order(&harness, &factory, rows).await;
    let soonest = Criteria::new().soonest_expiry_first();
    let within = TimeRange { from: None, until: Some(later(now, 9)) };
    for (actor, criteria, expected) in [
        (admin(), soonest.clone(), &[1, 4, 0, 5][..]),
        (admin(), soonest.clone().with_status(Status::Active), &[1, 4, 0, 5]),
        (admin(), soonest.clone().expiring_within(within), &[1, 4, 0]),
        (manager("sales"), soonest.clone(), &[1, 0, 5]),
        (manager("hr"), soonest.clone(), &[4]),
    ] {
        let page = harness.service.list(&actor, &criteria, Paging::default()).await;
        let page = page.expect("may list");
        let ids = page.items().iter().map(|item| item.invitation().id());
        assert!(ids.eq(expected.iter().map(|n| rows[*n].id)), "{criteria:?}");
        let counts = harness.service.counts(&actor, &criteria).await.expect("may count");
        assert_eq!(usize::try_from(counts.of(Status::Active)), Ok(expected.len()), "{criteria:?}");
    }
    for status in [Status::Used, Status::Expired, Status::Revoked] {
        let other = soonest.clone().with_status(status);
        let (by, paging) = (admin(), Paging::default());
        let errors = [
            harness.service.list(&by, &other, paging).await.err(),
            harness.service.export(&by, &other, paging).await.err(),
            harness.service.counts(&by, &other).await.err(),
            harness.service.revoke_all(&by, &other, None, paging).await.err(),
        ];
        for error in errors {
            let Some(Error::Invalid(error)) = error else { panic!("{status}: {error:?}") };
            let fields: Vec<_> = error.errors().iter().map(FieldError::field).collect();
            assert_eq!(fields, ["sort"], "{status}");
        }
    }
}

/// A cursor belongs to the order of its list: a list in another order refuses it.
pub async fn cursor_of_another_order_is_refused(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    store_in_order(&harness, &factory, (0..4).map(|_| factory.invitation()).collect()).await;
    let newest = Criteria::new().with_status(Status::Active);
    let soonest = newest.clone().soonest_expiry_first();
    let first = Paging::first(3).expect("a page of three");
    for (criteria, other) in [(&newest, &soonest), (&soonest, &newest)] {
        let page = harness.service.list(&admin(), criteria, first).await.expect("may list");
        let next = first.after(page.next().expect("one more follows"));
        let rest = harness.service.list(&admin(), criteria, next).await.expect("may list");
        assert_eq!((rest.items().len(), rest.next()), (1, None), "{criteria:?}");
        let refused = harness.service.list(&admin(), other, next).await;
        let Err(Error::Invalid(error)) = refused else { panic!("{other:?}: {refused:?}") };
        assert!(error.errors().iter().all(|error| error.field() == "cursor"), "{error:?}");
    }
}
