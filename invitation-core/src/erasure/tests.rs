use std::num::NonZeroU32;

use super::*;
use crate::{
    detail::Detail,
    event::{Action, EventOutcome},
    id::EventId,
    performer::Performer,
    request_context::RequestContext,
    revocation::Revocation,
    sample,
    text::{Role, Source},
};

fn anna() -> Email {
    Email::parse("Anna@Example.com").unwrap()
}

fn erasure(now: i64) -> PersonErasure {
    PersonErasure {
        user: UserId::new("u-9").unwrap(),
        addresses: vec![anna().key().clone()],
        now: sample::at(now),
        event: event(Performer::System { name: None }),
    }
}

fn event(performer: Performer) -> Event {
    Event {
        id: EventId::from_bytes([9; 16]),
        at: sample::at(1),
        performer,
        action: Action::Redeem,
        outcome: EventOutcome::Succeeded,
        reason: None,
        invitation: Some(InvitationId::from_bytes([1; 16])),
        division: None,
        context: RequestContext { correlation: None, source: Source::new("10.0.0.1").ok() },
        detail: Detail::none(),
    }
}

fn for_anna() -> Record {
    let max_uses = NonZeroU32::MIN;
    Record { binding: Binding::Address(anna()), max_uses, ..sample::invitation() }
}

#[test]
fn address_is_erased_from_the_expiry_on_and_from_every_other_end() {
    let open = for_anna();
    let end = open.expires_at.as_micros();
    let revocation = Some(Revocation { at: sample::at(2), reason: None });
    for (invitation, now, is_erased) in [
        (open.clone(), end - 1, false),
        (open.clone(), end, true),
        (open.clone(), end + 1, true),
        (Record { uses: 1, ..open.clone() }, 2_000, true),
        (Record { revocation, ..open.clone() }, 2_000, true),
        (Record { deleted_at: Some(sample::at(2)), ..open.clone() }, 2_000, true),
        (Record { binding: Binding::Anyone, ..open.clone() }, end, false),
    ] {
        let erasure = erasure(now);
        assert_eq!(erasure.erases_address(&invitation), is_erased, "{invitation:?}");
        let stays_open = invitation.binding != Binding::Anyone && !is_erased;
        assert_eq!(erasure.leaves_open(&invitation), stays_open);
        let mut facts = Facts::of(invitation);
        assert_eq!(erasure.apply_to(&mut facts).address, is_erased);
        assert_eq!(erasure.apply_to(&mut facts), ErasedParts::default(), "a second time");
        if is_erased {
            let bound = &facts.invitation.binding;
            assert_eq!(bound, &Binding::Address(Email::erased()));
            assert!(bound.search_terms().is_empty());
            assert!(!bound.is_met_by(Some(anna().key())) && !bound.is_met_by(None));
        }
    }
}

#[test]
fn only_values_of_the_user_are_erased() {
    let person = |user: &str| Inviter::User {
        user: UserId::new(user).unwrap(),
        role: Role::new("admin").unwrap(),
        name: Username::new("canary").ok(),
    };
    let mailbox = Some(anna().key().clone());
    for (user, is_own) in [("u-9", true), ("u-8", false)] {
        let last = Redemption {
            user: UserId::new(user).unwrap(),
            mailbox: mailbox.clone(),
            ..sample::redemption()
        };
        let invitation = Record {
            inviter: person(user),
            grantor: person(user),
            uses: 1,
            last_use: Some(last.clone()),
            ..sample::invitation()
        };
        let mut facts = Facts { mine: Some(last), ..Facts::of(invitation) };
        let before = facts.clone();
        let parts = erasure(2_000).apply_to(&mut facts);
        assert_eq!(parts.any(), is_own);
        assert_eq!(facts == before, !is_own);
        if is_own {
            let all = ErasedParts { lease: false, address: false, ..parts };
            assert!(all == parts && parts.inviter && parts.grantor && parts.latest_use);
            let made = facts.mine.unwrap();
            assert_eq!((made.username.as_str(), made.mailbox), (ERASED, None));
            assert!(made.username.search_terms().is_empty());
            assert!(!format!("{:?}", facts.invitation).contains("canary"));
        }
    }
}

#[test]
fn event_of_the_user_loses_its_name_and_source_and_no_other_does() {
    let person = Person::new(UserId::new("u-9").unwrap());
    for (user, is_own) in [("u-9", true), ("u-8", false)] {
        let user = UserId::new(user).unwrap();
        let (role, name) = (Role::new("admin").unwrap(), Username::new("canary").unwrap());
        for performer in [
            Performer::Actor { user: user.clone(), role, name: Some(name.clone()) },
            Performer::Redeemer { user, username: name },
        ] {
            let before = event(performer);
            let after = person.unnamed(before.clone());
            assert_eq!(person.erased_performer(&before).any(), is_own);
            assert!(!person.erased_performer(&after).any(), "a second time");
            assert_eq!(after == before, !is_own);
            assert_eq!(after.performer.user(), before.performer.user());
            assert_eq!(format!("{after:?}").contains("canary"), !is_own);
            assert_eq!(after.context.source.is_none(), is_own);
        }
    }
}

#[test]
fn mask_is_erased_unless_it_may_be_another_address_of_the_invitation() {
    let person = Person::new(UserId::new("u-9").unwrap()).with_address(anna()).unwrap();
    let detail = Detail::none().with("role", "staff").with(Detail::BOUND_TO, "a***@example.com");
    let bound = |address: &str| Record {
        binding: Binding::Address(Email::from_stored(address, address)),
        ..for_anna()
    };
    let (open, ended) = (sample::at(2_000), for_anna().expires_at);
    for (invitation, now, is_erased) in [
        (None, open, true),
        (Some(bound(ERASED)), ended, true),
        (Some(bound("alex@example.com")), ended, false),
        (Some(bound("ben@example.com")), ended, true),
        (Some(bound("anna@example.com")), open, false),
        (Some(Record { binding: Binding::Anyone, ..for_anna() }), ended, true),
    ] {
        assert!(person.may_be_named_in(&detail));
        let masks = person.erased_masks(&detail, invitation.as_ref(), now);
        let mut event = Event { detail: detail.clone(), ..event(Performer::System { name: None }) };
        let erased = ErasedEvent { id: event.id, name: None, source: false, masks };
        erased.apply_to(&mut event);
        let after = event.detail;
        let value = if is_erased { ERASED } else { "a***@example.com" };
        assert_eq!(after, Detail::none().with("role", "staff").with(Detail::BOUND_TO, value));
        assert_eq!(person.may_be_named_in(&after), !is_erased);
    }
}

#[test]
fn person_has_a_bounded_number_of_addresses() {
    let mut person = Person::new(UserId::new("u-9").unwrap());
    for _ in 0..Person::MAX_ADDRESSES {
        person = person.with_address(anna()).unwrap();
    }
    assert_eq!(person.with_address(anna()).unwrap_err().field(), "addresses");
}

/// Two jobs that have read the same event erase different parts of what is stored then.
#[test]
fn erasure_of_an_event_keeps_what_another_one_has_erased() {
    let performer = || Performer::Actor {
        user: UserId::new("u-9").unwrap(),
        role: Role::new("admin").unwrap(),
        name: Username::new("canary").ok(),
    };
    let detail = Detail::none()
        .with(Detail::BOUND_TO, "a***@example.com")
        .with(Detail::BOUND_TO, "b***@example.com");
    let read = Event { detail, ..event(performer()) };
    let person = |user: &str, address: &str| {
        let person = Person::new(UserId::new(user).unwrap());
        person.with_address(Email::parse(address).unwrap()).unwrap()
    };
    let erased = |person: Person| {
        let masks = person.erased_masks(&read.detail, None, sample::at(2_000));
        ErasedEvent { masks, ..person.erased_performer(&read) }
    };
    let both =
        [erased(person("u-9", "anna@example.com")), erased(person("u-8", "ben@example.com"))];
    for order in [[0, 1], [1, 0]] {
        let mut stored = read.clone();
        for n in order {
            both[n].apply_to(&mut stored);
        }
        assert_eq!(stored.performer.name(), None);
        assert_eq!(stored.context.source, None);
        assert!(stored.detail.iter().all(|(_, value)| value == ERASED), "{stored:?}");
    }
}

#[test]
fn replaced_text_of_a_detail_is_the_text_of_the_erased_detail() {
    let mask = "\"[***@example.com";
    let pair = Detail::json_pair(Detail::BOUND_TO, mask);
    let detail = Detail::none()
        .with("reason", &pair)
        .with(&pair, mask)
        .with("to[", Detail::BOUND_TO)
        .with(Detail::BOUND_TO, mask)
        .with(Detail::BOUND_TO, "anyone")
        .with(Detail::BOUND_TO, mask);
    let mut stored = Event { detail, ..event(Performer::System { name: None }) };
    let masks = vec![mask.to_owned()];
    let erased = ErasedEvent { id: stored.id, name: None, source: false, masks };
    let mut text = stored.detail.to_json();
    for (before, after) in erased.replacements() {
        text = text.replace(&before, &after);
    }
    erased.apply_to(&mut stored);
    assert_eq!(text, stored.detail.to_json());
    assert_eq!(stored.detail.iter().filter(|(_, value)| *value == ERASED).count(), 2);
}

#[test]
fn every_erased_event_is_named_in_the_detail() {
    let events = (0..40).map(|n| ErasedEvent {
        id: EventId::from_bytes([n; 16]),
        name: None,
        source: true,
        masks: Vec::new(),
    });
    let events: Vec<_> = events.collect();
    let erasure = EventErasure::new(events.clone(), event(Performer::System { name: None }));
    let detail = &erasure.event().detail;
    let values = detail.iter().filter(|(name, _)| *name == PersonErasure::EVENTS);
    let named: Vec<EventId> =
        values.flat_map(|(_, ids)| ids.split(' ').map(|id| id.parse().unwrap())).collect();
    assert_eq!(named, events.iter().map(|event| event.id).collect::<Vec<_>>());
}
