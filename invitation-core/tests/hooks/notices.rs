//! Notifications: whatever a hook does, the step and its answer stay.

use invitation_core::hooks::CommandKind;

use crate::host::{Act, Host};

#[tokio::test]
async fn failing_hanging_or_panicking_notification_does_not_change_the_answer() {
    for kind in CommandKind::ALL {
        for act in [Act::Fail, Act::Hang, Act::Panic, Act::PanicInTimer] {
            let host = Host::new();
            let prepared = host.prepare(*kind).await;
            let (state, before) = (host.state().await, host.events().await.len());
            host.hooks.set_after(act);
            host.give(*kind, &prepared).await.unwrap();
            assert_eq!(host.hooks.take_told().len(), 1, "{kind}: {act:?}: once");
            assert_ne!(host.state().await, state, "{kind}: {act:?}");
            let made = if *kind == CommandKind::CreateMany { 2 } else { 1 };
            assert_eq!(host.events().await.len(), before + made, "{kind}: {act:?}");
        }
    }
}

#[tokio::test]
async fn caller_who_leaves_during_the_notification_undoes_nothing() {
    for kind in CommandKind::ALL {
        let host = Host::new();
        let prepared = host.prepare(*kind).await;
        let (state, before) = (host.state().await, host.events().await.len());
        host.hooks.set_after(Act::HangForever);
        tokio::select! {
            biased;
            answer = host.give(*kind, &prepared) => panic!("{kind} was answered: {answer:?}"),
            () = host.hooks.is_telling() => {}
        }
        assert_ne!(host.state().await, state, "{kind}");
        assert!(host.events().await.len() > before, "{kind}");
    }
}
