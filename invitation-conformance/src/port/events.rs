//! The audit trail: newest first, filtered, within the scope, page by page.

use invitation_core::{
    Action, CorrelationId, Event, EventFilter, EventOutcome, InvitationId, OutcomeFilter,
    PageRequest, Performer, Reason, RequestContext, Scope, Store, TimeRange, Username,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        reads::all_events,
        samples::{division, later, role, start, user},
    },
};

/// Returns a mixed trail about three invitations.
fn mixed(factory: &Factory, about: &[InvitationId; 3]) -> Vec<Event> {
    let actions = [Action::Redeem, Action::View, Action::Copy, Action::Audit];
    let places = [Some("sales"), Some("hr"), None, Some("Sales")];
    // They differ by case and by what follows a common beginning.
    let requests = [Some("req-1"), None, Some("Req-1"), Some("req-1 x"), Some("req-"), None, None];
    (0..90_usize)
        .map(|n| Event {
            performer: match n % 5 {
                0 => Performer::System { name: None },
                1 => Performer::Redeemer {
                    user: user("u-anna"),
                    username: Username::new("bob").expect("a username"),
                },
                2 => Performer::Redeemer {
                    user: user("u-bob"),
                    username: Username::new("u-anna").expect("a username"),
                },
                3 => Performer::Actor { user: user("u-anna"), role: role("u-bob"), name: None },
                _ => Performer::Actor { user: user("U-anna"), role: role("admin"), name: None },
            },
            outcome: EventOutcome::ALL[n % 3],
            reason: (n % 3 > 0).then_some(Reason::Used),
            invitation: about.get(n % 4).copied(),
            division: places[(n / 2) % 4].map(division),
            context: RequestContext { correlation: requests[n % 7].map(correlation), source: None },
            ..factory
                .event(actions[(n / 3) % 4], later(start(), i64::try_from(n * 7 % 20).unwrap_or(0)))
        })
        .collect()
}

fn correlation(id: &str) -> CorrelationId {
    CorrelationId::new(id).expect("a correlation id")
}

fn filters(about: InvitationId) -> Vec<EventFilter> {
    let all = EventFilter::default();
    let (from, until) = (Some(later(start(), 5)), Some(later(start(), 12)));
    let mut filters = vec![
        all.clone(),
        EventFilter { invitation: Some(about), ..all.clone() },
        EventFilter { at: TimeRange { from, until: None }, ..all.clone() },
        EventFilter { at: TimeRange { from: None, until }, ..all.clone() },
        EventFilter { at: TimeRange { from, until }, ..all.clone() },
        EventFilter { at: TimeRange { from, until: from }, ..all.clone() },
    ];
    for name in ["u-anna", "u-bob", "U-anna", "bob", "u-ann", "u-an%"] {
        filters.push(EventFilter { user: Some(user(name)), ..all.clone() });
    }
    filters.extend(
        Action::ALL.iter().map(|action| EventFilter { action: Some(*action), ..all.clone() }),
    );
    for request in ["req-1", "Req-1", "req-1 x", "req-", "req", "req-%"] {
        let of_request = EventFilter { correlation: Some(correlation(request)), ..all.clone() };
        filters.extend([
            EventFilter { invitation: Some(about), ..of_request.clone() },
            EventFilter { user: Some(user("u-anna")), ..of_request.clone() },
            EventFilter { at: TimeRange { from, until }, ..of_request.clone() },
            of_request,
        ]);
    }
    for outcome in OutcomeFilter::all() {
        let with_outcome = EventFilter { outcome: Some(outcome), ..all.clone() };
        filters.extend([
            EventFilter {
                user: Some(user("u-anna")),
                invitation: Some(about),
                ..with_outcome.clone()
            },
            EventFilter {
                action: Some(Action::View),
                at: TimeRange { from, until },
                ..with_outcome.clone()
            },
            with_outcome,
        ]);
    }
    filters
}

/// Events are returned newest first, ties broken by id, each once, in pages of any
/// length. Each filter matches what [`EventFilter::matches`] matches. A division's scope
/// contains only the events of that division.
pub async fn every_event_filter_matches_the_specification(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let about = [factory.invitation_id(), factory.invitation_id(), factory.invitation_id()];
    let mut events = mixed(&factory, &about);
    store.record(&events).await.expect("the store records");
    events.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    let scopes = [None, Some("sales"), Some("Sales"), Some("hr"), Some("nowhere")];
    for within in scopes.map(|name| name.map(division)) {
        let scope = within.clone().map_or(Scope::All, Scope::Division);
        let seen = |event: &&Event| within.is_none() || event.division == within;
        for filter in filters(about[0]) {
            let expected: Vec<_> =
                events.iter().filter(seen).filter(|event| filter.matches(event)).cloned().collect();
            let found = all_events(&*store, &scope, &filter, 40).await;
            assert_eq!(found, expected, "{scope:?}, {filter:?}");
        }
        let expected: Vec<_> = events.iter().filter(seen).cloned().collect();
        for limit in [1, 2, 3, 7, 200] {
            let found = all_events(&*store, &scope, &EventFilter::default(), limit).await;
            assert_eq!(found, expected, "{scope:?} in pages of {limit}");
        }
    }
}

/// Events written between page requests neither repeat nor hide the existing ones.
pub async fn event_between_pages_neither_repeats_nor_hides_events(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut next = 0;
    let mut write = async || {
        next += 1;
        let event = factory.event(Action::View, later(start(), next / 4));
        store.record(std::slice::from_ref(&event)).await.expect("the store records");
        event
    };
    let mut events = Vec::new();
    for _ in 0..20 {
        events.push(write().await);
    }
    let filter = EventFilter::default();
    let (mut seen, mut page) = (Vec::new(), PageRequest { after: None, limit: 3 });
    loop {
        let listing = store.events(&Scope::All, &filter, &page).await.expect("the store reads");
        seen.extend(listing.items);
        page.after = listing.next;
        if listing.next.is_none() {
            break;
        }
        write().await;
    }
    events.reverse();
    assert_eq!(seen, events, "those of the beginning, each once, in order");
}
