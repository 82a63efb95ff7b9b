//! Every kind of tampering with the events of a store is found, at its place and by its field.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use invitation_audit::{FindingKind, MemoryLog, Subject, Verdict, Verifier, verify_store};
use invitation_core::{
    Division, InvitationId, Role, Timestamp, UserId, Username,
    audit::{
        Action, CorrelationId, Event, EventId, EventOutcome, Performer, Reason, Source, SystemName,
    },
    feed::{FeedEpoch, FeedEvent, FeedPosition},
};

use self::support::{ListFeed, event, events, performers, position, seal_all, sealed, sealer};

const COUNT: u64 = 20;
const PAGE: u32 = 8;

/// Seals the events, then compares a store that has others.
async fn report(
    sealed_events: Vec<FeedEvent>,
    stored: Vec<FeedEvent>,
) -> invitation_audit::StoreReport {
    let (records, anchor) = sealed(sealed_events, PAGE).await;
    let log: MemoryLog = records.into_iter().collect();
    let verifier = Verifier::new([support::public()]).with_anchor(&anchor).unwrap();
    verify_store(ListFeed::new(stored), log, verifier).await.unwrap()
}

async fn found(stored: Vec<FeedEvent>) -> (FindingKind, u64, Vec<&'static str>) {
    match report(events(COUNT), stored).await.verdict {
        Verdict::Tampered(finding) => {
            assert_eq!(finding.subject, Subject::Store);
            assert_eq!(finding.entries.end, finding.entries.start + 1, "the place is exact");
            (finding.kind, finding.entries.start, finding.fields)
        }
        intact @ (Verdict::Valid { .. } | Verdict::Unanchored { .. }) => panic!("{intact}"),
    }
}

/// Changes each field of an event in turn.
fn altered_fields(event: &Event) -> Vec<(Vec<&'static str>, Event)> {
    let mut all = Vec::new();
    let mut changed = |fields: &[&'static str], change: &dyn Fn(&mut Event)| {
        let mut altered = event.clone();
        change(&mut altered);
        if altered != *event {
            all.push((fields.to_vec(), altered));
        }
    };
    changed(&["id"], &|event| event.id = EventId::from_bytes([250; 16]));
    changed(&["at"], &|event| {
        event.at = Timestamp::from_micros(event.at.as_micros() - 1).unwrap();
    });
    for action in Action::ALL {
        changed(&["action"], &|event| event.action = *action);
    }
    for outcome in EventOutcome::ALL {
        changed(&["outcome"], &|event| event.outcome = *outcome);
    }
    for reason in Reason::ALL.iter().copied().map(Some).chain([None]) {
        changed(&["reason"], &|event| event.reason = reason);
    }
    for id in [None, Some(InvitationId::from_bytes([251; 16]))] {
        changed(&["invitation"], &|event| event.invitation = id);
    }
    for division in [None, Some(Division::new("operations").unwrap())] {
        changed(&["division"], &|event| event.division.clone_from(&division));
    }
    for id in [None, Some(CorrelationId::new("request-8").unwrap())] {
        changed(&["correlation"], &|event| event.context.correlation.clone_from(&id));
    }
    for source in [None, Some(Source::new("192.0.2.2").unwrap())] {
        changed(&["source"], &|event| event.context.source.clone_from(&source));
    }
    let (user, other) = (UserId::new("u-1").unwrap(), UserId::new("u-2").unwrap());
    match &event.performer {
        Performer::System { .. } => {
            changed(&["name"], &|event| {
                let name = Some(SystemName::new("reminder").unwrap());
                event.performer = Performer::System { name };
            });
        }
        Performer::Actor { role, .. } => {
            let role = role.clone();
            let staff = Role::new("staff").unwrap();
            let actor = |user: &UserId, role: &Role| Performer::Actor {
                user: user.clone(),
                role: role.clone(),
                name: None,
            };
            changed(&["user"], &|event| event.performer = actor(&other, &role));
            changed(&["role"], &|event| event.performer = actor(&user, &staff));
            changed(&["name"], &|event| {
                let (user, role) = (user.clone(), role.clone());
                let name = Some(Username::new("ben").unwrap());
                event.performer = Performer::Actor { user, role, name };
            });
            changed(&["user", "role"], &|event| event.performer = Performer::System { name: None });
        }
        Performer::Redeemer { username, .. } => {
            let (username, ben) = (username.clone(), Username::new("ben").unwrap());
            changed(&["user"], &|event| {
                let (user, username) = (other.clone(), username.clone());
                event.performer = Performer::Redeemer { user, username };
            });
            changed(&["name"], &|event| {
                let (user, username) = (user.clone(), ben.clone());
                event.performer = Performer::Redeemer { user, username };
            });
            changed(&["user", "name"], &|event| event.performer = Performer::System { name: None });
        }
    }
    changed(&["detail"], &|event| event.detail = event.detail.clone().with("more", ""));
    changed(&["detail"], &|event| {
        event.detail = invitation_core::audit::Detail::none().with("reason", "left");
    });
    changed(&["detail"], &|event| {
        let pairs = event.detail.iter().map(|(name, value)| (name, value.to_uppercase()));
        let detail = invitation_core::audit::Detail::none();
        event.detail = pairs.fold(detail, |detail, (name, value)| detail.with(name, &value));
    });
    all
}

#[tokio::test]
async fn altered_field_of_every_kind_of_event_is_named() {
    let performers = performers().map(|performer| event(2, performer));
    for original in performers.iter().chain(&events(8)[7..]) {
        let sealed_events = vec![event(1, Performer::System { name: None }), {
            FeedEvent { position: position(2), event: original.event.clone() }
        }];
        let altered = altered_fields(&original.event);
        assert!(altered.len() > 40);
        for (fields, event) in altered {
            let mut stored = sealed_events.clone();
            stored[1].event = event;
            let Verdict::Tampered(finding) = report(sealed_events.clone(), stored).await.verdict
            else {
                panic!("{fields:?} was altered")
            };
            assert_eq!((finding.kind, finding.entries), (FindingKind::Altered, 1..2));
            assert_eq!(finding.fields, fields);
            assert_eq!(finding.event, Some(original.event.id));
        }
    }
}

#[tokio::test]
async fn removed_inserted_and_swapped_events_are_named() {
    for index in [0, 1, 7, 8, 18] {
        let place = usize::try_from(index).unwrap();
        let mut removed = events(COUNT);
        removed.remove(place);
        assert_eq!(found(removed).await, (FindingKind::Missing, index, vec![]));

        let mut inserted = events(COUNT);
        let mut new = event(150, Performer::System { name: None });
        new.position = FeedPosition { sequence: position(index).sequence + 5, ..position(0) };
        inserted.insert(place, new);
        assert_eq!(found(inserted).await, (FindingKind::Inserted, index, vec![]));

        let mut repeated = events(COUNT);
        let mut again = repeated[3].clone();
        again.position = FeedPosition { sequence: position(index).sequence + 5, ..position(0) };
        repeated.insert(place, again);
        assert_eq!(found(repeated).await, (FindingKind::Reordered, index, vec![]));

        let mut swapped = events(COUNT);
        let (one, other) = (swapped[place].event.clone(), swapped[place + 1].event.clone());
        (swapped[place].event, swapped[place + 1].event) = (other, one);
        let (kind, at, fields) = found(swapped).await;
        assert_eq!((kind, at, fields[0]), (FindingKind::Reordered, index, "id"));

        let mut moved = events(COUNT);
        let mut event = moved.remove(place);
        event.position = position(COUNT + 1);
        moved.push(event);
        assert_eq!(found(moved).await, (FindingKind::Reordered, index, vec![]));
    }
}

#[tokio::test]
async fn store_that_was_rolled_back_lacks_the_events_of_its_log() {
    for kept in [0, 7, 19] {
        let finding = found(events(kept)).await;
        assert_eq!(finding, (FindingKind::Missing, kept, vec![]));
    }
}

#[tokio::test]
async fn events_that_are_not_sealed_yet_are_counted() {
    let report = report(events(COUNT), events(COUNT + 7)).await;
    assert_eq!(report.verdict, Verdict::Valid { anchored: COUNT, sealed: COUNT });
    assert_eq!((report.unsealed, report.lost), (7, 0));
}

/// Events of two epochs. The store has lost the events 4 and 5 of the first.
fn after_promotion() -> (Vec<FeedEvent>, ListFeed) {
    let before = events(5);
    let mut after = events(8)[5..].to_vec();
    for event in &mut after {
        event.position.epoch = 3;
    }
    let stored = [&before[..3], &after[..]].concat();
    let second = FeedEpoch { number: 3, follows: Some(position(3)) };
    (before, ListFeed(stored, vec![FeedEpoch::FIRST, second]))
}

#[tokio::test]
async fn loss_before_an_epoch_is_sealed_and_counted() {
    let (before, promoted) = after_promotion();
    let log = MemoryLog::new();
    seal_all(&mut sealer(ListFeed::new(before), &log, PAGE)).await;
    let anchor = seal_all(&mut sealer(&promoted, &log, PAGE)).await;
    let verify = async |feed: &ListFeed| {
        let verifier = Verifier::new([support::public()]).with_anchor(&anchor).unwrap();
        verify_store(feed, &log, verifier).await.unwrap()
    };

    let report = verify(&promoted).await;
    assert_eq!(report.verdict, Verdict::Valid { anchored: 9, sealed: 9 });
    assert_eq!((report.unsealed, report.lost), (0, 2));

    // The epoch excuses the loss of no event before its beginning, and of none within it.
    for (removed, index) in [(2, 2), (3, 6), (5, 8)] {
        let mut tampered = promoted.clone();
        tampered.0.remove(removed);
        let Verdict::Tampered(finding) = verify(&tampered).await.verdict else { panic!() };
        assert_eq!((finding.kind, finding.entries.start), (FindingKind::Missing, index));
    }
}

/// Verifies after a promotion. The new epoch has these events: sealed already, or not yet.
async fn after_return(returned: Vec<FeedEvent>, seals: bool) -> invitation_audit::StoreReport {
    let kept = events(COUNT)[..3].to_vec();
    let promoted = |returned: Vec<FeedEvent>| {
        let second = FeedEpoch { number: 2, follows: Some(position(3)) };
        ListFeed([kept.clone(), returned].concat(), vec![FeedEpoch::FIRST, second])
    };
    let log = MemoryLog::new();
    seal_all(&mut sealer(ListFeed::new(events(COUNT)), &log, PAGE)).await;
    let sealed_events = if seals { returned.clone() } else { Vec::new() };
    let anchor = seal_all(&mut sealer(promoted(sealed_events), &log, PAGE)).await;
    let verifier = Verifier::new([support::public()]).with_anchor(&anchor).unwrap();
    verify_store(promoted(returned), log, verifier).await.unwrap()
}

#[tokio::test]
async fn lost_event_that_returns_with_another_content_is_altered() {
    for lost in [4, 9, 16, 19] {
        let mut intact = events(COUNT).remove(lost);
        intact.position.epoch = 2;
        for seals in [true, false] {
            let report = after_return(vec![intact.clone()], seals).await;
            assert!(matches!(report.verdict, Verdict::Valid { .. }), "{}", report.verdict);
            assert_eq!((report.lost, report.unsealed), (COUNT - 3, u64::from(!seals)));
        }
        for (fields, event) in altered_fields(&intact.event) {
            if fields == ["id"] {
                continue;
            }
            for seals in [true, false] {
                let returned = FeedEvent { event: event.clone(), ..intact };
                let report = after_return(vec![returned], seals).await;
                let Verdict::Tampered(finding) = report.verdict else { panic!("{fields:?}") };
                assert_eq!((finding.subject, finding.kind), (Subject::Store, FindingKind::Altered));
                assert_eq!(finding.entries, lost as u64..lost as u64 + 1);
                assert_eq!(finding.fields, fields);
                assert_eq!(finding.event, Some(intact.event.id));
            }
        }
    }
}

#[tokio::test]
async fn lost_event_that_returns_after_an_erasure_is_intact() {
    let mut returned = events(COUNT).remove(9);
    returned.position.epoch = 2;
    let second = FeedEpoch { number: 2, follows: Some(position(3)) };
    let stored = [events(3), vec![returned]].concat();
    let promoted = ListFeed(stored, vec![FeedEpoch::FIRST, second]);
    let log = MemoryLog::new();
    let mut first = sealer(ListFeed::new(events(COUNT)), &log, PAGE);
    seal_all(&mut first).await;
    // The first copy is erased, and the second one is readable.
    assert!(first.erase_user(&UserId::new("u-1").unwrap()).await.unwrap() > 0);
    seal_all(&mut sealer(&promoted, &log, PAGE)).await;
    for _ in 0..2 {
        let verifier = Verifier::new([support::public()]);
        let report = verify_store(&promoted, &log, verifier).await.unwrap();
        assert!(matches!(report.verdict, Verdict::Unanchored { .. }), "{}", report.verdict);
        // Now the second copy, too.
        sealer(&promoted, &log, PAGE).erase_user(&UserId::new("u-1").unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn loss_before_a_second_epoch_that_follows_less_is_counted() {
    let of_epoch = |mut event: FeedEvent, epoch| {
        event.position.epoch = epoch;
        event
    };
    let all = events(6);
    let epoch = |number, kept| FeedEpoch { number, follows: Some(position(kept)) };
    let first = ListFeed::new(all[..4].to_vec());
    // The first promotion loses event 4, the second one event 3, and event 5 of its epoch.
    let fifth = of_epoch(all[4].clone(), 2);
    let sixth = of_epoch(all[5].clone(), 3);
    let second = ListFeed([&all[..3], &[fifth]].concat(), vec![FeedEpoch::FIRST, epoch(2, 3)]);
    let third =
        ListFeed([&all[..2], &[sixth]].concat(), vec![FeedEpoch::FIRST, epoch(2, 3), epoch(3, 2)]);
    let log = MemoryLog::new();
    let mut anchor = None;
    for feed in [&first, &second, &third] {
        anchor = Some(seal_all(&mut sealer(feed, &log, PAGE)).await);
    }
    let verifier = Verifier::new([support::public()]).with_anchor(&anchor.unwrap()).unwrap();
    let report = verify_store(&third, &log, verifier).await.unwrap();
    assert_eq!(report.verdict, Verdict::Valid { anchored: 8, sealed: 8 });
    assert_eq!((report.unsealed, report.lost), (0, 3));
}

#[tokio::test]
async fn tampered_log_is_reported_before_the_store() {
    let (mut records, _) = sealed(events(COUNT), PAGE).await;
    records.remove(4);
    let log: MemoryLog = records.into_iter().collect();
    let verifier = Verifier::new([support::public()]);
    let report = verify_store(ListFeed::new(events(2)), log, verifier).await.unwrap();
    let Verdict::Tampered(finding) = report.verdict else { panic!() };
    assert_eq!((finding.subject, finding.kind), (Subject::Log, FindingKind::Missing));
}
