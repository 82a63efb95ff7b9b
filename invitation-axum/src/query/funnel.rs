//! The invitations of a funnel.

use invitation_core::{BatchId, Division, UserId, funnel::FunnelQuery};
use utoipa::IntoParams;

use super::{Given, QueryErrors, QueryParams};

/// The invitations of a funnel. Without a parameter, all within the actor's reach.
#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FunnelParams {
    /// Only invitations of this division.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    pub(crate) division: Option<String>,
    /// Only invitations that the user with this id created. It does not go with `batch`.
    #[param(min_length = 1, max_length = 128, nullable = false)]
    pub(crate) inviter: Option<String>,
    /// Only invitations that the call with this id created. It does not go with `inviter`.
    #[param(format = Uuid, nullable = false)]
    pub(crate) batch: Option<String>,
}

impl QueryParams for FunnelParams {
    type Parsed = FunnelQuery;

    fn take(given: &mut Given) -> Self {
        let mut take = |name| given.take(name);
        Self { division: take("division"), inviter: take("inviter"), batch: take("batch") }
    }

    fn parse(&self, errors: &mut QueryErrors) -> FunnelQuery {
        let mut query = FunnelQuery::new();
        if let Some(division) = errors.check("division", self.division.as_deref(), Division::new) {
            query = query.in_division(division);
        }
        if let Some(inviter) = errors.check("inviter", self.inviter.as_deref(), UserId::new) {
            query = query.by_inviter(inviter);
        }
        let batch = self.batch.as_deref();
        if let Some(batch) = errors.check("batch", batch, str::parse::<BatchId>) {
            query = query.in_batch(batch);
        }
        query
    }
}
