//! Stored values are returned byte for byte.

use std::num::NonZeroU32;

use invitation_core::{
    Action, BatchId, Binding, CodeDigest, CodeTag, CorrelationId, Detail, Division, Email,
    EmailDomain, Event, EventFilter, EventOutcome, Filter, Insert, Inserted, Inviter, Limits,
    Metadata, NewInvitation, Performer, Reason, Record, Redemption, RequestContext, Revocation,
    Role, Scope, SealedCode, Source, Store, SystemName, Timestamp, UserId, Username,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        reads::{all_events, all_invitations, stored, trail},
        samples::{at, domain, email, start},
    },
};

/// Returns a text of exactly `bytes` bytes with the characters that stores commonly
/// corrupt.
fn unusual_text(bytes: usize) -> String {
    let start = "'\"\\%_{}[]$1 :;,<>&é\u{301}ﬁ\u{200b}\u{10ffff}😀漢";
    let mut text = start.repeat(bytes / start.len());
    text.push_str(&"z".repeat(bytes - text.len()));
    text
}

/// Returns an invitation whose every field has the longest, latest or most unusual value
/// possible.
fn largest(factory: &Factory, created_at: Timestamp) -> Record {
    let local = format!("{}.%_'x", "l".repeat(58));
    let labels = ["d".repeat(60), "e".repeat(60), "f".repeat(59)].join(".");
    let address = format!("{local}@{labels}.org");
    assert!(address.len() > 240, "as long as an address may well be");
    let filler = "x".repeat(Metadata::MAX_BYTES);
    let value = |text: &str| {
        serde_json::json!({
            "nul": "\u{0}", "big": u64::MAX, "small": i64::MIN, "float": 0.1, "null": null,
            "text": "a\u{301} '\"\\ \n\t\u{2028}😀", "list": [1, [true]], "": text,
        })
    };
    let room = Metadata::MAX_BYTES - value("").to_string().len();
    let metadata = Metadata::new(value(&filler[..room])).expect("metadata of the largest size");
    assert_eq!(metadata.as_json().len(), Metadata::MAX_BYTES, "as large as metadata can be");
    let mut digest = [0xff; 32];
    digest[..16].copy_from_slice(factory.invitation_id().as_bytes());
    let sealed: Vec<u8> = (0..=255).rev().take(SealedCode::MAX_BYTES).collect();
    let reason = format!("line 1\nline \"2\" 'q' {}", "é\\".repeat(160));
    assert!(reason.len() <= Limits::MAX_REASON && reason.len() > 490, "a long reason");
    Record {
        id: factory.invitation_id(),
        digest: CodeDigest::from_bytes(digest),
        tag: CodeTag::from_bytes([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x27, 0x5c]),
        sealed: SealedCode::from_bytes(sealed),
        binding: Binding::Address(email(&address)),
        role: Role::from_stored(unusual_text(Role::MAX_BYTES)),
        division: Division::from_stored(unusual_text(Division::MAX_BYTES)),
        inviter: Inviter::User {
            user: UserId::from_stored(unusual_text(UserId::MAX_BYTES)),
            role: Role::from_stored(unusual_text(Role::MAX_BYTES)),
            name: Some(Username::from_stored(unusual_text(Username::MAX_BYTES))),
        },
        grantor: Inviter::User {
            user: UserId::from_stored(unusual_text(UserId::MAX_BYTES)),
            role: Role::from_stored(unusual_text(Role::MAX_BYTES)),
            name: Some(Username::from_stored(unusual_text(Username::MAX_BYTES))),
        },
        created_at,
        expires_at: Timestamp::MAX,
        max_uses: NonZeroU32::new(100_000).expect("not zero"),
        uses: 99_999,
        held: 0,
        last_use: Some(Redemption {
            id: factory.event_id(),
            user: UserId::from_stored(unusual_text(UserId::MAX_BYTES)),
            username: Username::from_stored(unusual_text(Username::MAX_BYTES)),
            at: Timestamp::MIN,
            role: Role::new("staff").expect("a role"),
            lease: None,
            mailbox: Some(email(&address).key().clone()),
        }),
        revocation: Some(Revocation { at: Timestamp::MAX, reason: Some(reason) }),
        deleted_at: None,
        version: u64::from(u32::MAX),
        batch: Some(BatchId::from_bytes([0xff; 16])),
        metadata: Some(metadata),
    }
}

/// Invitations are returned exactly as they were stored: with the largest values, the
/// earliest and latest instants, texts that are no longer accepted, and all optional
/// fields empty.
pub async fn stored_invitations_are_returned_byte_for_byte(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut rows: Vec<_> = [Timestamp::MIN, at(-1), at(0), at(1), start(), Timestamp::MAX]
        .into_iter()
        .map(|created_at| largest(&factory, created_at))
        .collect();
    rows.extend([
        Record { expires_at: Timestamp::MIN, ..factory.invitation() },
        Record { inviter: Inviter::System, ..factory.invitation() },
        Record { grantor: Inviter::System, ..factory.invitation() },
        Record { binding: Binding::Domain(domain("exämple.org")), ..factory.invitation() },
        Record {
            binding: Binding::Address(email("Anna.L+x@Exämple.ORG")), ..factory.invitation()
        },
        Record {
            // An address that an earlier release accepted.
            binding: Binding::Address(Email::from_stored(
                "anna@example.com\u{200b}",
                "anna@example.com",
            )),
            role: Role::from_stored(" staff\u{200b}"),
            division: Division::from_stored("s\u{a0} \u{202e}ales"),
            ..factory.invitation()
        },
        Record {
            binding: Binding::Domain(EmailDomain::from_stored("intern")),
            ..factory.invitation()
        },
        Record { deleted_at: Some(Timestamp::MAX), ..factory.invitation() },
        Record {
            revocation: Some(Revocation { at: at(-1), reason: None }),
            ..factory.invitation()
        },
        Record {
            revocation: Some(Revocation { at: at(0), reason: Some(String::new()) }),
            ..factory.invitation()
        },
        Record {
            metadata: Some(Metadata::new(serde_json::json!({})).expect("an empty object")),
            ..factory.invitation()
        },
        factory.invitation(),
    ]);
    factory.insert(&*store, &rows).await;
    for row in &rows {
        let found = stored(&*store, row).await;
        assert_eq!(found, *row, "as it was stored");
        // `Debug` of `Email` and `Metadata` hides their content, so it is compared
        // separately.
        if let (Binding::Address(found), Binding::Address(given)) = (&found.binding, &row.binding) {
            assert_eq!(found.as_str(), given.as_str(), "an address as it was given");
            assert_eq!(found.key(), given.key(), "its comparison form as it was stored");
        }
        let json = |row: &Record| row.metadata.as_ref().map(|own| own.as_json().to_owned());
        assert_eq!(json(&found), json(row), "metadata");
    }
    rows.retain(|row| row.deleted_at.is_none());
    rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id)));
    let listed = all_invitations(&*store, &Scope::All, &Filter::all(start()), 4).await;
    assert_eq!(listed, rows, "in a list too, from the last instant to the first");
}

/// Events are returned exactly as they were stored: with the largest values, every action
/// and reason, every kind of performer, and all optional fields empty.
pub async fn recorded_events_are_returned_byte_for_byte(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let detail = Detail::none()
        .with("reason", &format!("\n\t'\"\\ {}", unusual_text(480)))
        .with("reason", "the same name again")
        .with("é", "")
        .with("suppressed", "18446744073709551615");
    let full = Event {
        performer: Performer::Redeemer {
            user: UserId::from_stored(unusual_text(UserId::MAX_BYTES)),
            username: Username::from_stored(unusual_text(Username::MAX_BYTES)),
        },
        outcome: EventOutcome::Refused,
        reason: Some(Reason::Used),
        invitation: Some(factory.invitation_id()),
        division: Some(Division::from_stored(unusual_text(Division::MAX_BYTES))),
        context: RequestContext {
            correlation: Some(CorrelationId::from_stored(unusual_text(128))),
            source: Some(Source::from_stored(unusual_text(128))),
        },
        detail,
        ..factory.event(Action::Redeem, Timestamp::MAX)
    };
    let mut events = vec![
        full.clone(),
        Event { id: factory.event_id(), at: Timestamp::MIN, ..full.clone() },
        Event {
            performer: Performer::System { name: None },
            ..factory.event(Action::View, at(-1))
        },
        Event {
            performer: Performer::System {
                name: Some(SystemName::from_stored(unusual_text(SystemName::MAX_BYTES))),
            },
            ..factory.event(Action::View, at(-2))
        },
        Event {
            performer: Performer::Actor {
                user: UserId::from_stored(unusual_text(UserId::MAX_BYTES)),
                role: Role::from_stored(unusual_text(Role::MAX_BYTES)),
                name: Some(Username::from_stored(unusual_text(Username::MAX_BYTES))),
            },
            ..factory.event(Action::View, at(-3))
        },
        Event { invitation: None, id: factory.event_id(), ..full },
    ];
    for (n, action) in (0..).zip(Action::ALL) {
        events.push(factory.event(*action, at(n)));
    }
    for (n, reason) in (0..).zip(Reason::ALL) {
        let outcome = EventOutcome::ALL[n % EventOutcome::ALL.len()];
        events.push(Event {
            reason: Some(*reason),
            outcome,
            ..factory.event(Action::Amend, at(0))
        });
    }
    store.record(&events).await.expect("the store records");
    events.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    let found = all_events(&*store, &Scope::All, &EventFilter::default(), 7).await;
    assert_eq!(found, events, "as they were recorded, from the last instant to the first");
}

/// Events that are stored together with invitations are returned as exactly as other
/// events.
pub async fn events_of_an_insert_are_returned_byte_for_byte(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let context = RequestContext {
        correlation: Some(CorrelationId::from_stored(unusual_text(128))),
        source: Some(Source::from_stored(unusual_text(128))),
    };
    let NewInvitation { invitation, event } = factory.new_invitation(largest(&factory, start()));
    let detail = Detail::none().with("role", &unusual_text(64)).with("role", "twice");
    let event = Event { performer: Performer::System { name: None }, context, detail, ..event };
    let row = NewInvitation { invitation, event };
    let inserted = store.insert(&Insert::of(vec![row.clone()])).await.expect("the store inserts");
    assert_eq!(inserted, Inserted::Stored, "the digest is free");
    assert_eq!(trail(&*store, &row.invitation).await, [row.event], "as it was given");
}
