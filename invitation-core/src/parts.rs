//! The texts that a store keeps of a binding, an inviter and a performer.
//!
//! A store writes the parts into its columns or fields, and reads them back. Which parts
//! belong together is decided here once. A store that reads parts which no value has must
//! report the row as corrupt.

use crate::{
    binding::Binding,
    email::{Email, EmailDomain},
    inviter::Inviter,
    performer::Performer,
    text::{Role, SystemName, UserId, Username},
};

/// The stored texts of a [`Binding`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct BindingParts<T> {
    /// The bound address, as it was given.
    pub email: Option<T>,
    /// The comparison form of the bound address.
    pub email_key: Option<T>,
    /// The bound domain.
    pub domain: Option<T>,
}

/// The stored texts of an [`Inviter`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct InviterParts<T> {
    /// The user who created or granted the invitation.
    pub user: Option<T>,
    /// The role of that user at the time.
    pub role: Option<T>,
    /// The name by which people knew that user at the time.
    pub name: Option<T>,
}

/// The stored texts of a [`Performer`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct PerformerParts<T> {
    /// The user who acted.
    pub user: Option<T>,
    /// The role in which the user acted.
    pub role: Option<T>,
    /// The name for people: the username of a redeemer, the name of an actor or of a job.
    pub name: Option<T>,
}

impl Binding {
    /// Returns the texts that a store keeps.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{Binding, Email};
    ///
    /// let binding = Binding::Address(Email::parse("Anna@Example.com")?);
    /// let parts = binding.parts();
    /// assert_eq!(parts.email, Some("Anna@Example.com"));
    /// assert_eq!(parts.email_key, Some("anna@example.com"));
    /// assert_eq!(Binding::from_parts(parts), Some(binding));
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    #[must_use]
    pub fn parts(&self) -> BindingParts<&str> {
        let none = BindingParts { email: None, email_key: None, domain: None };
        match self {
            Self::Anyone => none,
            Self::Address(email) => BindingParts {
                email: Some(email.as_str()),
                email_key: Some(email.key().as_str()),
                ..none
            },
            Self::Domain(domain) => BindingParts { domain: Some(domain.as_str()), ..none },
        }
    }

    /// Returns the binding of stored texts, without validating them again; none if no
    /// binding has these parts.
    #[must_use]
    pub fn from_parts<T: AsRef<str>>(parts: BindingParts<T>) -> Option<Self> {
        match (parts.email, parts.email_key, parts.domain) {
            (None, None, None) => Some(Self::Anyone),
            (Some(email), Some(key), None) => Some(Self::Address(Email::from_stored(email, key))),
            (None, None, Some(domain)) => Some(Self::Domain(EmailDomain::from_stored(domain))),
            (Some(_), None, _) | (None, Some(_), _) | (Some(_), Some(_), Some(_)) => None,
        }
    }
}

impl Inviter {
    /// Returns the texts that a store keeps.
    #[must_use]
    pub fn parts(&self) -> InviterParts<&str> {
        match self {
            Self::System => InviterParts { user: None, role: None, name: None },
            Self::User { user, role, name } => InviterParts {
                user: Some(user.as_str()),
                role: Some(role.as_str()),
                name: name.as_ref().map(Username::as_str),
            },
        }
    }

    /// Returns the inviter of stored texts, without validating them again; none if no
    /// inviter has these parts.
    #[must_use]
    pub fn from_parts<T: AsRef<str>>(parts: InviterParts<T>) -> Option<Self> {
        match (parts.user, parts.role, parts.name) {
            (None, None, None) => Some(Self::System),
            (Some(user), Some(role), name) => Some(Self::User {
                user: UserId::from_stored(user),
                role: Role::from_stored(role),
                name: name.map(Username::from_stored),
            }),
            (None, None, Some(_)) | (Some(_), None, _) | (None, Some(_), _) => None,
        }
    }
}

impl Performer {
    /// Returns the texts that a store keeps.
    #[must_use]
    pub fn parts(&self) -> PerformerParts<&str> {
        let role = match self {
            Self::Actor { role, .. } => Some(role.as_str()),
            Self::System { .. } | Self::Redeemer { .. } => None,
        };
        PerformerParts { user: self.user().map(UserId::as_str), role, name: self.name() }
    }

    /// Returns the performer of stored texts, without validating them again; none if no
    /// performer has these parts.
    #[must_use]
    pub fn from_parts<T: AsRef<str>>(parts: PerformerParts<T>) -> Option<Self> {
        let user = parts.user.map(UserId::from_stored);
        match (user, parts.role, parts.name) {
            (None, None, name) => Some(Self::System { name: name.map(SystemName::from_stored) }),
            (Some(user), Some(role), name) => Some(Self::Actor {
                user,
                role: Role::from_stored(role),
                name: name.map(Username::from_stored),
            }),
            (Some(user), None, Some(username)) => {
                Some(Self::Redeemer { user, username: Username::from_stored(username) })
            }
            (None, Some(_), _) | (Some(_), None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All combinations of present and absent parts.
    fn combinations<const N: usize>() -> impl Iterator<Item = [Option<&'static str>; N]> {
        (0..1_u32 << N)
            .map(|bits| std::array::from_fn(|n| (bits & (1 << n) != 0).then_some("example.com")))
    }

    #[test]
    fn parts_are_read_back_or_belong_to_no_value() {
        let mut values = 0;
        for [email, email_key, domain] in combinations() {
            let parts = BindingParts { email, email_key, domain };
            if let Some(binding) = Binding::from_parts(parts) {
                assert_eq!(binding.parts(), parts);
                values += 1;
            }
        }
        assert_eq!(values, 3, "one combination for each kind of binding");
        for [user, role, name] in combinations() {
            let parts = InviterParts { user, role, name };
            if let Some(inviter) = Inviter::from_parts(parts) {
                assert_eq!(inviter.parts(), parts);
                values += 1;
            }
        }
        assert_eq!(values, 3 + 3, "each kind of inviter, a user with a name and without");
        for [user, role, name] in combinations() {
            let parts = PerformerParts { user, role, name };
            if let Some(performer) = Performer::from_parts(parts) {
                assert_eq!(performer.parts(), parts);
                values += 1;
            }
        }
        assert_eq!(values, 3 + 3 + 5, "each kind of performer, with a name and without");
    }
}
