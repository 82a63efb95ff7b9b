//! The rights that the form of an invitation needs.

use std::num::NonZeroU32;

use crate::{
    binding::Binding,
    event::Reason,
    performer::Performer,
    policy::{Policy, Right},
    record::Record,
    refusal::Verdict,
    text::Role,
};

/// The parts of an invitation that need rights of their own, in every call that sets or
/// renews them. A part that is `None` needs no right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form<'a> {
    pub(super) role: Option<&'a Role>,
    pub(super) binding: Option<&'a Binding>,
    pub(super) max_uses: Option<NonZeroU32>,
}

/// The right that an authority lacks for a form.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Missing {
    Grant(Role),
    MultiUse,
    BindDomain,
}

/// The performer whose rights count.
#[derive(Clone, Copy, Debug)]
enum Authority<'a> {
    /// The host's bootstrap code.
    System,
    /// A user in this role.
    Role(&'a Role),
    /// A redeemer, without the right to grant anything.
    Nobody,
}

impl<'a> Form<'a> {
    /// The form of an invitation as it is stored.
    pub(crate) fn of(invitation: &'a Record) -> Self {
        let Record { role, binding, max_uses, .. } = invitation;
        Self { role: Some(role), binding: Some(binding), max_uses: Some(*max_uses) }
    }

    /// Denies a performer who lacks a right that this form needs.
    pub(crate) fn check(&self, performer: &Performer, policy: &Policy) -> Result<(), Verdict> {
        match self.first_missing(Authority::of(performer), policy) {
            None => Ok(()),
            Some(missing) => Err(missing.verdict(policy)),
        }
    }

    fn first_missing(&self, authority: Authority<'_>, policy: &Policy) -> Option<Missing> {
        if let Some(role) = self.role
            && !authority.may_grant(policy, role)
        {
            return Some(Missing::Grant(role.clone()));
        }
        let is_for_many = self.max_uses.is_some_and(|max_uses| max_uses > NonZeroU32::MIN);
        if is_for_many && !authority.allows(policy, Right::MultiUse) {
            return Some(Missing::MultiUse);
        }
        let is_for_a_domain = match self.binding {
            Some(Binding::Domain(_)) => true,
            Some(Binding::Anyone | Binding::Address(_)) | None => false,
        };
        if is_for_a_domain && !authority.allows(policy, Right::BindDomain) {
            return Some(Missing::BindDomain);
        }
        None
    }
}

impl Missing {
    fn verdict(self, policy: &Policy) -> Verdict {
        match self {
            Self::Grant(role) => Verdict::not_grantable(policy, role),
            Self::MultiUse => Verdict::forbidden(Right::MultiUse, Reason::MultiUseNotAllowed),
            Self::BindDomain => Verdict::forbidden(Right::BindDomain, Reason::DomainNotAllowed),
        }
    }
}

impl<'a> Authority<'a> {
    fn of(performer: &'a Performer) -> Self {
        match performer {
            Performer::System { .. } => Self::System,
            Performer::Actor { role, .. } => Self::Role(role),
            Performer::Redeemer { .. } => Self::Nobody,
        }
    }

    fn allows(self, policy: &Policy, right: Right) -> bool {
        match self {
            Self::System => true,
            Self::Role(own) => policy.allows(own, right),
            Self::Nobody => false,
        }
    }

    /// Whether an invitation of this authority may carry `role`.
    fn may_grant(self, policy: &Policy, role: &Role) -> bool {
        match self {
            Self::System => policy.knows(role),
            Self::Role(own) => policy.may_grant(own, role),
            Self::Nobody => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        email::{Email, EmailDomain},
        policy::Rights,
    };

    fn role(name: &str) -> Role {
        Role::new(name).unwrap()
    }

    /// A policy with roles that grant `staff`: with neither right, with one of them, with
    /// both.
    fn policy() -> Policy {
        let with = |rights: &[Right]| Rights::none().may(rights.to_vec()).granting([role("staff")]);
        Policy::empty()
            .with_role(role("neither"), with(&[]))
            .with_role(role("multi"), with(&[Right::MultiUse]))
            .with_role(role("domain"), with(&[Right::BindDomain]))
            .with_role(role("both"), with(&[Right::MultiUse, Right::BindDomain]))
    }

    #[test]
    fn each_part_needs_its_right() {
        let anyone = Binding::Anyone;
        let address = Binding::Address(Email::parse("anna@example.com").unwrap());
        let domain = Binding::Domain(EmailDomain::parse("example.com").unwrap());
        let (one, two, many) = (1, 2, 1_000);
        // Each row: the form, and whether the roles with neither right, `multi`, `domain`
        // and both, the system, and a redeemer may create it.
        for (carried, binding, max_uses, expected) in [
            ("staff", &anyone, one, [true, true, true, true, true, false]),
            ("staff", &address, one, [true, true, true, true, true, false]),
            ("staff", &domain, one, [false, false, true, true, true, false]),
            ("staff", &anyone, two, [false, true, false, true, true, false]),
            ("staff", &anyone, many, [false, true, false, true, true, false]),
            ("staff", &domain, many, [false, false, false, true, true, false]),
            ("neither", &anyone, one, [false, false, false, false, true, false]),
            ("root", &anyone, one, [false; 6]),
        ] {
            let (carried, max_uses) = (role(carried), NonZeroU32::new(max_uses));
            let form = Form { role: Some(&carried), binding: Some(binding), max_uses };
            let roles = ["neither", "multi", "domain", "both"].map(role);
            let [neither, multi, domain, both] = roles.each_ref().map(Authority::Role);
            let all = [neither, multi, domain, both, Authority::System, Authority::Nobody];
            let found = all.map(|authority| form.first_missing(authority, &policy()).is_none());
            assert_eq!(found, expected, "{form:?}");
        }
    }

    #[test]
    fn the_missing_right_is_named() {
        let domain = Binding::Domain(EmailDomain::parse("example.com").unwrap());
        let (staff, root, neither) = (role("staff"), role("root"), role("neither"));
        let whole =
            Form { role: Some(&staff), binding: Some(&domain), max_uses: NonZeroU32::new(2) };
        for (form, expected) in [
            (Form { role: Some(&root), ..whole }, Some(Missing::Grant(root.clone()))),
            (whole, Some(Missing::MultiUse)),
            (Form { max_uses: None, ..whole }, Some(Missing::BindDomain)),
            (Form { max_uses: None, binding: None, ..whole }, None),
            (Form { role: None, binding: None, max_uses: None }, None),
        ] {
            assert_eq!(form.first_missing(Authority::Role(&neither), &policy()), expected);
        }
    }
}
