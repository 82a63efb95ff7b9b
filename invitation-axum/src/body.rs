//! Request bodies: limited in size and time, and parsed with errors that name the
//! location.

mod form;

use axum::{
    body::{Body, Bytes},
    extract::{FromRef, FromRequest, Request},
    http::{header, request::Parts},
};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

pub use self::form::Form;
pub(crate) use self::form::{MAX_FIELDS, is_utf8, read_form};
use crate::{
    objects::Objects,
    problem::{InputError, Problem, ProblemKind, pointer_to},
    web::Web,
};

/// Reads the whole body. Returns 413 for more than `limit` bytes, 408 if it arrives too
/// slowly, 400 if it breaks off.
pub(crate) async fn read(body: Body, limit: usize, web: &Web) -> Result<Bytes, Problem> {
    tokio::time::timeout(web.limits().body_time, collect(body, limit))
        .await
        .unwrap_or_else(|_| Err(Problem::new(ProblemKind::RequestTimeout)))
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| Problem::new(ProblemKind::Malformed).with_detail("the body breaks off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > limit {
            return Err(Problem::new(ProblemKind::TooLarge)
                .with_detail(format!("the body must not be larger than {limit} bytes")));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.into())
}

/// Returns the media type, in lower case and without parameters. Returns 415 for a body that is encoded.
pub(crate) fn media_type(request: &Request) -> Result<Option<String>, Problem> {
    refuse_encoded(request)?;
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Ok(value.map(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().to_ascii_lowercase()
    }))
}

/// Returns 415 for a body that is compressed or otherwise encoded. Its bytes would be read as if they
/// were the text, and a client would learn only later that nothing of it was understood.
pub(crate) fn refuse_encoded(request: &Request) -> Result<(), Problem> {
    let is_plain =
        |encoding: &str| encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    let mut given = request.headers().get_all(header::CONTENT_ENCODING).iter();
    let all_plain = given.all(|encodings| {
        encodings.to_str().is_ok_and(|text| text.split(',').map(str::trim).all(is_plain))
    });
    if all_plain { Ok(()) } else { Err(unsupported("the body must have no Content-Encoding")) }
}

const JSON: &str = "the body must be application/json";

pub(crate) fn unsupported(expected: &'static str) -> Problem {
    Problem::new(ProblemKind::UnsupportedMediaType).with_detail(expected)
}

/// Reads the whole body of a request whose media type must be `expected`. Returns 415 with `otherwise`
/// for another one, and the errors of [`media_type`] and [`read`].
async fn read_as(
    expected: &str,
    otherwise: &'static str,
    request: Request,
    web: &Web,
) -> Result<(Parts, Bytes), Problem> {
    if media_type(&request)?.as_deref() != Some(expected) {
        return Err(unsupported(otherwise));
    }
    let (parts, body) = request.into_parts();
    Ok((parts, read(body, web.limits().body, web).await?))
}

/// An extractor for a JSON body, which the host's own handlers can use, too. A mistake in the body
/// becomes a [`Problem`] that names its location. The body is limited by
/// [`WebLimits`](crate::WebLimits).
///
/// If `T` is a struct, the body must be an object: serde also reads a struct from an array of its
/// fields, which is refused.
///
/// The router's state must be a [`Web`] or contain one ([`FromRef`]). Mount it behind
/// [`Web::protect`]: a client whose large body is refused then gets the response instead of a broken
/// connection.
///
/// ```
/// # mod invitation { pub use invitation_axum as web; }
/// use invitation::web::{Json, Problem};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Greeting {
///     name: String,
/// }
///
/// async fn greet(Json(greeting): Json<Greeting>) -> Result<String, Problem> {
///     Ok(format!("hello, {}", greeting.name))
/// }
/// # let _: axum::Router<invitation::web::Web> =
/// #     axum::Router::new().route("/", axum::routing::post(greet));
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart")]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T>
where
    Web: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let web = &Web::from_ref(state);
        let (_, bytes) = read_as("application/json", JSON, request, web).await?;
        parse(&bytes).map(Self)
    }
}

/// A JSON body that may be missing or `null`. It then has the default value.
#[derive(Debug)]
pub(crate) struct MaybeJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Web> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let kind = media_type(&request);
        let bytes = read(request.into_body(), web.limits().body, web).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if kind?.as_deref() != Some("application/json") {
            return Err(unsupported(JSON));
        }
        parse::<Option<T>>(&bytes).map(|said| Self(said.unwrap_or_default()))
    }
}

/// A body without content: missing, or an empty object.
#[derive(Default, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Parses JSON. Returns 400 for text that is not JSON, and 422 with a pointer for JSON
/// that does not match `T`. A struct is read from an object only.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Objects(&mut json)).map_err(|error| {
        let pointer = pointer(error.path());
        refused(error.inner(), pointer)
    })?;
    json.end().map_err(|error| refused(&error, String::new()))?;
    Ok(value)
}

pub(crate) fn refused(error: &serde_json::Error, pointer: String) -> Problem {
    if !is_about_a_value(error) {
        let (line, column) = (error.line(), error.column());
        return Problem::new(ProblemKind::Malformed)
            .with_detail(format!("the body is no JSON, at line {line}, column {column}"));
    }
    Problem::invalid([field_error(error, pointer)])
}

/// Returns whether an error is about a value, in a text that is JSON. For `serde_json`, a number out of
/// range, such as `1e999`, is an error of syntax, which only its message tells from the others.
pub(crate) fn is_about_a_value(error: &serde_json::Error) -> bool {
    error.is_data() || error.to_string().starts_with("number out of range")
}

/// Returns the error for a value at `pointer` that does not match the expected type.
pub(crate) fn field_error(error: &serde_json::Error, pointer: String) -> InputError {
    let message = error.to_string();
    // The message ends with line and column, which the pointer replaces.
    let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
    InputError::in_body(pointer, message)
}

/// Returns the JSON pointer of a path.
pub(crate) fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;

    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&pointer_to(&index.to_string())),
            Segment::Map { key } => pointer.push_str(&pointer_to(key)),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
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

    fn problem(json: &str) -> Problem {
        parse::<Sample>(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let deep = "[".repeat(100_000);
        for json in ["", "{", "nonsense", r#"{"name":"a"} {}"#, "{\"name\":\"\\ud800\"}", &deep] {
            assert!(parse::<serde_json::Value>(json.as_bytes()).is_err(), "{json:.20}");
            let kind = parse::<serde_json::Value>(json.as_bytes()).unwrap_err().kind();
            assert_eq!(kind, ProblemKind::Malformed, "{json:.20}");
        }
        assert!(parse::<Sample>(b"\xff").is_err());
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_pointer() {
        let cases = [
            (r#"{"uses":-1}"#, "/uses"),
            (r#"{"uses":"1"}"#, "/uses"),
            (r#"{"uses":1e999}"#, "/uses"),
            (r#"{"name":-1e999}"#, "/name"),
            (r#"{"other":1}"#, "/other"),
            (r#"{"a/b~":1}"#, "/a~1b~0"),
            (r#"{"name":"a","name":"b"}"#, ""),
            ("[]", ""),
            (r#"["a", 1]"#, ""),
            ("[null]", ""),
            ("null", ""),
        ];
        for (json, pointer) in cases {
            let problem = problem(json);
            assert_eq!(problem.kind(), ProblemKind::Invalid, "{json}");
            assert_eq!(problem.errors()[0].pointer, pointer, "{json}: {problem:?}");
        }
    }

    #[test]
    fn a_struct_is_read_from_an_object_only() {
        #[derive(Deserialize, Debug)]
        struct Wrapper(#[expect(dead_code, reason = "only read")] Sample);

        let message = |problem: Problem| problem.errors()[0].message.clone();
        for json in ["[]", "[null]", r#"["a", 1]"#] {
            let expected = "invalid type: sequence, expected an object";
            assert_eq!(message(problem(json)), expected, "{json}");
            assert_eq!(message(parse::<Option<Sample>>(json.as_bytes()).unwrap_err()), expected);
            assert_eq!(message(parse::<Wrapper>(json.as_bytes()).unwrap_err()), expected);
        }
        for json in ["{}", r#"{"name": "a"}"#] {
            assert!(parse::<Sample>(json.as_bytes()).is_ok(), "{json}");
            assert!(parse::<Wrapper>(json.as_bytes()).is_ok(), "{json}");
            assert!(parse::<Option<Sample>>(json.as_bytes()).unwrap().is_some(), "{json}");
        }
        assert!(parse::<Option<Sample>>(b"null").unwrap().is_none());
        assert_eq!(parse::<Vec<u32>>(b"[1, 2]").unwrap(), [1, 2]);
        assert_eq!(parse::<Box<serde_json::value::RawValue>>(b"[1]").unwrap().get(), "[1]");
    }
}
