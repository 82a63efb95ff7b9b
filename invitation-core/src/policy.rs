//! What a role may do, as data.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{event::Action, invalid::Invalid, text::Role};

/// Something that a policy allows a role to do, or does not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Right {
    /// Create invitations, one at a time.
    Create,
    /// Create many in one call.
    Bulk,
    /// Create codes that more than one person may redeem, and amend, rotate or
    /// reinstate such codes.
    MultiUse,
    /// Bind a code to everybody of an e-mail domain, and amend, rotate or reinstate
    /// such codes.
    BindDomain,
    /// List invitations, count them, look at one. The codes are shown to those
    /// who may also [`Copy`](Self::Copy).
    View,
    /// Take a code to share it.
    Copy,
    /// Change address, expiry and role.
    Amend,
    /// Replace the code by a new one.
    Rotate,
    /// Withdraw an invitation.
    Revoke,
    /// Undo a revocation.
    Reinstate,
    /// Remove an invitation for good.
    Delete,
    /// List the open reservations: for whom a use is held just now.
    Reservations,
    /// Remove for good what has long been over.
    Purge,
    /// Read the audit trail.
    Audit,
    /// Take the list away as a whole, to be kept elsewhere; without the codes.
    Export,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 15] = [
        Self::Create,
        Self::Bulk,
        Self::MultiUse,
        Self::BindDomain,
        Self::View,
        Self::Copy,
        Self::Amend,
        Self::Rotate,
        Self::Revoke,
        Self::Reinstate,
        Self::Delete,
        Self::Reservations,
        Self::Purge,
        Self::Audit,
        Self::Export,
    ];

    /// As what the audit trail knows the use of it, and its denial.
    pub(crate) fn action(self) -> Action {
        match self {
            Self::Create | Self::Bulk | Self::MultiUse | Self::BindDomain => Action::Create,
            Self::View | Self::Reservations | Self::Export => Action::View,
            Self::Copy => Action::Copy,
            Self::Amend => Action::Amend,
            Self::Rotate => Action::Rotate,
            Self::Revoke => Action::Revoke,
            Self::Reinstate => Action::Reinstate,
            Self::Delete => Action::Delete,
            Self::Purge => Action::Purge,
            Self::Audit => Action::Audit,
        }
    }
}

/// What one role may do, and which roles it may hand out.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rights {
    /// What it may do.
    #[serde(default)]
    may: BTreeSet<Right>,
    /// The roles of the invitations that it may create, amend, rotate and reinstate.
    #[serde(default)]
    grants: BTreeSet<Role>,
}

impl Rights {
    /// No rights.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Also allows these.
    #[must_use]
    pub fn may(mut self, rights: impl IntoIterator<Item = Right>) -> Self {
        self.may.extend(rights);
        self
    }

    /// Also allows invitations that carry these roles.
    #[must_use]
    pub fn granting(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.grants.extend(roles);
        self
    }
}

/// A role and one that it may hand out: an element of the ceiling.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a pair has two parts")]
pub struct RolePair {
    /// Who invites.
    pub inviter: Role,
    /// As what the newcomer comes.
    pub granted: Role,
}

/// What each role may do: plain data that a host can build, or read with serde.
///
/// Nothing is allowed by silence: a role that the policy does not name has no
/// right, and one that nobody's `grants` name can be carried by no invitation.
/// Which divisions somebody reaches is not a matter of the role but of the
/// [`Actor`](crate::Actor).
///
/// The default is that of a system with three roles:
///
/// | | `admin` | `manager` | `staff` |
/// |---|---|---|---|
/// | create single-use codes | `admin`, `manager`, `staff` | `staff` | – |
/// | view, copy | yes | yes | – |
/// | everything else | yes | – | – |
///
/// ```
/// use invitation_core::{Policy, Right, Rights, Role};
///
/// let (lead, intern) = (Role::new("lead")?, Role::new("intern")?);
/// let policy = Policy::empty().with_role(
///     lead.clone(),
///     Rights::none().may([Right::Create, Right::View]).granting([intern.clone()]),
/// );
/// assert!(policy.allows(&lead, Right::Create) && policy.may_grant(&lead, &intern));
/// assert!(!policy.allows(&intern, Right::View));
///
/// let json = serde_json::to_string(&policy).unwrap();
/// assert_eq!(json, r#"{"roles":{"lead":{"may":["create","view"],"grants":["intern"]}}}"#);
/// assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
/// # Ok::<_, invitation_core::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    roles: BTreeMap<Role, Rights>,
}

impl Policy {
    /// Nobody may do anything.
    #[must_use]
    pub fn empty() -> Self {
        Self { roles: BTreeMap::new() }
    }

    /// Sets what `role` may do, replacing what was set before.
    #[must_use]
    pub fn with_role(mut self, role: Role, rights: Rights) -> Self {
        self.roles.insert(role, rights);
        self
    }

    /// Whether `role` may do it.
    #[must_use]
    pub fn allows(&self, role: &Role, right: Right) -> bool {
        self.roles.get(role).is_some_and(|rights| rights.may.contains(&right))
    }

    /// Whether an invitation from `inviter` may carry `granted`.
    #[must_use]
    pub fn may_grant(&self, inviter: &Role, granted: &Role) -> bool {
        self.roles.get(inviter).is_some_and(|rights| rights.grants.contains(granted))
    }

    /// Whether the policy knows the role: it is named, or may be handed out.
    #[must_use]
    pub fn knows(&self, role: &Role) -> bool {
        self.roles.contains_key(role)
            || self.roles.values().any(|rights| rights.grants.contains(role))
    }

    /// The roles that `inviter` may hand out, in order.
    pub fn grants_of(&self, inviter: &Role) -> impl Iterator<Item = &Role> {
        self.roles.get(inviter).into_iter().flat_map(|rights| &rights.grants)
    }

    /// The role that is meant when an inviter names none: the only one that it
    /// may hand out.
    #[must_use]
    pub fn default_grant(&self, inviter: &Role) -> Option<&Role> {
        let mut grants = self.grants_of(inviter);
        grants.next().filter(|_| grants.next().is_none())
    }

    /// The whole ceiling, as a guard carries it.
    pub(crate) fn ceiling(&self) -> Arc<[RolePair]> {
        self.roles
            .iter()
            .flat_map(|(inviter, rights)| {
                rights
                    .grants
                    .iter()
                    .map(|granted| RolePair { inviter: inviter.clone(), granted: granted.clone() })
            })
            .collect()
    }
}

impl Default for Policy {
    fn default() -> Self {
        let role = |name: &str| -> Result<Role, Invalid> { Role::new(name) };
        let (Ok(admin), Ok(manager), Ok(staff)) = (role("admin"), role("manager"), role("staff"))
        else {
            return Self::empty();
        };
        Self::empty()
            .with_role(
                admin.clone(),
                Rights::none().may(Right::ALL).granting([admin, manager.clone(), staff.clone()]),
            )
            .with_role(
                manager,
                Rights::none()
                    .may([Right::Create, Right::View, Right::Copy])
                    .granting([staff.clone()]),
            )
            .with_role(staff, Rights::none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> Role {
        Role::new(name).unwrap()
    }

    #[test]
    fn the_default_is_the_table() {
        let policy = Policy::default();
        for right in Right::ALL {
            let manager = matches!(right, Right::Create | Right::View | Right::Copy);
            assert!(policy.allows(&role("admin"), right));
            assert_eq!(policy.allows(&role("manager"), right), manager, "{right:?}");
            assert!(!policy.allows(&role("staff"), right));
        }
        let grants: Vec<_> = policy.grants_of(&role("admin")).map(Role::as_str).collect();
        assert_eq!(grants, ["admin", "manager", "staff"]);
        assert_eq!(policy.default_grant(&role("manager")), Some(&role("staff")));
        assert_eq!(policy.default_grant(&role("admin")), None);
    }

    #[test]
    fn nothing_is_allowed_by_silence() {
        let policy = Policy::default();
        for unknown in ["Admin", "ADMIN", "admin,manager", "root"] {
            assert!(!policy.knows(&role(unknown)));
            assert!(!policy.allows(&role(unknown), Right::View));
            assert!(!policy.may_grant(&role("admin"), &role(unknown)));
            assert!(!policy.may_grant(&role(unknown), &role("staff")));
        }
    }

    #[test]
    fn refuses_unknown_fields_and_rights() {
        for json in [
            r#"{"roles":{},"more":1}"#,
            r#"{"roles":{"a":{"may":["everything"]}}}"#,
            r#"{"roles":{"a":{"can":[]}}}"#,
        ] {
            assert!(serde_json::from_str::<Policy>(json).is_err(), "{json}");
        }
    }
}
