//! The request context that a host attaches to events.

use crate::text::{CorrelationId, Source};

/// The request context that the host attaches to the events of a call. Both parts are
/// optional.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a field")]
pub struct RequestContext {
    /// The correlation id of the host's request.
    pub correlation: Option<CorrelationId>,
    /// The source of the request, such as an address or a device.
    pub source: Option<Source>,
}
