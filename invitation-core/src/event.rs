//! Events: the entries of the audit trail.

use crate::{
    detail::{Detail, DetailTemplate},
    id::{EventId, InvitationId},
    performer::Performer,
    record::Record,
    request_context::RequestContext,
    scope::Scope,
    string_enum::string_enum,
    text::Division,
    time::Timestamp,
};

/// The name of the detail that names the lease whose use a change took.
const TAKEN_OVER_FROM: &str = "taken_over_from";

/// One entry of the audit trail: which performer did, or was refused, which action, when
/// and why.
///
/// An event never contains a code or data derived from one. It is plain data, so that
/// every store can keep and return all of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a field")]
pub struct Event {
    /// The id of the event, and of the operation that it documents.
    pub id: EventId,
    /// The time of the event, by the clock of the service.
    pub at: Timestamp,
    /// The user or system that acted.
    pub performer: Performer,
    /// The action that was done or attempted.
    pub action: Action,
    /// The result of the attempt: done, refused, denied or failed.
    pub outcome: EventOutcome,
    /// The exact reason of a refusal, denial or failure; none when the action was done.
    pub reason: Option<Reason>,
    /// The invitation that the event is about. The event of a change is built before the
    /// invitation is known; the store fills it in ([`Event::about`]).
    pub invitation: Option<InvitationId>,
    /// The division of that invitation, or the division that the call named.
    pub division: Option<Division>,
    /// The correlation id and source that the host gave for the call.
    pub context: RequestContext,
    /// Further names and values about the event.
    pub detail: Detail,
}

impl Event {
    /// Returns this event with `invitation` and its division filled in.
    #[must_use]
    pub fn about(self, invitation: &Record) -> Self {
        self.located(invitation.id, invitation.division.clone())
    }

    /// Returns the type under which other systems hear of this event: the one of its
    /// [action](Action::event_type) if it was done, and `invitation.delivery_failed` if a mail was
    /// given up. None for every other event.
    #[must_use]
    pub fn event_type(&self) -> Option<&'static str> {
        match (self.outcome, self.action) {
            (EventOutcome::Succeeded, action) => action.event_type(),
            (EventOutcome::Failed, Action::Deliver) => Some("invitation.delivery_failed"),
            (EventOutcome::Refused | EventOutcome::Denied | EventOutcome::Failed, _) => None,
        }
    }

    /// Returns this event with the id of the expired lease that the change took its use
    /// from, as the last detail (`taken_over_from`).
    ///
    /// The lease belongs to a different user. This method is for stores that learn the id
    /// only within their atomic step. Other stores call
    /// [`Transition::evidence`](crate::Transition::evidence), which adds it.
    #[must_use]
    pub fn taken_over_from(self, ended: &EventId) -> Self {
        let detail = self.detail.with(TAKEN_OVER_FROM, &ended.to_string());
        Self { detail, ..self }
    }

    /// Returns the detail of [`taken_over_from`](Self::taken_over_from) as a text, into
    /// which the store writes the id of the lease.
    #[must_use]
    pub fn taken_over_from_template(&self) -> DetailTemplate {
        self.detail.template(TAKEN_OVER_FROM)
    }

    /// Returns this event with the division of `scope`, if the scope is one division.
    pub(crate) fn within(self, scope: &Scope) -> Self {
        match scope {
            Scope::All => self,
            Scope::Division(division) => Self { division: Some(division.clone()), ..self },
        }
    }

    pub(crate) fn located(self, id: InvitationId, division: Division) -> Self {
        Self { invitation: Some(id), division: Some(division), ..self }
    }
}

string_enum! {
    /// The action of an event: done or attempted.
    #[non_exhaustive]
    Action, "action" {
        /// An invitation was created.
        Create = "create",
        /// A code was presented for redemption.
        Redeem = "redeem",
        /// A use was held for a redeemer while the host creates the account.
        Reserve = "reserve",
        /// A held use was released.
        Release = "release",
        /// A code was copied, to be shared.
        Copy = "copy",
        /// The address, expiry or role of an invitation was changed.
        Amend = "amend",
        /// The code was replaced.
        Rotate = "rotate",
        /// The invitation was revoked.
        Revoke = "revoke",
        /// A revocation was undone.
        Reinstate = "reinstate",
        /// The invitation was deleted.
        Delete = "delete",
        /// Invitations that ended long ago were removed for good.
        Purge = "purge",
        /// Old events were removed for good.
        PurgeEvents = "purge_events",
        /// Stored codes were rewritten under the active key.
        Reseal = "reseal",
        /// Invitations were listed, counted or looked at.
        View = "view",
        /// The audit trail was read.
        Audit = "audit",
        /// A mail with the code was asked for again, or a failed one was.
        Resend = "resend",
        /// An invitation is about to expire, and its recipient is reminded.
        ReminderDue = "reminder_due",
        /// A mail with the code was sent, or will not be.
        Deliver = "deliver",
        /// The import of a file was ordered, started or cancelled, or has ended. The detail `step`
        /// says which.
        Import = "import",
        /// An endpoint of webhooks was registered, changed or removed. The details `endpoint` and
        /// `change` say more.
        Webhooks = "webhooks",
        /// The values of a person were erased.
        Erase = "erase",
    }
}

impl Action {
    /// Returns the type under which other systems hear of this action once it is done, such as
    /// `invitation.created`. None for an action that only reads, or that makes no difference
    /// which another system could see.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::audit::Action;
    ///
    /// assert_eq!(Action::Redeem.event_type(), Some("invitation.redeemed"));
    /// assert_eq!(Action::View.event_type(), None);
    /// ```
    #[must_use]
    pub fn event_type(self) -> Option<&'static str> {
        match self {
            Self::Create => Some("invitation.created"),
            Self::Redeem => Some("invitation.redeemed"),
            Self::Reserve => Some("invitation.reserved"),
            Self::Release => Some("invitation.released"),
            Self::Copy => Some("invitation.copied"),
            Self::Amend => Some("invitation.amended"),
            Self::Rotate => Some("invitation.rotated"),
            Self::Revoke => Some("invitation.revoked"),
            Self::Reinstate => Some("invitation.reinstated"),
            Self::Delete => Some("invitation.deleted"),
            Self::Purge => Some("invitation.purged"),
            Self::Resend => Some("invitation.resent"),
            Self::ReminderDue => Some("invitation.reminder_due"),
            Self::Deliver => Some("invitation.delivered"),
            Self::PurgeEvents
            | Self::Reseal
            | Self::Erase
            | Self::View
            | Self::Audit
            | Self::Import
            | Self::Webhooks => None,
        }
    }
}

string_enum! {
    /// The result of an attempted action.
    #[non_exhaustive]
    EventOutcome, "outcome" {
        /// The action was done.
        Succeeded = "succeeded",
        /// The state of the invitation did not allow it.
        Refused = "refused",
        /// The actor was not entitled to it.
        Denied = "denied",
        /// It was tried, and did not succeed for a cause outside of the library, such as a mail
        /// server.
        Failed = "failed",
    }
}

string_enum! {
    /// The exact reason of a refusal, denial or failure, for the audit trail. The caller may be
    /// shown less.
    #[non_exhaustive]
    Reason, "reason" {
        /// The policy does not give the role this right.
        RightMissing = "right_missing",
        /// The role may not grant the requested role, or the policy does not know that
        /// role.
        RoleNotGrantable = "role_not_grantable",
        /// The role may not create codes with several uses.
        MultiUseNotAllowed = "multi_use_not_allowed",
        /// The role may not bind codes to a domain.
        DomainNotAllowed = "domain_not_allowed",
        /// The call named a division that the actor does not reach.
        DivisionNotAllowed = "division_not_allowed",
        /// The policy does not know the actor's role, so that the role has no rights.
        UnknownRole = "unknown_role",
        /// There is no such invitation or code.
        Unknown = "unknown",
        /// The invitation exists, but in a division outside the actor's scope.
        OutOfScope = "out_of_scope",
        /// The invitation was deleted.
        Deleted = "deleted",
        /// Every use has been redeemed.
        Used = "used",
        /// The code is bound to a domain, and another user has redeemed the invitation or
        /// holds a use of it with the same proved address.
        MailboxUsed = "mailbox_used",
        /// The invitation is revoked.
        Revoked = "revoked",
        /// The invitation is not revoked, so there is nothing to reinstate.
        NotRevoked = "not_revoked",
        /// The invitation has expired.
        Expired = "expired",
        /// The code is bound to an address or domain, and the redeemer presented no
        /// proved address.
        AddressMissing = "address_missing",
        /// The code is bound to an address or domain, and the proved address does not
        /// match it.
        AddressDiffers = "address_differs",
        /// The policy no longer lets the grantor's role grant the invitation's role.
        GrantWithdrawn = "grant_withdrawn",
        /// The host's [hook](crate::standing::Standing) says that the grantor may no longer
        /// grant the invitation.
        GrantorStanding = "grantor_standing",
        /// The host's [hook](crate::standing::Standing) failed or did not answer in time.
        StandingUnknown = "standing_unknown",
        /// The host's [hook](crate::hooks::Hooks) does not allow the command. The detail `veto`
        /// has the text that the host gave.
        Vetoed = "vetoed",
        /// The host's [hook](crate::hooks::Hooks) failed or did not answer in time.
        HookFailed = "hook_failed",
        /// The invitation has changed since the version that the caller expected.
        VersionMismatch = "version_mismatch",
        /// Leases of other users hold every use that is left.
        Reserved = "reserved",
        /// The reservation's lease had ended.
        ReservationLost = "reservation_lost",
        /// The number of pending invitations has reached a quota.
        QuotaExceeded = "quota_exceeded",
        /// The idempotency key was used before, for a different creation.
        IdempotencyKeyReused = "idempotency_key_reused",
        /// Concurrent calls changed the invitation at every attempt.
        Conflict = "conflict",
        /// The store keeps only a digest of the code, so the code cannot be shown.
        CodeNotKept = "code_not_kept",
        /// The source of the call, or all sources together, had too many failed guesses. The
        /// code was not evaluated.
        TooManyRequests = "too_many_requests",
        /// Refusals of one performer beyond the limit per minute, which are only counted.
        /// The detail `suppressed` holds their number. If the detail `of` is `several`,
        /// the number covers several performers, and the event names one of them.
        Suppressed = "suppressed",
        /// The invitation is bound to no address, so no mail can be sent.
        NoAddress = "no_address",
        /// The actor, or others for the same address, asked for too many mails.
        MailLimit = "mail_limit",
        /// The recipient wants no reminders.
        Unsubscribed = "unsubscribed",
        /// The last attempt to deliver failed. The detail `failure` says how.
        DeliveryFailed = "delivery_failed",
        /// The import of a file ended before its last row. The import keeps the reason.
        ImportFailed = "import_failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_is_read_back() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse::<Action>().unwrap(), *action);
            let json = serde_json::to_string(action).unwrap();
            assert_eq!(json, format!("\"{action}\""), "serde and the stores use the same string");
        }
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse::<Reason>().unwrap(), *reason);
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{reason}\""));
        }
        assert!("Create".parse::<Action>().is_err());
    }
}
