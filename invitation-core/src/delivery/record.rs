//! A delivery, and the document that keeps it.

mod versions;

use serde::{Deserialize, Serialize};

use super::{DeliveryFailure, MessageId};
use crate::{
    code::CodeDigest,
    detail::Detail,
    documents::{Document, DocumentKey, DocumentKind, DocumentName, DocumentState},
    event::Reason,
    id::{DeliveryId, EventId, InvitationId},
    store_error::{StoreError, StoreErrorKind},
    string_enum::string_enum,
    text::Division,
    time::Timestamp,
};

string_enum! {
    /// The reason for which a mail is sent.
    #[non_exhaustive]
    DeliveryPurpose, "purpose" {
        /// The invitation was created.
        Invited = "invited",
        /// A user asked for the mail again.
        Resent = "resent",
        /// The invitation is about to expire.
        Reminder = "reminder",
    }
}

string_enum! {
    /// The state of a delivery.
    #[non_exhaustive]
    DeliveryState, "state" {
        /// The mail is to be sent: now, or after a failed attempt later.
        Queued = "queued",
        /// The mail server has accepted the mail.
        Sent = "sent",
        /// The last attempt failed. A person can retry.
        Failed = "failed",
        /// The mail is not sent, because the invitation is no longer active, because its expiry or
        /// code is not the one that the mail was for, or because its recipient wants no reminders.
        Cancelled = "cancelled",
    }
}

impl DeliveryState {
    pub(crate) fn of_document(self) -> DocumentState {
        DocumentState::from_stored(self.as_str())
    }
}

/// A mail with the code of an invitation, and what became of it.
///
/// It names the invitation. It contains neither the code nor the address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    id: DeliveryId,
    version: u64,
    invitation: InvitationId,
    division: Division,
    state: DeliveryState,
    queued_at: Timestamp,
    due: Option<Timestamp>,
    facts: Facts,
}

/// The body of the document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    /// The number of this form; others are refused.
    v: u8,
    purpose: DeliveryPurpose,
    /// Whether the mail was asked for with a new code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rotated: bool,
    /// The code that is still to be replaced, as the start of its digest; none once it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<[u8; 8]>,
    /// The codes that the worker may replace by one that it draws when it sends, as the starts of
    /// their digests: where the store keeps no codes, the code that the resend made, and after that
    /// those of the last two attempts. A code that a person made meanwhile is not among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    draws: Vec<[u8; 8]>,
    attempts: u32,
    /// Whether the mail has been counted against the limit of its address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    counted: bool,
    /// The call that wrote this version. It makes the versions of two workers differ.
    by: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<DeliveryFailure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<i64>,
}

/// The only form of the body so far.
const FORM: u8 = 1;

impl Delivery {
    pub(crate) fn kind() -> DocumentKind {
        DocumentKind::from_stored("mail")
    }

    pub(crate) fn key(id: DeliveryId) -> DocumentKey {
        let name = DocumentName::from_stored(id.to_string());
        DocumentKey { kind: Self::kind(), name }
    }

    /// Creates the delivery of a mail that is due at once.
    pub(crate) fn queued(
        id: DeliveryId,
        purpose: DeliveryPurpose,
        invitation: InvitationId,
        division: Division,
        at: Timestamp,
    ) -> Self {
        let facts = Facts {
            v: FORM,
            purpose,
            rotated: false,
            replaces: None,
            draws: Vec::new(),
            attempts: 0,
            counted: false,
            by: None,
            failure: None,
            reason: None,
            message_id: None,
            ended_at: None,
        };
        let state = DeliveryState::Queued;
        Self { id, version: 1, invitation, division, state, queued_at: at, due: Some(at), facts }
    }

    /// The same delivery, whose mail waits until `due` for the replacement of the code `old`.
    pub(crate) fn replacing(mut self, old: &CodeDigest, due: Timestamp) -> Self {
        (self.facts.rotated, self.facts.replaces) = (true, Some(beginning_of(old)));
        self.facts.draws.clear();
        Self { due: Some(due), ..self }
    }

    /// Returns whether it is not known that the code was replaced, as it was asked for.
    pub(crate) fn awaits_new_code(&self) -> bool {
        self.facts.replaces.is_some()
    }

    /// Returns whether the mail is to have another code than this one.
    pub(crate) fn is_to_replace(&self, code: &CodeDigest) -> bool {
        self.facts.replaces == Some(beginning_of(code))
    }

    /// The same delivery after the replacement of the code.
    pub(crate) fn with_new_code(mut self) -> Self {
        self.facts.replaces = None;
        self
    }

    /// The same delivery, whose code the worker draws when it sends: it may replace these codes.
    pub(crate) fn drawing<'c>(mut self, codes: impl IntoIterator<Item = &'c CodeDigest>) -> Self {
        self.facts.draws = codes.into_iter().map(beginning_of).collect();
        self
    }

    /// Returns whether the worker may replace this code by one that it draws.
    pub(crate) fn may_draw(&self, code: &CodeDigest) -> bool {
        // If it is unknown whether the resend has replaced the code, any other one is its own.
        let is_replaced = self.awaits_new_code() && !self.is_to_replace(code);
        is_replaced || self.facts.draws.contains(&beginning_of(code))
    }

    /// Returns the call that wrote this version; none for the first one.
    pub(crate) fn written_by(&self) -> Option<EventId> {
        self.facts.by
    }

    /// Returns whether the mail is still to be counted against the limit of its address. One that a
    /// user asked for again was counted in that step.
    pub(crate) fn is_to_count(&self) -> bool {
        match self.purpose() {
            DeliveryPurpose::Invited | DeliveryPurpose::Reminder => !self.facts.counted,
            DeliveryPurpose::Resent => false,
        }
    }

    /// The same delivery, whose mail is counted.
    pub(crate) fn counted(mut self) -> Self {
        self.facts.counted = true;
        self
    }

    /// Returns what the events of this delivery say about it.
    pub(crate) fn detail(&self) -> Detail {
        let detail = Detail::none()
            .with("delivery", &self.id.to_string())
            .with("purpose", self.purpose().as_str());
        let detail = match self.attempts() {
            0 => detail,
            attempts => detail.with("attempts", &attempts.to_string()),
        };
        let detail = match self.message_id() {
            Some(message) => detail.with("message_id", message.as_str()),
            None => detail,
        };
        match self.failure() {
            Some(failure) => detail.with("failure", &failure.to_string()),
            None => detail,
        }
    }

    /// Returns the document that keeps this version.
    pub(crate) fn document(&self) -> Result<Document, StoreError> {
        let body = serde_json::to_vec(&self.facts).map_err(unreadable)?;
        let (key, state) = (Self::key(self.id), self.state.of_document());
        let document = Document::new(key, state, self.queued_at)
            .in_division(self.division.clone())
            .about(self.invitation)
            .with_body(body)
            .map_err(unreadable)?;
        Ok(Document { version: self.version, due: self.due, ..document })
    }

    /// Reads a document of this kind.
    pub(crate) fn of_document(document: &Document) -> Result<Self, StoreError> {
        let facts: Facts = serde_json::from_slice(&document.body).map_err(unreadable)?;
        if facts.v != FORM {
            return Err(unreadable("a delivery has a form that a later version wrote"));
        }
        let (Some(invitation), Some(division)) = (document.invitation, document.division.clone())
        else {
            return Err(unreadable("a delivery names no invitation"));
        };
        Ok(Self {
            id: document.key.name.as_str().parse().map_err(unreadable)?,
            version: document.version,
            invitation,
            division,
            state: document.state.as_str().parse().map_err(unreadable)?,
            queued_at: document.at,
            due: document.due,
            facts,
        })
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> DeliveryId {
        self.id
    }

    /// Returns the invitation that the mail is about.
    #[must_use]
    pub fn invitation(&self) -> InvitationId {
        self.invitation
    }

    /// Returns the division of the invitation.
    #[must_use]
    pub fn division(&self) -> &Division {
        &self.division
    }

    /// Returns the reason for which the mail is sent.
    #[must_use]
    pub fn purpose(&self) -> DeliveryPurpose {
        self.facts.purpose
    }

    /// Returns whether the mail was asked for with a new code. It is not sent with the old one.
    #[must_use]
    pub fn is_rotated(&self) -> bool {
        self.facts.rotated
    }

    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> DeliveryState {
        self.state
    }

    /// Returns the time at which the mail was asked for.
    #[must_use]
    pub fn queued_at(&self) -> Timestamp {
        self.queued_at
    }

    /// Returns the number of attempts since the mail was queued or retried. An attempt counts
    /// from its beginning.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.facts.attempts
    }

    /// Returns the earliest time of the next attempt; none if there is no further one.
    #[must_use]
    pub fn next_attempt(&self) -> Option<Timestamp> {
        self.due
    }

    /// Returns the time at which the mail was sent, failed or was cancelled.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.facts.ended_at.and_then(Timestamp::from_micros)
    }

    /// Returns the failure of the latest attempt that failed; none once the mail is sent.
    #[must_use]
    pub fn failure(&self) -> Option<DeliveryFailure> {
        self.facts.failure
    }

    /// Returns the reason for which the mail was cancelled.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.facts.reason
    }

    /// Returns the Message-ID of the mail that was sent.
    #[must_use]
    pub fn message_id(&self) -> Option<MessageId> {
        self.facts.message_id.clone().map(MessageId::from_stored)
    }
}

/// Returns enough of a digest to tell the codes of an invitation apart.
fn beginning_of(digest: &CodeDigest) -> [u8; 8] {
    let mut beginning = [0; 8];
    beginning.copy_from_slice(&digest.as_bytes()[..8]);
    beginning
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "delivery").because(error)
}

#[cfg(test)]
mod tests;
