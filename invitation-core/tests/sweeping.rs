//! Revoking by a search for a code.

use invitation_core::{
    Actor, CodeFormat, Criteria, Division, Draft, Entropy as _, EventId, IfVersion, Invitations,
    MemoryStore, OsEntropy, Paging, Performer, RequestContext, Role, Scope, SealedCode, Sealing,
    Store, Target, UserId,
    decide::{Call, Command, decide},
};

/// A code whose stored bytes are damaged is still redeemed by its digest. A sweep that could
/// not compare it with the search names it instead of passing over it.
#[tokio::test]
async fn revoking_by_code_names_the_damaged_codes_it_cannot_check() {
    let service = Invitations::new(MemoryStore::new());
    let role = |name| Role::new(name).expect("a role");
    let admin = Actor::across_divisions(UserId::new("ada").expect("an id"), role("admin"));
    let sales = Division::new("sales").expect("a division");
    let draft = Draft::new().with_role(role("staff")).in_division(sales);
    let drafts = vec![draft.clone(), draft];
    let created = service.create_many(&admin, drafts).await.expect("an administrator may");
    let [sound, damaged] = [&created[0], &created[1]].map(|one| one.invitation().id());
    let stored = async |id| {
        let found = service.store().get(&Target::Id(id), &Scope::All).await;
        found.expect("the store answers").expect("it is stored")
    };

    // Gives the second invitation a code that begins like the first, and damaged bytes.
    let new = CodeFormat::default().generate(&OsEntropy).expect("a code");
    let mut id = [0; 16];
    OsEntropy.fill(&mut id).expect("random bytes");
    let call = Call {
        id: EventId::from_bytes(id),
        now: service.now(),
        performer: Performer::System { name: None },
        context: RequestContext::default(),
    };
    let command = Command::Rotate {
        current: &stored(damaged).await,
        digest: Sealing::default().digest(&new),
        tag: stored(sound).await.tag,
        sealed: SealedCode::from_bytes([0xff; 4]),
    };
    let (policy, limits) = (service.policy(), service.limits());
    let transition = decide(command, Scope::All, IfVersion::Any, &call, policy, limits);
    let outcomes = service.store().apply(&[transition.expect("it may change")]).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");

    let code = created[0].code().reveal();
    for search in [&code[..4], &code[..9]] {
        let criteria = Criteria::new().matching(search);
        let page = service.revoke_all(&admin, &criteria, None, Paging::default()).await;
        let page = page.expect("an administrator may");
        let expected: &[_] = if search.len() == 4 { &[sound] } else { &[] };
        assert_eq!((page.revoked(), page.unverified()), (expected, &[damaged][..]), "{search}");
    }
    // A search by other facts needs no code.
    let page = service.revoke_all(&admin, &Criteria::new(), None, Paging::default()).await;
    let page = page.expect("an administrator may");
    assert_eq!((page.revoked(), page.unverified()), (&[damaged][..], &[][..]));
    // What is revoked already is not named.
    let criteria = Criteria::new().matching(&code[..4]);
    let page = service.revoke_all(&admin, &criteria, None, Paging::default()).await;
    assert_eq!(page.expect("an administrator may").unverified(), []);
}
