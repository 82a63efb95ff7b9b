//! Each command: a hook that does not allow it refuses it with evidence, and nothing changes.

use invitation_core::{
    Criteria, Disclosure, Duplicates, EventOutcome, IdempotencyKey, Import, ImportMode, ImportRow,
    Paging, Reason, Refusal,
    delivery::Resend,
    hooks::{CommandKind, VetoReason},
};

use crate::host::{Act, Host, TEXT, admin, newcomer, staff};

const UNKNOWN: &str = "it could not be found out whether this is allowed, try again later";

#[tokio::test]
async fn veto_and_failing_hook_refuse_each_command_with_evidence_and_change_nothing() {
    for kind in CommandKind::ALL {
        let host = Host::new();
        let prepared = host.prepare(*kind).await;
        let state = host.state().await;
        for (act, reason, text) in [
            (Act::Veto, Reason::Vetoed, TEXT),
            (Act::Fail, Reason::HookFailed, UNKNOWN),
            (Act::Hang, Reason::HookFailed, UNKNOWN),
            (Act::Panic, Reason::HookFailed, UNKNOWN),
            (Act::PanicInTimer, Reason::HookFailed, UNKNOWN),
        ] {
            let before = host.events().await.len();
            host.hooks.set_before(act);
            let error = host.give(*kind, &prepared).await.unwrap_err();
            let refusal = Refusal::Vetoed { reason: VetoReason::new(text) };
            assert_eq!(error.refusal(), Some(&refusal), "{kind}: {act:?}");
            assert_eq!(error.to_string(), text, "{kind}: {act:?}");
            assert_eq!(host.state().await, state, "{kind}: {act:?}");
            let events = host.events().await;
            assert_eq!(events.len(), before + 1, "{kind}: {act:?}");
            let event = &events[0];
            assert_eq!((event.outcome, event.reason), (EventOutcome::Refused, Some(reason)));
            let told = (reason == Reason::Vetoed).then_some(TEXT);
            assert_eq!(event.detail.get("veto"), told, "{kind}: {act:?}");
            let creates = matches!(kind, CommandKind::Create | CommandKind::CreateMany);
            assert_eq!(event.invitation, (!creates).then_some(prepared.id), "{kind}: {act:?}");
            let asked = host.hooks.take_asked();
            assert_eq!(asked.len(), 1, "{kind}: {act:?}");
            assert_eq!((asked[0].kind, asked[0].call), (*kind, event.id));
            assert_eq!(host.hooks.take_told(), [], "{kind}: {act:?}");
        }
        host.hooks.set_before(Act::Allow);
        host.give(*kind, &prepared).await.unwrap();
        assert_ne!(host.state().await, state, "{kind} is possible after the veto");
        let (asked, told) = (host.hooks.take_asked(), host.hooks.take_told());
        assert_eq!((asked.len(), told.len()), (1, 1), "{kind}");
        assert_eq!((told[0].kind, told[0].call), (*kind, asked[0].call));
        assert_eq!(told[0].performer, asked[0].performer);
        assert_eq!(told[0].invitations.len(), asked[0].invitations.len(), "{kind}");
        assert!(told[0].invitations.iter().all(|one| one.id.is_some()), "{kind}");
    }
}

#[tokio::test]
async fn veto_refuses_a_whole_import_and_a_whole_page_of_revocations() {
    let host = Host::new();
    host.hooks.set_before(Act::Veto);
    for mode in [ImportMode::AllOrNone, ImportMode::BestEffort] {
        let rows = vec![ImportRow::Draft(staff()), ImportRow::Draft(staff())];
        let import = Import::new(rows).with_mode(mode).with_duplicates(Duplicates::Create);
        let error = host.hooked.import(&admin(), import.clone(), None).await.unwrap_err();
        assert_eq!(error.to_string(), TEXT);
        let asked = host.hooks.take_asked();
        assert_eq!((asked.len(), asked[0].invitations.len()), (1, 2));
        host.hooked.rehearse(&admin(), import).await.unwrap();
        assert_eq!(host.hooks.take_asked(), [], "a dry run asks nothing");
    }
    assert_eq!(host.state().await.0.len(), 0);
    assert_eq!(host.events().await.len(), 2, "one for each import");

    host.plain.create_many(&admin(), vec![staff(); 3]).await.unwrap();
    let state = host.state().await;
    let all = Criteria::new();
    let admin = admin();
    let revoke = || host.hooked.revoke_all(&admin, &all, None, Paging::default());
    let before = host.events().await.len();
    assert_eq!(revoke().await.unwrap_err().to_string(), TEXT);
    assert_eq!((host.state().await, host.events().await.len()), (state, before + 1));
    let asked = host.hooks.take_asked();
    assert_eq!((asked.len(), asked[0].invitations.len()), (1, 3));
    host.hooks.set_before(Act::Allow);
    assert_eq!(revoke().await.unwrap().revoked().len(), 3);
    let told = host.hooks.take_told();
    assert_eq!((told.len(), told[0].invitations.len()), (1, 3));
    host.hooks.take_asked();
    assert_eq!(revoke().await.unwrap().revoked().len(), 0);
    assert_eq!((host.hooks.take_asked(), host.hooks.take_told()), (vec![], vec![]));
}

#[tokio::test]
async fn veto_of_a_redemption_reads_like_an_unknown_code_if_nothing_is_disclosed() {
    let host = Host::new();
    let prepared = host.prepare(CommandKind::Redeem).await;
    host.hooks.set_before(Act::Veto);
    let silent = host.hooked.clone().with_disclosure(Disclosure::Nothing);
    let error = silent.redeem(&prepared.code, &newcomer()).await.unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::CodeUnknown));
    let event = &host.events().await[0];
    assert_eq!((event.reason, event.detail.get("veto")), (Some(Reason::Vetoed), Some(TEXT)));
}

#[tokio::test]
async fn repeated_call_gets_the_earlier_result_and_asks_nothing() {
    let host = Host::new();
    let key = IdempotencyKey::new("key-1").unwrap();
    let import = Import::new(vec![ImportRow::Draft(staff())]);
    let other = IdempotencyKey::new("key-2").unwrap();
    let first = host.hooked.create_once(&admin(), &key, staff()).await.unwrap();
    host.hooked.import(&admin(), import.clone(), Some(&other)).await.unwrap();
    let prepared = host.prepare(CommandKind::Redeem).await;
    let held = host.prepare(CommandKind::Reserve).await;
    host.give(CommandKind::Redeem, &prepared).await.unwrap();
    host.give(CommandKind::Reserve, &held).await.unwrap();
    assert_eq!(host.hooks.take_asked().len(), 4);
    assert_eq!(host.hooks.take_told().len(), 4);

    host.hooks.set_before(Act::Veto);
    let again = host.hooked.create_once(&admin(), &key, staff()).await.unwrap();
    assert!(again.is_replayed());
    assert_eq!(again.invitation().id(), first.invitation().id());
    let again = host.hooked.import(&admin(), import, Some(&other)).await.unwrap();
    assert!(again.is_replayed());
    assert!(host.hooked.redeem(&prepared.code, &newcomer()).await.unwrap().is_replayed());
    host.give(CommandKind::Reserve, &held).await.unwrap();
    assert_eq!((host.hooks.take_asked(), host.hooks.take_told()), (vec![], vec![]));
}

#[tokio::test]
async fn veto_refuses_a_whole_page_of_mails() {
    let host = Host::new();
    let email = |name: &str| staff().for_email(format!("{name}@example.com").parse().unwrap());
    let drafts = vec![email("a"), staff(), email("b")];
    host.plain.create_many(&admin(), drafts).await.unwrap();
    let (deliveries, admin, all) = (host.deliveries(), admin(), Criteria::new());
    let resend = || deliveries.resend_all(&admin, &all, Resend::new(), Paging::default());
    let (state, before) = (host.state().await, host.events().await.len());
    host.hooks.set_before(Act::Veto);
    assert_eq!(resend().await.unwrap_err().to_string(), TEXT);
    assert_eq!((host.state().await, host.events().await.len()), (state, before + 1));
    let asked = host.hooks.take_asked();
    assert_eq!((asked.len(), asked[0].invitations.len()), (1, 2), "of those for an address");
    host.hooks.set_before(Act::Allow);
    assert_eq!(resend().await.unwrap().queued(), 2);
    assert_eq!(host.hooks.take_asked().len(), 1);
    let told = host.hooks.take_told();
    assert_eq!((told.len(), told[0].kind, told[0].invitations.len()), (1, CommandKind::Resend, 2));
}
