//! The endpoint that returns the outcome of each row of an import as a file.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, Method, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use invitation_core::{
    Actor, BatchId, Binding,
    import::{
        file::harmless,
        jobs::{ImportError, ImportResults, ResultRow},
    },
};

use super::docs;
use crate::{
    api::streamed::{Chunks, streamed},
    authorization::{Authorized, to},
    origin,
    path::PathId,
    problem::Problem,
    web::Web,
};

const COLUMNS: [&str; 11] = [
    "line",
    "outcome",
    "id",
    "email",
    "role",
    "division",
    "expires_at",
    "code",
    "link",
    "errors",
    "warnings",
];

/// Returns the outcome of each row of an import that has ended, as a CSV file in the order of the
/// imported one. The rows that were created have their present codes, if the actor may copy codes;
/// one event records that for the whole import. The file is UTF-8 with a byte order mark, and safe
/// to open as a spreadsheet: see `GET /export.csv`.
///
/// Because of that event, a link on a page of another site does not lead here: a request with
/// `Sec-Fetch-Site: cross-site` or `same-site` gets 403. `HEAD` returns the headers only, and
/// records nothing.
#[utoipa::path(
    get,
    path = "/imports/{import}/result",
    operation_id = "get_import_result",
    params(docs::Import),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/csv"),
        docs::OnImports, docs::ImportState, docs::InBulk,
    ),
)]
pub(crate) async fn result(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Bulk>,
    id: PathId<BatchId>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if method == Method::HEAD {
        return result_head(&web, &actor, id.or_unissued()).await;
    }
    origin::check_reading(&headers)?;
    streamed_result(&web, &actor, id.or_unissued()).await
}

/// Returns the response without the file. The results are not opened, because that is recorded as a
/// copy of the codes.
pub(crate) async fn result_head(
    web: &Web,
    actor: &Actor,
    id: BatchId,
) -> Result<Response, Problem> {
    let job = web.served_imports()?.get(web.service(), actor, id).await?;
    if !job.state().is_final() {
        return Err(ImportError::NotEnded.into());
    }
    // Like that of the file, the length of this body is unknown.
    let nothing = Body::from_stream(stream::empty::<Result<Bytes, Infallible>>());
    Ok((headers(id), nothing).into_response())
}

/// Returns the response with the file.
pub(crate) async fn streamed_result(
    web: &Web,
    actor: &Actor,
    id: BatchId,
) -> Result<Response, Problem> {
    let imports = web.served_imports()?;
    let permit = web.bulk_permit()?;
    // The first page is read before the response begins, so that a failure still gets an error
    // status.
    let mut results = imports.results(web.service(), actor, id).await?;
    let first = results.next_page(web.service()).await?;
    let (pace, owned) = (web.limits().export_pace, web.clone());
    let body = streamed(pace, permit, |chunks| written(owned, results, first, chunks));
    Ok((headers(id), body).into_response())
}

fn headers(id: BatchId) -> [(HeaderName, String); 2] {
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"import-{id}.csv\"")),
    ]
}

/// Writes the first page and the pages after it. An error aborts the response, so that
/// the client sees that the file is incomplete.
async fn written(
    web: Web,
    mut results: ImportResults,
    first: Vec<ResultRow>,
    chunks: Chunks,
) -> Result<(), std::io::Error> {
    chunks.send(lines(&web, &first, true)?).await?;
    let mut page = first;
    while !page.is_empty() {
        page = results.next_page(web.service()).await.map_err(|error| {
            tracing::error!(%error, "the result of an import breaks off");
            std::io::Error::other(error)
        })?;
        if !page.is_empty() {
            chunks.send(lines(&web, &page, false)?).await?;
        }
    }
    Ok(())
}

fn lines(web: &Web, rows: &[ResultRow], is_first: bool) -> Result<Bytes, std::io::Error> {
    let line_end = csv::Terminator::CRLF;
    // The byte order mark tells a spreadsheet that the file is UTF-8.
    let begin = if is_first { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
    let mut csv = csv::WriterBuilder::new().terminator(line_end).from_writer(begin);
    if is_first {
        csv.write_record(COLUMNS)?;
    }
    for row in rows {
        csv.write_record(cells(web, row).iter().map(|cell| harmless(cell).into_owned()))?;
    }
    let written = csv.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(written.into())
}

fn cells(web: &Web, row: &ResultRow) -> [String; 11] {
    let facts = row.invitation.as_ref();
    let email = facts.map(|facts| match facts.binding() {
        Binding::Address(email) => email.as_str().to_owned(),
        Binding::Domain(domain) => domain.as_str().to_owned(),
        Binding::Anyone => String::new(),
    });
    let code = row.code.as_ref();
    let link = code.and_then(|code| web.link(code)).map(|link| link.reveal().to_owned());
    [
        row.line.to_string(),
        row.outcome.to_string(),
        facts.map(|facts| facts.id().to_string()).unwrap_or_default(),
        email.unwrap_or_default(),
        facts.map(|facts| facts.role().to_string()).unwrap_or_default(),
        facts.map(|facts| facts.division().to_string()).unwrap_or_default(),
        facts.map(|facts| facts.expires_at().to_string()).unwrap_or_default(),
        code.map(|code| code.reveal().as_str().to_owned()).unwrap_or_default(),
        link.unwrap_or_default(),
        row.errors.join("; "),
        row.warnings.join("; "),
    ]
}
