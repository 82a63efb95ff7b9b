//! The endpoint that changes the terms of an invitation.

use axum::{extract::State, response::Response};
use invitation_core::{Amendment, Email, Expiry, Role, Timestamp};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{docs, one::as_changed};
use crate::{
    authorization::{Authorized, to},
    body::Json,
    headers::IfMatch,
    path::PathId,
    problem::{InputError, Problem},
    web::Web,
};

/// The terms to change. Fields that are left out stay as they are.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Amendment, min_properties = 1)]
#[serde(deny_unknown_fields)]
pub(crate) struct AmendBody {
    /// The only address that may redeem the code from now on. `null` lets anyone who
    /// holds the code redeem it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 254, format = Email)]
    email: Field,
    /// The instant at which the invitation expires.
    #[serde(default)]
    #[schema(value_type = Option<String>, nullable = false, format = DateTime)]
    expires_at: Field,
    /// The role that the new user gets.
    #[serde(default)]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 64)]
    role: Field,
}

/// A field that distinguishes `null` from a missing value.
#[derive(Default)]
enum Field {
    #[default]
    Missing,
    Null,
    Given(String),
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(value)?.map_or(Self::Null, Self::Given))
    }
}

impl AmendBody {
    fn read(&self) -> Result<Amendment, Problem> {
        let (mut amendment, mut wrong) = (Amendment::new(), Vec::new());
        let mut note = |field, message: &str| wrong.push(InputError::in_body(field, message));
        match &self.email {
            Field::Missing => {}
            Field::Null => amendment = amendment.for_anyone(),
            Field::Given(email) => match Email::parse(email) {
                Ok(email) => amendment = amendment.for_email(email),
                Err(refused) => note("/email", refused.message()),
            },
        }
        match &self.expires_at {
            Field::Missing => {}
            Field::Null => note("/expires_at", Timestamp::SYNTAX),
            Field::Given(at) => match at.parse() {
                Ok(at) => amendment = amendment.expiring(Expiry::At(at)),
                Err(_) => note("/expires_at", Timestamp::SYNTAX),
            },
        }
        match &self.role {
            Field::Missing => {}
            Field::Null => note("/role", "must be a role"),
            Field::Given(role) => match Role::new(role) {
                Ok(role) => amendment = amendment.with_role(role),
                Err(refused) => note("/role", refused.message()),
            },
        }
        if wrong.is_empty() { Ok(amendment) } else { Err(Problem::invalid(wrong)) }
    }
}

/// Changes the e-mail address, the expiry or the role. The code stays the same; the former
/// address can no longer redeem it.
#[utoipa::path(
    patch,
    path = "/{id}",
    operation_id = "amend_invitation",
    params(docs::Id, docs::Version),
    request_body = AmendBody,
    responses(docs::One, docs::OnOne, docs::WithBody, docs::Changing, docs::UnderQuota),
)]
pub(crate) async fn amend(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Amend>,
    IfMatch(version): IfMatch,
    id: PathId,
    Json(body): Json<AmendBody>,
) -> Result<Response, Problem> {
    let amendment = body.read()?;
    let changed = web.service().amend(&actor, id.or_unissued(), amendment, version).await?;
    Ok(as_changed(&web, &actor, changed))
}
