//! The request headers that the API understands.

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, header, request::Parts},
};
use invitation_core::{IdempotencyKey, IfVersion};

use crate::{
    problem::{InputError, Problem},
    web::Web,
};

/// The `If-Match` header: `*`, or one `ETag` from an earlier response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IfMatch(pub(crate) IfVersion);

impl FromRequestParts<Web> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        let Some(given) = one(parts, &header::IF_MATCH)? else {
            return Ok(Self(IfVersion::Any));
        };
        if given == "*" {
            return Ok(Self(IfVersion::Any));
        }
        let tag = given.strip_prefix("W/").unwrap_or(given);
        let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        let Some(opaque) = opaque.filter(|tag| !tag.contains('"')) else {
            let message = "must be * or one ETag that an answer gave";
            return Err(Problem::invalid([InputError::in_header("If-Match", message)]));
        };
        // Version 0 does not exist. It stands for a tag that can never match: a weak one
        // (RFC 9110, 13.1.1), or one that no response had. Tags are compared by their characters
        // (8.8.3.2), so `"01"` is not the tag of version 1.
        let is_written = |version: &u64| version.to_string() == opaque && given == tag;
        let version = opaque.parse().ok().filter(is_written).unwrap_or(0);
        Ok(Self(IfVersion::Exactly(version)))
    }
}

/// The `Idempotency-Key` header.
#[derive(Clone, Debug)]
pub(crate) struct IdempotencyKeyHeader(pub(crate) Option<IdempotencyKey>);

impl FromRequestParts<Web> for IdempotencyKeyHeader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        let key = one(parts, &HeaderName::from_static("idempotency-key"))?;
        let key = key.map(IdempotencyKey::new).transpose().map_err(|refused| {
            Problem::invalid([InputError::in_header("Idempotency-Key", refused.message())])
        })?;
        Ok(Self(key))
    }
}

/// Returns the value of a header that may occur at most once.
fn one<'p>(parts: &'p Parts, name: &HeaderName) -> Result<Option<&'p str>, Problem> {
    let refused = |message: &str| {
        let name = match name.as_str() {
            "if-match" => "If-Match",
            "idempotency-key" => "Idempotency-Key",
            other => other,
        };
        Problem::invalid([InputError::in_header(name, message)])
    };
    let mut values = parts.headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(refused("must be given once"));
    }
    first.to_str().map(Some).map_err(|_| refused("must be visible ASCII characters"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::http::Request;
    use invitation_core::{Invitations, MemoryStore};

    use super::*;

    async fn if_match(value: &str) -> Option<IfVersion> {
        let web = Web::new(Invitations::new(Arc::new(MemoryStore::new())), |_: &Parts| None);
        let request = Request::builder().header("if-match", value).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        IfMatch::from_request_parts(&mut parts, &web).await.ok().map(|found| found.0)
    }

    #[tokio::test]
    async fn an_etag_matches_one_version() {
        assert_eq!(if_match("*").await, Some(IfVersion::Any));
        assert_eq!(if_match("\"3\"").await, Some(IfVersion::Exactly(3)));
        for never in [
            "W/\"3\"",
            "\"x\"",
            "\"+3\"",
            "\"03\"",
            "\"0\"",
            "\"00\"",
            "\"\"",
            "\"99999999999999999999\"",
        ] {
            assert_eq!(if_match(never).await, Some(IfVersion::Exactly(0)), "{never}");
        }
        for unclear in ["3", "\"3\", \"4\"", "\"3", ""] {
            assert_eq!(if_match(unclear).await, None, "{unclear}");
        }
    }
}
