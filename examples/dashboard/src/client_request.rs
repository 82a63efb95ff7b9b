//! The request of a newcomer, as the audit trail and the throttle know it.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};
use invitation::{
    audit::{RequestContext, Source},
    web::{Problem, RequestId},
};

/// The id of a request and the address of the client.
///
/// This host is reached without a proxy. Behind one, the address would be that of the proxy: a
/// host then takes the client's address from the header that its own proxy sets, and never from a
/// header that clients can set.
pub(crate) struct ClientRequest(RequestContext);

impl ClientRequest {
    pub(crate) fn context(&self) -> RequestContext {
        self.0.clone()
    }
}

impl<S: Sync> FromRequestParts<S> for ClientRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let context = RequestId::from_request_parts(parts, state).await?.context();
        let client = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let source = client.and_then(|client| Source::new(client.ip().to_string()).ok());
        Ok(Self(RequestContext { source, ..context }))
    }
}
