//! What a store keeps for a request under an idempotency key.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

use invitation_core::{
    EventId, Filter, Fingerprint, IdempotentRequest, Insert, Inserted, NewInvitation, PriorRequest,
    Quota, QuotaOf, RequestResults, Scope, ScopedIdempotencyKey, decide::Command,
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply, one_day_later},
        reads::{all_invitations, stored},
        samples::{division, key, later, newcomer, user},
    },
};

pub(super) fn request(owner: Option<&str>, name: &str, fingerprint: u8) -> IdempotentRequest {
    let key = ScopedIdempotencyKey { owner: owner.map(user), key: key(name) };
    IdempotentRequest {
        key,
        fingerprint: Fingerprint::from_bytes([fingerprint; 32]),
        id: new_id(),
        at: one_day_later(),
        results: None,
    }
}

/// Returns an id that no other request of this process has.
fn new_id() -> EventId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut id = [0xee; 16];
    id[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    EventId::from_bytes(id)
}

/// A key refers to the invitations first inserted under it, with the request's
/// fingerprint. They are returned in their current state and by ascending id, before any
/// check of quotas and taken codes. An insert that failed leaves no key.
pub async fn known_key_returns_its_invitations(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let taken = factory.invitation();
    factory.insert(&*store, std::slice::from_ref(&taken)).await;
    let rows =
        |n: usize| (0..n).map(|_| factory.new_invitation(factory.invitation())).collect::<Vec<_>>();
    let insert = async |rows: &[NewInvitation], full: bool, request: IdempotentRequest| {
        let quota = Quota {
            of: QuotaOf::Division(division("sales")),
            max: NonZeroU32::MIN,
            adds: 1,
            now: one_day_later(),
        };
        let quotas = if full { vec![quota] } else { vec![] };
        let insert = Insert { rows: rows.to_vec(), quotas, request: Some(request) };
        store.insert(&insert).await.expect("the store inserts")
    };
    let asked = || request(Some("u-1"), "k", 1);
    let refused = rows(1);
    let full = insert(&refused, true, asked()).await;
    assert!(matches!(full, Inserted::QuotaFull { .. }), "there is no room: {full:?}");
    let with_taken = [factory.new_invitation(taken.clone())];
    assert_eq!(insert(&with_taken, false, asked()).await, Inserted::CodeTaken, "a taken code");
    let first = rows(12);
    assert_eq!(insert(&first, false, asked()).await, Inserted::Stored, "the key was left free");

    let redeem = factory.default_redeem(&first[3].invitation, &newcomer("anna"));
    let delete = factory.transition(Command::Delete { id: first[5].invitation.id });
    for transition in [redeem, delete] {
        apply(&*store, &transition).await;
    }
    let mut invitations = Vec::new();
    for row in &first {
        invitations.push(stored(&*store, &row.invitation).await);
    }
    invitations.sort_by_key(|one| one.id);
    let fingerprint = Fingerprint::from_bytes([1; 32]);
    let known = PriorRequest { fingerprint, invitations, results: None };
    let count = async || {
        let filter = Filter::all(one_day_later());
        all_invitations(&*store, &Scope::All, &filter, 200).await.len()
    };
    let before = count().await;
    for (what, rows, full, fingerprint) in [
        ("the same", rows(12), false, 1),
        ("something else", rows(1), false, 2),
        ("where there is no room", rows(12), true, 1),
        ("with a taken code", with_taken.to_vec(), true, 1),
    ] {
        let answer = insert(&rows, full, request(Some("u-1"), "k", fingerprint)).await;
        assert_eq!(answer, Inserted::KeyKnown(known.clone()), "{what}: what was inserted first");
        assert_eq!(count().await, before, "{what}: nothing is stored");
    }
    for (owner, name) in [
        (None, "k"),
        (Some("U-1"), "k"),
        (Some("u-1"), "K"),
        (Some("u-1"), "k%"),
        (Some("u"), "-1k"),
    ] {
        let answer = insert(&rows(1), false, request(owner, name, 1)).await;
        assert_eq!(answer, Inserted::Stored, "{owner:?}, {name}: another key");
    }
}

/// Results are stored byte for byte with the key, with and without invitations, and once
/// for any number of invitations.
pub async fn results_of_a_key_are_returned_byte_for_byte(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let all_bytes: Vec<u8> = (0..=255).collect();
    for (n, (count, bytes)) in
        [(3, all_bytes.clone()), (0, all_bytes), (1, b" ".repeat(300_000))].iter().enumerate()
    {
        let results = Some(RequestResults::from_bytes(bytes.clone()));
        let name = format!("k{n}");
        let asked = |fingerprint, results| IdempotentRequest {
            results,
            ..request(Some("u-1"), &name, fingerprint)
        };
        let rows: Vec<_> =
            (0..*count).map(|_| factory.new_invitation(factory.invitation())).collect();
        let insert =
            Insert { request: Some(asked(1, results.clone())), ..Insert::of(rows.clone()) };
        let answer = store.insert(&insert).await.expect("the store inserts");
        assert_eq!(answer, Inserted::Stored, "{n}");
        let known = PriorRequest {
            fingerprint: Fingerprint::from_bytes([1; 32]),
            invitations: rows.into_iter().map(|row| row.invitation).collect(),
            results,
        };
        let other = Some(RequestResults::from_bytes(b"other".to_vec()));
        for (fingerprint, results) in [(1, None), (2, None), (2, other)] {
            let request = Some(asked(fingerprint, results));
            let insert = Insert { request, ..Insert::of(Vec::new()) };
            let answer = store.insert(&insert).await.expect("the store answers");
            assert_eq!(answer, Inserted::KeyKnown(known.clone()), "{n}: whatever was asked");
        }
    }
}

/// A key without invitations is known until the instant at which it is forgotten; then it
/// can be used as a new key. A key with invitations stays.
pub async fn key_without_invitations_expires(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let results = |text: &str| Some(RequestResults::from_bytes(text.into()));
    let asked = |name: &str, at, text: Option<&str>| IdempotentRequest {
        at,
        results: text.and_then(results),
        ..request(Some("u-1"), name, 1)
    };
    let insert = async |rows: Vec<NewInvitation>, request: IdempotentRequest| {
        let insert = Insert { request: Some(request), ..Insert::of(rows) };
        store.insert(&insert).await.expect("the store inserts")
    };
    let first = one_day_later();
    let gone = asked("k", first, None).forgotten_at();
    for name in ["empty", "asked", "filled"] {
        assert_eq!(insert(vec![], asked(name, first, Some("first"))).await, Inserted::Stored);
    }
    let row = factory.new_invitation(factory.invitation());
    assert_eq!(insert(vec![row], asked("kept", first, Some("first"))).await, Inserted::Stored);
    let known = |text: &str, answer: Inserted| {
        let Inserted::KeyKnown(known) = answer else { panic!("{text}: {answer:?}") };
        assert_eq!(known.results, results(text));
        known.invitations.len()
    };
    assert_eq!(known("first", insert(vec![], asked("empty", later(gone, -1), None)).await), 0);
    for at in [gone, later(gone, 1)] {
        assert_eq!(insert(vec![], asked("asked", at, None)).await, Inserted::Stored, "not known");
    }
    let row = factory.new_invitation(factory.invitation());
    let answer = insert(vec![row], asked("filled", gone, Some("second"))).await;
    assert_eq!(answer, Inserted::Stored, "it stands for something else now");
    let far = later(gone, 400 * 86_400_000_000);
    assert_eq!(known("second", insert(vec![], asked("filled", far, None)).await), 1);
    assert_eq!(insert(vec![], asked("empty", gone, Some("second"))).await, Inserted::Stored);
    assert_eq!(known("second", insert(vec![], asked("empty", later(gone, 1), None)).await), 0);
    assert_eq!(known("first", insert(vec![], asked("kept", far, None)).await), 1);
}

/// An insert without rows and results only looks up a key. It stores nothing, not even
/// the key.
pub async fn insert_without_rows_only_looks_up_the_key(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let asked = |fingerprint| Insert {
        request: Some(request(Some("u-1"), "k", fingerprint)),
        ..Insert::of(Vec::new())
    };
    for _ in 0..2 {
        let answer = store.insert(&asked(1)).await.expect("the store answers");
        assert_eq!(answer, Inserted::Stored, "the key is not known, by asking neither");
    }
    let nothing = store.insert(&Insert::of(Vec::new())).await.expect("the store answers");
    assert_eq!(nothing, Inserted::Stored, "nothing is asked");
    let row = factory.new_invitation(factory.invitation());
    let insert = Insert { rows: vec![row.clone()], ..asked(1) };
    assert_eq!(store.insert(&insert).await.expect("the store inserts"), Inserted::Stored);
    for fingerprint in [1, 2] {
        let answer = store.insert(&asked(fingerprint)).await.expect("the store answers");
        let known = PriorRequest {
            fingerprint: Fingerprint::from_bytes([1; 32]),
            invitations: vec![row.invitation.clone()],
            results: None,
        };
        assert_eq!(answer, Inserted::KeyKnown(known), "what it stands for, whatever was asked");
    }
    let filter = Filter::all(one_day_later());
    let all = all_invitations(&*store, &Scope::All, &filter, 50).await;
    assert_eq!(all, [row.invitation], "nothing else is stored");
}
