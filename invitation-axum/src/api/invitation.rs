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
    /// The public key; neither redeems nor derives from the code.
    #[schema(format = Uuid)]
    id: String,
    /// The code, where it may be shown.
    #[schema(value_type = Option<String>, required, example = "7KQ2-M3PX-9RTV-D4WH-6YZN-8CEA")]
    code: Option<Secret>,
    /// The only address that may redeem it, if it is bound to one.
    #[schema(required)]
    email: Option<String>,
    /// The only domain whose addresses may redeem it, if it is bound to one.
    #[schema(required)]
    email_domain: Option<String>,
    /// The role that the newcomer gets.
    #[schema(example = "staff")]
    role: String,
    /// The division that the newcomer joins.
    #[schema(example = "sales")]
    division: String,
    #[schema(value_type = StatusWord)]
    status: Status,
    /// It is valid before this instant.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Who redeemed it last, and how many others did.
    #[schema(required, example = "anna and 2 more")]
    used_by: Option<String>,
    /// When it was redeemed last.
    #[schema(required, format = DateTime)]
    used_at: Option<String>,
    /// How many have redeemed it.
    uses: u32,
    /// How many may.
    #[schema(minimum = 1)]
    max_uses: u32,
    /// The id of the user who created it; none when the host itself did.
    #[schema(required)]
    created_by: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Counts the changes of terms; the `ETag`.
    #[schema(minimum = 1)]
    version: u64,
    /// The call that created it together with others.
    #[schema(required, format = Uuid)]
    batch: Option<String>,
    /// What the host or the creator attached.
    #[schema(required, value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// What the actor may do with it.
    #[schema(value_type = Vec<String>, example = json!(["copy"]))]
    actions: Vec<Right>,
}

/// What an invitation is at the moment.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the words of the core")]
pub(crate) enum StatusWord {
    /// Valid, with uses left.
    Active,
    /// Redeemed as often as it may be.
    Used,
    /// Past its expiry.
    Expired,
    /// Withdrawn.
    Revoked,
}

impl InvitationBody {
    /// As the actor sees it, with the code if it may be shown.
    pub(crate) fn of(view: &InvitationView) -> Self {
        Self::with(view, view.code())
    }

    /// The same, without the code: answers to changes do not repeat it.
    pub(crate) fn without_code(view: &InvitationView) -> Self {
        Self::with(view, None)
    }

    /// The same, with this code.
    pub(crate) fn with(view: &InvitationView, code: Option<&InvitationCode>) -> Self {
        let facts = view.invitation();
        let (email, email_domain) = match &facts.binding {
            Binding::Anyone => (None, None),
            Binding::Address(email) => (Some(email.as_str().to_owned()), None),
            Binding::Domain(domain) => (None, Some(domain.as_str().to_owned())),
        };
        let created_by = match &facts.inviter {
            Inviter::System => None,
            Inviter::User { user, .. } => Some(user.as_str().to_owned()),
        };
        Self {
            id: facts.id.to_string(),
            code: code.map(|code| code.reveal().into()),
            email,
            email_domain,
            role: facts.role.as_str().to_owned(),
            division: facts.division.as_str().to_owned(),
            status: view.status(),
            expires_at: facts.expires_at.to_string(),
            used_by: facts.used_by().map(|used_by| used_by.to_string()),
            used_at: facts.last_use.as_ref().map(|last| last.at.to_string()),
            uses: facts.uses,
            max_uses: facts.max_uses.get(),
            created_by,
            created_at: facts.created_at.to_string(),
            version: facts.version,
            batch: facts.batch.map(|batch| batch.to_string()),
            metadata: facts.metadata.as_ref().and_then(|metadata| match metadata.to_value() {
                Value::Object(fields) => Some(fields),
                _ => None,
            }),
            actions: view.actions().to_vec(),
        }
    }
}
