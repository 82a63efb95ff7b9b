//! Extractors for the actor of a request, and for the actor's right and query. They run before the body
//! is read.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts};
use invitation_core::{Actor, RequestContext, Right};

use crate::{
    origin,
    path::PathId,
    problem::{Problem, ProblemKind},
    query::{self, NoParams, QueryParams},
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
        origin::check(&parts.method, &parts.uri, &parts.headers, web.own_origins())?;
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

/// An actor whose role has the right `R`, and the query of the request. The extractor rejects as
/// [`SignedIn`] does. It rejects an actor without the right with 403; the denial event names the
/// invitation in the path, if there is one.
///
/// Then it rejects a parameter that is unknown, repeated or invalid. It reads the query because a
/// handler that takes none could otherwise not refuse one: `POST /?dry_run=true` would create an
/// invitation.
#[derive(Debug)]
pub(crate) struct Authorized<R, Q: QueryParams = NoParams>(
    pub(crate) Actor,
    pub(crate) Q::Parsed,
    pub(crate) PhantomData<R>,
);

impl<R: RequiredRight, Q: QueryParams> FromRequestParts<Web> for Authorized<R, Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let SignedIn(actor) = SignedIn::from_request_parts(parts, web).await?;
        let Ok(PathId(invitation)) = <PathId>::from_request_parts(parts, web).await;
        web.service().authorize(&actor, R::RIGHT, invitation).await?;
        let query = query::read::<Q>(parts.uri.query().unwrap_or_default())?;
        Ok(Self(actor, query, PhantomData))
    }
}
