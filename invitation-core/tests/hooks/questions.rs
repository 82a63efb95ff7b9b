//! The questions to the hooks: they have the terms, and never a code.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    Actor, Error, IfVersion, Intercept, Interceptor, Invitations, MemoryStore, Operation,
    Performer, Refusal, Right, StoreCall, StoreError, UserId, hooks::CommandKind,
};
use invitation_testkit::Canary;

use crate::host::{Act, Host, admin, newcomer, role, staff};

#[tokio::test]
async fn intent_has_the_terms_and_the_performer() {
    let host = Host::new();
    let prepared = host.prepare(CommandKind::Amend).await;
    host.give(CommandKind::Amend, &prepared).await.unwrap();
    let asked = host.hooks.take_asked();
    let (present, new) = (&asked[0].invitations[0], asked[0].amended.as_ref().unwrap());
    assert_eq!((present.id, present.role.as_str()), (Some(prepared.id), "staff"));
    assert_eq!((new.id, new.role.as_str()), (Some(prepared.id), "manager"));
    assert!(new.expires_at > present.expires_at);
    assert_eq!(asked[0].performer.user(), Some(admin().user()));
    assert_eq!(host.hooks.take_told()[0].invitations, std::slice::from_ref(new));

    host.give(CommandKind::Create, &prepared).await.unwrap();
    let asked = host.hooks.take_asked();
    let new = &asked[0].invitations[0];
    assert_eq!((new.id, new.division.as_str(), new.uses), (None, "sales", 0));
    assert_eq!(asked[0].amended, None);

    let prepared = host.prepare(CommandKind::Redeem).await;
    host.give(CommandKind::Redeem, &prepared).await.unwrap();
    let asked = host.hooks.take_asked();
    assert_eq!((asked[0].invitations[0].id, asked[0].invitations[0].uses), (Some(prepared.id), 0));
    let Performer::Redeemer { user, username } = &asked[0].performer else { panic!("a redeemer") };
    assert_eq!((user.as_str(), username.as_str()), ("u-anna", "anna"));
    assert_eq!(host.hooks.take_told().last().unwrap().invitations[0].uses, 1);
}

#[tokio::test]
async fn hooks_and_evidence_contain_no_code() {
    for act in [Act::Allow, Act::Veto] {
        for kind in CommandKind::ALL {
            let host = Host::new();
            let prepared = host.prepare(*kind).await;
            host.hooks.set_before(act);
            let answer = host.give(*kind, &prepared).await;
            let (asked, told) = (host.hooks.take_asked(), host.hooks.take_told());
            let events = host.events().await;
            assert_eq!((answer.is_ok(), told.is_empty()), (act == Act::Allow, act != Act::Allow));
            let shown = format!("{asked:?} {told:?} {answer:?} {events:?} {:?}", host.hooked);
            let canary = Canary::new(&prepared.code);
            assert_eq!(canary.trace_in(shown.as_bytes()), None, "{kind}: {shown}");
        }
    }
}

#[tokio::test]
async fn command_that_is_refused_anyway_asks_nothing() {
    let host = Host::new();
    let prepared = host.prepare(CommandKind::Redeem).await;
    host.plain.redeem(&prepared.code, &newcomer()).await.unwrap();
    let refusal = |error: Error| error.refusal().cloned();
    let any = IfVersion::Any;
    for error in [
        host.hooked.revoke(&admin(), prepared.id, None, any).await.unwrap_err(),
        host.hooked.rotate(&admin(), prepared.id, any).await.unwrap_err(),
    ] {
        assert_eq!(refusal(error), Some(Refusal::Used));
    }
    let error = host.hooked.revoke(&admin(), prepared.id, None, IfVersion::Exactly(7)).await;
    let current = 1;
    assert_eq!(refusal(error.unwrap_err()), Some(Refusal::VersionMismatch { current }));
    let staff_member = Actor::across_divisions(UserId::new("u-2").unwrap(), role("staff"));
    let error = host.hooked.create(&staff_member, staff()).await.unwrap_err();
    assert_eq!(refusal(error), Some(Refusal::Forbidden { right: Right::Create }));
    assert_eq!(host.hooks.take_asked(), []);
}

#[tokio::test]
async fn answer_is_about_the_version_of_the_terms_that_the_hook_saw() {
    for kind in [
        CommandKind::Redeem,
        CommandKind::Reserve,
        CommandKind::Commit,
        CommandKind::Amend,
        CommandKind::Rotate,
        CommandKind::Revoke,
        CommandKind::Delete,
    ] {
        let host = Host::new();
        let prepared = host.prepare(kind).await;
        host.hooks.extend_meanwhile(host.plain.clone(), prepared.id);
        host.give(kind, &prepared).await.unwrap();
        let asked = host.hooks.take_asked();
        let expiries: Vec<_> = asked.iter().map(|one| one.invitations[0].expires_at).collect();
        assert_eq!(expiries.len(), 2, "{kind}: asked about each version");
        assert!(expiries[0] < expiries[1], "{kind}");
        assert_eq!(host.hooks.take_told().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn service_without_hooks_reads_nothing_more() {
    #[derive(Debug, Clone, Default)]
    struct Counter(Arc<AtomicUsize>);

    #[async_trait]
    impl Interceptor for Counter {
        async fn intercept(&self, _: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            call.await.map_err(|kind| StoreError::new(kind, "counted"))
        }
    }

    let counter = Counter::default();
    let store = Intercept::new(MemoryStore::new(), counter.clone());
    let invitations = Invitations::new(store);
    let created = invitations.create(&admin(), staff()).await.unwrap();
    let code = created.code().reveal().to_string();
    invitations.redeem(&code, &newcomer()).await.unwrap();
    invitations.delete(&admin(), created.invitation().id(), IfVersion::Any).await.unwrap();
    assert_eq!(counter.0.load(Ordering::SeqCst), 3, "one call of the store for each");
}
