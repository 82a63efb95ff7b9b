//! The schemas of parameters that accept a fixed set of values. Only the OpenAPI description uses
//! these types: the parameters themselves are parsed into types of the core.

use utoipa::ToSchema;

/// A status, or all of them.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of a parameter")]
pub(crate) enum StatusFilter {
    All,
    Active,
    Used,
    Expired,
    Revoked,
}

/// The order of a list of invitations.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of a parameter")]
pub(crate) enum SortOrder {
    /// The newest first.
    Created,
    /// The soonest to expire first, of active invitations.
    Expires,
}

/// The action that was done or attempted.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of `Action`")]
pub(crate) enum EventKind {
    Create,
    Redeem,
    Reserve,
    Release,
    Copy,
    Amend,
    Rotate,
    Revoke,
    Reinstate,
    Delete,
    Purge,
    PurgeEvents,
    Reseal,
    View,
    Audit,
    Resend,
    ReminderDue,
    Deliver,
    Import,
    Webhooks,
    Erase,
}

/// The outcome of the action.
#[derive(ToSchema)]
#[schema(as = EventOutcome, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of `EventOutcome`")]
pub(crate) enum Outcome {
    /// The action was done.
    Succeeded,
    /// The state of the invitation did not allow the action.
    Refused,
    /// The actor lacked the right to the action.
    Denied,
    /// The action failed for a cause outside of the library, such as a mail server.
    Failed,
}

/// The state of a delivery.
#[derive(ToSchema)]
#[schema(as = DeliveryState, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of `DeliveryState`")]
pub(crate) enum DeliveryStateChoice {
    /// The mail is to be sent, now or after a failed attempt later.
    Queued,
    /// The mail server has accepted the mail.
    Sent,
    /// The last attempt failed.
    Failed,
    /// The mail is not sent: the invitation has ended, or its recipient wants no reminders.
    Cancelled,
}

/// The reason for which a mail is sent.
#[derive(ToSchema)]
#[schema(as = DeliveryPurpose, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of `DeliveryPurpose`")]
pub(crate) enum DeliveryPurposeChoice {
    /// The invitation was created.
    Invited,
    /// A user asked for the mail again.
    Resent,
    /// The invitation is about to expire.
    Reminder,
}

/// The kind of failure of an attempt to deliver.
#[derive(ToSchema)]
#[schema(as = FailureKind, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of `FailureKind`")]
pub(crate) enum FailureChoice {
    Unreachable,
    TimedOut,
    Insecure,
    Unauthenticated,
    Deferred,
    Refused,
    CodeUnavailable,
    NotRendered,
    Interrupted,
    Other,
}

/// The state of an endpoint of webhooks.
#[derive(ToSchema)]
#[schema(as = EndpointState, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of `EndpointState`")]
pub(crate) enum EndpointStateChoice {
    /// The endpoint gets messages. A failed attempt is repeated.
    Active,
    /// The last attempt for an event has failed, and the endpoint waits for a person. Its events
    /// are not purged.
    Stopped,
    /// The endpoint gets no messages: a person has disabled it, or it has failed for too long. Its
    /// events may be purged.
    Disabled,
}

/// The outcomes to filter by.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of `OutcomeFilter`")]
pub(crate) enum OutcomeChoice {
    /// The action was done.
    Succeeded,
    /// The state of the invitation did not allow the action.
    Refused,
    /// The actor lacked the right to the action.
    Denied,
    /// The action failed for a cause outside of the library.
    Failed,
    /// The action was not done: refused, denied or failed.
    NotSucceeded,
}

#[cfg(test)]
mod tests {
    use invitation_core::{
        Action, EventOutcome,
        audit::OutcomeFilter,
        delivery::{DeliveryPurpose, DeliveryState, FailureKind},
        webhook::EndpointState,
    };
    use utoipa::PartialSchema;

    use super::*;

    /// Returns the values of a schema's `enum`.
    fn listed<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let values = schema["enum"].as_array().unwrap();
        values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_description_lists_every_value_of_the_core() {
        let values: Vec<_> = Action::ALL.iter().map(|value| value.as_str()).collect();
        assert_eq!(listed::<EventKind>(), values);
        let values: Vec<_> = EventOutcome::ALL.iter().map(|value| value.as_str()).collect();
        assert_eq!(listed::<Outcome>(), values);
        let values: Vec<_> = OutcomeFilter::all().map(OutcomeFilter::as_str).collect();
        assert_eq!(listed::<OutcomeChoice>(), values);
        let values: Vec<_> = DeliveryState::ALL.iter().map(|value| value.as_str()).collect();
        assert_eq!(listed::<DeliveryStateChoice>(), values);
        let values: Vec<_> = DeliveryPurpose::ALL.iter().map(|value| value.as_str()).collect();
        assert_eq!(listed::<DeliveryPurposeChoice>(), values);
        let values: Vec<_> = FailureKind::ALL.iter().map(|value| value.as_str()).collect();
        assert_eq!(listed::<FailureChoice>(), values);
        let values: Vec<_> = EndpointState::ALL.iter().map(|value| value.as_str()).collect();
        assert_eq!(listed::<EndpointStateChoice>(), values);
    }
}
