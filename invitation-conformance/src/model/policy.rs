//! The policies of a sequence, as plain tables and as [`Policy`].

use invitation_core::{Policy, Right, Rights};

use super::cast::Part;

/// The policy in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rules {
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

impl Rules {
    pub(super) fn allow(self, part: Part, right: Right) -> bool {
        match (part, self) {
            (Part::Admin, _) => true,
            (Part::Manager, Self::ManagersSeeNoCodes) => WITHOUT_CODES.contains(&right),
            (Part::Manager, _) => matches!(right, Right::Create | Right::View | Right::Copy),
            (Part::Lead, Self::WithLead) => !LEAD_MAY_NOT.contains(&right),
            (Part::Lead | Part::Staff | Part::Wizard, _) => false,
        }
    }

    /// Returns the roles that a role may grant.
    pub(super) fn grants(self, part: Part) -> &'static [Part] {
        match (part, self) {
            (Part::Admin, Self::WithLead) => &[Part::Admin, Part::Manager, Part::Staff, Part::Lead],
            (Part::Admin, _) => &[Part::Admin, Part::Manager, Part::Staff],
            (Part::Manager, Self::ManagersGrantNothing) => &[],
            (Part::Manager, _) | (Part::Lead, Self::WithLead) => &[Part::Staff],
            _ => &[],
        }
    }

    /// Whether the policy knows a role.
    pub(super) fn know(self, part: Part) -> bool {
        match part {
            Part::Admin | Part::Manager | Part::Staff => true,
            Part::Lead => self == Self::WithLead,
            Part::Wizard => false,
        }
    }

    pub(super) fn policy(self) -> Policy {
        let (admin, manager, staff) =
            (Part::Admin.role(), Part::Manager.role(), Part::Staff.role());
        match self {
            Self::Default => Policy::default(),
            Self::ManagersGrantNothing => Policy::default()
                .with_role(manager, Rights::none().may([Right::Create, Right::View, Right::Copy])),
            Self::ManagersSeeNoCodes => Policy::default()
                .with_role(manager, Rights::none().may(WITHOUT_CODES).granting([staff])),
            Self::WithLead => {
                let lead = Part::Lead.role();
                let all = [admin.clone(), manager, staff.clone(), lead.clone()];
                let rights = Right::ALL.into_iter().filter(|right| !LEAD_MAY_NOT.contains(right));
                Policy::default()
                    .with_role(admin, Rights::none().may(Right::ALL).granting(all))
                    .with_role(lead, Rights::none().may(rights).granting([staff]))
            }
        }
    }
}
