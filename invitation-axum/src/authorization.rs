//! Extractors for the actor of a request, for the actor's right, and for the ids in the path. They run before the body is read.

use std::{convert::Infallible, marker::PhantomData};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use invitation_core::{
    Actor, InvitationId, RequestContext, Right, delivery::DeliveryId, documents::DocumentName,
};

use crate::{
    origin,
    problem::{Problem, ProblemKind},
    request_id::RequestId,
    web::Web,
};

/// The signed-in user who sent the request, as an actor. The extractor rejects a request without
/// an actor with 401, and a change that a page of another origin requests with 403.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn(pub(crate) Actor);

impl FromRequestParts<Web> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let found = web.identify().actor(parts).await.inspect_err(|error| {
            tracing::error!(error = error as &dyn std::error::Error, "no actor can be identified");
        })?;
        let actor = found.ok_or(Problem::new(ProblemKind::Unauthenticated))?;
        origin::check(&parts.method, &parts.headers, web.own_origins())?;
        Ok(Self(with_request_id(actor, parts)))
    }
}

/// Makes the id of the request the correlation id of all events of this actor's calls, unless
/// the host has set one.
fn with_request_id(actor: Actor, parts: &Parts) -> Actor {
    match parts.extensions.get::<RequestId>() {
        Some(id) if actor.context().correlation.is_none() => {
            let context = RequestContext {
                correlation: Some(id.correlation().clone()),
                ..actor.context().clone()
            };
            actor.with_context(context)
        }
        _ => actor,
    }
}

/// A right as a type, for use as the parameter of [`Authorized`].
pub(crate) trait RequiredRight: Send + Sync {
    const RIGHT: Right;
}

macro_rules! rights {
    ($($right:ident)+) => {
        /// The rights that routes require, each as a type: `Authorized<to::View>`.
        pub(crate) mod to {
            $(#[derive(Debug)] pub(crate) struct $right;
            impl super::RequiredRight for $right {
                const RIGHT: super::Right = super::Right::$right;
            })+
        }
    };
}
rights!(Create Bulk View Copy Amend Rotate Revoke Reinstate Delete Audit Export Reservations Resend Webhooks);

/// An actor whose role has the right `R`. The extractor rejects as [`SignedIn`] does. It rejects
/// an actor without the right with 403; the denial event names the invitation in the path, if
/// there is one.
#[derive(Debug)]
pub(crate) struct Authorized<R>(pub(crate) Actor, pub(crate) PhantomData<R>);

impl<R: RequiredRight> FromRequestParts<Web> for Authorized<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let SignedIn(actor) = SignedIn::from_request_parts(parts, web).await?;
        let Ok(PathId(invitation)) = PathId::from_request_parts(parts, web).await;
        web.service().authorize(&actor, R::RIGHT, invitation).await?;
        Ok(Self(actor, PhantomData))
    }
}

/// The invitation id in the path; `None` if the path has no parameter `id`, or if its text is not
/// an id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathId(Option<InvitationId>);

impl PathId {
    /// Returns the id, or the problem 404 if there is none. Handlers call this after the body
    /// has been read, so that a malformed body is reported first.
    pub(crate) fn id(self) -> Result<InvitationId, Problem> {
        self.0.ok_or_else(Problem::no_such_invitation)
    }
}

impl FromRequestParts<Web> for PathId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        Ok(Self(path_parameter(parts, web, "id").await.and_then(|id| id.parse().ok())))
    }
}

/// The delivery id in the path; `None` if its text is not an id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathDelivery(pub(crate) Option<DeliveryId>);

impl FromRequestParts<Web> for PathDelivery {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        Ok(Self(path_parameter(parts, web, "delivery").await.and_then(|id| id.parse().ok())))
    }
}

/// The name of an endpoint in the path; `None` if its text cannot be one.
#[derive(Clone, Debug)]
pub(crate) struct PathEndpoint(pub(crate) Option<DocumentName>);

impl FromRequestParts<Web> for PathEndpoint {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let name = path_parameter(parts, web, "endpoint").await;
        Ok(Self(name.and_then(|name| DocumentName::new(name).ok())))
    }
}

/// Returns the last parameter of this name: the path at which the host mounts the routes may have
/// one, too.
async fn path_parameter(parts: &mut Parts, web: &Web, wanted: &str) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, web).await.ok()?;
    let found = params.iter().filter(|(name, _)| *name == wanted).last();
    found.map(|(_, value)| value.to_owned())
}
