//! The endpoints that list the redemptions of an invitation, and the open reservations.

use axum::{Json, extract::State};
use invitation_core::{OpenReservation, Redemption};
use serde::Serialize;
use utoipa::ToSchema;

use super::{docs, page_body::page_body};
use crate::{
    authorization::{Authorized, to},
    path::PathId,
    problem::Problem,
    query::PageQuery,
    web::Web,
};

/// One redemption of an invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = Redemption)]
pub(crate) struct RedemptionBody {
    /// The username of the account that was created.
    username: String,
    /// The id of the user whose account was created.
    user: String,
    #[schema(format = DateTime)]
    at: String,
}

impl RedemptionBody {
    fn of(redemption: &Redemption) -> Self {
        Self {
            username: redemption.username.to_string(),
            user: redemption.user.to_string(),
            at: redemption.at.to_string(),
        }
    }
}

page_body! {
    /// A page of redemptions, newest first.
    RedemptionPageBody as RedemptionPage of RedemptionBody
}

/// Lists the redemptions of an invitation, newest first.
#[utoipa::path(
    get,
    path = "/{id}/redemptions",
    operation_id = "list_redemptions",
    params(docs::Id, PageQuery),
    responses(
        (status = 200, description = "A page", body = RedemptionPageBody),
        docs::OnOne,
    ),
)]
pub(crate) async fn redemptions(
    State(web): State<Web>,
    Authorized(actor, paging, _): Authorized<to::View, PageQuery>,
    id: PathId,
) -> Result<Json<RedemptionPageBody>, Problem> {
    let page = web.service().redemptions(&actor, id.or_unissued(), paging).await;
    RedemptionPageBody::answer(page, RedemptionBody::of)
}

/// A use of an invitation that is held for a new user whose account is being created.
#[derive(Serialize, ToSchema)]
#[schema(as = Reservation)]
pub(crate) struct ReservationBody {
    /// The id of the invitation.
    #[schema(format = Uuid)]
    invitation: String,
    /// The username of the new user.
    username: String,
    /// The id of the new user.
    user: String,
    #[schema(format = DateTime)]
    since: String,
    /// The instant from which another user may take over the use.
    #[schema(format = DateTime)]
    until: String,
}

impl ReservationBody {
    fn of(reservation: &OpenReservation) -> Self {
        let open = reservation.open();
        Self {
            invitation: open.invitation.to_string(),
            username: open.lease.username.to_string(),
            user: open.lease.user.to_string(),
            since: open.lease.since.to_string(),
            until: open.lease.until.to_string(),
        }
    }
}

page_body! {
    /// A page of reservations, newest first.
    ReservationPageBody as ReservationPage of ReservationBody
}

/// Lists the open reservations within the actor's reach, newest first. An expired one is listed
/// until another user takes over its use.
#[utoipa::path(
    get,
    path = "/reservations",
    operation_id = "list_reservations",
    params(PageQuery),
    responses(
        (status = 200, description = "A page", body = ReservationPageBody),
        docs::Common,
    ),
)]
pub(crate) async fn reservations(
    State(web): State<Web>,
    Authorized(actor, paging, _): Authorized<to::Reservations, PageQuery>,
) -> Result<Json<ReservationPageBody>, Problem> {
    let page = web.service().reservations(&actor, None, paging).await;
    ReservationPageBody::answer(page, ReservationBody::of)
}
