//! Extractors for the caller and for its rights. They run before the body is read.

use std::{convert::Infallible, marker::PhantomData};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use invitation_core::{Actor, InvitationId, RequestContext, Right};

use crate::{
    middleware::RequestId,
    origin,
    problem::{Problem, ProblemKind},
    web::Web,
};

/// The actor of a request. Rejects with 401 without an actor, and with 403 if a page of
/// another origin requests a change.
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
        Ok(Self(tied_to_request(actor, parts)))
    }
}

/// Sets the id of the request as the correlation id of the call's events, unless the host
/// has set one.
fn tied_to_request(actor: Actor, parts: &Parts) -> Actor {
    match parts.extensions.get::<RequestId>() {
        Some(RequestId(id)) if actor.context().correlation.is_none() => {
            let context =
                RequestContext { correlation: Some(id.clone()), ..actor.context().clone() };
            actor.with_context(context)
        }
        _ => actor,
    }
}

/// A right as a type, for use as a parameter of [`May`].
pub(crate) trait Needed: Send + Sync {
    const RIGHT: Right;
}

macro_rules! needed {
    ($($right:ident)+) => {
        /// The rights that routes require.
        pub(crate) mod to {
            $(#[derive(Debug)] pub(crate) struct $right;
            impl super::Needed for $right {
                const RIGHT: super::Right = super::Right::$right;
            })+
        }
    };
}
needed!(Create Bulk View Copy Amend Rotate Revoke Reinstate Delete Audit Export);

/// An actor whose role has the right `R`. Rejects with 403 otherwise, and records a
/// denial that names the invitation of the path, if there is one.
#[derive(Debug)]
pub(crate) struct Authorized<R>(pub(crate) Actor, pub(crate) PhantomData<R>);

impl<R: Needed> FromRequestParts<Web> for Authorized<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let SignedIn(actor) = SignedIn::from_request_parts(parts, web).await?;
        let Ok(PathId(about)) = PathId::from_request_parts(parts, web).await;
        web.service().authorize(&actor, R::RIGHT, about).await?;
        Ok(Self(actor, PhantomData))
    }
}

/// The invitation id from the path, or `None` if that segment is not an id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathId(Option<InvitationId>);

impl PathId {
    /// Returns the id, or a 404 problem without one. Handlers call this after the body
    /// has been read, so that a malformed body is reported first.
    pub(crate) fn id(self) -> Result<InvitationId, Problem> {
        self.0.ok_or_else(Problem::no_such_invitation)
    }
}

impl FromRequestParts<Web> for PathId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let Ok(params) = RawPathParams::from_request_parts(parts, web).await else {
            return Ok(Self(None));
        };
        // The last parameter named `id`: the host's own mount path may have one, too.
        let id = params.iter().filter(|(name, _)| *name == "id").last();
        Ok(Self(id.and_then(|(_, id)| id.parse().ok())))
    }
}
