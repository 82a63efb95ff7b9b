//! The policy: the rights of each role, as data.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{event::Action, field_error::FieldError, text::Role};

/// A right that a policy gives or does not give to a role.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Policy, Right, Role};
///
/// let (policy, manager) = (Policy::default(), Role::new("manager")?);
/// let of_managers: Vec<_> =
///     Right::ALL.into_iter().filter(|right| policy.allows(&manager, *right)).collect();
/// assert_eq!(of_managers, [Right::Create, Right::View, Right::Copy]);
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Right {
    /// Create invitations, one at a time.
    Create,
    /// Create many invitations in one call.
    Bulk,
    /// Create codes with several uses, and amend, rotate or reinstate such invitations.
    MultiUse,
    /// Bind a code to an e-mail domain, and amend, rotate or reinstate such invitations.
    BindDomain,
    /// List, count and read invitations. The codes are shown only to roles that also have
    /// [`Copy`](Self::Copy).
    View,
    /// Copy a code, to share it.
    Copy,
    /// Change the address, expiry and role of an invitation.
    Amend,
    /// Replace the code of an invitation by a new one.
    Rotate,
    /// Revoke an invitation.
    Revoke,
    /// Undo a revocation.
    Reinstate,
    /// Delete an invitation for good.
    Delete,
    /// List the open reservations: the redeemers for whom a use is held.
    Reservations,
    /// Remove invitations that ended long ago, for good.
    Purge,
    /// Remove old events of all divisions for good, and erase persons.
    PurgeEvents,
    /// Read the audit trail.
    Audit,
    /// Export the whole list, without the codes.
    Export,
    /// Rewrite the stored codes under the active key.
    Reseal,
    /// Send an invitation to its address again, and list and retry failed deliveries.
    Resend,
    /// List, register, change and remove endpoints of webhooks, of all divisions.
    Webhooks,
}

impl Right {
    /// All rights, in the order of their declaration.
    pub const ALL: [Self; 19] = [
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
        Self::PurgeEvents,
        Self::Audit,
        Self::Export,
        Self::Reseal,
        Self::Resend,
        Self::Webhooks,
    ];

    /// Returns the words that complete the sentence "this role may not …".
    pub(crate) fn activity(self) -> &'static str {
        match self {
            Self::Create => "create invitations",
            Self::Bulk => "create many invitations in one call",
            Self::MultiUse => "issue codes with several uses",
            Self::BindDomain => "bind codes to a domain",
            Self::View => "view invitations",
            Self::Copy => "copy codes",
            Self::Amend => "change invitations",
            Self::Rotate => "replace codes",
            Self::Revoke => "revoke invitations",
            Self::Reinstate => "reinstate invitations",
            Self::Delete => "delete invitations",
            Self::Reservations => "list open reservations",
            Self::Purge => "purge invitations",
            Self::PurgeEvents => "purge events and erase persons",
            Self::Audit => "read the audit trail",
            Self::Export => "export invitations",
            Self::Reseal => "re-encrypt stored codes",
            Self::Resend => "send invitations again",
            Self::Webhooks => "manage webhooks",
        }
    }

    /// Returns the action under which the audit trail records a use of the right, or its
    /// denial.
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
            Self::PurgeEvents => Action::PurgeEvents,
            Self::Audit => Action::Audit,
            Self::Reseal => Action::Reseal,
            Self::Resend => Action::Resend,
            Self::Webhooks => Action::Webhooks,
        }
    }
}

/// The rights of one role, and the roles that it may grant.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Policy, Right, Rights, Role};
///
/// // Teachers invite pupils, and revoke what was sent to the wrong one.
/// let (teacher, pupil) = (Role::new("teacher")?, Role::new("pupil")?);
/// let rights = Rights::none()
///     .may([Right::Create, Right::View, Right::Copy, Right::Revoke])
///     .granting([pupil.clone()]);
/// let policy = Policy::default().with_role(teacher.clone(), rights);
/// assert!(policy.may_grant(&teacher, &pupil) && !policy.may_grant(&teacher, &teacher));
/// assert!(policy.allows(&teacher, Right::Revoke) && !policy.allows(&teacher, Right::Amend));
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rights {
    /// The rights of the role.
    #[serde(default)]
    may: BTreeSet<Right>,
    /// The roles of the invitations that this role may create, amend, rotate and
    /// reinstate.
    #[serde(default)]
    grants: BTreeSet<Role>,
}

impl Rights {
    /// Returns no rights.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds `rights` to those of the role.
    #[must_use]
    pub fn may(mut self, rights: impl IntoIterator<Item = Right>) -> Self {
        self.may.extend(rights);
        self
    }

    /// Adds `roles` to the roles that invitations may grant.
    #[must_use]
    pub fn granting(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.grants.extend(roles);
        self
    }
}

/// A role and another role that it may grant. A guard carries all such pairs of a policy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a pair has two parts")]
pub struct RolePair {
    /// The role of the grantor.
    pub grantor: Role,
    /// The role of the newcomer.
    pub granted: Role,
}

/// The rights of each role: plain data that a host builds or reads with serde.
///
/// Every right must be given explicitly. A role that the policy does not name has no
/// rights, and no invitation can carry a role that is missing from every `grants`. The
/// divisions that a user reaches depend on the [`Actor`](crate::Actor), not on the role.
///
/// The default is that of a system with three roles. [`with_added_rights`](Self::with_added_rights)
/// extends a role of it, and [`warnings`](Self::warnings) names probable mistakes:
///
/// | | `admin` | `manager` | `staff` |
/// |---|---|---|---|
/// | create single-use codes | `admin`, `manager`, `staff` | `staff` | – |
/// | view, copy | yes | yes | – |
/// | everything else | yes | – | – |
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Policy, Right, Rights, Role};
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
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    roles: BTreeMap<Role, Rights>,
}

impl Policy {
    /// Returns a policy without any rights.
    #[must_use]
    pub fn empty() -> Self {
        Self { roles: BTreeMap::new() }
    }

    /// Sets the rights of `role`, and replaces those that were set before.
    #[must_use]
    pub fn with_role(mut self, role: Role, rights: Rights) -> Self {
        self.roles.insert(role, rights);
        self
    }

    /// Adds `rights` to those that `role` has, and keeps the others.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{Policy, Right, Rights, Role};
    ///
    /// let manager = Role::new("manager")?;
    /// let policy = Policy::default()
    ///     .with_added_rights(manager.clone(), Rights::none().may([Right::Revoke]));
    /// assert!(policy.allows(&manager, Right::Revoke) && policy.allows(&manager, Right::Create));
    /// assert!(policy.may_grant(&manager, &Role::new("staff")?));
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    #[must_use]
    pub fn with_added_rights(mut self, role: Role, rights: Rights) -> Self {
        let known = self.roles.entry(role).or_default();
        known.may.extend(rights.may);
        known.grants.extend(rights.grants);
        self
    }

    /// Returns the parts of the policy that are probably mistakes, by role in ascending order.
    /// A host shows or logs them when it starts.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{Policy, Right, Rights, Role, decide::PolicyWarning};
    ///
    /// let lead = Role::new("lead")?;
    /// let policy = Policy::default()
    ///     .with_role(lead.clone(), Rights::none().may([Right::View]));
    /// assert_eq!(policy.warnings(), [PolicyWarning::Ungrantable { role: lead }]);
    /// assert_eq!(
    ///     policy.warnings()[0].to_string(),
    ///     "no role may grant lead, so only the system actor can invite anybody as lead",
    /// );
    /// assert!(Policy::default().warnings().is_empty());
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> Vec<PolicyWarning> {
        let granted = |role: &Role| self.roles.values().any(|rights| rights.grants.contains(role));
        self.roles
            .keys()
            .filter(|role| !granted(role))
            .map(|role| PolicyWarning::Ungrantable { role: role.clone() })
            .collect()
    }

    /// Returns whether `role` has `right`.
    #[must_use]
    pub fn allows(&self, role: &Role, right: Right) -> bool {
        self.roles.get(role).is_some_and(|rights| rights.may.contains(&right))
    }

    /// Returns whether an invitation created by `inviter` may carry the role `granted`.
    #[must_use]
    pub fn may_grant(&self, inviter: &Role, granted: &Role) -> bool {
        self.roles.get(inviter).is_some_and(|rights| rights.grants.contains(granted))
    }

    /// Returns whether the policy names the role, or lets some role grant it.
    #[must_use]
    pub fn knows(&self, role: &Role) -> bool {
        self.roles.contains_key(role)
            || self.roles.values().any(|rights| rights.grants.contains(role))
    }

    /// Returns the roles that `inviter` may grant, in ascending order.
    pub fn grants_of(&self, inviter: &Role) -> impl Iterator<Item = &Role> {
        self.roles.get(inviter).into_iter().flat_map(|rights| &rights.grants)
    }

    /// Returns the role of an invitation whose creator names none: the only role that
    /// `inviter` may grant. Returns none if there are several or none.
    #[must_use]
    pub fn default_grant(&self, inviter: &Role) -> Option<&Role> {
        let mut grants = self.grants_of(inviter);
        grants.next().filter(|_| grants.next().is_none())
    }

    /// Returns all pairs of grantor's and granted role, for
    /// [`Condition::Grantable`](crate::Condition::Grantable).
    #[must_use]
    pub fn ceiling(&self) -> Arc<[RolePair]> {
        self.roles
            .iter()
            .flat_map(|(grantor, rights)| {
                rights
                    .grants
                    .iter()
                    .map(|granted| RolePair { grantor: grantor.clone(), granted: granted.clone() })
            })
            .collect()
    }
}

/// A part of a policy that is probably a mistake. See [`Policy::warnings`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PolicyWarning {
    /// The policy names the role, but lets no role grant it: no user can invite anybody as it.
    Ungrantable {
        /// The role that no role may grant.
        role: Role,
    },
}

impl fmt::Display for PolicyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ungrantable { role } => write!(
                f,
                "no role may grant {role}, so only the system actor can invite anybody as {role}"
            ),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let role = |name: &str| -> Result<Role, FieldError> { Role::new(name) };
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
