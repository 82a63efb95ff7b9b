//! How the file of an import is sent: as the body itself, or in a form.

use axum::{extract::Request, http::header};
use invitation_core::import::file::FileFormat;

use crate::{
    body::{media_type, unsupported},
    problem::Problem,
};

/// How the file of an import is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sending {
    /// The body is the file.
    File(FileFormat),
    /// The file is a part of a form.
    Form,
}

/// Returns how the file of a request is sent. Returns 415 for any other media type, before the limit
/// of imports can give 429.
pub(super) fn accepted(request: &Request) -> Result<Sending, Problem> {
    Ok(match media_type(request)?.as_deref() {
        Some("text/csv") => Sending::File(FileFormat::Csv),
        Some(kind) if is_json_lines(kind) => Sending::File(FileFormat::JsonLines),
        Some("multipart/form-data") if boundary(request).is_some() => Sending::Form,
        _ => {
            return Err(unsupported(
                "the body must be text/csv, application/jsonl or multipart/form-data",
            ));
        }
    })
}

/// Returns the text between the parts of a form; none if the body is not that of a form.
pub(super) fn boundary(request: &Request) -> Option<String> {
    let kind = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(kind).ok()
}

pub(super) fn is_json_lines(kind: &str) -> bool {
    matches!(
        kind,
        "application/jsonl"
            | "application/jsonlines"
            | "application/x-ndjson"
            | "application/ndjson"
    )
}
