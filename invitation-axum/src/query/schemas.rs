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
    /// The action was not done: refused or denied.
    NotSucceeded,
}

#[cfg(test)]
mod tests {
    use invitation_core::{Action, EventOutcome, audit::OutcomeFilter};
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
    }
}
