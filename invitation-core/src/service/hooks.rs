//! Asking the host's hooks before a step, and notifying them after it.

use std::sync::Arc;

use super::{Invitations, evidence::Place};
use crate::{
    decide::Call,
    error::Error,
    event::{Action, Reason},
    hooks::{CommandKind, Done, Hooks, Intent, InvitationTerms, Notice, VetoReason, ask},
    record::Record,
    refusal::Verdict,
    report,
    store::Store,
};

impl<S: Store> Invitations<S> {
    /// Sets the host's hooks: a veto before each command, and a notification after it.
    ///
    /// The page of the module [`hooks`](crate::hooks) has an example, the calls and the cost.
    #[must_use]
    pub fn with_hooks(self, hooks: impl Hooks + 'static) -> Self {
        self.with(|settings| settings.hooks = Some(Arc::new(hooks)))
    }

    /// Returns whether the host has hooks.
    pub(super) fn has_hooks(&self) -> bool {
        self.settings.hooks.is_some()
    }

    /// Returns what the hooks are asked; none without hooks.
    pub(super) fn intent<'r>(
        &self,
        kind: CommandKind,
        call: &Call,
        invitations: impl IntoIterator<Item = &'r Record>,
    ) -> Option<Intent> {
        self.has_hooks().then(|| {
            let terms = invitations.into_iter().map(InvitationTerms::of);
            intent(kind, call, terms.collect())
        })
    }

    /// Returns what the hooks are asked about invitations that do not exist yet; none without
    /// hooks.
    pub(super) fn intent_to_create(
        &self,
        kind: CommandKind,
        call: &Call,
        invitations: impl IntoIterator<Item = InvitationTerms>,
    ) -> Option<Intent> {
        self.has_hooks().then(|| intent(kind, call, invitations.into_iter().collect()))
    }

    /// Asks the hooks, if there are any.
    ///
    /// # Errors
    ///
    /// The verdict that refuses the command: the host does not allow it, or did not say.
    pub(super) async fn consent(&self, intent: Option<Intent>) -> Result<(), Verdict> {
        let (Some(hooks), Some(intent)) = (&self.settings.hooks, intent) else { return Ok(()) };
        let Err(veto) = ask(&**hooks, &intent).await else { return Ok(()) };
        let (reason, text) = match veto.into_reason() {
            Ok(text) => (Reason::Vetoed, text),
            Err(lapse) => {
                report::hook_failed(&lapse);
                (Reason::HookFailed, VetoReason::unknown())
            }
        };
        Err(Verdict::vetoed(text, reason))
    }

    /// Asks the hooks, and refuses the call with evidence if they do not allow it.
    pub(super) async fn consent_or_refuse(
        &self,
        intent: Option<Intent>,
        call: &Call,
        action: Action,
        place: Place,
    ) -> Result<(), Error> {
        match self.consent(intent).await {
            Ok(()) => Ok(()),
            Err(verdict) => Err(self.refuse(call, action, verdict, place).await),
        }
    }

    /// Returns the notification that a command was done. None without hooks, and none inside a
    /// host's transaction, whose outcome the service does not learn.
    pub(super) fn notice<'r>(
        &self,
        kind: CommandKind,
        call: &Call,
        invitations: impl IntoIterator<Item = &'r Record>,
    ) -> Option<Notice> {
        let hooks = self.settings.hooks.as_ref().filter(|_| self.records_itself())?;
        let Call { id, now, performer, context } = call.clone();
        let invitations = invitations.into_iter().map(InvitationTerms::of).collect();
        let done = Done { kind, call: id, at: now, performer, context, invitations };
        Some(Notice::new(Arc::clone(hooks), done))
    }

    /// Notifies the hooks that a command was done about one invitation.
    pub(super) async fn notify(&self, kind: CommandKind, call: &Call, invitation: &Record) {
        send(self.notice(kind, call, [invitation])).await;
    }
}

/// Sends a notification, if there is one.
pub(super) async fn send(notice: Option<Notice>) {
    if let Some(notice) = notice {
        notice.send().await;
    }
}

fn intent(kind: CommandKind, call: &Call, invitations: Vec<InvitationTerms>) -> Intent {
    let Call { id, now, performer, context } = call.clone();
    Intent { kind, call: id, at: now, performer, context, invitations, amended: None }
}
