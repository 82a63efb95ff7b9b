//! The bodies of HTML forms.

use std::collections::BTreeSet;

use axum::{
    body::Bytes,
    extract::{FromRef, FromRequest, Request},
    http::request::Parts,
};
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::{pointer, read_as};
use crate::{
    problem::{InputError, Problem, ProblemKind, pointer_to},
    web::Web,
};

/// The largest number of fields in a form. Each field takes dozens of bytes of memory,
/// however little it holds.
pub(crate) const MAX_FIELDS: usize = 100;

/// Reads the body of an HTML form. Returns the errors of [`read_as`], and 400 for a form with too many
/// fields, or one that is not UTF-8: its bytes would silently become other characters.
pub(crate) async fn read_form(request: Request, web: &Web) -> Result<(Parts, Bytes), Problem> {
    let otherwise = "the body must be that of a form";
    let (parts, bytes) =
        read_as("application/x-www-form-urlencoded", otherwise, request, web).await?;
    let malformed = |what: &'static str| Problem::new(ProblemKind::Malformed).with_detail(what);
    if form_urlencoded::parse(&bytes).nth(MAX_FIELDS).is_some() {
        return Err(malformed("the form has too many fields"));
    }
    if !is_utf8(&bytes) {
        return Err(malformed("the form is not UTF-8"));
    }
    Ok((parts, bytes))
}

/// Returns whether all names and values of a form or query string are UTF-8 once they are decoded.
/// The signs between them are ASCII, so the whole is UTF-8 if and only if each of them is.
pub(crate) fn is_utf8(encoded: &[u8]) -> bool {
    percent_decode(encoded).decode_utf8().is_ok()
}

/// An extractor for the body of an HTML form, which the host's own handlers can use, too.
/// It has the limits of [`Json`](super::Json), at most 100 fields, and must be UTF-8.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart")]
pub struct Form<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T>
where
    Web: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let web = &Web::from_ref(state);
        let (_, bytes) = read_form(request, web).await?;
        parse_form(&bytes).map(Self)
    }
}

/// Parses a form. Returns 422 with the pointer of the field for a form that does not match `T`.
fn parse_form<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let fields = serde_urlencoded::Deserializer::new(form_urlencoded::parse(bytes));
    serde_path_to_error::deserialize(fields).map_err(|error| {
        let pointer = pointer(error.path());
        let repeated = if pointer.is_empty() { repeated_fields(bytes) } else { BTreeSet::new() };
        if repeated.is_empty() {
            return Problem::invalid([InputError::in_body(pointer, error.inner().to_string())]);
        }
        // The error has no path to a field that is given twice.
        let twice = |name: &String| InputError::in_body(pointer_to(name), "must be given once");
        Problem::invalid(repeated.iter().map(twice))
    })
}

/// Returns the names of the fields that a form has more than once.
fn repeated_fields(bytes: &[u8]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let names = form_urlencoded::parse(bytes).map(|(name, _)| name.into_owned());
    names.filter(|name| !seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Sample {
        name: Option<String>,
        uses: Option<u32>,
    }

    #[test]
    fn form_that_does_not_fit_names_its_field() {
        let sample = |form: &str| parse_form::<Sample>(form.as_bytes());
        assert_eq!(sample("name=a&uses=2").unwrap().uses, Some(2));
        for (form, pointers) in [
            ("name=a&name=b", &["/name"][..]),
            ("name=a&name=b&uses=1&uses=1", &["/name", "/uses"]),
            ("uses=x", &["/uses"]),
            ("other=1", &["/other"]),
        ] {
            let problem = sample(form).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::Invalid, "{form}");
            let named: Vec<_> = problem.errors().iter().map(|error| &*error.pointer).collect();
            assert_eq!(named, pointers, "{form}: {problem:?}");
        }
        // A form that may have a field several times is read as a list.
        let list = parse_form::<Vec<(String, String)>>(b"a=1&a=2").unwrap();
        assert_eq!(list.len(), 2);
    }
}
