//! The policies of a sequence, as plain tables and as [`Policy`].

use invitation_core::{Policy, Right, Rights};

use super::identities::RoleName;

/// The policy in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PolicyChoice {
    /// The default policy.
    Default,
    /// A policy under which managers may no longer grant any role.
    ManagersGrantNothing,
    /// A policy under which managers may create batches but not see codes afterwards.
    ManagersSeeNoCodes,
    /// A policy with leads: a role with nearly every right, but limited to granting the
    /// staff role.
    WithLead,
}

const LEAD_MAY_NOT: [Right; 2] = [Right::MultiUse, Right::BindDomain];
const WITHOUT_CODES: [Right; 3] = [Right::Create, Right::Bulk, Right::View];

impl PolicyChoice {
    pub(super) fn allows(self, role: RoleName, right: Right) -> bool {
        match (role, self) {
            (RoleName::Admin, _) => true,
            (RoleName::Manager, Self::ManagersSeeNoCodes) => WITHOUT_CODES.contains(&right),
            (RoleName::Manager, _) => matches!(right, Right::Create | Right::View | Right::Copy),
            (RoleName::Lead, Self::WithLead) => !LEAD_MAY_NOT.contains(&right),
            (RoleName::Lead | RoleName::Staff | RoleName::Wizard, _) => false,
        }
    }

    /// Returns the roles that a role may grant.
    pub(super) fn grants(self, role: RoleName) -> &'static [RoleName] {
        match (role, self) {
            (RoleName::Admin, Self::WithLead) => {
                &[RoleName::Admin, RoleName::Manager, RoleName::Staff, RoleName::Lead]
            }
            (RoleName::Admin, _) => &[RoleName::Admin, RoleName::Manager, RoleName::Staff],
            (RoleName::Manager, Self::ManagersGrantNothing) => &[],
            (RoleName::Manager, _) | (RoleName::Lead, Self::WithLead) => &[RoleName::Staff],
            _ => &[],
        }
    }

    /// Whether the policy knows a role.
    pub(super) fn knows(self, role: RoleName) -> bool {
        match role {
            RoleName::Admin | RoleName::Manager | RoleName::Staff => true,
            RoleName::Lead => self == Self::WithLead,
            RoleName::Wizard => false,
        }
    }

    pub(super) fn policy(self) -> Policy {
        let (admin, manager, staff) =
            (RoleName::Admin.role(), RoleName::Manager.role(), RoleName::Staff.role());
        match self {
            Self::Default => Policy::default(),
            Self::ManagersGrantNothing => Policy::default()
                .with_role(manager, Rights::none().may([Right::Create, Right::View, Right::Copy])),
            Self::ManagersSeeNoCodes => Policy::default()
                .with_role(manager, Rights::none().may(WITHOUT_CODES).granting([staff])),
            Self::WithLead => {
                let lead = RoleName::Lead.role();
                let all = [admin.clone(), manager, staff.clone(), lead.clone()];
                let rights = Right::ALL.into_iter().filter(|right| !LEAD_MAY_NOT.contains(right));
                Policy::default()
                    .with_role(admin, Rights::none().may(Right::ALL).granting(all))
                    .with_role(lead, Rights::none().may(rights).granting([staff]))
            }
        }
    }
}
