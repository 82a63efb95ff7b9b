//! The users that the hosts of the tests know.

use invitation_core::{Actor, Division, Role, UserId};

/// Returns the user of this name, if the hosts of the tests know it.
pub(crate) fn person(name: &str) -> Option<Actor> {
    let (role, division) = match name {
        "admin" => ("admin", None),
        "sales-manager" => ("manager", Some("sales")),
        "operations-manager" => ("manager", Some("operations")),
        "sales-staff" => ("staff", Some("sales")),
        _ => return None,
    };
    let (user, role) = (UserId::new(name).ok()?, Role::new(role).ok()?);
    Some(match division {
        Some(division) => Actor::in_division(user, role, Division::new(division).ok()?),
        None => Actor::across_divisions(user, role),
    })
}
