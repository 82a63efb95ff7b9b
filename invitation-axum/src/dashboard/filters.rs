//! The fields of the filters above lists.

use invitation_core::{Right, Role, Scope, Status};

use super::{
    form::{Choice, Field, Kind},
    list::{BY_EXPIRY, LENGTHS, ListForm},
    page::PageContext,
};

/// Returns the statuses that a context can filter by. *Revoked* is among them only for a
/// role that can revoke or reinstate.
pub(super) fn statuses(context: &PageContext) -> impl Iterator<Item = Status> {
    let knows_revoked = context.may(Right::Revoke) || context.may(Right::Reinstate);
    let all = [Status::Active, Status::Used, Status::Expired, Status::Revoked];
    all.into_iter().filter(move |status| *status != Status::Revoked || knows_revoked)
}

/// Returns the filters of the list of invitations.
pub(super) fn list_filters(context: &PageContext, asked: &ListForm) -> Vec<Field> {
    let t = context.t();
    let mut fields = vec![status_filter(context, asked.status())];
    fields.extend(role_filter(context, asked.role()));
    fields.extend(division_filter(context, &t.filter_division, asked.division()));
    fields.push(Field::new("within", &*t.expiring_within, &*asked.within, Kind::Number));
    fields.push(Field::new("search", &*t.search, asked.search(), Kind::Search));
    let orders =
        vec![Choice::new("created", &*t.newest_first), Choice::new(BY_EXPIRY, &*t.soonest_expiry)];
    let orders = Kind::filter(orders, asked.sort(), str::to_owned);
    fields.push(Field::new("sort", &*t.sort_by, asked.sort(), orders));
    let lengths = LENGTHS.iter().map(|length| Choice::new(*length, *length)).collect();
    let lengths = Kind::filter(lengths, asked.limit(), str::to_owned);
    fields.push(Field::new("limit", &*t.rows, asked.limit(), lengths));
    fields
}

fn status_filter(context: &PageContext, value: &str) -> Field {
    let t = context.t();
    let mut choices = vec![Choice::new("all", &*t.all)];
    choices.extend(statuses(context).map(|status| Choice::new(status.as_str(), t.status(status))));
    let label = |value: &str| {
        let status = value.parse::<Status>();
        status.map_or_else(|_| value.to_owned(), |status| t.status(status).to_owned())
    };
    Field::new("status", &*t.filter_status, value, Kind::filter(choices, value, label))
}

/// Returns the role filter, if there is more than one role to filter by.
fn role_filter(context: &PageContext, value: &str) -> Option<Field> {
    let t = context.t();
    let roles = context.service().policy().grants_of(context.actor().role());
    let mut choices = vec![Choice::new("", &*t.all)];
    choices.extend(roles.map(|role| Choice::new(role.as_str(), (t.role)(role))));
    let is_choice = choices.len() > 2 || !value.is_empty();
    let label = |value: &str| {
        Role::new(value).map_or_else(|_| value.to_owned(), |role| (t.role)(&role).into_owned())
    };
    let kind = Kind::filter(choices, value, label);
    is_choice.then(|| Field::new("role", &*t.filter_role, value, kind))
}

/// Returns the division filter for a context who reaches all divisions. It suggests the divisions
/// that the host has named, and takes any other one.
pub(super) fn division_filter(context: &PageContext, label: &str, value: &str) -> Option<Field> {
    let known: Vec<_> = context.dashboard().divisions.iter().map(ToString::to_string).collect();
    let kind = if known.is_empty() { Kind::Text } else { Kind::Suggested(known) };
    matches!(context.actor().scope(), Scope::All)
        .then(|| Field::new("division", label, value, kind))
}
