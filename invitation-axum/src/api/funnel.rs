//! The endpoint that says what became of invitations.

use axum::{Json, extract::State};
use invitation_core::{
    Status,
    funnel::{Funnel, TimeRangeToRedeem},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{docs, invitation::StatusSchema};
use crate::{
    authorization::{Authorized, to},
    problem::Problem,
    query::{FunnelParams, with_errors_in_query},
    web::Web,
};

/// What became of invitations. Each of them is active, expired, used, revoked or deleted, so these
/// numbers add up to `created`.
#[derive(Serialize, ToSchema)]
#[schema(as = Funnel)]
pub(crate) struct FunnelBody {
    /// The invitations that were created.
    created: u64,
    /// Those of which a mail was accepted by the mail server.
    sent: u64,
    /// Those that were redeemed at least once.
    redeemed: u64,
    /// All redemptions. They are more than `redeemed` if invitations have several uses.
    redemptions: u64,
    /// The invitations that can be redeemed now.
    active: u64,
    /// Those that expired with uses left.
    expired: u64,
    /// Those without a use left.
    used: u64,
    /// Those that are revoked, with uses left.
    revoked: u64,
    /// Those that were deleted.
    deleted: u64,
    /// The statuses whose number is a lower bound: more than 10,000 invitations are active, or
    /// events are not counted yet.
    #[schema(value_type = Vec<StatusSchema>)]
    capped: Vec<Status>,
    /// The number of invitations for each range of time from creation to the first redemption,
    /// the shortest first. The ranges never change.
    times_to_redeem: Vec<TimesBody>,
    /// The range that contains the median; `null` if none was redeemed.
    #[schema(required)]
    median_time_to_redeem: Option<TimeRangeBody>,
    /// The time of the latest event that is counted; `null` if none is.
    #[schema(required, format = DateTime)]
    counted_until: Option<String>,
    /// The time of the first event that is not counted yet; `null` if all are.
    #[schema(required, format = DateTime)]
    waiting_since: Option<String>,
    /// The time from which the creation of invitations counts; `null` if all invitations count.
    #[schema(required, format = DateTime)]
    counted_since: Option<String>,
    /// The number of times that the order of events began anew, such as after a failover.
    discontinuities: u32,
}

/// A range of times: longer than `after_seconds`, and up to `until_seconds`.
#[derive(Serialize, ToSchema)]
#[schema(as = TimeRange)]
pub(crate) struct TimeRangeBody {
    after_seconds: i64,
    /// `null` if the range has no end.
    #[schema(required)]
    until_seconds: Option<i64>,
}

/// The number of invitations that were first redeemed within a range of time.
#[derive(Serialize, ToSchema)]
#[schema(as = TimesToRedeem)]
pub(crate) struct TimesBody {
    #[serde(flatten)]
    range: TimeRangeBody,
    number: u64,
}

impl TimeRangeBody {
    fn of(range: TimeRangeToRedeem) -> Self {
        Self {
            after_seconds: range.after.whole_seconds(),
            until_seconds: range.until.map(time::Duration::whole_seconds),
        }
    }
}

impl FunnelBody {
    fn of(funnel: &Funnel) -> Self {
        let figures = funnel.figures();
        let times = figures.times();
        let exact = [
            (Status::Active, funnel.is_active_exact()),
            (Status::Expired, funnel.is_expired_exact()),
        ];
        Self {
            created: figures.created(),
            sent: figures.sent(),
            redeemed: figures.redeemed(),
            redemptions: figures.redemptions(),
            active: funnel.active(),
            expired: funnel.expired(),
            used: figures.used(),
            revoked: figures.revoked(),
            deleted: figures.deleted(),
            capped: exact.into_iter().filter(|(_, exact)| !exact).map(|(one, _)| one).collect(),
            times_to_redeem: times
                .iter()
                .map(|(range, number)| TimesBody { range: TimeRangeBody::of(range), number })
                .collect(),
            median_time_to_redeem: times.median().map(TimeRangeBody::of),
            counted_until: funnel.counted_until().map(|at| at.to_string()),
            waiting_since: funnel.waiting_since().map(|at| at.to_string()),
            counted_since: funnel.counted_since().map(|at| at.to_string()),
            discontinuities: funnel.discontinuities(),
        }
    }
}

/// Says what became of the invitations of a division, an inviter or a batch, within the actor's
/// reach.
#[utoipa::path(
    get,
    path = "/funnel",
    operation_id = "get_funnel",
    params(FunnelParams),
    responses(
        (status = 200, description = "The funnel", body = FunnelBody),
        docs::Common,
    ),
)]
pub(crate) async fn funnel(
    State(web): State<Web>,
    Authorized(actor, query, _): Authorized<to::View, FunnelParams>,
) -> Result<Json<FunnelBody>, Problem> {
    let funnel = with_errors_in_query(web.funnels()?.of(&actor, &query).await)?;
    Ok(Json(FunnelBody::of(&funnel)))
}
