//! The service with keys: what it stores, finds, shows and rewrites.

use std::{collections::HashMap, sync::Arc};

use invitation_core::{
    Action, Actor, Amendment, CodeFormat, Created, Criteria, Division, Draft, Email, Error,
    EventCriteria, EventId, EventOutcome, Expiry, IdempotencyKey, IfVersion, InvitationCode,
    InvitationId, Invitations, Limits, MemoryStore, OsEntropy, Outcome, Paging, Performer, Policy,
    Reason, Redeemer, Refusal, RequestContext, Reserved, Right, Role, Scope, Sealing, Store,
    Target, UnsealCause, UserId, Username,
    code::{ResealPage, keyring::Keyring},
    decide::{Call, Command, decide},
};

use crate::{first_ring, id, overlapping_ring, secret};

type Service = Invitations<Arc<MemoryStore>>;

fn service(store: &Arc<MemoryStore>, sealing: Sealing) -> Service {
    Invitations::new(Arc::clone(store)).with_sealing(sealing)
}

fn admin() -> Actor {
    Actor::across_divisions(UserId::new("u-admin").unwrap(), Role::new("admin").unwrap())
}

fn draft() -> Draft {
    Draft::new().with_role(Role::new("staff").unwrap()).in_division(Division::new("sales").unwrap())
}

fn newcomer(name: &str) -> Redeemer {
    Redeemer::new(UserId::new(format!("u-{name}")).unwrap(), Username::new(name).unwrap())
}

async fn create(service: &Service) -> Created {
    service.create(&admin(), draft()).await.unwrap()
}

fn page_of(limit: u32) -> Paging {
    Paging::first(limit).unwrap()
}

/// Re-seals to the end, in pages of `limit`, and returns all pages.
async fn reseal(service: &Service, limit: u32) -> Vec<ResealPage> {
    let mut pages = Vec::new();
    let mut paging = page_of(limit);
    loop {
        let page = service.reseal(&admin(), paging).await.unwrap();
        let next = page.next();
        pages.push(page);
        match next {
            Some(cursor) => paging = page_of(limit).after(cursor),
            None => return pages,
        }
    }
}

fn total(pages: &[ResealPage], number: impl Fn(&ResealPage) -> usize) -> usize {
    pages.iter().map(number).sum()
}

/// Lets the sealed bytes of a readable row hold another valid code, as a damaged row may.
async fn replace_sealed(store: &MemoryStore, id: InvitationId, other: &InvitationCode) {
    let row = store.get(&Target::Id(id), &Scope::All).await.unwrap().unwrap();
    let sealing = Sealing::readable();
    let (digest, tag, current) = (row.digest, sealing.tag(other), &row);
    let sealed = sealing.seal(id, other, &OsEntropy).unwrap();
    let command = Command::Reseal { current, digest, tag, sealed, of: 1 };
    let call = Call {
        id: EventId::from_bytes([7; 16]),
        now: row.created_at,
        performer: Performer::System { name: None },
        context: RequestContext::default(),
    };
    let (policy, limits) = (Policy::default(), Limits::default());
    let step = decide(command, Scope::All, IfVersion::Any, &call, &policy, &limits).unwrap();
    let outcomes = store.apply(&[step]).await;
    assert!(matches!(outcomes[..], [Ok(Outcome::Applied(_))]), "{outcomes:?}");
}

async fn events_of(service: &Service, action: Action) -> Vec<invitation_core::Event> {
    let criteria = EventCriteria::new().of_action(action);
    service.events(&admin(), &criteria, Paging::default()).await.unwrap().items
}

#[tokio::test]
async fn codes_under_every_key_in_use_are_redeemed_copied_and_searched() {
    let store = Arc::default();
    let plain = create(&service(&store, Sealing::readable())).await;
    let first = create(&service(&store, Sealing::keyring(first_ring()))).await;
    let both = service(&store, Sealing::keyring(overlapping_ring()));
    let second = create(&both).await;
    for (n, created) in [plain, first, second].iter().enumerate() {
        let (id, code) = (created.invitation().id(), created.code().reveal());
        assert_eq!(both.copy(&admin(), id).await.unwrap(), *created.code(), "{n}");
        for search in [&code[..4], &code[..9], &code[..]] {
            let criteria = Criteria::new().matching(search);
            let found = both.list(&admin(), &criteria, Paging::default()).await.unwrap();
            let ids: Vec<_> = found.items.iter().map(|view| view.invitation().id()).collect();
            assert_eq!(ids, [id], "{n}: {search}");
        }
        both.redeem(&code, &newcomer(&format!("n{n}"))).await.unwrap();
    }
}

#[tokio::test]
async fn reseal_moves_every_row_to_the_active_key_and_keeps_everything_else() {
    let store = Arc::default();
    let (old, new) = (
        service(&store, Sealing::keyring(first_ring())),
        service(&store, Sealing::keyring(overlapping_ring())),
    );
    let plain = create(&service(&store, Sealing::readable())).await;
    let used = create(&old).await;
    old.redeem(&used.code().reveal(), &newcomer("anna")).await.unwrap();
    let reserved = create(&old).await;
    let reservation = old.reserve(&reserved.code().reveal(), &newcomer("ben")).await.unwrap();
    let deleted = create(&old).await;
    old.delete(&admin(), deleted.invitation().id(), IfVersion::Any).await.unwrap();
    let current = create(&new).await;

    let before = HashMap::from([&plain, &used, &reserved].map(|created| {
        let record = created.invitation();
        (record.id(), record.version())
    }));
    let pages = reseal(&new, 2).await;
    assert_eq!(total(&pages, ResealPage::resealed), 3, "not the tombstone, not the current one");
    assert_eq!(total(&pages, ResealPage::outdated), 3);
    assert_eq!(total(&pages, ResealPage::examined), 4);
    assert_eq!(total(&reseal(&new, 2).await, ResealPage::resealed), 0, "it is done");

    // The first key can retire now.
    let ring = Keyring::new(id("k2"), &secret(2)).with_retired(id("k1")).unwrap();
    let strict = service(&store, Sealing::keyring(ring).keyed_only());
    for created in [&plain, &used, &reserved, &current] {
        let id = created.invitation().id();
        assert_eq!(strict.copy(&admin(), id).await.unwrap(), *created.code());
        let now = strict.get(&admin(), id).await.unwrap();
        if let Some(version) = before.get(&id) {
            assert_eq!(now.invitation().version(), *version, "no new version");
        }
    }
    let again = strict.redeem(&used.code().reveal(), &newcomer("anna")).await.unwrap();
    assert!(again.is_replayed());
    let Reserved::Open(reservation) = reservation else { panic!("it was free") };
    strict.commit(reservation.id(), &newcomer("ben")).await.unwrap();
    strict.redeem(&plain.code().reveal(), &newcomer("cleo")).await.unwrap();
}

#[tokio::test]
async fn each_page_with_work_leaves_one_event() {
    let store = Arc::default();
    let old = service(&store, Sealing::readable());
    for _ in 0..5 {
        create(&old).await;
    }
    let new = service(&store, Sealing::keyring(first_ring()));
    assert_eq!(reseal(&new, 2).await.len(), 3);
    let events = events_of(&new, Action::Reseal).await;
    let rows: Vec<_> = events.iter().map(|event| event.detail.get("rows").unwrap()).collect();
    assert_eq!(rows, ["1", "2", "2"], "newest first");
    for event in &events {
        assert_eq!(event.detail.get("key"), Some("k1"));
        assert_eq!((event.outcome, event.invitation), (EventOutcome::Succeeded, None));
        assert_eq!(event.performer.user().unwrap().as_str(), "u-admin");
    }
    reseal(&new, 2).await;
    assert_eq!(events_of(&new, Action::Reseal).await.len(), 3, "no work, no event");
}

#[tokio::test]
async fn row_of_a_retired_key_is_reported_and_its_code_is_unknown() {
    let store = Arc::default();
    let old = create(&service(&store, Sealing::keyring(first_ring()))).await;
    let ring = Keyring::new(id("k2"), &secret(2)).with_retired(id("k1")).unwrap();
    let service = service(&store, Sealing::keyring(ring));
    create(&service).await;

    let checked = service.check_seals(&admin(), Paging::default()).await.unwrap();
    assert_eq!((checked.examined(), checked.outdated(), checked.resealed()), (2, 0, 0));
    let [unopened] = checked.unopened() else { panic!("one row: {checked:?}") };
    assert_eq!(unopened.invitation(), old.invitation().id());
    assert_eq!(unopened.cause(), &UnsealCause::RetiredKey("k1".into()));

    let refused = service.redeem(&old.code().reveal(), &newcomer("anna")).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::CodeUnknown), "as to a stranger");
    let refused = service.copy(&admin(), old.invitation().id()).await.unwrap_err();
    assert!(matches!(&refused, Error::Seal(error) if error.key_id() == Some("k1")), "{refused}");
    let page = service.reseal(&admin(), Paging::default()).await.unwrap();
    assert_eq!((page.resealed(), page.unopened().len()), (0, 1));
    assert!(service.get(&admin(), old.invitation().id()).await.unwrap().code().is_none());
}

#[tokio::test]
async fn check_with_another_secret_under_the_active_id_reports_damaged_rows() {
    let store = Arc::default();
    let sealed = create(&service(&store, Sealing::keyring(first_ring()))).await;
    create(&service(&store, Sealing::keyed_hash_only(first_ring()))).await;
    let wrong = Keyring::new(id("k1"), &secret(7));
    let wrong = service(&store, Sealing::keyring(wrong));
    let checked = wrong.check_seals(&admin(), Paging::default()).await.unwrap();
    let found: Vec<_> =
        checked.unopened().iter().map(|error| (error.invitation(), error.cause())).collect();
    let not_kept = found.iter().position(|(_, cause)| **cause == UnsealCause::NotKept);
    assert!(not_kept.is_some(), "it is stored in another way: {found:?}");
    assert!(found.contains(&(sealed.invitation().id(), &UnsealCause::Damaged)), "{found:?}");
    let refused = wrong.redeem(&sealed.code().reveal(), &newcomer("anna")).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::CodeUnknown), "the key is wrong");

    let right = service(&store, Sealing::keyed_hash_only(first_ring()));
    let checked = right.check_seals(&admin(), Paging::default()).await.unwrap();
    assert_eq!((checked.outdated(), checked.unopened()), (1, &[][..]), "one is not kept");
    let right = service(&store, Sealing::keyring(first_ring()));
    assert!(reseal(&right, 9).await.iter().all(|page| page.resealed() == 0));
}

#[tokio::test]
async fn code_of_another_digest_is_reported_and_not_resealed() {
    let store: Arc<MemoryStore> = Arc::default();
    let old = service(&store, Sealing::readable());
    let created = create(&old).await;
    let id = created.invitation().id();
    let other = CodeFormat::default().generate(&OsEntropy).unwrap();
    replace_sealed(&store, id, &other).await;

    let new = service(&store, Sealing::keyring(first_ring()));
    let checked = new.check_seals(&admin(), Paging::default()).await.unwrap();
    let page = new.reseal(&admin(), Paging::default()).await.unwrap();
    for page in [checked, page] {
        let [unopened] = page.unopened() else { panic!("one row: {page:?}") };
        assert_eq!((unopened.invitation(), unopened.cause()), (id, &UnsealCause::Damaged));
        assert_eq!((page.outdated(), page.resealed()), (0, 0));
    }
    new.redeem(&created.code().reveal(), &newcomer("anna")).await.unwrap();
}

#[tokio::test]
async fn unkeyed_row_is_not_adopted_by_a_service_of_keyed_rows_only() {
    let store = Arc::default();
    let forged = create(&service(&store, Sealing::readable())).await;
    let strict = service(&store, Sealing::keyring(first_ring()).keyed_only());
    let page = strict.reseal(&admin(), Paging::default()).await.unwrap();
    assert_eq!(page.resealed(), 0);
    assert_eq!(page.unopened()[0].cause(), &UnsealCause::Unkeyed);
    let refused = strict.redeem(&forged.code().reveal(), &newcomer("eve")).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::CodeUnknown));
}

#[tokio::test]
async fn code_that_is_not_kept_is_shown_by_create_and_rotate_only() {
    for sealing in [Sealing::hash_only(), Sealing::keyed_hash_only(first_ring())] {
        let store = Arc::default();
        let service = service(&store, sealing);
        let created = create(&service).await;
        let id = created.invitation().id();
        let view = service.get(&admin(), id).await.unwrap();
        assert!(view.code().is_none() && !view.actions().contains(&Right::Copy));
        assert!(view.actions().contains(&Right::Rotate));

        let refused = service.copy(&admin(), id).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::CodeNotKept));
        let events = events_of(&service, Action::Copy).await;
        let [event] = &events[..] else { panic!("one event: {events:?}") };
        assert_eq!(
            (event.outcome, event.reason),
            (EventOutcome::Refused, Some(Reason::CodeNotKept))
        );
        assert_eq!(event.invitation, Some(id));

        let rotated = service.rotate(&admin(), id, IfVersion::Any).await.unwrap();
        service.redeem(&rotated.code().reveal(), &newcomer("anna")).await.unwrap();
    }
}

#[tokio::test]
async fn code_that_is_not_kept_is_found_by_its_first_group_and_as_a_whole() {
    let store = Arc::default();
    let service = service(&store, Sealing::keyed_hash_only(first_ring()));
    let created = create(&service).await;
    create(&service).await;
    let code = created.code().reveal();
    let link = format!("https://example.com/register#{}", *code);
    for (search, found) in [(&code[..4], 1), (&code[..], 1), (&link, 1), (&code[..9], 0)] {
        let criteria = Criteria::new().matching(search);
        let listed = service.list(&admin(), &criteria, Paging::default()).await.unwrap();
        assert_eq!(listed.items.len(), found, "{search}");
        let counts = service.counts(&admin(), &criteria).await.unwrap();
        let active = counts.of(invitation_core::Status::Active);
        assert_eq!(usize::try_from(active).unwrap(), found, "{search}");
    }
}

#[tokio::test]
async fn repeated_create_cannot_show_a_code_that_is_not_kept() {
    let store = Arc::default();
    let service = service(&store, Sealing::hash_only());
    let key = IdempotencyKey::new("k-1").unwrap();
    let once = service.create_once(&admin(), &key, draft()).await.unwrap();
    assert!(!once.is_replayed());
    let refused = service.create_once(&admin(), &key, draft()).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::CodeNotKept));
}

#[tokio::test]
async fn reseal_to_hash_only_drops_the_code_and_keeps_the_digest() {
    let store = Arc::default();
    for (before, after) in [
        (Sealing::readable(), Sealing::hash_only()),
        (Sealing::keyring(first_ring()), Sealing::keyed_hash_only(first_ring())),
    ] {
        let created = create(&service(&store, before)).await;
        let service = service(&store, after);
        assert_eq!(total(&reseal(&service, 9).await, ResealPage::resealed), 1);
        let refused = service.copy(&admin(), created.invitation().id()).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::CodeNotKept));
        service.redeem(&created.code().reveal(), &newcomer("anna")).await.unwrap();
        service.delete(&admin(), created.invitation().id(), IfVersion::Any).await.unwrap();
    }
}

#[tokio::test]
async fn hash_only_row_of_an_older_key_stays_under_it() {
    let store = Arc::default();
    let created = create(&service(&store, Sealing::keyed_hash_only(first_ring()))).await;
    let without = Keyring::new(id("k2"), &secret(2)).with_retired(id("k1")).unwrap();
    let without = service(&store, Sealing::keyed_hash_only(without));
    let service = service(&store, Sealing::keyed_hash_only(overlapping_ring()));
    let page = service.reseal(&admin(), Paging::default()).await.unwrap();
    assert_eq!((page.resealed(), page.unopened()[0].cause()), (0, &UnsealCause::NotKept));
    assert_eq!(page.unopened()[0].invitation(), created.invitation().id());
    let refused = without.redeem(&created.code().reveal(), &newcomer("anna")).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::CodeUnknown), "its key has retired");
    service.redeem(&created.code().reveal(), &newcomer("anna")).await.unwrap();
}

#[tokio::test]
async fn amended_and_extended_row_is_resealed_too() {
    let store = Arc::default();
    let old = service(&store, Sealing::readable());
    let created = create(&old).await;
    let terms = Amendment::new()
        .expiring(Expiry::InDays(9))
        .for_email(Email::parse("anna@example.com").unwrap());
    old.amend(&admin(), created.invitation().id(), terms, IfVersion::Any).await.unwrap();
    let new = service(&store, Sealing::keyring(first_ring()));
    assert_eq!(total(&reseal(&new, 9).await, ResealPage::resealed), 1);
}

#[tokio::test]
async fn actor_without_the_right_cannot_reseal() {
    let store = Arc::default();
    let service = service(&store, Sealing::keyring(first_ring()));
    let manager = Actor::in_division(
        UserId::new("u-m").unwrap(),
        Role::new("manager").unwrap(),
        Division::new("sales").unwrap(),
    );
    let forbidden = Some(Refusal::Forbidden { right: Right::Reseal });
    let refused = service.reseal(&manager, Paging::default()).await.unwrap_err();
    assert_eq!(refused.refusal(), forbidden.as_ref());
    let refused = service.check_seals(&manager, Paging::default()).await.unwrap_err();
    assert_eq!(refused.refusal(), forbidden.as_ref());
    let events = events_of(&service, Action::Reseal).await;
    assert!(events.iter().all(|event| event.outcome == EventOutcome::Denied), "{events:?}");
}

/// The first steps of a fleet: processes without the keyring run beside those that only read with
/// it, and these run beside those that write with it. Each kind finds what the other one writes.
#[tokio::test]
async fn first_keyring_is_rolled_out_without_an_unknown_code() {
    let store = Arc::default();
    let without = service(&store, Sealing::readable());
    let reading = service(&store, Sealing::keyring(first_ring()).writing_unkeyed());
    let writing = service(&store, Sealing::keyring(first_ring()));
    for (n, (from, to)) in
        [(&without, &reading), (&reading, &without), (&reading, &writing), (&writing, &reading)]
            .into_iter()
            .enumerate()
    {
        let created = create(from).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        assert_eq!(to.copy(&admin(), id).await.unwrap(), *created.code(), "step {n}");
        let criteria = Criteria::new().matching(&code[..9]);
        let found = to.list(&admin(), &criteria, Paging::default()).await.unwrap();
        assert_eq!(found.items().len(), 1, "step {n}");
        to.redeem(&code, &newcomer(&format!("n{n}"))).await.unwrap();
    }
    let sealed = create(&writing).await;
    assert_eq!(total(&reseal(&reading, 9).await, ResealPage::outdated), 0, "none is taken out");
    let row = store.get(&Target::Id(sealed.invitation().id()), &Scope::All).await.unwrap();
    assert_eq!(row.unwrap().sealed.key_id(), Some("k1"));
    assert_eq!(total(&reseal(&writing, 9).await, ResealPage::resealed), 3);
    let strict = service(&store, Sealing::keyring(first_ring()).writing_unkeyed().keyed_only());
    let created = create(&strict).await;
    strict.redeem(&created.code().reveal(), &newcomer("last")).await.unwrap();
    let row = store.get(&Target::Id(created.invitation().id()), &Scope::All).await.unwrap();
    assert_eq!(row.unwrap().sealed.key_id(), Some("k1"), "the last setting counts");
}
