//! Events: the entries of the audit trail.

use serde::{Deserialize, Serialize};

use crate::{
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
    /// The result of the attempt: done, refused or denied.
    pub outcome: EventOutcome,
    /// The exact reason of a refusal or denial; none when the action was done.
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
        /// Invitations were listed, counted or looked at.
        View = "view",
        /// The audit trail was read.
        Audit = "audit",
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
    }
}

string_enum! {
    /// The exact reason of a refusal or denial, for the audit trail. The caller may be
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
        /// There is no such invitation or code.
        Unknown = "unknown",
        /// The invitation exists, but in a division outside the actor's scope.
        OutOfScope = "out_of_scope",
        /// The invitation was deleted.
        Deleted = "deleted",
        /// Every use has been redeemed.
        Used = "used",
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
        /// The policy no longer lets the inviter's role grant the invitation's role.
        GrantWithdrawn = "grant_withdrawn",
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
        /// Refusals of one performer beyond the limit per minute, which are only counted.
        /// The detail `suppressed` holds their number. If the detail `of` is `several`,
        /// the number covers several performers, and the event names one of them.
        Suppressed = "suppressed",
    }
}

/// Further details of an event: a short list of names with short values.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Detail(Vec<(String, String)>);

impl Detail {
    /// The maximum length of a value, in bytes. Longer values are cut.
    pub const MAX_VALUE: usize = 500;

    /// Returns an empty detail.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a value under a name, cut to [`MAX_VALUE`](Self::MAX_VALUE) bytes.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let mut end = value.len().min(Self::MAX_VALUE);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        self.0.push((name.to_owned(), value[..end].to_owned()));
        self
    }

    /// Returns the JSON text of this detail with one more pair, whose value is missing.
    pub(crate) fn template(&self, name: &str) -> DetailTemplate {
        let mut before = String::from("[");
        for (name, value) in self.iter() {
            before.push_str(&json_pair(name, value));
            before.push(',');
        }
        let last = json_pair(name, "");
        let (name, after) = last.split_at(last.len().saturating_sub(END_OF_VALUE.len()));
        DetailTemplate { before: before + name, after: format!("{after}]") }
    }

    /// Returns whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names and values, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the first value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(own, value)| (own == name).then_some(value))
    }

    /// Returns the JSON text that a store keeps: a list of pairs.
    #[must_use]
    pub fn to_json(&self) -> String {
        let pairs = self.0.iter().map(|(name, value)| vec![name.clone(), value.clone()]);
        pairs.collect::<serde_json::Value>().to_string()
    }

    /// Reads the JSON text that a store kept; none when the text is not a list of pairs.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The end of a JSON pair after its value.
const END_OF_VALUE: &str = "\"]";

fn json_pair(name: &str, value: &str) -> String {
    serde_json::Value::from_iter([name, value]).to_string()
}

/// The JSON text of a detail in two parts, between which a store writes one value.
///
/// It is for stores that learn the value only within their atomic step, for example in a
/// script on the server. The value consists of ASCII letters, digits and hyphens, so that
/// it needs no escapes: a number or an id.
///
/// ```
/// # use std::num::NonZeroU32;
/// # use invitation_core::{Detail, Purge};
/// # fn of(purge: &Purge) {
/// let template = purge.evidence_template();
/// let json = [template.before(), "17", template.after()].concat();
/// assert_eq!(Detail::from_json(&json), Some(purge.evidence(17).detail));
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetailTemplate {
    before: String,
    after: String,
}

impl DetailTemplate {
    /// Returns the text before the value.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.before
    }

    /// Returns the text after the value.
    #[must_use]
    pub fn after(&self) -> &str {
        &self.after
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

    #[test]
    fn template_with_its_value_is_the_detail() {
        for detail in [
            Detail::none(),
            Detail::none().with("reason", "a \"quoted\" \\ text, [1]\n"),
            Detail::none().with("a", "1").with("b", ""),
        ] {
            for value in ["0", "17", "0197a3c0-0000-7000-8000-000000000001"] {
                let template = detail.template("re\"moved");
                let json = [template.before(), value, template.after()].concat();
                assert_eq!(json, detail.clone().with("re\"moved", value).to_json());
            }
        }
    }

    #[test]
    fn detail_keeps_order_and_is_bounded() {
        let long = "é".repeat(Detail::MAX_VALUE);
        let detail = Detail::none().with("b", "1").with("a", &long);
        assert_eq!(detail.get("a").unwrap().len(), Detail::MAX_VALUE);
        assert_eq!(detail.iter().next(), Some(("b", "1")));
        assert_eq!(Detail::from_json(&detail.to_json()), Some(detail));
        assert_eq!(Detail::from_json("{}"), None);
    }
}
