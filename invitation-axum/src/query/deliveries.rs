//! The filter of deliveries.

use invitation_core::delivery::DeliveryState;
use utoipa::IntoParams;

use super::{DeliveryStateChoice, Given, QueryErrors, QueryParams};

/// The filter of deliveries.
#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryQuery {
    /// Only deliveries in this state.
    #[param(inline, value_type = Option<DeliveryStateChoice>, nullable = false)]
    pub(crate) state: Option<String>,
}

impl QueryParams for DeliveryQuery {
    type Parsed = Option<DeliveryState>;

    fn take(given: &mut Given) -> Self {
        Self { state: given.take("state") }
    }

    fn parse(&self, errors: &mut QueryErrors) -> Option<DeliveryState> {
        errors.check("state", self.state.as_deref(), str::parse::<DeliveryState>)
    }
}
