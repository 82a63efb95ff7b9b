//! The users that the host of the tests knows.

use axum::http::header;
use invitation_axum::Parts;
use invitation_core::{Actor, Division, Role, UserId, Username};

/// Returns the user of this name, if the host knows it.
pub(crate) fn person(name: &str) -> Option<Actor> {
    let (role, division) = match name {
        "admin" => ("admin", None),
        "sales-manager" => ("manager", Some("sales")),
        "operations-manager" => ("manager", Some("operations")),
        "sales-staff" => ("staff", Some("sales")),
        _ => return None,
    };
    let (user, role) = (UserId::new(name).ok()?, Role::new(role).ok()?);
    let actor = match division {
        Some(division) => Actor::in_division(user, role, Division::new(division).ok()?),
        None => Actor::across_divisions(user, role),
    };
    // The host knows a name for people of one user only.
    Some(match name {
        "operations-manager" => actor.with_name(Username::new("Olga Meier").ok()?),
        _ => actor,
    })
}

/// Returns the user of this name. An administrator is based in a division, which forms
/// then suggest.
pub(crate) fn person_at_home(name: &str) -> Option<Actor> {
    let actor = person(name)?;
    Some(if name == "admin" { actor.based_in(Division::new("sales").ok()?) } else { actor })
}

/// Identifies a user: programs by the name as bearer token, browsers by a cookie.
pub(crate) fn who(request: &Parts) -> Option<Actor> {
    let header = |name| request.headers.get(name)?.to_str().ok();
    if let Some(token) = header(header::AUTHORIZATION) {
        return person(token.strip_prefix("Bearer ")?);
    }
    let cookie = header(header::COOKIE)?;
    person_at_home(cookie.split("; ").find_map(|cookie| cookie.strip_prefix("who="))?)
}
