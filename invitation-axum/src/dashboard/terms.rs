//! The terms of an invitation, as forms ask for them.

use std::num::NonZeroU32;

use invitation_core::{Binding, Email, EmailDomain, FieldError, Right, Role, Scope};

use super::{
    form::{Choice, Field, Input, Kind, Mistakes},
    page::PageContext,
};

/// Returns the address or domain of the form; `None` after a mistake.
pub(super) fn binding(
    context: &PageContext,
    input: &Input,
    mistakes: &mut Mistakes,
) -> Option<Binding> {
    let t = context.t();
    match (input.text("email"), input.text("email_domain")) {
        ("", "") => Some(Binding::Anyone),
        (email, "") => mistakes.check(t, Email::parse(email)).map(Binding::Address),
        ("", domain) => mistakes.check(t, EmailDomain::parse(domain)).map(Binding::Domain),
        _ => {
            mistakes.add("email_domain", &*t.email_or_domain);
            None
        }
    }
}

/// Returns the chosen role; `None` without a choice or after a mistake.
pub(super) fn role(context: &PageContext, input: &Input, mistakes: &mut Mistakes) -> Option<Role> {
    match input.text("role") {
        "" => None,
        role => mistakes.check(context.t(), Role::new(role)),
    }
}

/// Returns a whole number; `None` without input or after a mistake.
pub(super) fn number(
    context: &PageContext,
    input: &Input,
    name: &'static str,
    mistakes: &mut Mistakes,
) -> Option<u32> {
    match input.text(name) {
        "" => None,
        number => {
            let number =
                number.parse().map_err(|_| FieldError::new(name, &*context.t().not_a_number));
            mistakes.check(context.t(), number)
        }
    }
}

/// Returns the number of uses; `None` without input or after a mistake.
pub(super) fn uses(
    context: &PageContext,
    input: &Input,
    mistakes: &mut Mistakes,
) -> Option<NonZeroU32> {
    let given = number(context, input, "max_uses", mistakes)?;
    let given =
        NonZeroU32::new(given).ok_or_else(|| FieldError::new("max_uses", "must be 1 or more"));
    mistakes.check(context.t(), given)
}

/// Returns the fields that restrict who may use a code: an address, and a domain for
/// roles that may bind to one.
pub(super) fn binding_fields(context: &PageContext, label: &str, input: &Input) -> Vec<Field> {
    let t = context.t();
    let email = Field::new("email", label, input.text("email"), Kind::Email);
    let mut fields = vec![email.with_hint(&*t.email_hint)];
    if context.may(Right::BindDomain) {
        let domain = input.text("email_domain");
        let field = Field::new("email_domain", &*t.email_domain, domain, Kind::Text);
        fields.push(field.with_hint(&*t.email_domain_hint));
    }
    fields
}

/// Returns the field of the role: a choice, or a fixed text if there is only one role to
/// grant.
pub(super) fn role_field(context: &PageContext, input: &Input) -> Field {
    let t = context.t();
    let policy = context.service().policy();
    let role = context.actor().role();
    if let Some(only) = policy.default_grant(role) {
        return Field::new("role", &*t.role_label, (t.role)(only), Kind::Fixed);
    }
    let mut choices = vec![Choice::new("", &*t.choose_role)];
    choices.extend(policy.grants_of(role).map(|role| Choice::new(role.as_str(), (t.role)(role))));
    Field::new("role", &*t.role_label, input.text("role"), Kind::Choice(choices))
}

/// Returns the field of the division, for visitors who reach more than one.
pub(super) fn division_field(context: &PageContext, input: &Input) -> Option<Field> {
    let t = context.t();
    let division = input.text("division");
    let known = context.dashboard().divisions.iter().map(ToString::to_string).collect();
    matches!(context.actor().scope(), Scope::All)
        .then(|| Field::new("division", &*t.division, division, Kind::Suggested(known)))
}
