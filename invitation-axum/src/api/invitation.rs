//! An invitation as JSON.

use invitation_core::{Binding, InvitationCode, InvitationView, Inviter, Right, Status};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::secret::Secret;

/// An invitation, as the actor sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationBody {
    /// The public id. It does not redeem the invitation and does not derive from the
    /// code.
    #[schema(format = Uuid)]
    id: String,
    /// The code; `null` if the actor may not see it here.
    #[schema(value_type = Option<String>, required, example = "7KQ2-M3PX-9RTV-D4WH-6YZN-8CEA")]
    code: Option<Secret>,
    /// The only address that may redeem the code, if the invitation is bound to one.
    #[schema(required)]
    email: Option<String>,
    /// The only domain whose addresses may redeem the code, if the invitation is bound to
    /// one.
    #[schema(required)]
    email_domain: Option<String>,
    /// The role that the new user gets.
    #[schema(example = "staff")]
    role: String,
    /// The division that the new user joins.
    #[schema(example = "sales")]
    division: String,
    #[schema(value_type = StatusSchema)]
    status: Status,
    /// The instant at which the invitation expires. It is valid before this instant.
    #[schema(format = DateTime)]
    expires_at: String,
    /// The user who redeemed the code last, and the number of others.
    #[schema(required, example = "anna and 2 more")]
    used_by: Option<String>,
    /// The time of the last redemption.
    #[schema(required, format = DateTime)]
    used_at: Option<String>,
    /// The number of redemptions so far.
    uses: u32,
    /// The number of redemptions allowed.
    #[schema(minimum = 1)]
    max_uses: u32,
    /// The id of the user who created the invitation; `null` if the host itself did.
    #[schema(required)]
    created_by: Option<String>,
    /// The name of that user at that time, as the host gave it; `null` if it gave none.
    #[schema(required)]
    created_by_name: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// The version, which each change of terms increments. It is the `ETag`.
    #[schema(minimum = 1)]
    version: u64,
    /// The id shared by all invitations that one call created together.
    #[schema(required, format = Uuid)]
    batch: Option<String>,
    /// Data that the host or the creator attached.
    #[schema(required, value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// The actions that the actor may take on the invitation.
    #[schema(value_type = Vec<String>, example = json!(["copy"]))]
    actions: Vec<Right>,
}

/// The status of an invitation at the moment.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of `Status`")]
pub(crate) enum StatusSchema {
    /// The invitation is valid and has uses left.
    Active,
    /// The invitation has no uses left.
    Used,
    /// The invitation is past its expiry.
    Expired,
    /// The invitation has been revoked.
    Revoked,
}

impl InvitationBody {
    /// Returns the invitation as the actor sees it, with the code if the actor may see
    /// it.
    pub(crate) fn of(view: &InvitationView) -> Self {
        Self::with(view, view.code())
    }

    /// Returns the invitation without the code: responses to changes do not repeat it.
    pub(crate) fn without_code(view: &InvitationView) -> Self {
        Self::with(view, None)
    }

    /// Returns the invitation with this code, or with none.
    pub(crate) fn with(view: &InvitationView, code: Option<&InvitationCode>) -> Self {
        let facts = view.invitation();
        let (email, email_domain) = match &facts.binding() {
            Binding::Anyone => (None, None),
            Binding::Address(email) => (Some(email.as_str().to_owned()), None),
            Binding::Domain(domain) => (None, Some(domain.as_str().to_owned())),
        };
        let (created_by, created_by_name) = match facts.inviter() {
            Inviter::System => (None, None),
            Inviter::User { user, role: _, name } => {
                (Some(user.to_string()), name.as_ref().map(ToString::to_string))
            }
        };
        Self {
            id: facts.id().to_string(),
            code: code.map(|code| code.reveal().into()),
            email,
            email_domain,
            role: facts.role().as_str().to_owned(),
            division: facts.division().as_str().to_owned(),
            status: view.status(),
            expires_at: facts.expires_at().to_string(),
            used_by: facts.used_by().map(|used_by| used_by.to_string()),
            used_at: facts.last_use().as_ref().map(|last| last.at.to_string()),
            uses: facts.uses(),
            max_uses: facts.max_uses().get(),
            created_by,
            created_by_name,
            created_at: facts.created_at().to_string(),
            version: facts.version(),
            batch: facts.batch().map(|batch| batch.to_string()),
            metadata: facts.metadata().as_ref().and_then(|metadata| match metadata.to_value() {
                Value::Object(fields) => Some(fields),
                _ => None,
            }),
            actions: view.actions().to_vec(),
        }
    }
}
