//! The limits that a host sets, in the OpenAPI description.

use invitation_core::Limits;
use time::Duration;
use utoipa::{
    Number,
    openapi::{
        Components, Object, RefOr, Schema, path::Paths, request_body::RequestBody, schema::Array,
    },
};

/// Describes the limits of the service. `paths` are those below the mount point.
pub(super) fn describe(limits: &Limits, components: &mut Components, paths: &mut Paths) {
    let (min, max) = (limits.min_lifetime(), limits.max_lifetime());
    let expiry = format!("The instant at which the invitation expires, {min} to {max} from now");
    if let Some(expires_at) = property(components, "Amendment", "expires_at") {
        expires_at.description = Some(format!("{expiry}."));
    }
    if let Some(expires_at) = property(components, "NewInvitation", "expires_at") {
        let default = limits.default_lifetime();
        let otherwise = format!("without it and without `expires_in_days`, {default} from now");
        expires_at.description = Some(format!("{expiry}; {otherwise}."));
    }
    if let Some(days) = property(components, "NewInvitation", "expires_in_days") {
        let day = Duration::DAY.whole_seconds();
        let of_min = min.whole_seconds() + i64::from(min.subsec_nanoseconds() > 0) + day - 1;
        days.minimum = Some(number(of_min / day));
        days.maximum = Some(number(max.whole_days()));
    }
    if let Some(uses) = property(components, "NewInvitation", "max_uses") {
        uses.maximum = Some(number(limits.max_uses().get()));
    }
    if let Some(body) = body_of(paths, "/bulk") {
        let rows = limits.batch();
        body.description = Some(format!("1 to {rows} rows."));
        if let Some(array) = array_of(body) {
            array.min_items = Some(1);
            array.max_items = usize::try_from(rows.get()).ok();
        }
    }
}

fn number(value: impl TryInto<usize>) -> Number {
    Number::UInt(value.try_into().unwrap_or(usize::MAX))
}

/// Returns a property of a schema.
fn property<'c>(
    components: &'c mut Components,
    schema: &str,
    property: &str,
) -> Option<&'c mut Object> {
    let RefOr::T(Schema::Object(schema)) = components.schemas.get_mut(schema)? else {
        return None;
    };
    match schema.properties.get_mut(property)? {
        RefOr::T(Schema::Object(property)) => Some(property),
        _ => None,
    }
}

/// Returns the body of the `POST` to a path.
fn body_of<'p>(paths: &'p mut Paths, path: &str) -> Option<&'p mut RequestBody> {
    match paths.paths.get_mut(path)?.post.as_mut()?.request_body.as_mut()? {
        RefOr::T(body) => Some(body),
        RefOr::Ref(_) => None,
    }
}

/// Returns the schema of a body that is a JSON array.
fn array_of(body: &mut RequestBody) -> Option<&mut Array> {
    let RefOr::T(content) = body.content.get_mut("application/json")? else { return None };
    match content.schema.as_mut()? {
        RefOr::T(Schema::Array(array)) => Some(array),
        _ => None,
    }
}
